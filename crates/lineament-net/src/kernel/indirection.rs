//! Where windows are read and where their results go.
//!
//! A window is some rows of neighbouring values, which kernels read where they lie: nothing is gathered first (Dukhan, "The Indirect Convolution
//! Algorithm", 2019).
#![allow(unsafe_code)]

use std::ops::Range;

/// What a window looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rows {
    /// Number of rows.
    pub(crate) count: usize,
    /// Values of a row.
    pub(crate) run: usize,
}

/// Windows that stand evenly together: see [`Windows::step`].
pub(crate) const EVEN: usize = 4;

/// Windows over a map, all alike.
///
/// # Safety
/// All functions always give the same answer to the same question, windows that have a step begin so far apart, and no window of a range goes beyond what
/// [`Windows::farthest`] says: the sums check that once and then read windows without looking again.
pub(crate) unsafe trait Windows: Sync {
    /// What each of them looks like.
    fn rows(&self) -> Rows;

    /// Where row `row` of a window begins in the map.
    fn input(&self, window: usize, row: usize) -> usize;

    /// Where its sums begin in the output.
    fn output(&self, window: usize) -> usize;

    /// How far windows `4 n` to `4 n + 3` begin from one another in the map, where they have one row and that is the same for all `n`.
    fn step(&self) -> Option<usize> {
        None
    }

    /// The farthest that any row of the windows of `range` begins in the map, and any of their sums in the output; 0 where there are none.
    fn farthest(&self, range: Range<usize>) -> [usize; 2] {
        let count = self.rows().count;
        range.fold([0; 2], |[input, output], window| {
            let input = (0..count).fold(input, |input, row| self.input(window, row).max(input));
            [input, self.output(window).max(output)]
        })
    }
}

/// Whether all windows of `range` lie within a map of `map` values and all their results, `outputs` each, within `out` values: what the sums rely on. `run`
/// values are read of each row.
///
/// # Panics
/// When one does not: that would be a mistake in a plan, not in an input.
pub(crate) fn check<W: Windows>(
    windows: &W,
    range: Range<usize>,
    [run, map]: [usize; 2],
    [outputs, out]: [usize; 2],
) {
    let count = windows.rows().count;
    // The farthest of all and one comparison: thousands of windows are checked for each call.
    let [input, output] = windows.farthest(range.clone());
    let within = |first: usize, values: usize, all: usize| {
        range.is_empty() || first.checked_add(values).is_some_and(|end| end <= all)
    };
    assert!(count == 0 || within(input, run, map), "a window of {range:?} reaches out of its map");
    assert!(within(output, outputs, out), "a result of {range:?} reaches out of its map");
}

/// A window and its result, as indices of the first value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Offsets {
    pub(crate) input: u32,
    pub(crate) output: u32,
}

/// Windows at listed offsets of a map with rows of `line` values; the output given is what follows `base` of the whole.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IndirectWindows<'a> {
    pub(crate) offsets: &'a [Offsets],
    pub(crate) line: usize,
    pub(crate) rows: Rows,
    pub(crate) base: usize,
}

// SAFETY: functions of values that nobody can change while this borrows them.
unsafe impl Windows for IndirectWindows<'_> {
    fn rows(&self) -> Rows {
        self.rows
    }

    #[inline]
    fn input(&self, window: usize, row: usize) -> usize {
        self.offsets[window].input as usize + row * self.line
    }

    #[inline]
    fn output(&self, window: usize) -> usize {
        (self.offsets[window].output as usize).wrapping_sub(self.base)
    }

    /// The last row begins farthest.
    fn farthest(&self, range: Range<usize>) -> [usize; 2] {
        let last = self.rows.count.saturating_sub(1);
        range.fold([0; 2], |[input, output], window| {
            [self.input(window, last).max(input), self.output(window).max(output)]
        })
    }
}

/// The windows of one group of channels: a row is one pixel's channels of the group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GroupedWindows<'a> {
    /// Those of all channels, but for their rows, which are the group's.
    pub(crate) windows: IndirectWindows<'a>,
    /// Pixels of a line of a window, and channels of a pixel.
    pub(crate) kernel: usize,
    pub(crate) channels: usize,
    /// The group's first channel, and its first filter.
    pub(crate) input: usize,
    pub(crate) output: usize,
}

// SAFETY: functions of values that nobody can change while this borrows them.
unsafe impl Windows for GroupedWindows<'_> {
    fn rows(&self) -> Rows {
        self.windows.rows
    }

    #[inline]
    fn input(&self, window: usize, row: usize) -> usize {
        let (line, column) = (row / self.kernel, row % self.kernel);
        self.windows.input(window, line) + column * self.channels + self.input
    }

    #[inline]
    fn output(&self, window: usize) -> usize {
        self.windows.output(window).wrapping_add(self.output)
    }

    /// The last row begins farthest.
    fn farthest(&self, range: Range<usize>) -> [usize; 2] {
        let last = self.windows.rows.count.saturating_sub(1);
        range.fold([0; 2], |[input, output], window| {
            [self.input(window, last).max(input), self.output(window).max(output)]
        })
    }
}

/// Rows of a matrix from `start` on, `inner` values each, to rows of `outputs`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MatrixRows {
    pub(crate) start: usize,
    pub(crate) inner: usize,
    pub(crate) outputs: usize,
}

// SAFETY: functions of constants.
unsafe impl Windows for MatrixRows {
    fn rows(&self) -> Rows {
        Rows { count: 1, run: self.inner }
    }

    #[inline]
    fn input(&self, line: usize, _: usize) -> usize {
        self.start + line * self.inner
    }

    #[inline]
    fn output(&self, line: usize) -> usize {
        line * self.outputs
    }

    fn step(&self) -> Option<usize> {
        Some(self.inner)
    }

    /// Both rise from line to line.
    fn farthest(&self, lines: Range<usize>) -> [usize; 2] {
        lines.last().map_or([0; 2], |last| [self.input(last, 0), self.output(last)])
    }
}

/// Windows whose rows are listed by the number of the value where they begin; a value is `channels` numbers. Numbers beyond `values` stand for padding and are read at
/// `values`, where the map holds zeros.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ListedWindows<'a> {
    /// `[windows, rows]`.
    pub(crate) sources: &'a [u32],
    pub(crate) rows: Rows,
    pub(crate) channels: usize,
    pub(crate) values: usize,
    pub(crate) outputs: usize,
    /// The first of a value's numbers that is read, and of the outputs that is written: those of a group of channels.
    pub(crate) first: [usize; 2],
}

// SAFETY: functions of values that nobody can change while this borrows them.
unsafe impl Windows for ListedWindows<'_> {
    fn rows(&self) -> Rows {
        self.rows
    }

    #[inline]
    fn input(&self, window: usize, row: usize) -> usize {
        (self.sources[window * self.rows.count + row] as usize).min(self.values) * self.channels
            + self.first[0]
    }

    #[inline]
    fn output(&self, window: usize) -> usize {
        window * self.outputs + self.first[1]
    }
}

/// Windows at odd offsets, sums with gaps between them: what the tests of the sums compute with.
#[cfg(test)]
pub(crate) struct Odd {
    pub(crate) rows: Rows,
    pub(crate) outputs: usize,
}

#[cfg(test)]
// SAFETY: functions of constants.
unsafe impl Windows for Odd {
    fn rows(&self) -> Rows {
        self.rows
    }

    fn input(&self, window: usize, row: usize) -> usize {
        3 * window + row * (self.rows.run + 2)
    }

    fn output(&self, window: usize) -> usize {
        window * (self.outputs + 1)
    }
}

/// Windows that are looked at one by one: the plain twin of every other way to the farthest, and of those with a step.
#[cfg(test)]
pub(crate) struct OneByOne<'a, W>(pub(crate) &'a W);

#[cfg(test)]
// SAFETY: as those that it asks.
unsafe impl<W: Windows> Windows for OneByOne<'_, W> {
    fn rows(&self) -> Rows {
        self.0.rows()
    }

    fn input(&self, window: usize, row: usize) -> usize {
        self.0.input(window, row)
    }

    fn output(&self, window: usize) -> usize {
        self.0.output(window)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_farthest_is_that_of_all_windows(
            offsets in prop::collection::vec((0u32..5000, 20u32..5000), 0..40), line in 0usize..300, count in 1usize..6, base in 0usize..30,
        ) {
            let offsets: Vec<Offsets> = offsets.into_iter().map(|(input, output)| Offsets { input, output }).collect();
            let windows = IndirectWindows { offsets: &offsets, line, rows: Rows { count, run: 1 }, base };
            let pixels = IndirectWindows { rows: Rows { count: count * count, run: 1 }, ..windows };
            let grouped = GroupedWindows { windows: pixels, kernel: count, channels: 3, input: 2, output: 5 };
            for range in [0..offsets.len(), offsets.len() / 3..offsets.len(), 0..0] {
                prop_assert_eq!(windows.farthest(range.clone()), OneByOne(&windows).farthest(range.clone()));
                prop_assert_eq!(grouped.farthest(range.clone()), OneByOne(&grouped).farthest(range));
            }
        }

        #[test]
        fn the_last_line_is_the_farthest(all in 1usize..60, start in 0usize..99, inner in 1usize..9) {
            let lines = MatrixRows { start, inner, outputs: 3 };
            for range in [0..all, all / 3..all, 0..all.div_ceil(2), 0..0] {
                prop_assert_eq!(lines.farthest(range.clone()), OneByOne(&lines).farthest(range));
            }
        }
    }
}
