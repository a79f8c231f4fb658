//! Augmentation: one random warp and one random change of colour for every time a picture is seen.

use lineament::{Affine, Photo, Rect, crop};
use rand::Rng;
use serde::{Deserialize, Serialize};

/// How much pictures may change. All fields default to no change; a recipe names those it uses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Augment {
    /// Chance to swap left and right.
    pub flip: f64,
    /// Largest move along each axis, in sides of the region.
    pub shift: f32,
    /// The region's side is multiplied by something between these two, evenly in its logarithm; both 0 means 1.
    pub scale: [f32; 2],
    /// Largest turn either way, in degrees.
    pub rotation: f32,
    /// Largest stretch of width against height, as a share.
    pub stretch: f32,
    /// Brightness is multiplied by up to 1 plus or minus this.
    pub brightness: f32,
    /// Contrast, likewise.
    pub contrast: f32,
    /// Saturation, likewise.
    pub saturation: f32,
    /// Chance of a picture without colour.
    pub grey: f64,
    /// Chance to be drawn at half the size or less first, so that it is blurred.
    pub blur: f64,
    /// Chance that a rectangle of up to a third of each side is painted over.
    pub erase: f64,
}

impl Augment {
    /// A square of `size` pixels that shows `region` of `photo`, changed at random.
    pub fn patch(&self, photo: &Photo, region: Rect, size: u32, rng: &mut impl Rng) -> Photo {
        let mut between = |range: f32| if range > 0.0 { rng.random_range(-range..=range) } else { 0.0 };
        let (right, down) = (between(self.shift), between(self.shift));
        let angle = between(self.rotation).to_radians();
        let stretch = between(self.stretch).exp();
        let factor = self.factor(rng);
        let flip = rng.random_bool(self.flip.clamp(0.0, 1.0));
        let moved = Rect { x: region.x + right * region.width, y: region.y + down * region.height, ..region };
        let scaled = moved.scaled(factor);
        let shown = Rect {
            x: scaled.x + scaled.width * (1.0 - stretch) / 2.0,
            width: scaled.width * stretch,
            ..scaled
        };
        let mut drawn = crop::warp(photo, &Affine::of_turned(shown, angle, flip, size, size), size, size);
        if rng.random_bool(self.blur.clamp(0.0, 1.0)) {
            let small = (size as f32 * rng.random_range(0.25..0.6)) as u32;
            let whole = drawn.rect();
            let shrunk = crop::crop(&drawn, whole, small.max(1), small.max(1));
            drawn = crop::crop(&shrunk, shrunk.rect(), size, size);
        }
        self.recolour(&mut drawn, rng);
        self.paint_over(&mut drawn, rng);
        drawn
    }

    fn factor(&self, rng: &mut impl Rng) -> f32 {
        let [low, high] = self.scale;
        if low > 0.0 && high > low { rng.random_range(low.ln()..=high.ln()).exp() } else { 1.0 }
    }

    /// One pass: brightness and contrast as a factor and an offset, saturation as a blend with the grey value.
    fn recolour(&self, photo: &mut Photo, rng: &mut impl Rng) {
        let mut factor = |range: f32| if range > 0.0 { 1.0 + rng.random_range(-range..=range) } else { 1.0 };
        let (bright, contrast, saturation) =
            (factor(self.brightness), factor(self.contrast), factor(self.saturation));
        let saturation = if rng.random_bool(self.grey.clamp(0.0, 1.0)) { 0.0 } else { saturation };
        if (bright, contrast, saturation) == (1.0, 1.0, 1.0) {
            return;
        }
        let pixels = photo.pixels_mut();
        let count = (pixels.len() / 3).max(1) as f32;
        let middle = pixels.as_chunks::<3>().0.iter().map(|p| grey(*p)).sum::<f32>() / count;
        for pixel in pixels.as_chunks_mut::<3>().0 {
            let level = grey(*pixel);
            for value in pixel {
                let coloured = level + (f32::from(*value) - level) * saturation;
                let changed = (middle + (coloured - middle) * contrast) * bright;
                *value = changed.round().clamp(0.0, 255.0) as u8;
            }
        }
    }

    fn paint_over(&self, photo: &mut Photo, rng: &mut impl Rng) {
        if !rng.random_bool(self.erase.clamp(0.0, 1.0)) {
            return;
        }
        let (width, height) = (photo.width() as usize, photo.height() as usize);
        let mut piece = |side: usize| {
            let length = rng.random_range(side / 8..=side / 3).max(1);
            let start = rng.random_range(0..=side - length.min(side));
            start..start + length.min(side)
        };
        let (rows, columns) = (piece(height), piece(width));
        let colour: [u8; 3] = [rng.random(), rng.random(), rng.random()];
        for (row, line) in photo.pixels_mut().chunks_exact_mut(width * 3).enumerate() {
            if rows.contains(&row) {
                if let Some(part) = line.get_mut(columns.start * 3..columns.end * 3) {
                    part.as_chunks_mut::<3>().0.fill(colour);
                }
            }
        }
    }
}

/// Rec. 601 luma.
fn grey([r, g, b]: [u8; 3]) -> f32 {
    0.299 * f32::from(r) + 0.587 * f32::from(g) + 0.114 * f32::from(b)
}
