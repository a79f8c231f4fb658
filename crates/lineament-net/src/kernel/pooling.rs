//! Largest values and means of windows.

use super::window::Window;
use crate::Shape;

/// What becomes of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pooling {
    Max,
    /// The padding is not counted.
    Mean,
}

impl Pooling {
    /// One row of the output map.
    pub(crate) fn row(self, window: Window, map: &[f32], shape: Shape, row: usize, into: &mut [f32]) {
        let channels = shape.channels;
        let (rows, top) = window.taps(row, shape.height);
        for (column, out) in into.chunks_exact_mut(channels).enumerate() {
            let (cols, left) = window.taps(column, shape.width);
            out.fill(if self == Self::Max { f32::NEG_INFINITY } else { 0.0 });
            for y in top..top + rows.len() {
                let start = (y * shape.width + left) * channels;
                let line = &map[start..start + cols.len() * channels];
                for pixel in line.chunks_exact(channels) {
                    let pairs = out.iter_mut().zip(pixel);
                    match self {
                        Self::Max => pairs.for_each(|(o, &v)| *o = if v > *o { v } else { *o }),
                        Self::Mean => pairs.for_each(|(o, &v)| *o += v),
                    }
                }
            }
            if self == Self::Mean {
                let share = 1.0 / (rows.len() * cols.len()) as f32;
                out.iter_mut().for_each(|o| *o *= share);
            }
        }
    }
}
