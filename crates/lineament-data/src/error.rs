//! What can go wrong while reading or writing a set of images.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// A failure that ends the reading or writing of a whole set. What concerns one row or one image is not here: it is
/// counted in the [`crate::ReadReport`].
#[derive(Debug, Error)]
pub enum DataError {
    /// An image that could not be read.
    #[error(transparent)]
    Photo(#[from] lineament::PhotoError),
    /// A file or folder without which there is nothing to read.
    #[error("{path} is not there: {expected}")]
    Missing {
        /// The file or folder that was looked for.
        path: PathBuf,
        /// What should be there.
        expected: String,
    },
    /// A folder without a single usable image.
    #[error("no picture was found in {path}: {expected}")]
    NoImages {
        /// The folder that was searched.
        path: PathBuf,
        /// Where images are expected.
        expected: String,
    },
    /// A file or folder that could not be read or written.
    #[error("{path} could not be {action}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// "read" or "written".
        action: &'static str,
        /// The system's reason.
        source: io::Error,
    },
    /// A file that was read but does not say what it should.
    #[error("{path}, line {line}: {problem}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong and what is expected.
        problem: String,
    },
    /// A table (CSV or Parquet) that cannot be used as a whole.
    #[error("the table {path} cannot be used: {problem}")]
    Table {
        /// The table.
        path: PathBuf,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A setting out of its range.
    #[error("{name} is {value}: {expected}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// The value given.
        value: String,
        /// What is allowed.
        expected: &'static str,
    },
    /// A name that is not one of the known ones.
    #[error("{given:?} is not a layout: use celeba, lfw, imagenet, folder or csv (a CSV or Parquet file)")]
    UnknownLayout {
        /// The name given.
        given: String,
    },
    /// A folder whose layout could not be told.
    #[error(
        "the layout of {path} is none of CelebA's (Anno/list_attr_celeba.txt), LFW's (NAME/NAME_0001.jpg), ImageNet's \
         (train/CLASS/...) or a flat folder of pictures, and it is no .csv, .parquet or .json file: name the layout"
    )]
    LayoutNotSeen {
        /// The folder or file.
        path: PathBuf,
    },
}

impl DataError {
    pub(crate) fn reading(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_path_buf(), action: "read", source }
    }

    pub(crate) fn writing(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_path_buf(), action: "written", source }
    }

    pub(crate) fn missing(path: &Path, expected: impl Into<String>) -> Self {
        Self::Missing { path: path.to_path_buf(), expected: expected.into() }
    }

    pub(crate) fn no_images(path: &Path, expected: impl Into<String>) -> Self {
        Self::NoImages { path: path.to_path_buf(), expected: expected.into() }
    }
}
