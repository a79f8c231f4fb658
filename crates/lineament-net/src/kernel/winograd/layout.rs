//! Where the transforms of tiles lie in memory.
#![allow(unsafe_code)]

use std::ops::Range;

use crate::kernel::indirection::{EVEN, Rows, Windows};

/// How the transforms of `all` tiles lie in memory: `each` at a time, of which the last piece may have fewer. A piece holds all points of its tiles,
/// `[points, tiles, channels]`, with some values to spare behind each point.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TransformLayout {
    pub(crate) all: usize,
    pub(crate) each: usize,
    pub(crate) points: usize,
}

impl TransformLayout {
    /// Values to spare. Without them points are often multiples of a kilobyte apart, and what is read and written across them meets in few sets of a cache.
    const SPARE: usize = 16;

    /// All in one piece.
    pub(crate) fn whole(all: usize, points: usize) -> Self {
        Self { all, each: all, points }
    }

    /// Values from one point to the next, in the piece that begins with tile `first`.
    pub(crate) fn stride(self, first: usize, channels: usize) -> usize {
        self.each.min(self.all - first) * channels + Self::SPARE
    }

    /// Where the piece that begins with tile `first` does.
    pub(crate) fn start(self, first: usize, channels: usize) -> usize {
        match first {
            0 => 0,
            _ => first / self.each * self.points * self.stride(0, channels),
        }
    }

    /// Values of all pieces.
    pub(crate) fn values(self, channels: usize) -> usize {
        let last = self.all.saturating_sub(1) / self.each.max(1) * self.each;
        self.start(last, channels) + self.points * self.stride(last, channels)
    }

    /// Where a tile has its values of a point.
    fn at(self, point: usize, tile: usize, channels: usize) -> usize {
        let first = tile - tile % self.each;
        self.start(first, channels) + point * self.stride(first, channels) + (tile - first) * channels
    }
}

/// One point of the transforms of tiles, as rows of a matrix, `inner` values each, to rows of `outputs`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TransformRows {
    pub(crate) layout: TransformLayout,
    pub(crate) point: usize,
    pub(crate) inner: usize,
    pub(crate) outputs: usize,
}

// SAFETY: functions of constants.
unsafe impl Windows for TransformRows {
    fn rows(&self) -> Rows {
        Rows { count: 1, run: self.inner }
    }

    #[inline]
    fn input(&self, tile: usize, _: usize) -> usize {
        self.layout.at(self.point, tile, self.inner)
    }

    #[inline]
    fn output(&self, tile: usize) -> usize {
        tile * self.outputs
    }

    fn step(&self) -> Option<usize> {
        let TransformLayout { all, each, .. } = self.layout;
        (each >= all || each.is_multiple_of(EVEN)).then_some(self.inner)
    }

    /// Both rise from tile to tile: a piece begins behind all points of the one before.
    fn farthest(&self, tiles: Range<usize>) -> [usize; 2] {
        tiles.last().map_or([0; 2], |last| [self.input(last, 0), self.output(last)])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernel::indirection::OneByOne;

    proptest! {
        #[test]
        fn the_last_tile_is_the_farthest(
            all in 1usize..60, each in 1usize..20, (points, point) in (1usize..36).prop_flat_map(|p| (Just(p), 0..p)), inner in 1usize..9,
        ) {
            let layout = TransformLayout { all, each, points };
            let at = TransformRows { layout, point, inner, outputs: 3 };
            prop_assert!(at.input(all - 1, 0) + inner <= layout.values(inner));
            for first in (0..all).step_by(EVEN) {
                let four = first..all.min(first + EVEN);
                let even = at.step().is_none_or(|step| four.clone().all(|tile| at.input(tile, 0) == at.input(first, 0) + (tile - first) * step));
                prop_assert!(even, "{four:?} of {at:?}");
            }
            for range in [0..all, all / 3..all, 0..all.div_ceil(2), 0..0] {
                prop_assert_eq!(at.farthest(range.clone()), OneByOne(&at).farthest(range));
            }
        }
    }
}
