//! Checkpoints: one safetensors file, written beside its place and renamed, so that a kill leaves the old one or the new one.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use thiserror::Error;

/// What can be wrong with a checkpoint.
#[derive(Debug, Error)]
pub enum CheckpointError {
    /// It can't be read or written.
    #[error(
        "cannot access the checkpoint {path}: {source}; check that the disk has room and the folder can be written"
    )]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is cut, forged or of another program.
    #[error("the checkpoint {path} is damaged ({why}); delete it to train this stage from its beginning")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What was found.
        why: String,
    },
    /// It belongs to nets of another shape.
    #[error(
        "the checkpoint {path} belongs to other nets than this recipe's; use a new --output folder, or the recipe that began it"
    )]
    OtherNets {
        /// Which file.
        path: PathBuf,
    },
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> CheckpointError + '_ {
    |source| CheckpointError::Io { path: path.to_path_buf(), source }
}

/// Writes `bytes` as a whole file, and makes its folder where there is none.
///
/// # Errors
/// When the folder can't be written.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), CheckpointError> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(io(path))?;
    lineament::output::write_whole(path, |file| file.write_all(bytes)).map_err(io(path))
}

/// Writes flat tensors with the step count and the fingerprint of the nets.
///
/// # Errors
/// When the file can't be written.
pub fn write(
    path: &Path,
    steps: u64,
    nets: &str,
    tensors: &[(String, Vec<f32>)],
) -> Result<(), CheckpointError> {
    let damaged = |e: safetensors::SafeTensorError| CheckpointError::Damaged {
        path: path.to_path_buf(),
        why: e.to_string(),
    };
    let bytes: Vec<(&str, Vec<u8>, usize)> = tensors
        .iter()
        .map(|(name, data)| (name.as_str(), data.iter().flat_map(|v| v.to_le_bytes()).collect(), data.len()))
        .collect();
    let mut views = Vec::with_capacity(bytes.len());
    for (name, data, length) in &bytes {
        views.push((*name, TensorView::new(Dtype::F32, vec![*length], data).map_err(damaged)?));
    }
    let metadata =
        HashMap::from([("steps".to_owned(), steps.to_string()), ("nets".to_owned(), nets.to_owned())]);
    let file = serialize(views, Some(metadata)).map_err(damaged)?;
    write_whole(path, &file)
}

/// Reads what [`write()`] wrote: the step count and the tensors by name.
///
/// # Errors
/// When the file is missing, damaged, or of other nets.
pub fn read(path: &Path, nets: &str) -> Result<(u64, BTreeMap<String, Vec<f32>>), CheckpointError> {
    let damaged = |why: String| CheckpointError::Damaged { path: path.to_path_buf(), why };
    let bytes = std::fs::read(path).map_err(io(path))?;
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|e| damaged(e.to_string()))?;
    let said = header.metadata().clone().unwrap_or_default();
    if said.get("nets").map(String::as_str) != Some(nets) {
        return Err(CheckpointError::OtherNets { path: path.to_path_buf() });
    }
    let steps =
        said.get("steps").and_then(|s| s.parse().ok()).ok_or_else(|| damaged("no step count".to_owned()))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|e| damaged(e.to_string()))?;
    let mut tensors = BTreeMap::new();
    for (name, view) in file.tensors() {
        if view.dtype() != Dtype::F32 {
            return Err(damaged(format!("tensor {name} is not of 32-bit floats")));
        }
        let data =
            view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        tensors.insert(name, data);
    }
    Ok((steps, tensors))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tensors() -> Vec<(String, Vec<f32>)> {
        vec![("value.0".to_owned(), vec![1.0, -2.5]), ("optimiser.0.x".to_owned(), vec![0.0; 7])]
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/run/anet.checkpoint");
        write(&path, 41, "nets", &tensors()).unwrap();
        let (steps, found) = read(&path, "nets").unwrap();
        assert_eq!((steps, found), (41, tensors().into_iter().collect()));
        assert_eq!(
            std::fs::read_dir(path.parent().unwrap()).unwrap().count(),
            1,
            "a temporary file was left"
        );
    }

    #[test]
    fn other_nets_and_missing_files_are_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.checkpoint");
        write(&path, 1, "these", &tensors()).unwrap();
        assert!(matches!(read(&path, "those"), Err(CheckpointError::OtherNets { .. })));
        assert!(matches!(read(&folder.path().join("b"), "these"), Err(CheckpointError::Io { .. })));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn damaged_files_are_refused_without_a_panic(cut in 0..200usize, flip in 0..400usize, bit in 0..8u8) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.checkpoint");
            write(&path, 1, "nets", &tensors()).unwrap();
            let mut bytes = std::fs::read(&path).unwrap();
            let shorter = bytes.len().saturating_sub(cut + 1);
            std::fs::write(&path, &bytes[..shorter]).unwrap();
            prop_assert!(read(&path, "nets").is_err());
            let at = flip % bytes.len();
            bytes[at] ^= 1 << bit;
            std::fs::write(&path, &bytes).unwrap();
            // A flip in the numbers themselves can't be told; anything else is an error or the same names.
            if let Ok((_, found)) = read(&path, "nets") {
                prop_assert!(found.len() <= 2);
            }
        }
    }
}
