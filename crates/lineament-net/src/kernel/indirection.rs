//! Where the windows of a sum are read and where their results go.
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
/// All functions always give the same answer to the same question, windows that have a step begin so far apart, and no window of `places` goes beyond what
/// [`Windows::farthest`] says: the sums check that once and then read windows without looking again.
pub(crate) unsafe trait Windows: Sync {
    /// What each of them looks like.
    fn rows(&self) -> Rows;

    /// Where row `row` of window `place` begins in the map.
    fn from(&self, place: usize, row: usize) -> usize;

    /// Where its sums go in the output.
    fn to(&self, place: usize) -> usize;

    /// How far windows `4 n` to `4 n + 3` begin from one another in the map, where they have one row and that is the same for all `n`.
    fn step(&self) -> Option<usize> {
        None
    }

    /// The farthest that any row of `places` begins in the map, and any of their sums in the output; 0 where there are none.
    fn farthest(&self, places: Range<usize>) -> [usize; 2] {
        let count = self.rows().count;
        places.fold([0; 2], |[from, to], place| {
            let from = (0..count).fold(from, |from, row| self.from(place, row).max(from));
            [from, self.to(place).max(to)]
        })
    }
}

/// Whether all windows of `places` lie within a map of `map` values and all their results, `outputs` each, within `out` values: what the sums rely on. `run`
/// values are read of each row.
///
/// # Panics
/// When one does not: that would be a mistake in a plan, not in an input.
pub(crate) fn check<W: Windows>(
    windows: &W,
    places: Range<usize>,
    [run, map]: [usize; 2],
    [outputs, out]: [usize; 2],
) {
    let count = windows.rows().count;
    // The farthest of all and one comparison: thousands of places are checked for each call.
    let [from, to] = windows.farthest(places.clone());
    let within = |first: usize, values: usize, all: usize| {
        places.is_empty() || first.checked_add(values).is_some_and(|end| end <= all)
    };
    assert!(count == 0 || within(from, run, map), "a window of {places:?} reaches out of its map");
    assert!(within(to, outputs, out), "a result of {places:?} reaches out of its map");
}

/// A window and its result, as indices of the first value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) from: u32,
    pub(crate) to: u32,
}

/// Windows at listed places of a map with rows of `line` values; the output given is what follows `base` of the whole.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed<'a> {
    pub(crate) places: &'a [Place],
    pub(crate) line: usize,
    pub(crate) rows: Rows,
    pub(crate) base: usize,
}

// SAFETY: functions of values that nobody can change while this borrows them.
unsafe impl Windows for Placed<'_> {
    fn rows(&self) -> Rows {
        self.rows
    }

    #[inline]
    fn from(&self, place: usize, row: usize) -> usize {
        self.places[place].from as usize + row * self.line
    }

    #[inline]
    fn to(&self, place: usize) -> usize {
        (self.places[place].to as usize).wrapping_sub(self.base)
    }

    /// The last row begins farthest.
    fn farthest(&self, places: Range<usize>) -> [usize; 2] {
        let last = self.rows.count.saturating_sub(1);
        places.fold([0; 2], |[from, to], place| [self.from(place, last).max(from), self.to(place).max(to)])
    }
}

/// How the transforms of `all` tiles lie in memory: `each` at a time, of which the last piece may have fewer. A piece holds all places of its tiles,
/// `[places, tiles, channels]`, with some values to spare behind each place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TransformLayout {
    pub(crate) all: usize,
    pub(crate) each: usize,
    pub(crate) places: usize,
}

impl TransformLayout {
    /// Values to spare. Without them places are often multiples of a kilobyte apart, and what is read and written across them meets in few sets of a cache.
    const SPARE: usize = 16;

    /// All in one piece.
    pub(crate) fn whole(all: usize, places: usize) -> Self {
        Self { all, each: all, places }
    }

    /// Values from one place to the next, in the piece that begins with tile `first`.
    pub(crate) fn apart(self, first: usize, channels: usize) -> usize {
        self.each.min(self.all - first) * channels + Self::SPARE
    }

    /// Where the piece that begins with tile `first` does.
    pub(crate) fn start(self, first: usize, channels: usize) -> usize {
        match first {
            0 => 0,
            _ => first / self.each * self.places * self.apart(0, channels),
        }
    }

    /// Values of all pieces.
    pub(crate) fn values(self, channels: usize) -> usize {
        let last = self.all.saturating_sub(1) / self.each.max(1) * self.each;
        self.start(last, channels) + self.places * self.apart(last, channels)
    }

    /// Where a tile has its values of a place.
    fn at(self, place: usize, tile: usize, channels: usize) -> usize {
        let first = tile - tile % self.each;
        self.start(first, channels) + place * self.apart(first, channels) + (tile - first) * channels
    }
}

/// One place of the transforms of tiles, as rows of a matrix, `inner` values each, to rows of `outputs`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AtPlace {
    pub(crate) pieces: TransformLayout,
    pub(crate) place: usize,
    pub(crate) inner: usize,
    pub(crate) outputs: usize,
}

// SAFETY: functions of constants.
unsafe impl Windows for AtPlace {
    fn rows(&self) -> Rows {
        Rows { count: 1, run: self.inner }
    }

    #[inline]
    fn from(&self, tile: usize, _: usize) -> usize {
        self.pieces.at(self.place, tile, self.inner)
    }

    #[inline]
    fn to(&self, tile: usize) -> usize {
        tile * self.outputs
    }

    fn step(&self) -> Option<usize> {
        let TransformLayout { all, each, .. } = self.pieces;
        (each >= all || each.is_multiple_of(EVEN)).then_some(self.inner)
    }

    /// Both rise from tile to tile: a piece begins behind all places of the one before.
    fn farthest(&self, tiles: Range<usize>) -> [usize; 2] {
        tiles.last().map_or([0; 2], |last| [self.from(last, 0), self.to(last)])
    }
}

/// Rows of a matrix from `start` on, `inner` values each, to rows of `outputs`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lines {
    pub(crate) start: usize,
    pub(crate) inner: usize,
    pub(crate) outputs: usize,
}

// SAFETY: functions of constants.
unsafe impl Windows for Lines {
    fn rows(&self) -> Rows {
        Rows { count: 1, run: self.inner }
    }

    #[inline]
    fn from(&self, line: usize, _: usize) -> usize {
        self.start + line * self.inner
    }

    #[inline]
    fn to(&self, line: usize) -> usize {
        line * self.outputs
    }

    fn step(&self) -> Option<usize> {
        Some(self.inner)
    }

    /// Both rise from line to line.
    fn farthest(&self, lines: Range<usize>) -> [usize; 2] {
        lines.last().map_or([0; 2], |last| [self.from(last, 0), self.to(last)])
    }
}

/// Windows whose rows are listed by the number of the value where they begin; a value is `channels` numbers. Numbers beyond `values` stand for padding and are read at
/// `values`, where the map holds zeros.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Listed<'a> {
    /// `[windows, rows]`.
    pub(crate) sources: &'a [u32],
    pub(crate) rows: Rows,
    pub(crate) channels: usize,
    pub(crate) values: usize,
    pub(crate) outputs: usize,
}

// SAFETY: functions of values that nobody can change while this borrows them.
unsafe impl Windows for Listed<'_> {
    fn rows(&self) -> Rows {
        self.rows
    }

    #[inline]
    fn from(&self, place: usize, row: usize) -> usize {
        (self.sources[place * self.rows.count + row] as usize).min(self.values) * self.channels
    }

    #[inline]
    fn to(&self, place: usize) -> usize {
        place * self.outputs
    }
}

/// Windows at odd places, sums with gaps between them: what the tests of the sums compute with.
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

    fn from(&self, place: usize, row: usize) -> usize {
        3 * place + row * (self.rows.run + 2)
    }

    fn to(&self, place: usize) -> usize {
        place * (self.outputs + 1)
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

    fn from(&self, place: usize, row: usize) -> usize {
        self.0.from(place, row)
    }

    fn to(&self, place: usize) -> usize {
        self.0.to(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_farthest_is_that_of_all_windows(
            places in prop::collection::vec((0u32..5000, 20u32..5000), 0..40), line in 0usize..300, count in 1usize..6, base in 0usize..30,
        ) {
            let places: Vec<Place> = places.into_iter().map(|(from, to)| Place { from, to }).collect();
            let placed = Placed { places: &places, line, rows: Rows { count, run: 1 }, base };
            for range in [0..places.len(), places.len() / 3..places.len(), 0..0] {
                prop_assert_eq!(placed.farthest(range.clone()), OneByOne(&placed).farthest(range));
            }
        }

        #[test]
        fn the_last_line_is_the_farthest(all in 1usize..60, start in 0usize..99, inner in 1usize..9) {
            let lines = Lines { start, inner, outputs: 3 };
            for range in [0..all, all / 3..all, 0..all.div_ceil(2), 0..0] {
                prop_assert_eq!(lines.farthest(range.clone()), OneByOne(&lines).farthest(range));
            }
        }

        #[test]
        fn the_last_tile_is_the_farthest(
            all in 1usize..60, each in 1usize..20, (places, place) in (1usize..36).prop_flat_map(|p| (Just(p), 0..p)), inner in 1usize..9,
        ) {
            let pieces = TransformLayout { all, each, places };
            let at = AtPlace { pieces, place, inner, outputs: 3 };
            prop_assert!(at.from(all - 1, 0) + inner <= pieces.values(inner));
            for first in (0..all).step_by(EVEN) {
                let four = first..all.min(first + EVEN);
                let even = at.step().is_none_or(|step| four.clone().all(|tile| at.from(tile, 0) == at.from(first, 0) + (tile - first) * step));
                prop_assert!(even, "{four:?} of {at:?}");
            }
            for range in [0..all, all / 3..all, 0..all.div_ceil(2), 0..0] {
                prop_assert_eq!(at.farthest(range.clone()), OneByOne(&at).farthest(range));
            }
        }
    }
}
