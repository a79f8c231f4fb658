//! What a detector is shown of a photo.

use super::{Detector, Family};
use crate::crop::crop;
use crate::geometry::Rect;
use crate::locate::{Search, SmallestFace};
use crate::photo::Photo;

/// Largest side of a canvas, and with it the memory that a detector takes.
pub(super) const MOST_SIDE: u32 = 2048;
/// A canvas that is made for a photo has sides of a multiple of this: YuNet halves its maps five times.
pub(super) const STEP: u32 = 32;

/// Height of the smallest faces that a detector finds well, in pixels of its canvas: of CelebA's training photos, shrunk until the face has that
/// height, YuNet finds the face in 97 of 100; at 16 px in 88, at 12 px in 41.
const SMALLEST: f32 = 20.0;
/// How much smaller the next canvas is: YuNet finds faces of up to about 300 px, so that nothing is lost in between.
const SHRINK: f32 = 4.0;
/// Longest side of a photo on a canvas on which no face is too large.
const ENOUGH: f32 = 320.0;
/// Most that a photo is blown up.
const BLOWN_UP: f32 = 2.0;

/// One view of a photo: a canvas, and how many pixels of the photo one of its pixels spans.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct View {
    /// Width and height of the canvas.
    pub(super) canvas: [u32; 2],
    /// The photo lies in the upper left corner, with both axes by this factor, so that boxes come back undistorted.
    pub(super) scale: f32,
}

impl Detector {
    /// The views of a photo: one where the canvas is fixed; else as many as it takes to find faces from the smallest one on up to such as
    /// large as the photo.
    pub(super) fn views(&self, photo: &Photo, search: &Search) -> Vec<View> {
        let (width, height) = (photo.width() as f32, photo.height() as f32);
        if let Some([columns, rows]) = self.canvas {
            let scale = (width / columns as f32).max(height / rows as f32);
            return vec![View { canvas: [columns, rows], scale }];
        }
        let smallest = search
            .smallest_face
            .map_or_else(|| SmallestFace::usual_height_in(photo), |face| face.height_in(photo));
        let longest = width.max(height);
        let least = longest / MOST_SIDE as f32;
        let mut scale = (smallest / SMALLEST).max(1.0 / BLOWN_UP).max(least);
        let mut views = Vec::new();
        loop {
            let side = |pixels: f32| {
                let side = ((pixels / scale).ceil() as u32).clamp(1, MOST_SIDE);
                side.next_multiple_of(STEP)
            };
            views.push(View { canvas: [side(width), side(height)], scale });
            if longest / scale <= ENOUGH {
                return views;
            }
            scale = (scale * SHRINK).min(longest / ENOUGH);
        }
    }
}

impl View {
    /// The numbers that the net sees: 1 x 3 x height x width.
    pub(super) fn drawn(&self, photo: &Photo, family: Family) -> Vec<f32> {
        let [width, height] = self.canvas;
        let to = |side: u32, most: u32| ((side as f32 / self.scale).round() as u32).clamp(1, most);
        let (columns, rows) = (to(photo.width(), width), to(photo.height(), height));
        let seen = Rect::new(0.0, 0.0, columns as f32 * self.scale, rows as f32 * self.scale);
        let drawn = crop(photo, seen, columns, rows);
        let (number, channels) = family.input();
        let (plane, row) = (width as usize * height as usize, width as usize);
        let mut numbers = vec![0.0; 3 * plane];
        for (values, from) in numbers.chunks_exact_mut(plane).zip(channels) {
            let lines = values.chunks_exact_mut(row).zip(drawn.pixels().chunks_exact(columns as usize * 3));
            for (line, pixels) in lines {
                for (value, pixel) in line.iter_mut().zip(pixels.chunks_exact(3)) {
                    *value = pixel.get(from).map_or(0.0, |color| number(*color));
                }
            }
        }
        numbers
    }
}
