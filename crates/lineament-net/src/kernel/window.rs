//! Square windows sliding over a map.

use std::ops::Range;

use crate::Shape;

/// Kernel, stride and padding of a layer, from a checked spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    /// Above and on the left, below and on the right.
    pub(crate) padding: [usize; 2],
}

impl Window {
    /// Room that a map needs on every side for its windows.
    pub(crate) fn room(&self) -> usize {
        let [before, after] = self.padding;
        before.max(after)
    }

    /// Shape of the map of window positions; the number of channels stays.
    pub(crate) fn slide(&self, input: Shape) -> Shape {
        let side = |n: usize| (n + self.padding[0] + self.padding[1] - self.kernel) / self.stride + 1;
        Shape { height: side(input.height), width: side(input.width), ..input }
    }

    /// The part of window number `place` on a side of `n` pixels that is no padding: taps of the window, and the pixel
    /// under the first of them.
    pub(crate) fn taps(&self, place: usize, n: usize) -> (Range<usize>, usize) {
        let start = place * self.stride;
        let before = self.padding[0];
        let first = before.saturating_sub(start).min(self.kernel);
        let last = (n + before).saturating_sub(start).clamp(first, self.kernel);
        (first..last, (start + first).saturating_sub(before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_below_the_kernel_leaves_every_window_a_tap() {
        let window = Window { kernel: 5, stride: 4, padding: [4; 2] };
        assert_eq!(window.taps(0, 1), (4..5, 0));
        assert_eq!(window.taps(1, 1), (0..1, 0));
    }
}
