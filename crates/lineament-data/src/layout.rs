//! Which reader a folder or file needs: named by the user, or detected from what is there.

use std::path::Path;
use std::str::FromStr;

use crate::error::DataError;
use crate::sample::Dataset;
use crate::{celeba, folder, imagenet, images, lfw, report, table};

/// The layouts that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// CelebA's official folders: [`celeba::read`].
    Celeba,
    /// A folder a person: [`lfw::read`].
    Lfw,
    /// A folder a class: [`imagenet::read`].
    Imagenet,
    /// Images without faces: [`folder::read`].
    Folder,
    /// A CSV or Parquet file, or JSON of Label Studio or in COCO's form: [`table::read`].
    Table,
}

impl FromStr for Layout {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Self, DataError> {
        match text.to_ascii_lowercase().as_str() {
            "celeba" => Ok(Self::Celeba),
            "lfw" => Ok(Self::Lfw),
            "imagenet" => Ok(Self::Imagenet),
            "folder" => Ok(Self::Folder),
            "csv" | "parquet" | "table" => Ok(Self::Table),
            _ => Err(DataError::UnknownLayout { given: text.to_owned() }),
        }
    }
}

/// Reads a folder or file in a given layout.
///
/// # Errors
/// Those of the layout's reader.
pub fn read(layout: Layout, path: &Path) -> Result<Dataset, DataError> {
    match layout {
        Layout::Celeba => celeba::read(path),
        Layout::Lfw => lfw::read(path),
        Layout::Imagenet => imagenet::read(path),
        Layout::Folder => folder::read(path),
        Layout::Table => table::read(path),
    }
}

/// Tells a layout from what is there, for `--data DIR` without a name: CelebA by its attribute list, ImageNet by `train/`, LFW by images
/// that carry their folder's name, a flat folder of images as one without faces.
///
/// # Errors
/// Where it is none of them or cannot be read. A folder of class folders without `train/` is not told from others: name it.
pub fn detect(path: &Path) -> Result<Layout, DataError> {
    let there = |names: &[&str]| names.iter().any(|n| path.join(n).exists());
    if !path.exists() {
        return Err(DataError::missing(path, "a folder of pictures or a table is expected there"));
    }
    let is_celeba = celeba::is_here(path) || celeba::is_within(path);
    if is_celeba || there(&["Img/img_align_celeba", "Img/img_celeba"]) {
        return Ok(Layout::Celeba);
    }
    if table::is_in_parts(path) {
        return Ok(Layout::Table);
    }
    if path.join("train").is_dir() {
        return Ok(Layout::Imagenet);
    }
    let not_seen = || DataError::LayoutNotSeen { path: path.to_path_buf() };
    if !path.is_dir() {
        let is_table = path
            .extension()
            .is_some_and(|e| ["csv", "parquet", "json"].iter().any(|t| e.eq_ignore_ascii_case(t)));
        return if is_table { Ok(Layout::Table) } else { Err(not_seen()) };
    }
    let mut ignored = report::ReadReport::default();
    let root = if path.join("lfw").is_dir() { path.join("lfw") } else { path.to_path_buf() };
    if let Some(person) = images::folders(&root)?.first() {
        let name = images::file_name(person);
        let found = images::in_folder(person, &mut ignored)?;
        if found.first().is_some_and(|p| images::file_name(p).starts_with(&format!("{name}_"))) {
            return Ok(Layout::Lfw);
        }
    }
    if images::in_folder(path, &mut ignored)?.is_empty() { Err(not_seen()) } else { Ok(Layout::Folder) }
}
