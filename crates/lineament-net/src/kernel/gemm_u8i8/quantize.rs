//! Maps in bytes: what sums of eight-bit integers read.

use crate::kernel::isa::Isa;
use crate::kernel::simd::dispatch::{self, Loops};

/// How the bytes of a map stand for its values: `step * (byte - zero)`. Zero, the value of padding, is a byte of its own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    pub(crate) step: f32,
    /// 0 to 255.
    pub(crate) zero: u8,
}

/// The largest byte.
const MOST: f32 = 255.0;
/// Added to a number below 2^22 it leaves the nearest whole number in the last bits.
const ROUNDING: f32 = 12_582_912.0;
/// Extremes under way: two registers of AVX-512.
const WIDE: usize = 32;

impl Scale {
    /// With which values from `low` to `high` fill the bytes. Zero is always among them.
    pub(crate) fn of(low: f32, high: f32) -> Self {
        let (low, high) = (low.min(0.0), high.max(0.0));
        let step = (high - low) / MOST;
        // Nothing but zeros, or numbers that are none.
        if !(step.is_normal() && step.recip().is_normal()) {
            return Self { step: 1.0, zero: 0 };
        }
        // Saturates.
        Self { step, zero: (-low / step).round() as u8 }
    }

    /// The byte of each value.
    pub(crate) fn bytes(&self, isa: Isa, values: &[f32], bytes: &mut [u8]) {
        let (factor, zero) = (self.step.recip(), f32::from(self.zero));
        dispatch::run(isa, ToBytes { factor, zero, values, bytes });
    }
}

/// The least and the largest value of all `rows`, each of `row` values and `line` apart.
pub(crate) fn extremes(isa: Isa, map: &[f32], rows: usize, row: usize, line: usize) -> (f32, f32) {
    let mut found = (0.0, 0.0);
    dispatch::run(isa, Extremes { map, rows, row, line, found: &mut found });
    found
}

struct Extremes<'a> {
    map: &'a [f32],
    rows: usize,
    row: usize,
    line: usize,
    found: &'a mut (f32, f32),
}

impl Loops for Extremes<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const L: usize>(self) {
        let (mut low, mut high) = ([0.0f32; WIDE], [0.0f32; WIDE]);
        for row in 0..self.rows {
            let (wide, rest) = self.map[row * self.line..][..self.row].as_chunks::<WIDE>();
            for values in wide {
                for i in 0..WIDE {
                    // Comparisons: NaN is none of the extremes.
                    low[i] = if values[i] < low[i] { values[i] } else { low[i] };
                    high[i] = if values[i] > high[i] { values[i] } else { high[i] };
                }
            }
            for (i, value) in rest.iter().enumerate() {
                low[i] = if *value < low[i] { *value } else { low[i] };
                high[i] = if *value > high[i] { *value } else { high[i] };
            }
        }
        *self.found = (low.into_iter().fold(0.0, f32::min), high.into_iter().fold(0.0, f32::max));
    }
}

struct ToBytes<'a> {
    factor: f32,
    zero: f32,
    values: &'a [f32],
    bytes: &'a mut [u8],
}

impl Loops for ToBytes<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const L: usize>(self) {
        for (byte, value) in self.bytes.iter_mut().zip(self.values) {
            let at = value * self.factor + self.zero;
            let at = if at > 0.0 { at } else { 0.0 };
            let at = if at < MOST { at } else { MOST };
            *byte = (at + ROUNDING).to_bits() as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernel::value;

    proptest! {
        #[test]
        fn bytes_are_the_nearest_ones_on_every_path(
            rows in 1usize..5, row in 1usize..80, gap in 0usize..9, lift in -1.5f32..1.5, size in 0.001f32..1000.0,
        ) {
            let line = row + gap;
            let map: Vec<f32> = (0..rows * line).map(|i| size * (value(i) + lift)).collect();
            let inside = || (0..rows).flat_map(|r| &map[r * line..][..row]).copied();
            let (low, high) = (inside().fold(0.0, f32::min), inside().fold(0.0, f32::max));
            let mut first: Option<Vec<u8>> = None;
            for isa in Isa::available() {
                prop_assert_eq!(extremes(isa, &map, rows, row, line), (low, high));
                let scale = Scale::of(low, high);
                let mut bytes = vec![7; map.len()];
                scale.bytes(isa, &map[..row], &mut bytes[..row]);
                for (byte, value) in bytes[..row].iter().zip(&map) {
                    let back = scale.step * (f32::from(*byte) - f32::from(scale.zero));
                    // Half a step for the value and half for where zero lies.
                    prop_assert!((back - value).abs() <= 1.01 * scale.step, "{value} became {back} by {scale:?}");
                }
                prop_assert!(bytes[row..].iter().all(|byte| *byte == 7));
                prop_assert_eq!(first.get_or_insert(bytes.clone()), &bytes);
            }
        }
    }

    #[test]
    fn zero_is_always_a_byte() {
        for (low, high) in [(0.0, 3.0), (-2.0, 5.0), (1.0, 4.0), (-4.0, -1.0), (-1e-3, 1e3)] {
            let scale = Scale::of(low, high);
            let mut byte = [9];
            scale.bytes(Isa::best(), &[0.0], &mut byte);
            assert_eq!(byte[0], scale.zero, "{low} to {high}");
        }
        assert_eq!(Scale::of(0.0, 3.0).zero, 0);
        assert_eq!(Scale::of(-3.0, -1.0).zero, 255);
    }

    #[test]
    fn what_has_no_step_becomes_zero_bytes() {
        for (low, high) in [(0.0, 0.0), (0.0, 1e-44), (0.0, f32::INFINITY), (f32::NEG_INFINITY, 0.0)] {
            assert_eq!(Scale::of(low, high), Scale { step: 1.0, zero: 0 }, "{low} to {high}");
        }
    }
}
