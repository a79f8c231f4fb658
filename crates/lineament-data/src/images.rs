//! Lists image files, in an order that depends on their names alone.

use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::report::{FindingKind, ReadReport};
use crate::walk::{Walk, WalkError, is_image};

/// A path's last part as text.
pub(crate) fn file_name(path: &Path) -> String {
    path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The image files straight in `dir`, by name. Others are counted in `report`, but for hidden files and lists of labels.
pub(crate) fn in_folder(dir: &Path, report: &mut ReadReport) -> Result<Vec<PathBuf>, DataError> {
    walk(dir, 1, report)
}

/// The image files in `dir` and all folders below it, by path.
pub(crate) fn below(dir: &Path, report: &mut ReadReport) -> Result<Vec<PathBuf>, DataError> {
    walk(dir, usize::MAX, report)
}

fn walk(dir: &Path, depth: usize, report: &mut ReadReport) -> Result<Vec<PathBuf>, DataError> {
    let mut found = Vec::new();
    // Links are followed: data sets are often linked into place.
    for path in Walk::files(dir, depth) {
        let path = match path {
            Ok(path) => path,
            // Without the folder itself there is nothing.
            Err(WalkError { path, source }) if path == dir => return Err(DataError::reading(dir, source)),
            Err(error) => {
                report.add(FindingKind::UnreadablePlace, error.to_string());
                continue;
            }
        };
        if is_image(&path) {
            found.push(path);
        } else if !is_list(&path) {
            report.add(FindingKind::NotAnImage, path.display().to_string());
        }
    }
    Ok(found)
}

fn is_list(path: &Path) -> bool {
    path.extension().and_then(|e| e.to_str()).is_some_and(|e| {
        ["txt", "csv", "md", "json", "parquet"].iter().any(|known| e.eq_ignore_ascii_case(known))
    })
}

/// The folders straight in `dir`, by name.
pub(crate) fn folders(dir: &Path) -> Result<Vec<PathBuf>, DataError> {
    let entries = std::fs::read_dir(dir).map_err(|e| DataError::reading(dir, e))?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(|e| DataError::reading(dir, e))?.path();
        if path.is_dir() && !file_name(&path).starts_with('.') {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The last part of a folder's name, for a data set's name.
pub(crate) fn set_name(dir: &Path, fallback: &str) -> String {
    let name = file_name(dir);
    if name.is_empty() { fallback.to_owned() } else { name }
}
