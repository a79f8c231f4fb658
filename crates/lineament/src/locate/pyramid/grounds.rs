//! What levels and windows are drawn from: the photo, and copies of it that are smaller and smaller.

use super::levels::Level;
use super::window::Window;
use crate::crop::crop;
use crate::geometry::{Point, Rect};
use crate::photo::Photo;
use rayon::prelude::*;

/// A level is drawn from an image of at most so many times its size; from a larger one, too many pixels would be read for
/// each of its own.
const LARGEST: f64 = 3.0;
/// A copy is so many times larger than the first level that is drawn from it: drawn at the very size of the level it would be
/// blurred twice as much.
const COPY: f64 = std::f64::consts::SQRT_2;
/// Rows of a copy that are drawn at a time.
const BAND: u32 = 128;

/// The photo and its copies. The largest copy has at most two ninths of the photo's pixels, all of them together less than a
/// third.
pub(super) struct Grounds<'a> {
    photo: &'a Photo,
    copies: Vec<Photo>,
    /// For each level the number of its copy.
    of_levels: Vec<Option<usize>>,
}

impl<'a> Grounds<'a> {
    /// The photo alone.
    pub(super) fn of_photo(photo: &'a Photo) -> Self {
        Self { photo, copies: Vec::new(), of_levels: Vec::new() }
    }

    /// For levels from the finest to the coarsest.
    pub(super) fn new(photo: &'a Photo, levels: &[Level]) -> Self {
        let mut grounds = Self::of_photo(photo);
        // Pixels of the latest copy to one of the photo.
        let mut scale = 1.0;
        for level in levels {
            if scale / level.scale > LARGEST {
                scale = COPY * level.scale;
                let side = |pixels: u32| ((f64::from(pixels) * scale).round() as u32).max(1);
                let from = grounds.copies.last().unwrap_or(photo);
                let copy = shrunk(from, side(photo.width()), side(photo.height()));
                grounds.copies.push(copy);
            }
            grounds.of_levels.push(grounds.copies.len().checked_sub(1));
        }
        grounds
    }

    /// What the photo shows in `rect`, for the level of this number, at so many pixels.
    pub(super) fn draw(&self, level: usize, rect: Rect, width: u32, height: u32) -> Photo {
        let copy = self.of_levels.get(level).copied().flatten().and_then(|number| self.copies.get(number));
        let from = copy.unwrap_or(self.photo);
        let (x, y) = self.scales(from);
        crop(from, Rect::new(rect.x * x, rect.y * y, rect.width * x, rect.height * y), width, height)
    }
}

impl Grounds<'_> {
    /// A window as [`Window::drawn`] draws it, from the smallest image that is large enough.
    pub(super) fn draw_window(&self, window: &Window, side: u32) -> Photo {
        let least = COPY as f32 * side as f32 / window.side;
        let large_enough = |copy: &&Photo| self.scales(copy).0 >= least;
        let from = self.copies.iter().rev().find(large_enough).unwrap_or(self.photo);
        let (x, y) = self.scales(from);
        let centre = Point::new(window.centre.x * x, window.centre.y * y);
        Window { centre, side: window.side * (x * y).sqrt(), ..*window }.drawn(from, side)
    }

    /// Pixels of an image to one of the photo, along a row and along a column.
    fn scales(&self, image: &Photo) -> (f32, f32) {
        let Self { photo, .. } = self;
        (image.width() as f32 / photo.width() as f32, image.height() as f32 / photo.height() as f32)
    }
}

/// The full image at another size, in bands that are the same for any number of threads.
fn shrunk(photo: &Photo, width: u32, height: u32) -> Photo {
    let mut out = Photo::filled(width, height, [0; 3]);
    let step = photo.height() as f32 / height as f32;
    let line = width as usize * 3;
    out.pixels_mut().par_chunks_mut(BAND as usize * line).zip(0u32..height.div_ceil(BAND)).for_each(
        |(pixels, band)| {
            let (first, rows) = (band * BAND, (pixels.len() / line) as u32);
            let rect = Rect::new(0.0, first as f32 * step, photo.width() as f32, rows as f32 * step);
            pixels.copy_from_slice(crop(photo, rect, width, rows).pixels());
        },
    );
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::blocks;

    #[test]
    fn bands_meet() {
        let photo = blocks(700, 900, 3);
        let (whole, bands) = (crop(&photo, photo.rect(), 233, 300), shrunk(&photo, 233, 300));
        let difference = whole.pixels().iter().zip(bands.pixels()).map(|(a, b)| a.abs_diff(*b)).max();
        // Places of rows are rounded in another way.
        assert!(difference.unwrap() <= 1, "{difference:?}");
    }
}
