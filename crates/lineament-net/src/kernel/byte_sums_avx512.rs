//! The sums of bytes with AVX-512 VNNI: one instruction multiplies four inputs with the filters of sixteen outputs.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m512i, __mmask16, _mm512_add_ps, _mm512_cvtepi32_ps, _mm512_dpbusd_epi32, _mm512_fmadd_ps,
    _mm512_loadu_ps, _mm512_loadu_si512, _mm512_mask_storeu_ps, _mm512_maskz_loadu_ps, _mm512_max_ps,
    _mm512_min_ps, _mm512_mul_ps, _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_ps, _mm512_setzero_si512,
};
use std::ops::Range;

use super::byte_panels::{INPUTS, STEP, steps};
use super::byte_sums::ByteStrip;
use super::path::Vnni;
use super::places::Windows;

/// What `byte_sums` calls, after it has checked that all windows lie within `map` and all outputs within `out`. Panels go in twos, as in `sums_avx512`.
pub(crate) fn strips<'a, W: Windows>(
    proof: Vnni,
    mut strips: impl Iterator<Item = ByteStrip<'a>>,
    map: &[u8],
    windows: &W,
    places: Range<usize>,
    out: &mut [f32],
) {
    while let Some(first) = strips.next() {
        let places = places.clone();
        if let Some(second) = strips.next() {
            tiles::<W, 8, 4, 2>(proof, [first, second], map, windows, places, out);
        } else {
            tiles::<W, 12, 6, 1>(proof, [first], map, windows, places, out);
        }
    }
}

/// The sums of all windows with the filters of `V` panels: `MANY` windows at a time, `FEW` where no more are left.
fn tiles<W: Windows, const MANY: usize, const FEW: usize, const V: usize>(
    _: Vnni,
    strips: [ByteStrip<'_>; V],
    map: &[u8],
    windows: &W,
    places: Range<usize>,
    out: &mut [f32],
) {
    let mut place = places.start;
    while place < places.end {
        let left = places.end - place;
        let next = place..place + left.min(if left > FEW { MANY } else { FEW });
        place = next.end;
        // SAFETY: `Vnni` is proof that the processor has the instructions. `byte_sums` has checked the windows and outputs of `places`, and `BytePanels`
        // fills each panel with `rows.count * steps` times 64 bytes.
        unsafe {
            if left > FEW {
                tile::<W, MANY, V>(strips, map, windows, next, out);
            } else {
                tile::<W, FEW, V>(strips, map, windows, next, out);
            }
        }
    }
}

/// The sums of up to `M` windows with the filters of `V` panels.
///
/// # Safety
/// The processor has AVX-512 and VNNI; `places` are 1 to `M`; every row of every window of them lies within `map`, up to whole steps of four; each panel has
/// 64 bytes a step.
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn tile<W: Windows, const M: usize, const V: usize>(
    strips: [ByteStrip<'_>; V],
    map: &[u8],
    windows: &W,
    places: Range<usize>,
    out: &mut [f32],
) {
    let rows = strips[0].rows;
    let count = places.len();
    let mut begin = [_mm512_setzero_si512(); V];
    let mut filters = [std::ptr::null::<i8>(); V];
    for (v, strip) in strips.iter().enumerate() {
        // SAFETY: sixteen sums.
        begin[v] = unsafe { _mm512_loadu_si512(strip.begin().as_ptr().cast()) };
        filters[v] = strip.panel.values.as_ptr();
    }
    let mut sums = [begin; M];
    for row in 0..rows.count {
        let mut from = [map.as_ptr(); M];
        for (m, from) in from.iter_mut().enumerate() {
            // Past the last window it is computed once more and not stored.
            let start = windows.from(places.start + m.min(count - 1), row);
            // SAFETY: the window's row lies within the map.
            *from = unsafe { from.add(start) };
        }
        for at in 0..steps(rows) {
            let mut step = [_mm512_setzero_si512(); V];
            for (step, filters) in step.iter_mut().zip(&mut filters) {
                // SAFETY: the panel has 64 bytes for each step; the pointer goes at most one past its end.
                unsafe {
                    *step = _mm512_loadu_si512(filters.cast());
                    *filters = filters.add(STEP);
                }
            }
            for (sums, from) in sums.iter_mut().zip(&from) {
                // SAFETY: the four bytes are within the window's row, up to whole steps.
                let four = unsafe { from.add(at * INPUTS).cast::<i32>().read_unaligned() };
                let four = _mm512_set1_epi32(four);
                for (sum, step) in sums.iter_mut().zip(&step) {
                    *sum = _mm512_dpbusd_epi32(*sum, four, *step);
                }
            }
        }
    }
    // Loops of constant length, so that the sums stay in registers.
    for (m, sums) in sums.into_iter().enumerate() {
        for (sum, strip) in sums.into_iter().zip(&strips) {
            if m < count {
                finish(sum, strip, &mut out[windows.to(places.start + m) + strip.first..][..strip.there]);
            }
        }
    }
}

/// Scale, offset, what is there already, and slope. Products and sums are not fused, as in the plain twin; where they seem to be, one of the two is zero.
#[inline]
#[target_feature(enable = "avx512f")]
fn finish(sum: __m512i, strip: &ByteStrip<'_>, to: &mut [f32]) {
    let there = (u32::MAX >> (32 - to.len().clamp(1, 16))) as __mmask16;
    let zero = _mm512_setzero_ps();
    let panel = &strip.panel;
    // SAFETY: sixteen scales, offsets and slopes; no more than `to.len()` values of `to` are read or written.
    unsafe {
        let factor = _mm512_mul_ps(_mm512_set1_ps(strip.scale.step), _mm512_loadu_ps(panel.scales.as_ptr()));
        let sum = _mm512_mul_ps(_mm512_cvtepi32_ps(sum), factor);
        let sum = _mm512_add_ps(sum, _mm512_loadu_ps(panel.bias.as_ptr()));
        let sum =
            if strip.onto { _mm512_add_ps(sum, _mm512_maskz_loadu_ps(there, to.as_ptr())) } else { sum };
        let slopes = _mm512_loadu_ps(panel.slopes.as_ptr());
        let done = _mm512_fmadd_ps(slopes, _mm512_min_ps(sum, zero), _mm512_max_ps(sum, zero));
        _mm512_mask_storeu_ps(to.as_mut_ptr(), there, done);
    }
}
