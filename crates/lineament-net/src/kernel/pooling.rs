//! Largest values and means of windows.

use super::aligned::LANES;
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
    #[inline(always)]
    pub(crate) fn window<'a>(self, pixels: impl Iterator<Item = &'a [f32]> + Clone, out: &mut [f32]) {
        let (blocks, rest) = out.as_chunks_mut::<LANES>();
        let whole = blocks.len() * LANES;
        for (block, out) in blocks.iter_mut().enumerate() {
            let lanes = pixels.clone().filter_map(|pixel| pixel[block * LANES..].first_chunk::<LANES>());
            *out = self.lanes(lanes);
        }
        for (channel, out) in rest.iter_mut().enumerate() {
            let [value] =
                self.lanes(pixels.clone().filter_map(|pixel| pixel[whole + channel..].first_chunk::<1>()));
            *out = value;
        }
    }

    #[inline(always)]
    fn lanes<'a, const N: usize>(self, pixels: impl Iterator<Item = &'a [f32; N]>) -> [f32; N] {
        let mut out = [if self == Self::Max { f32::NEG_INFINITY } else { 0.0 }; N];
        let mut count = 0;
        for pixel in pixels {
            match self {
                Self::Max => (0..N).for_each(|i| out[i] = if pixel[i] > out[i] { pixel[i] } else { out[i] }),
                Self::Mean => (0..N).for_each(|i| out[i] += pixel[i]),
            }
            count += 1;
        }
        if self == Self::Mean {
            let share = 1.0 / count as f32;
            out.iter_mut().for_each(|o| *o *= share);
        }
        out
    }
}
