//! Decoded pictures kept in memory, so that epochs after the first do not decode again.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use lineament::{Limits, Photo, Rect, crop};

use crate::error::DataError;

/// A picture, shrunk to at most the cache's longest side.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The picture.
    pub photo: Arc<Photo>,
    /// Pixels of `photo` for one pixel of the file; at most 1.
    pub scale: f32,
}

impl Kept {
    /// A rectangle in pixels of the file, in pixels of `photo`.
    pub fn to_kept(&self, rect: Rect) -> Rect {
        let scale = self.scale;
        Rect { x: rect.x * scale, y: rect.y * scale, width: rect.width * scale, height: rect.height * scale }
    }
}

/// Keeps pictures until its memory is full; those that find no room are decoded every time.
pub struct PhotoCache {
    side: u32,
    room: u64,
    kept: Mutex<(HashMap<PathBuf, Kept>, u64)>,
}

impl PhotoCache {
    /// Keeps pictures with no side longer than `side` pixels, `room` bytes of them.
    pub fn new(side: u32, room: u64) -> Self {
        Self { side: side.max(1), room, kept: Mutex::new((HashMap::new(), 0)) }
    }

    /// The picture at `path`.
    ///
    /// # Errors
    /// When it can't be read; nothing is kept then.
    pub fn get(&self, path: &Path) -> Result<Kept, DataError> {
        if let Some(kept) = self.kept.lock().unwrap_or_else(PoisonError::into_inner).0.get(path) {
            return Ok(kept.clone());
        }
        let photo = Photo::open(path, &Limits::default()).map_err(DataError::Photo)?;
        let kept = self.shrunk(photo);
        let bytes = kept.photo.pixels().len() as u64;
        let mut guard = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if guard.1 + bytes <= self.room && !guard.0.contains_key(path) {
            guard.1 += bytes;
            guard.0.insert(path.to_path_buf(), kept.clone());
        }
        Ok(kept)
    }

    fn shrunk(&self, photo: Photo) -> Kept {
        let longest = photo.width().max(photo.height());
        if longest <= self.side {
            return Kept { photo: Arc::new(photo), scale: 1.0 };
        }
        let scale = self.side as f32 / longest as f32;
        let to = |side: u32| ((side as f32 * scale).round() as u32).max(1);
        let photo = crop::crop(&photo, photo.rect(), to(photo.width()), to(photo.height()));
        Kept { photo: Arc::new(photo), scale }
    }
}
