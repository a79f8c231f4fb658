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
            self.begin(out);
            for y in top..top + rows.len() {
                let start = (y * shape.width + left) * channels;
                let line = &map[start..start + cols.len() * channels];
                line.chunks_exact(channels).for_each(|pixel| self.take(pixel, out));
            }
            self.end(rows.len() * cols.len(), out);
        }
    }

    /// One window, given as the pixels that it holds; each has at least the channels of `out`.
    pub(crate) fn window<'a>(self, pixels: impl Iterator<Item = &'a [f32]>, out: &mut [f32]) {
        self.begin(out);
        let mut count = 0;
        for pixel in pixels {
            self.take(pixel, out);
            count += 1;
        }
        self.end(count, out);
    }

    fn begin(self, out: &mut [f32]) {
        out.fill(if self == Self::Max { f32::NEG_INFINITY } else { 0.0 });
    }

    #[inline]
    fn take(self, pixel: &[f32], out: &mut [f32]) {
        let pairs = out.iter_mut().zip(pixel);
        match self {
            Self::Max => pairs.for_each(|(o, &v)| *o = if v > *o { v } else { *o }),
            Self::Mean => pairs.for_each(|(o, &v)| *o += v),
        }
    }

    fn end(self, count: usize, out: &mut [f32]) {
        if self == Self::Mean {
            let share = 1.0 / count as f32;
            out.iter_mut().for_each(|o| *o *= share);
        }
    }
}
