//! The embedding of the dominant face of an image.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use lineament::{Error, Limits, Photo, PhotoError, Tagger};

/// The embedding of the dominant face of an image.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageEmbedding {
    /// The embedding: ANet's FC vector.
    pub vector: Vec<f32>,
    /// Faces found in the image.
    pub faces: usize,
    /// SHA-256 of the pixels: the same for two files of one image.
    pub fingerprint: [u8; 32],
}

/// Why an image cannot be embedded.
#[derive(Debug, thiserror::Error)]
pub enum EmbedError {
    /// It cannot be read; the message names it.
    #[error(transparent)]
    Photo(#[from] PhotoError),
    /// The nets refuse it.
    #[error("{}: {reason}", .path.display())]
    Tagger {
        /// The image.
        path: PathBuf,
        /// Why.
        reason: Box<Error>,
    },
}

/// Finds the dominant face of an image file and its embedding, by the same steps as [`Tagger::predict`]; `None` where no face is found.
///
/// # Errors
/// An image that cannot be read.
pub fn embed(tagger: &Tagger, path: &Path) -> Result<Option<ImageEmbedding>, EmbedError> {
    let photo = Photo::open(path, &Limits::default())?;
    embed_photo(tagger, &photo)
        .map_err(|reason| EmbedError::Tagger { path: path.to_owned(), reason: Box::new(reason) })
}

/// The same for an image in memory.
///
/// # Errors
/// Nets that refuse it, which no photo brings about.
pub fn embed_photo(tagger: &Tagger, photo: &Photo) -> Result<Option<ImageEmbedding>, Error> {
    let faces = tagger.locate(photo)?;
    let Some(face) = faces.first() else { return Ok(None) };
    let vector = tagger.embed(photo, face)?;
    let fingerprint = Sha256::digest(photo.pixels()).into();
    Ok(Some(ImageEmbedding { vector, faces: faces.len() + faces.left_out, fingerprint }))
}
