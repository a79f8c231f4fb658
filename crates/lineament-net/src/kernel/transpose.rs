//! Maps between their two orders: planes (channels outermost), which callers hold, and pixels (channels innermost), which kernels work on.
#![allow(unsafe_code)]

use super::isa::Isa;
use super::simd::dispatch::{self, Loops};

/// Channels of a photo, which are too few for blocks.
const COLOURS: usize = 3;
/// Rows and columns of a block that is turned in registers.
const BLOCK: usize = 8;

/// A matrix whose rows begin `stride` values apart.
#[derive(Debug, Clone, Copy)]
struct Matrix {
    rows: usize,
    columns: usize,
    stride: usize,
}

impl Matrix {
    /// Whether it lies within so many values.
    fn fits(&self, values: usize) -> bool {
        let last = self.rows.checked_sub(1).and_then(|row| row.checked_mul(self.stride));
        self.columns == 0
            || last.is_none_or(|last| last.checked_add(self.columns).is_some_and(|end| end <= values))
    }
}

/// `count` neighbouring values of each of `channels` planes that begin `apart` values from one another, as pixels side by side.
///
/// # Panics
/// When they do not lie within `planes` and `pixels`: that would be a mistake in a plan, not in an input.
pub(crate) fn to_pixels(
    isa: Isa,
    (planes, apart): (&[f32], usize),
    [channels, count]: [usize; 2],
    pixels: &mut [f32],
) {
    let from = Matrix { rows: channels, columns: count, stride: apart };
    transpose(isa, planes, from, pixels, channels);
}

/// The first `channels` values of `count` pixels that begin `every` values from one another, as those of planes that begin `apart` values from one another.
///
/// # Panics
/// As [`to_pixels`].
pub(crate) fn to_planes(
    isa: Isa,
    (pixels, every): (&[f32], usize),
    [channels, count]: [usize; 2],
    (planes, apart): (&mut [f32], usize),
) {
    let from = Matrix { rows: count, columns: channels, stride: every };
    transpose(isa, pixels, from, planes, apart);
}

/// Columns of `from` become rows of `to`, `stride` values apart.
fn transpose(isa: Isa, values: &[f32], from: Matrix, to: &mut [f32], stride: usize) {
    let turned = Matrix { rows: from.columns, columns: from.rows, stride };
    assert!(from.fits(values.len()), "{from:?} of {} values", values.len());
    assert!(turned.fits(to.len()), "{turned:?} into {} values", to.len());
    if from.rows == 0 || from.columns == 0 {
        return;
    }
    if from.rows == COLOURS && stride == COLOURS {
        let planes = [0, 1, 2].map(|row| &values[row * from.stride..][..from.columns]);
        return dispatch::run(isa, Interleave { planes, pixels: to });
    }
    #[cfg(target_arch = "x86_64")]
    if isa.avx2().is_some() && from.rows.min(from.columns) >= BLOCK {
        // SAFETY: the processor has the instructions, and both matrices were found to fit.
        unsafe { x86::transpose(values, from, to, stride) };
        return;
    }
    plain(values, from, to, stride);
}

/// Three planes side by side.
struct Interleave<'a> {
    planes: [&'a [f32]; COLOURS],
    pixels: &'a mut [f32],
}

impl Loops for Interleave<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const L: usize>(self) {
        let [red, green, blue] = self.planes;
        let pixels = self.pixels.as_chunks_mut::<COLOURS>().0.iter_mut();
        for (((pixel, red), green), blue) in pixels.zip(red).zip(green).zip(blue) {
            *pixel = [*red, *green, *blue];
        }
    }
}

/// The plain twin.
fn plain(values: &[f32], from: Matrix, to: &mut [f32], stride: usize) {
    let Matrix { rows, columns, .. } = from;
    for row in 0..rows {
        let line = &values[row * from.stride..][..columns];
        line.iter().zip(to[row..].iter_mut().step_by(stride)).for_each(|(value, to)| *to = *value);
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        _mm_loadu_ps, _mm256_castps128_ps256, _mm256_insertf128_ps, _mm256_setzero_ps, _mm256_shuffle_ps,
        _mm256_storeu_ps, _mm256_unpackhi_ps, _mm256_unpacklo_ps,
    };

    use super::{BLOCK, Matrix};

    /// Block by block; the last of a side overlaps the one before it, and turns the same values once more.
    ///
    /// # Safety
    /// The processor has AVX2; `from` lies within `values`, and its columns as rows, `stride` values apart, within `to`; both sides are at least [`BLOCK`].
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn transpose(values: &[f32], from: Matrix, to: &mut [f32], stride: usize) {
        let Matrix { rows, columns, stride: apart } = from;
        // The longer side is walked along once, so that both memories are.
        let [long, short] = if rows > columns { [rows, columns] } else { [columns, rows] };
        for far in (0..long).step_by(BLOCK) {
            let far = far.min(long - BLOCK);
            for near in (0..short).step_by(BLOCK) {
                let near = near.min(short - BLOCK);
                let (row, column) = if rows > columns { (far, near) } else { (near, far) };
                // SAFETY: eight rows and columns from there on lie within both matrices, as the caller promises.
                unsafe {
                    let from = values.as_ptr().add(row * apart + column);
                    let to = to.as_mut_ptr().add(column * stride + row);
                    turn(from, apart, to, stride);
                }
            }
        }
    }

    /// One block.
    ///
    /// # Safety
    /// The processor has AVX2; eight values may be read from each of eight rows, and written to each of eight rows.
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn turn(from: *const f32, apart: usize, to: *mut f32, stride: usize) {
        // Loops, not closures: those that are handed to functions without AVX2 stay outside of registers.
        for half in [0, BLOCK / 2] {
            let mut rows = [_mm256_setzero_ps(); BLOCK / 2];
            for (row, values) in rows.iter_mut().enumerate() {
                // A row's four values, and those of the row four below it.
                // SAFETY: as the caller promises.
                unsafe {
                    let low = _mm_loadu_ps(from.add(row * apart + half));
                    let high = _mm_loadu_ps(from.add((row + BLOCK / 2) * apart + half));
                    *values = _mm256_insertf128_ps::<1>(_mm256_castps128_ps256(low), high);
                }
            }
            let [one, two, three, four] = rows;
            let (low, high) = (_mm256_unpacklo_ps(one, two), _mm256_unpackhi_ps(one, two));
            let (lower, higher) = (_mm256_unpacklo_ps(three, four), _mm256_unpackhi_ps(three, four));
            let columns = [
                _mm256_shuffle_ps::<0x44>(low, lower),
                _mm256_shuffle_ps::<0xee>(low, lower),
                _mm256_shuffle_ps::<0x44>(high, higher),
                _mm256_shuffle_ps::<0xee>(high, higher),
            ];
            for (column, values) in columns.iter().enumerate() {
                // SAFETY: as the caller promises.
                unsafe { _mm256_storeu_ps(to.add((half + column) * stride), *values) };
            }
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
        fn every_set_turns_every_value(channels in 1usize..40, count in 0usize..70, spare in 0usize..9) {
            let apart = count + spare;
            let planes: Vec<f32> = (0..channels * apart).map(value).collect();
            for isa in Isa::available() {
                let mut pixels = vec![9.0; channels * count + spare];
                to_pixels(isa, (&planes, apart), [channels, count], &mut pixels);
                for (at, pixel) in pixels.iter().enumerate() {
                    let expected = planes.get(at % channels * apart + at / channels);
                    let expected = if at < channels * count { expected.copied() } else { Some(9.0) };
                    prop_assert_eq!(Some(*pixel), expected);
                }
                let mut back = vec![7.0; channels * apart];
                to_planes(isa, (&pixels, channels), [channels, count], (&mut back, apart));
                for (at, value) in back.iter().enumerate() {
                    prop_assert_eq!(*value, if at % apart.max(1) < count { planes[at] } else { 7.0 });
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "into 79 values")]
    fn too_little_room_is_refused() {
        to_pixels(Isa::best(), (&[0.0; 80], 8), [10, 8], &mut [0.0; 79]);
    }

    #[test]
    #[should_panic(expected = "of 79 values")]
    fn too_few_values_are_refused() {
        to_planes(Isa::best(), (&[0.0; 79], 10), [10, 8], (&mut [0.0; 80], 8));
    }
}
