//! ImageNet-style folders of objects: Tiny-ImageNet's own layout, `train/CLASS/` with `val/CLASS/`, or classes straight in the
//! folder.

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::DataError;
use crate::folder::relative;
use crate::images;
use crate::report::FindingKind;
use crate::sample::{Dataset, Framing, Sample};
use crate::split::Split;

/// Reads folders of object classes. Classes are the folders' names, sorted. With `train/` there, its folders are the
/// classes and `val/` and `test/` (folders of the same classes, or Tiny-ImageNet's `val/images/` with
/// `val/val_annotations.txt`) are the other splits; a test part without classes is left out. Without `train/`, splits
/// are drawn by name. Whether there is a face is unknown.
///
/// # Errors
/// Where the folder is missing or holds no class with an image.
pub fn read(dir: &Path) -> Result<Dataset, DataError> {
    if !dir.is_dir() {
        return Err(DataError::missing(dir, "a folder with train/CLASS/... or CLASS/... is expected there"));
    }
    let mut set = Dataset::new(images::set_name(dir, "imagenet"));
    let train = dir.join("train");
    let parted = train.is_dir();
    let root = if parted { train } else { dir.to_path_buf() };
    let folders = images::folders(&root)?;
    set.classes = folders.iter().map(|f| images::file_name(f)).collect();
    let numbers: BTreeMap<String, u32> = set.classes.iter().cloned().zip(0..).collect();
    add_classes(&mut set, &root, dir, &numbers, Split::Train)?;
    if set.samples.is_empty() {
        let expected =
            "a folder a class with its pictures in it is expected, as train/CLASS/... or CLASS/...";
        return Err(DataError::no_images(&root, expected));
    }
    if !parted {
        set.draw_splits();
        return Ok(set);
    }
    for (name, split) in [("val", Split::Validation), ("test", Split::Test)] {
        let part = dir.join(name);
        let annotations = part.join(format!("{name}_annotations.txt"));
        if annotations.is_file() {
            add_annotated(&mut set, &part, dir, &annotations, &numbers, split)?;
        } else if part.is_dir() {
            add_classes(&mut set, &part, dir, &numbers, split)?;
        } else if split == Split::Validation {
            set.report.add(FindingKind::MissingFile, part.display().to_string());
        }
    }
    Ok(set)
}

fn add_classes(
    set: &mut Dataset,
    part: &Path,
    dir: &Path,
    numbers: &BTreeMap<String, u32>,
    split: Split,
) -> Result<(), DataError> {
    for folder in images::folders(part)? {
        let class = numbers.get(&images::file_name(&folder));
        for path in images::below(&folder, &mut set.report)? {
            match class {
                Some(class) => push(set, &path, dir, *class, split),
                None => set.report.add(FindingKind::ImageWithoutRow, path.display().to_string()),
            }
        }
    }
    Ok(())
}

fn push(set: &mut Dataset, path: &Path, dir: &Path, class: u32, split: Split) {
    let mut sample = Sample::new(path.to_path_buf(), relative(path, dir), Framing::Photo);
    sample.class = Some(class);
    sample.split = split;
    set.samples.push(sample);
}

/// Tiny-ImageNet's validation part: all images in one folder, their classes in a list of `file TAB class TAB box`.
fn add_annotated(
    set: &mut Dataset,
    part: &Path,
    dir: &Path,
    annotations: &Path,
    numbers: &BTreeMap<String, u32>,
    split: Split,
) -> Result<(), DataError> {
    let bytes = std::fs::read(annotations).map_err(|e| DataError::reading(annotations, e))?;
    let text = String::from_utf8_lossy(&bytes);
    let mut classes: BTreeMap<&str, u32> = BTreeMap::new();
    for (place, line) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
        let mut cells = line.split_whitespace();
        let (file, class) = (cells.next(), cells.next().and_then(|c| numbers.get(c)));
        match (file, class) {
            (Some(file), Some(class)) => {
                if classes.insert(file, *class).is_some() {
                    set.report.add(FindingKind::RepeatedName, file);
                }
            }
            _ => set.report.add(
                FindingKind::MalformedRow,
                format!(
                    "{}, line {}: a file and one of the classes of train/ are expected",
                    annotations.display(),
                    place + 1
                ),
            ),
        }
    }
    let folder = part.join("images");
    let folder = if folder.is_dir() { folder } else { part.to_path_buf() };
    for path in images::in_folder(&folder, &mut set.report)? {
        match classes.remove(images::file_name(&path).as_str()) {
            Some(class) => push(set, &path, dir, class, split),
            None => set.report.add(FindingKind::ImageWithoutRow, path.display().to_string()),
        }
    }
    for file in classes.keys() {
        set.report.add(FindingKind::RowWithoutImage, format!("{}: {file}", annotations.display()));
    }
    Ok(())
}
