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
    /// One row of the output map; `line` values lie between the rows of `map`.
    #[inline(always)]
    pub(crate) fn row(
        self,
        window: Window,
        map: &[f32],
        shape: Shape,
        line: usize,
        row: usize,
        into: &mut [f32],
    ) {
        let channels = shape.channels;
        let (rows, top) = window.taps(row, shape.height);
        for (column, out) in into.chunks_exact_mut(channels).enumerate() {
            let (columns, left) = window.taps(column, shape.width);
            let pixels = (top..top + rows.len()).flat_map(|y| {
                let start = y * line + left * channels;
                map[start..start + columns.len() * channels].chunks_exact(channels)
            });
            self.window(pixels, out);
        }
    }

    /// One window, given as the pixels that it holds; each has at least the channels of `out`.
    ///
    /// Pixels outside, channels inside: the channels of a pixel lie together.
    #[inline(always)]
    pub(crate) fn window<'a>(self, pixels: impl Iterator<Item = &'a [f32]>, out: &mut [f32]) {
        match self {
            Self::Max => {
                out.fill(f32::NEG_INFINITY);
                pixels.for_each(|pixel| {
                    out.iter_mut()
                        .zip(pixel)
                        .for_each(|(out, value)| *out = if *value > *out { *value } else { *out });
                });
            }
            Self::Mean => {
                out.fill(0.0);
                let mut count = 0;
                pixels.for_each(|pixel| {
                    out.iter_mut().zip(pixel).for_each(|(out, value)| *out += value);
                    count += 1;
                });
                let share = 1.0 / count as f32;
                out.iter_mut().for_each(|out| *out *= share);
            }
        }
    }
}
