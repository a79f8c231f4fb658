//! Memory for maps and filters, aligned to what a processor loads at once.
#![allow(unsafe_code)]

use std::ops::{Deref, DerefMut};

/// Values that filters are padded to: what one AVX2 register holds.
pub(crate) const LANES: usize = 8;

/// Values in a line of the cache, which is also what one AVX-512 register holds.
pub(crate) const LINE: usize = 16;

#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C, align(64))]
struct Line([f32; LINE]);

/// A list of numbers that begins at a multiple of 64 bytes.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Aligned {
    lines: Vec<Line>,
    len: usize,
}

impl Aligned {
    /// `len` zeros.
    pub(crate) fn zeros(len: usize) -> Self {
        Self { lines: vec![Line([0.0; LINE]); len.div_ceil(LINE)], len }
    }

    /// The first `len` values; grown when there are fewer. What they hold is left over from earlier use.
    pub(crate) fn grown(&mut self, len: usize) -> &mut [f32] {
        if self.len < len {
            self.lines.resize(len.div_ceil(LINE), Line([0.0; LINE]));
            self.len = len;
        }
        &mut self[..len]
    }
}

impl Deref for Aligned {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        // SAFETY: a `Line` is sixteen f32 without gaps (`repr(C)`, size 64, alignment 64), the lines stand one after the other, and both
        // constructors keep `len` at or below sixteen times their number.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }
}

impl DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as in `deref`; `self` is borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_aligned_and_grows_with_zeros() {
        let mut list = Aligned::zeros(3);
        list.copy_from_slice(&[1.0, 2.0, 3.0]);
        assert_eq!(list.grown(11)[..5], [1.0, 2.0, 3.0, 0.0, 0.0]);
        assert_eq!(list.grown(2), [1.0, 2.0]);
        assert_eq!(list.len(), 11);
        assert!(list.as_ptr().addr().is_multiple_of(64));
        assert!(Aligned::default().is_empty());
    }
}
