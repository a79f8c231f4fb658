//! Drawn images for tests: ellipses and noise on a ground.

use crate::{Image, Window};
use rand::{Rng, SeedableRng};

pub(crate) struct Drawing {
    width: usize,
    pixels: Vec<[u8; 3]>,
}

impl Drawing {
    pub(crate) fn new(width: usize, height: usize, ground: [u8; 3]) -> Self {
        Self { width, pixels: vec![ground; width * height] }
    }

    /// Fills the ellipse in a window.
    pub(crate) fn ellipse(&mut self, of: Window, colour: [u8; 3]) -> &mut Self {
        let off_centre = |at: usize, start: usize, end: usize| {
            (2 * at + 1) as f32 / (end - start) as f32 - (start + end) as f32 / (end - start) as f32
        };
        for (i, pixel) in self.pixels.iter_mut().enumerate() {
            let x = off_centre(i % self.width, of.x0, of.x1);
            let y = off_centre(i / self.width, of.y0, of.y1);
            if x * x + y * y <= 1.0 {
                *pixel = colour;
            }
        }
        self
    }

    /// Shifts every channel of every pixel by up to `strength`, either way.
    pub(crate) fn noise(&mut self, seed: u64, strength: i16) -> &mut Self {
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        for value in self.pixels.as_flattened_mut() {
            *value = (i16::from(*value) + random.random_range(-strength..=strength)).clamp(0, 255) as u8;
        }
        self
    }

    pub(crate) fn image(&self) -> Image<'_> {
        Image::rgb(self.width, &self.pixels)
    }
}
