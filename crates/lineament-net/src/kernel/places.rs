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

/// Windows over a map, all alike.
///
/// # Safety
/// All functions always give the same answer to the same question: the sums check all windows once and then read them without looking again.
pub(crate) unsafe trait Windows: Sync {
    /// What each of them looks like.
    fn rows(&self) -> Rows;

    /// Where row `row` of window `place` begins in the map.
    fn from(&self, place: usize, row: usize) -> usize;

    /// Where its sums go in the output.
    fn to(&self, place: usize) -> usize;
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
    // The farthest of all first and one comparison then: thousands of places are checked for each call.
    let (mut from, mut to) = (0, 0);
    for place in places.clone() {
        from = (0..count).fold(from, |from, row| windows.from(place, row).max(from));
        to = windows.to(place).max(to);
    }
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
}

/// `all` tiles that were transformed `each` at a time; the last piece may have fewer. A piece holds all places of its tiles, `[places, tiles, channels]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pieces {
    pub(crate) all: usize,
    pub(crate) each: usize,
}

/// One place of the transforms of tiles, as rows of a matrix, `inner` values each, to rows of `outputs`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AtPlace {
    pub(crate) pieces: Pieces,
    pub(crate) place: usize,
    pub(crate) places: usize,
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
        let Pieces { all, each } = self.pieces;
        // Mostly there is one piece, and a division takes as long as a dozen sums.
        let first = if tile < each { 0 } else { tile - tile % each };
        let tiles = each.min(all - first);
        (first * self.places + self.place * tiles + tile - first) * self.inner
    }

    #[inline]
    fn to(&self, tile: usize) -> usize {
        tile * self.outputs
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
