//! Decoded images, shrunk and kept in memory, so that epochs after the first decode nothing.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use lineament::crop::crop;
use lineament::{Limits, Photo, Rect};

use crate::error::DataError;

/// What an entry costs beside its pixels and path: the map's slot, the counters, the allocator's rounding.
const OVERHEAD: u64 = 160;

/// An image, shrunk to at most the cache's longest side.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// The image.
    pub photo: Arc<Photo>,
    /// Pixels of `photo` for one pixel of the file; at most 1.
    pub scale: f32,
}

impl Kept {
    /// Shrinks a photo to a longest side; smaller ones stay as they are.
    pub fn new(photo: Photo, longest_side: u32) -> Self {
        let longest = photo.width().max(photo.height());
        let limit = longest_side.max(1);
        if longest <= limit {
            return Self { photo: Arc::new(photo), scale: 1.0 };
        }
        let scale = limit as f32 / longest as f32;
        let to = |side: u32| ((side as f32 * scale).round() as u32).max(1);
        let photo = crop(&photo, photo.rect(), to(photo.width()), to(photo.height()));
        Self { photo: Arc::new(photo), scale }
    }

    /// A rectangle in pixels of the file, in pixels of `photo`.
    pub fn to_kept(&self, rect: Rect) -> Rect {
        let scale = self.scale;
        Rect::new(rect.x * scale, rect.y * scale, rect.width * scale, rect.height * scale)
    }
}

/// Keeps decoded images up to a number of bytes. Shared between threads; what it returns never depends on what it holds.
pub struct PhotoCache {
    side: u32,
    room: u64,
    bytes: AtomicU64,
    kept: RwLock<HashMap<PathBuf, Kept>>,
}

impl PhotoCache {
    /// Keeps images with no side longer than `side` pixels, `room` bytes of them. Those that find no room are decoded anew each
    /// time: with every epoch reading all of them, throwing others out would gain nothing.
    pub fn new(side: u32, room: u64) -> Self {
        Self { side: side.max(1), room, bytes: AtomicU64::new(0), kept: RwLock::new(HashMap::new()) }
    }

    /// The image in a file, from memory or decoded.
    ///
    /// # Errors
    /// [`DataError::Photo`] with the path where the file cannot be read or decoded. Failures are not remembered.
    pub fn get(&self, path: &Path) -> Result<Kept, DataError> {
        if let Some(found) = self.kept.read().unwrap_or_else(PoisonError::into_inner).get(path) {
            return Ok(found.clone());
        }
        let shrunk = Kept::new(Photo::open(path, &Limits::default())?, self.side);
        let cost = shrunk.photo.pixels().len() as u64 + path.as_os_str().len() as u64 + OVERHEAD;
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have decoded the same image meanwhile.
        if let Some(found) = kept.get(path) {
            return Ok(found.clone());
        }
        if self.bytes.load(Ordering::Relaxed).saturating_add(cost) <= self.room {
            // Only ever changed under the write lock.
            self.bytes.fetch_add(cost, Ordering::Relaxed);
            kept.insert(path.to_path_buf(), shrunk.clone());
        }
        Ok(shrunk)
    }

    /// How many bytes are held.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// How many images are held.
    pub fn len(&self) -> usize {
        self.kept.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether no image is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    fn files(count: u8) -> (tempfile::TempDir, Vec<PathBuf>) {
        let dir = tempfile::tempdir().unwrap();
        let paths = (0..count)
            .map(|i| {
                let path = dir.path().join(format!("{i}.png"));
                Photo::filled(40, 20, [i, 7, 9]).save_png(&path).unwrap();
                path
            })
            .collect();
        (dir, paths)
    }

    #[test]
    fn images_are_decoded_once() {
        let (dir, paths) = files(3);
        let cache = PhotoCache::new(16, 1 << 20);
        for path in &paths {
            cache.get(path).unwrap();
        }
        dir.close().unwrap();
        for (i, path) in (0..).zip(&paths) {
            let shrunk = cache.get(path).unwrap();
            assert_eq!((shrunk.photo.width(), shrunk.photo.height()), (16, 8));
            assert_eq!(shrunk.photo.pixel(3, 3), Some([i, 7, 9]));
            assert_eq!(shrunk.to_kept(Rect::new(10.0, 5.0, 20.0, 10.0)), Rect::new(4.0, 2.0, 8.0, 4.0));
        }
    }

    #[test]
    fn the_cap_holds_and_changes_no_result() {
        let (_dir, paths) = files(20);
        let cap = 5 * (40 * 20 * 3 + 300);
        let cache = PhotoCache::new(64, cap);
        let free = PhotoCache::new(64, u64::MAX);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for path in &paths {
                        assert_eq!(cache.get(path).unwrap(), free.get(path).unwrap());
                    }
                });
            }
        });
        assert!(cache.bytes() <= cap && cache.len() >= 4, "{} bytes in {}", cache.bytes(), cache.len());
        assert_eq!(free.len(), 20);
        assert!(!cache.is_empty());
    }

    #[test]
    fn a_broken_image_is_named_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("broken.png");
        std::fs::write(&path, b"\x89PNG\r\n\x1a\n and no more").unwrap();
        let cache = PhotoCache::new(64, 1 << 20);
        let error = cache.get(&path).unwrap_err();
        assert_eq!(error.to_string().matches("broken.png").count(), 1, "{error}");
    }
}
