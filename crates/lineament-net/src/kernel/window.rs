//! Square windows sliding over a map, and the matrix of their contents.

use std::ops::Range;

use crate::Shape;

/// Kernel, stride and padding of a layer, from a checked spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    pub(crate) padding: usize,
}

impl Window {
    /// Shape of the map of window positions; the number of channels stays.
    pub(crate) fn slide(&self, input: Shape) -> Shape {
        let side = |n: usize| (n + 2 * self.padding - self.kernel) / self.stride + 1;
        Shape { height: side(input.height), width: side(input.width), ..input }
    }

    /// Whether a window is one pixel and there is one for each.
    pub(crate) fn is_pixel(&self) -> bool {
        *self == Self { kernel: 1, stride: 1, padding: 0 }
    }

    /// The part of window number `place` on a side of `n` pixels that is no padding: taps of the window, and the pixel
    /// under the first of them.
    pub(crate) fn taps(&self, place: usize, n: usize) -> (Range<usize>, usize) {
        let start = place * self.stride;
        let first = self.padding.saturating_sub(start).min(self.kernel);
        let last = (n + self.padding).saturating_sub(start).clamp(first, self.kernel);
        (first..last, (start + first).saturating_sub(self.padding))
    }

    /// Writes the windows at `columns` of output row `row`, one after the other, each as kernel x kernel x channels
    /// with zeros for padding.
    pub(crate) fn gather(
        &self,
        map: &[f32],
        shape: Shape,
        row: usize,
        columns: Range<usize>,
        into: &mut [f32],
    ) {
        let line = self.kernel * shape.channels;
        let (rows, top) = self.taps(row, shape.height);
        for (column, window) in columns.zip(into.chunks_exact_mut(line * self.kernel)) {
            let (cols, left) = self.taps(column, shape.width);
            let (before, after) = (cols.start * shape.channels, cols.end * shape.channels);
            let (above, rest) = window.split_at_mut(rows.start * line);
            let (inside, below) = rest.split_at_mut(rows.len() * line);
            above.fill(0.0);
            below.fill(0.0);
            let mut source = (top * shape.width + left) * shape.channels;
            for taps in inside.chunks_exact_mut(line) {
                taps[..before].fill(0.0);
                taps[before..after].copy_from_slice(&map[source..source + after - before]);
                taps[after..].fill(0.0);
                source += shape.width * shape.channels;
            }
        }
    }

    /// The same for a run of output pixels counted row after row.
    pub(crate) fn gather_run(&self, map: &[f32], shape: Shape, pixels: Range<usize>, into: &mut [f32]) {
        let size = self.kernel * self.kernel * shape.channels;
        let width = self.slide(shape).width;
        let (mut pixel, mut rest) = (pixels.start, into);
        while pixel < pixels.end {
            let (row, column) = (pixel / width, pixel % width);
            let count = (width - column).min(pixels.end - pixel);
            let (now, later) = rest.split_at_mut(count * size);
            self.gather(map, shape, row, column..column + count, now);
            (pixel, rest) = (pixel + count, later);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_over_the_corner_holds_zeros_outside() {
        let window = Window { kernel: 3, stride: 2, padding: 1 };
        let shape = Shape::new(1, 3, 3);
        let map: Vec<f32> = (1..=9).map(|v| v as f32).collect();
        assert_eq!(window.slide(shape), Shape::new(1, 2, 2));
        let mut columns = [f32::NAN; 36];
        window.gather_run(&map, shape, 0..4, &mut columns);
        assert_eq!(columns[..9], [0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 0.0, 4.0, 5.0]);
        assert_eq!(columns[27..], [5.0, 6.0, 0.0, 8.0, 9.0, 0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn a_run_may_begin_and_end_within_rows() {
        let window = Window { kernel: 2, stride: 1, padding: 0 };
        let shape = Shape::new(2, 4, 5);
        let map: Vec<f32> = (0..40).map(|v| v as f32).collect();
        let mut all = [0.0; 12 * 8];
        window.gather_run(&map, shape, 0..12, &mut all);
        let mut some = [0.0; 6 * 8];
        window.gather_run(&map, shape, 3..9, &mut some);
        assert_eq!(some, all[24..72]);
    }

    #[test]
    fn padding_below_the_kernel_leaves_every_window_a_tap() {
        let window = Window { kernel: 5, stride: 4, padding: 4 };
        assert_eq!(window.taps(0, 1), (4..5, 0));
        assert_eq!(window.taps(1, 1), (0..1, 0));
    }
}
