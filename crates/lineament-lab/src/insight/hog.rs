//! Histograms of oriented gradients (Dalal and Triggs, CVPR 2005), as scikit-image computes them: of each pixel the colour channel with
//! the strongest gradient, unsigned directions, blocks of cells normalised by L2-Hys.

use lineament::Photo;
use serde::{Deserialize, Serialize};

/// How finely gradients are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hog {
    /// Pixels of a cell's side.
    pub cell: u32,
    /// Cells of a block's side.
    pub block: u32,
    /// Directions over half a turn.
    pub directions: u32,
}

impl Default for Hog {
    fn default() -> Self {
        Self { cell: 8, block: 2, directions: 9 }
    }
}

/// What a normalised value is cut off at, and normalised again.
const MOST: f32 = 0.2;
const EPSILON: f32 = 1e-5;

impl Hog {
    /// Numbers that an image of this size becomes: 0 where it is smaller than a block.
    pub fn features(&self, [width, height]: [u32; 2]) -> usize {
        let blocks = |side: u32| (side / self.cell.max(1) + 1).saturating_sub(self.block) as usize;
        blocks(width) * blocks(height) * (self.block * self.block * self.directions) as usize
    }

    /// Whether the constants make sense.
    pub fn is_sound(&self) -> bool {
        (2..=64).contains(&self.cell) && (1..=8).contains(&self.block) && (2..=36).contains(&self.directions)
    }

    /// Adds the histograms of an image to `out`: blocks row by row, in each its cells row by row, in each its directions.
    pub fn describe(&self, photo: &Photo, out: &mut Vec<f32>) {
        let (cell, block) = (self.cell.max(1) as usize, self.block as usize);
        let (columns, rows) = (photo.width() as usize / cell, photo.height() as usize / cell);
        let cells = self.cells(photo, columns, rows);
        let directions = self.directions as usize;
        for top in 0..(rows + 1).saturating_sub(block) {
            for left in 0..(columns + 1).saturating_sub(block) {
                let start = out.len();
                for row in top..top + block {
                    let from = (row * columns + left) * directions;
                    out.extend(cells.iter().skip(from).take(block * directions));
                }
                if let Some(values) = out.get_mut(start..) {
                    normalise(values);
                    values.iter_mut().for_each(|value| *value = value.min(MOST));
                    normalise(values);
                }
            }
        }
    }

    /// The mean gradient of every cell in every direction.
    fn cells(&self, photo: &Photo, columns: usize, rows: usize) -> Vec<f32> {
        let (cell, directions) = (self.cell.max(1) as usize, self.directions as usize);
        let mut cells = vec![0.0; columns * rows * directions];
        let (width, height) = (photo.width() as usize, photo.height() as usize);
        let pixels = photo.pixels();
        let share = 1.0 / (cell * cell) as f32;
        for y in 0..(rows * cell).min(height) {
            for x in 0..(columns * cell).min(width) {
                let at = (y * width + x) * 3;
                // Beyond the edge there is nothing to compare with.
                let between = |inside: bool, step: usize, channel: usize| {
                    let value = |at: usize| pixels.get(at + channel).map_or(0.0, |value| f32::from(*value));
                    if inside { value(at + step) - value(at - step) } else { 0.0 }
                };
                let mut best = (-1.0, 0.0, 0.0);
                for channel in 0..3 {
                    let across = between(x > 0 && x + 1 < width, 3, channel);
                    let down = between(y > 0 && y + 1 < height, 3 * width, channel);
                    let size = across.hypot(down);
                    if size > best.0 {
                        best = (size, across, down);
                    }
                }
                let (size, across, down) = best;
                let turned = f64::from(down).atan2(f64::from(across)).to_degrees().rem_euclid(180.0);
                let direction = (turned * directions as f64 / 180.0) as usize % directions;
                let place = ((y / cell) * columns + x / cell) * directions + direction;
                if let Some(sum) = cells.get_mut(place) {
                    *sum += size * share;
                }
            }
        }
        cells
    }
}

fn normalise(values: &mut [f32]) {
    let squares: f32 = values.iter().map(|value| value * value).sum();
    let factor = (squares + EPSILON * EPSILON).sqrt().recip();
    values.iter_mut().for_each(|value| *value *= factor);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::Path;

    use lineament::crop::crop;
    use lineament::{Limits, Rect};

    use super::*;

    #[test]
    fn gradients_are_scikit_images() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let photo = Photo::open(root.join("../../examples/astronaut.png"), &Limits::default()).unwrap();
        let part = crop(&photo, Rect::new(200.0, 60.0, 64.0, 48.0), 64, 48);
        let bytes = std::fs::read(root.join("tests/fixtures/hog.f32")).unwrap();
        let expected: Vec<f32> =
            bytes.as_chunks::<4>().0.iter().map(|value| f32::from_le_bytes(*value)).collect();
        let hog = Hog::default();
        let mut found = Vec::new();
        hog.describe(&part, &mut found);
        assert_eq!((found.len(), hog.features([64, 48])), (expected.len(), expected.len()));
        let apart = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(apart < 1e-4, "{apart}");
        assert!(expected.iter().any(|value| *value > 0.1));
    }
}
