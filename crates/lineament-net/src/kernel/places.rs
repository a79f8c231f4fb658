//! Where the windows of a sum are read and where their results go.
#![allow(unsafe_code)]

/// Windows over a map.
///
/// # Safety
/// Both functions always give the same answer to the same question: the sums check all windows once and then read them without looking again.
pub(crate) unsafe trait Windows: Sync {
    /// Where row `row` of window `place` begins in the map.
    fn from(&self, place: usize, row: usize) -> usize;

    /// Where its sums go in the output.
    fn to(&self, place: usize) -> usize;
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
    pub(crate) base: usize,
}

// SAFETY: functions of values that nobody can change while this borrows them.
unsafe impl Windows for Placed<'_> {
    #[inline]
    fn from(&self, place: usize, row: usize) -> usize {
        self.places[place].from as usize + row * self.line
    }

    #[inline]
    fn to(&self, place: usize) -> usize {
        (self.places[place].to as usize).wrapping_sub(self.base)
    }
}

/// The rows of a matrix, `inner` values each, to rows of `outputs`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Matrix {
    pub(crate) inner: usize,
    pub(crate) outputs: usize,
}

// SAFETY: functions of two constants.
unsafe impl Windows for Matrix {
    #[inline]
    fn from(&self, place: usize, _: usize) -> usize {
        place * self.inner
    }

    #[inline]
    fn to(&self, place: usize) -> usize {
        place * self.outputs
    }
}

/// Windows whose taps are listed by number: each tap is a row of `channels` values. Numbers beyond `values` stand for padding and are read at
/// `values`, where the map holds zeros.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Listed<'a> {
    /// `[windows, taps]`.
    pub(crate) sources: &'a [u32],
    pub(crate) taps: usize,
    pub(crate) channels: usize,
    pub(crate) values: usize,
    pub(crate) outputs: usize,
}

// SAFETY: functions of values that nobody can change while this borrows them.
unsafe impl Windows for Listed<'_> {
    #[inline]
    fn from(&self, place: usize, row: usize) -> usize {
        (self.sources[place * self.taps + row] as usize).min(self.values) * self.channels
    }

    #[inline]
    fn to(&self, place: usize) -> usize {
        place * self.outputs
    }
}
