//! Histograms of oriented gradients (Dalal and Triggs, 2005) of a face region: the features that neurons are compared with.

use lineament::Photo;

/// Side of the drawn region, in pixels.
pub const SIDE: u32 = 64;
/// Side of a cell, in pixels.
const CELL: usize = 8;
/// Orientations, over half a turn.
const BINS: usize = 9;
/// Cells to a side.
const CELLS: usize = SIDE as usize / CELL;
/// Blocks of 2 x 2 cells to a side.
const BLOCKS: usize = CELLS - 1;
/// Numbers that a region gives.
pub const LENGTH: usize = BLOCKS * BLOCKS * 4 * BINS;
/// No number of a normalised block is above that before it is normalised again.
const CLIP: f32 = 0.2;

/// The histograms of a region drawn at [`SIDE`] x [`SIDE`]: 49 blocks of 2 x 2 cells of 9 orientations, each block of unit length ("L2-Hys"). Of the
/// three colours the one with the steepest gradient counts, as in the paper.
pub fn hog(drawn: &Photo) -> Vec<f32> {
    let side = SIDE as usize;
    let at = |x: usize, y: usize, channel: usize| -> f32 {
        drawn
            .pixels()
            .get((y.min(side - 1) * side + x.min(side - 1)) * 3 + channel)
            .copied()
            .map_or(0.0, f32::from)
    };
    let mut cells = vec![0.0_f32; CELLS * CELLS * BINS];
    for y in 0..side {
        for x in 0..side {
            let gradient = |channel| {
                let across = at(x + 1, y, channel) - at(x.saturating_sub(1), y, channel);
                let down = at(x, y + 1, channel) - at(x, y.saturating_sub(1), channel);
                (across, down)
            };
            let steep = |g: &(f32, f32)| g.0 * g.0 + g.1 * g.1;
            let steepest = [1, 2]
                .map(gradient)
                .into_iter()
                .fold(gradient(0), |best, g| if steep(&g) > steep(&best) { g } else { best });
            let angle = steepest.1.atan2(steepest.0).rem_euclid(std::f32::consts::PI);
            // Shared between the two nearest orientations.
            let place = angle / std::f32::consts::PI * BINS as f32 - 0.5;
            let share = place.rem_euclid(1.0);
            let first = (place.floor() as isize).rem_euclid(BINS as isize) as usize;
            let cell = ((y / CELL) * CELLS + x / CELL) * BINS;
            let size = steep(&steepest).sqrt();
            for (bin, part) in [(first, 1.0 - share), ((first + 1) % BINS, share)] {
                if let Some(sum) = cells.get_mut(cell + bin) {
                    *sum += size * part;
                }
            }
        }
    }
    let mut features = Vec::with_capacity(LENGTH);
    for row in 0..BLOCKS {
        for column in 0..BLOCKS {
            let corners = [(row, column), (row, column + 1), (row + 1, column), (row + 1, column + 1)];
            let mut block: Vec<f32> = Vec::with_capacity(4 * BINS);
            for (row, column) in corners {
                let cell = (row * CELLS + column) * BINS;
                block.extend(cells.get(cell..cell + BINS).unwrap_or_default());
            }
            normalise(&mut block);
            block.iter_mut().for_each(|x| *x = x.min(CLIP));
            normalise(&mut block);
            features.extend(block);
        }
    }
    features
}

fn normalise(block: &mut [f32]) {
    let length = block.iter().map(|x| x * x).sum::<f32>().sqrt() + 1e-3;
    block.iter_mut().for_each(|x| *x /= length);
}
