//! Images that lie in a Parquet file, as Hugging Face's data sets have them, unpacked into files: what reads images reads files.
//!
//! They go to a folder of the user's cache, once for each table: a second reading finds them there.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use crate::columns::{Cell, Column, ParquetFile};
use crate::error::DataError;
use crate::split::mix;

/// Images that are held at once.
const BATCH: usize = 64;

/// The variable that names the folder for what is unpacked.
const CACHE: &str = "LINEAMENT_CACHE";

/// The column of images' bytes in a struct of this name.
pub(super) fn column(file: &ParquetFile, name: &str) -> Option<Column> {
    file.column(&[name, "bytes"]).filter(|column| column.of_bytes)
}

/// The paths of the images of a column, row by row; empty where a row has none.
pub(super) fn paths(path: &Path, file: &Arc<ParquetFile>, column: Column) -> Result<Vec<String>, DataError> {
    let folder = folder(path).map_err(|e| DataError::reading(path, e))?;
    fs::create_dir_all(&folder).map_err(|e| DataError::writing(&folder, e))?;
    let mut cells = file.cells(column, 0);
    let mut paths = Vec::new();
    loop {
        let batch = cells.read(BATCH)?;
        if batch.is_empty() {
            return Ok(paths);
        }
        for bytes in batch.into_iter().map(Cell::bytes) {
            let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty()) else {
                paths.push(String::new());
                continue;
            };
            let image = folder.join(format!("{:08}.{}", paths.len() + 1, ending(&bytes)));
            write(&image, &bytes).map_err(|e| DataError::writing(&image, e))?;
            paths.push(lineament::path_text::to_text(&image).into_owned());
        }
    }
}

/// Writes an image that is not there yet, whole or not at all.
fn write(image: &Path, bytes: &[u8]) -> io::Result<()> {
    if image.metadata().is_ok_and(|known| known.len() == bytes.len() as u64) {
        return Ok(());
    }
    let temporary = image.with_extension("tmp");
    fs::write(&temporary, bytes)?;
    fs::rename(&temporary, image)
}

/// A folder that belongs to this file as it is now.
fn folder(path: &Path) -> io::Result<PathBuf> {
    let real = path.canonicalize()?;
    let known = real.metadata()?;
    let written = known.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let place = real.as_os_str().as_encoded_bytes();
    let key = place.iter().fold(0, |key, byte| mix(key ^ u64::from(*byte)));
    let key = mix(mix(key ^ known.len()) ^ (written as u64));
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(cache().join(format!("{stem}-{key:016x}")))
}

fn cache() -> PathBuf {
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let inside = |folder: PathBuf| folder.join("lineament");
    named(CACHE)
        .or_else(|| named("XDG_CACHE_HOME").map(inside))
        .or_else(|| named("LOCALAPPDATA").map(inside))
        .or_else(|| named("HOME").map(|home| inside(home.join(".cache"))))
        .unwrap_or_else(|| inside(std::env::temp_dir()))
}

/// The ending of the format that bytes begin like.
fn ending(bytes: &[u8]) -> &'static str {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => "png",
        [b'G', b'I', b'F', ..] => "gif",
        [b'R', b'I', b'F', b'F', ..] => "webp",
        [b'B', b'M', ..] => "bmp",
        [b'I', b'I', b'*', 0, ..] | [b'M', b'M', 0, b'*', ..] => "tif",
        _ => "jpg",
    }
}
