//! What an image may be given as.

use std::path::PathBuf;

use lineament::{Photo, Source};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use crate::pixels;

/// An image on its way to a thread that has nothing to do with Python.
pub enum Image {
    /// A file that is still to be read.
    File(PathBuf),
    /// A file in memory; the bytes stay Python's.
    Bytes(PyBackedBytes),
    /// Pixels, copied.
    Photo(Photo),
    /// Something that is no image, and why. The others of its list are read.
    Refused(String),
}

impl Image {
    /// What messages call it.
    pub fn name(&self, index: usize) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            _ => format!("picture {index}"),
        }
    }

    /// The image as the library reads it.
    ///
    /// # Errors
    /// Why it was refused.
    pub fn source(&self) -> Result<Source<'_>, String> {
        match self {
            Self::File(path) => Ok(path.into()),
            Self::Bytes(bytes) => Ok((&**bytes).into()),
            Self::Photo(photo) => Ok(photo.into()),
            Self::Refused(reason) => Err(reason.clone()),
        }
    }
}

impl<'py> FromPyObject<'_, 'py> for Image {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if given.is_instance_of::<PyBytes>() {
            return Ok(Self::Bytes(given.extract()?));
        }
        // In the place of an image: why there is none.
        if given.is_instance_of::<PyException>() {
            return Ok(Self::Refused(given.str()?.to_string()));
        }
        if let Ok(path) = given.extract::<PathBuf>() {
            return Ok(Self::File(path));
        }
        Ok(pixels::photo(&given).map_or_else(Self::Refused, Self::Photo))
    }
}
