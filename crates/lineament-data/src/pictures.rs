//! Lists picture files, in an order that depends on their names alone.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::error::DataError;
use crate::report::{FindingKind, ReadReport};

const EXTENSIONS: [&str; 13] =
    ["jpg", "jpeg", "jpe", "jfif", "png", "webp", "gif", "bmp", "tif", "tiff", "pnm", "ppm", "pgm"];

/// Whether a file is a picture, by its name.
pub(crate) fn is_picture(path: &Path) -> bool {
    path.extension()
        .and_then(|e| e.to_str())
        .is_some_and(|e| EXTENSIONS.iter().any(|known| e.eq_ignore_ascii_case(known)))
}

/// A path's last part as text.
pub(crate) fn file_name(path: &Path) -> String {
    path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The picture files straight in `dir`, by name. Others are counted in `report`, but for hidden files and lists of labels.
pub(crate) fn in_folder(dir: &Path, report: &mut ReadReport) -> Result<Vec<PathBuf>, DataError> {
    walk(dir, 1, report)
}

/// The picture files in `dir` and all folders below it, by path.
pub(crate) fn below(dir: &Path, report: &mut ReadReport) -> Result<Vec<PathBuf>, DataError> {
    walk(dir, usize::MAX, report)
}

fn walk(dir: &Path, depth: usize, report: &mut ReadReport) -> Result<Vec<PathBuf>, DataError> {
    let mut found = Vec::new();
    // Links are followed: data sets are often linked into place.
    for entry in WalkDir::new(dir).max_depth(depth).follow_links(true).sort_by_file_name() {
        let entry = entry.map_err(|error| {
            let path = error.path().unwrap_or(dir).to_path_buf();
            DataError::Io { path, action: "read", source: error.into() }
        })?;
        if !entry.file_type().is_file() {
            continue;
        }
        let path = entry.into_path();
        let name = file_name(&path);
        if is_picture(&path) && !name.starts_with('.') {
            found.push(path);
        } else if !name.starts_with('.') && !is_list(&path) {
            report.add(FindingKind::NotAPicture, path.display().to_string());
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
