//! What an image may be given as.

use std::path::PathBuf;

use lineament::{Photo, Source};
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

/// An image on its way to a thread that has nothing to do with Python.
pub enum Image {
    /// A file that is still to be read.
    File(PathBuf),
    /// A file in memory; the bytes stay Python's.
    Bytes(PyBackedBytes),
    /// Pixels, copied.
    Photo(Photo),
}

impl<'a> From<&'a Image> for Source<'a> {
    fn from(image: &'a Image) -> Self {
        match image {
            Image::File(path) => path.into(),
            Image::Bytes(bytes) => (&**bytes).into(),
            Image::Photo(photo) => photo.into(),
        }
    }
}

impl Image {
    /// What messages call it.
    pub fn name(&self, place: usize) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            _ => format!("picture {place}"),
        }
    }
}

impl<'py> FromPyObject<'_, 'py> for Image {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if given.is_instance_of::<PyBytes>() {
            return Ok(Self::Bytes(given.extract()?));
        }
        if let Ok(path) = given.extract::<PathBuf>() {
            return Ok(Self::File(path));
        }
        if let Ok((width, height, pixels)) = given.extract::<(u32, u32, PyBackedBytes)>() {
            return photo(width, height, pixels.to_vec());
        }
        let Ok(buffer) = PyBuffer::<u8>::get(&given) else {
            let kind = given.get_type().name()?;
            return Err(PyTypeError::new_err(format!(
                "a picture is given as a path, the bytes of a file, an array of height x width x 3 of uint8, or a PIL image; this is {kind} \
                 (of another dtype, if it is an array)"
            )));
        };
        match *buffer.shape() {
            [height, width, 3] => {
                let side = |pixels: usize| u32::try_from(pixels).unwrap_or(u32::MAX);
                photo(side(width), side(height), buffer.to_vec(given.py())?)
            }
            ref shape => Err(PyValueError::new_err(format!(
                "an array of shape {shape:?} is no picture; give height x width x 3, red, green and blue"
            ))),
        }
    }
}

fn photo(width: u32, height: u32, pixels: Vec<u8>) -> PyResult<Image> {
    match Photo::new(width, height, pixels) {
        Ok(photo) => Ok(Image::Photo(photo)),
        Err(error) => Err(PyValueError::new_err(error.to_string())),
    }
}
