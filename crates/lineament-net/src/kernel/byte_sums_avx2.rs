//! The sums of bytes with AVX-VNNI: as in `byte_sums_avx512.rs`, eight outputs an instruction.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    _mm256_dpbusd_avx_epi32, _mm256_loadu_si256, _mm256_set1_epi32, _mm256_setzero_si256, _mm256_storeu_si256,
};
use std::ops::Range;

use super::aligned::LANES;
use super::byte_panels::{INPUTS, OUTPUTS, STEP, steps};
use super::byte_sums::ByteStrip;
use super::path::AvxVnni;
use super::places::Windows;

/// Windows at once: with the two vectors of a panel, a step of filters and four bytes of the map they fill sixteen registers.
const TOGETHER: usize = 6;
/// Vectors of a panel.
const VECTORS: usize = OUTPUTS / LANES;

/// What `byte_sums` calls, after it has checked that all windows lie within `map` and all outputs within `out`.
pub(crate) fn strip<W: Windows>(
    _: AvxVnni,
    strip: ByteStrip<'_>,
    map: &[u8],
    windows: &W,
    places: Range<usize>,
    out: &mut [f32],
) {
    for place in places.clone().step_by(TOGETHER) {
        let next = place..places.end.min(place + TOGETHER);
        // SAFETY: `AvxVnni` is proof that the processor has the instructions. `byte_sums` has checked the windows of `places`, and `BytePanels` fills each
        // panel with `rows.count * steps` times 64 bytes.
        unsafe { tile(&strip, map, windows, next, out) };
    }
}

/// The sums of up to six windows with the filters of a panel.
///
/// # Safety
/// The processor has AVX2 and AVX-VNNI; `places` are 1 to 6; every row of every window of them lies within `map`, up to whole steps of four; the panel has 64
/// bytes a step.
#[target_feature(enable = "avx2,avxvnni")]
unsafe fn tile<W: Windows>(
    strip: &ByteStrip<'_>,
    map: &[u8],
    windows: &W,
    places: Range<usize>,
    out: &mut [f32],
) {
    let (rows, count) = (strip.rows, places.len());
    let begin = strip.begin();
    let mut first = [_mm256_setzero_si256(); VECTORS];
    for (first, begin) in first.iter_mut().zip(begin.as_chunks::<LANES>().0) {
        // SAFETY: eight sums.
        *first = unsafe { _mm256_loadu_si256(begin.as_ptr().cast()) };
    }
    let mut sums = [first; TOGETHER];
    let mut filters = strip.panel.values.as_ptr();
    for row in 0..rows.count {
        let mut from = [map.as_ptr(); TOGETHER];
        for (m, from) in from.iter_mut().enumerate() {
            // Past the last window it is computed once more and not stored.
            let start = windows.from(places.start + m.min(count - 1), row);
            // SAFETY: the window's row lies within the map.
            *from = unsafe { from.add(start) };
        }
        for at in 0..steps(rows) {
            let mut step = [_mm256_setzero_si256(); VECTORS];
            for (v, step) in step.iter_mut().enumerate() {
                // SAFETY: the panel has 64 bytes for each step, 32 a vector.
                *step = unsafe { _mm256_loadu_si256(filters.add(v * LANES * INPUTS).cast()) };
            }
            // SAFETY: at most one past the panel's end.
            filters = unsafe { filters.add(STEP) };
            for (sums, from) in sums.iter_mut().zip(&from) {
                // SAFETY: the four bytes are within the window's row, up to whole steps.
                let four = _mm256_set1_epi32(unsafe { from.add(at * INPUTS).cast::<i32>().read_unaligned() });
                for (sum, step) in sums.iter_mut().zip(&step) {
                    *sum = _mm256_dpbusd_avx_epi32(*sum, four, *step);
                }
            }
        }
    }
    // A loop of constant length, so that the sums stay in registers until here.
    let mut done = [[0; OUTPUTS]; TOGETHER];
    for (done, sums) in done.iter_mut().zip(&sums) {
        for (to, sum) in done.as_chunks_mut::<LANES>().0.iter_mut().zip(sums) {
            // SAFETY: eight sums.
            unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), *sum) };
        }
    }
    for (place, sums) in places.zip(&done) {
        strip.finish(sums, &mut out[windows.to(place) + strip.first..][..strip.there]);
    }
}
