//! What the nets see of a picture.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::photo::{Limits, Photo, PhotoError};
use crate::tagger::{Tagger, TaggerError};

/// What the nets see of the dominant face of a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// ANet's FC vector.
    pub vector: Vec<f32>,
    /// Faces found in the picture.
    pub faces: usize,
    /// SHA-256 of the pixels: the same for two files of one picture.
    pub fingerprint: [u8; 32],
}

/// Why a picture cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    /// It cannot be read; the message names it.
    #[error(transparent)]
    Photo(#[from] PhotoError),
    /// The nets refuse it.
    #[error("{}: {reason}", .path.display())]
    Tagger {
        /// The picture.
        path: PathBuf,
        /// Why.
        reason: Box<TaggerError>,
    },
}

/// Finds the dominant face of a picture and its FC vector, by the same steps as [`Tagger::tag`]; `None` where no face is found.
///
/// # Errors
/// A picture that cannot be read.
pub fn look(tagger: &Tagger, path: &Path) -> Result<Option<Look>, LookError> {
    let photo = Photo::open(path, &Limits::default())?;
    look_at(tagger, &photo)
        .map_err(|reason| LookError::Tagger { path: path.to_owned(), reason: Box::new(reason) })
}

/// The same for a picture in memory.
///
/// # Errors
/// Nets that refuse it, which no photo brings about.
pub fn look_at(tagger: &Tagger, photo: &Photo) -> Result<Option<Look>, TaggerError> {
    let faces = tagger.locate(photo)?;
    let Some(face) = faces.first() else { return Ok(None) };
    let vector = tagger.vector_in(photo, tagger.place_of(face)?)?;
    let fingerprint = Sha256::digest(photo.pixels()).into();
    Ok(Some(Look { vector, faces: faces.len(), fingerprint }))
}
