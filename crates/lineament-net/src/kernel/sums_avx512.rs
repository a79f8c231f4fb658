//! The sums with AVX-512: sixteen outputs are one vector.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m512, _mm512_add_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_max_ps, _mm512_min_ps, _mm512_set1_ps,
    _mm512_setzero_ps, _mm512_storeu_ps,
};
use std::ops::Range;

use super::path::Avx512;
use super::places::Windows;
use super::sums::Strip;
use super::sums_avx2;

/// Outputs of one vector, and of a panel that is whole.
const WIDE: usize = 16;

/// What `sums` calls, after it has checked that all windows lie within `map` and all outputs within `out`. Two whole panels go together: a value of the
/// map that is read once serves both, so that reading keeps up with two units that multiply. A panel of eight outputs goes the way of AVX2.
pub(crate) fn strips<'a, W: Windows>(
    proof: Avx512,
    strips: impl Iterator<Item = Strip<'a>>,
    map: &[f32],
    windows: &W,
    places: Range<usize>,
    out: &mut [f32],
) {
    let mut waiting = None;
    for strip in strips {
        if strip.panel.bias.len() != WIDE {
            sums_avx2::strip(proof.avx2(), strip, map, windows, places.clone(), out);
        } else if let Some(first) = waiting.take() {
            // Four cycles' latency of two units are eight sums under way: four windows of two panels are enough.
            tiles::<W, 8, 4, 2>(proof, [first, strip], map, windows, places.clone(), out);
        } else {
            waiting = Some(strip);
        }
    }
    if let Some(last) = waiting {
        tiles::<W, 12, 6, 1>(proof, [last], map, windows, places, out);
    }
}

/// The sums of all windows with `16 V` filters: `MANY` windows at a time, `FEW` where no more are left.
fn tiles<W: Windows, const MANY: usize, const FEW: usize, const V: usize>(
    _: Avx512,
    strips: [Strip<'_>; V],
    map: &[f32],
    windows: &W,
    places: Range<usize>,
    out: &mut [f32],
) {
    let mut place = places.start;
    while place < places.end {
        let left = places.end - place;
        let next = place..place + left.min(if left > FEW { MANY } else { FEW });
        place = next.end;
        // SAFETY: `Avx512` is proof that the processor has the instructions. `sums` has checked the windows and outputs of `places`, and `Panels`
        // fills each panel of sixteen with `rows.count * rows.run * 16` values and sixteen offsets and slopes.
        unsafe {
            if left > FEW {
                tile::<W, MANY, V>(strips, map, windows, next, out);
            } else {
                tile::<W, FEW, V>(strips, map, windows, next, out);
            }
        }
    }
}

/// The sums of up to `M` windows with `V` panels of sixteen filters.
///
/// # Safety
/// The processor has AVX-512; `places` are 1 to `M`; every row of every window of them lies within `map`, `first + there` values from `to` on within
/// `out`; each panel has `rows.count * rows.run` rows of sixteen values, and sixteen offsets and slopes; `there <= 16`.
#[target_feature(enable = "avx512f")]
unsafe fn tile<W: Windows, const M: usize, const V: usize>(
    strips: [Strip<'_>; V],
    map: &[f32],
    windows: &W,
    places: Range<usize>,
    out: &mut [f32],
) {
    let rows = strips[0].rows;
    let count = places.len();
    let mut sums = [[_mm512_setzero_ps(); V]; M];
    let mut filters = [std::ptr::null(); V];
    for (filters, strip) in filters.iter_mut().zip(&strips) {
        *filters = strip.panel.values.as_ptr();
    }
    for row in 0..rows.count {
        let mut from = [map.as_ptr(); M];
        for (m, from) in from.iter_mut().enumerate() {
            // Past the last window it is computed once more and not stored.
            let start = windows.from(places.start + m.min(count - 1), row);
            // SAFETY: the window's row lies within the map.
            *from = unsafe { from.add(start) };
        }
        for at in 0..rows.run {
            let mut step = [_mm512_setzero_ps(); V];
            for (step, filters) in step.iter_mut().zip(&mut filters) {
                // SAFETY: the panel has a row of sixteen values for each value of a window; the pointer goes at most one past its end.
                unsafe {
                    *step = _mm512_loadu_ps(*filters);
                    *filters = filters.add(WIDE);
                }
            }
            for (sums, from) in sums.iter_mut().zip(&from) {
                // SAFETY: `at` is within the window's row.
                let value = _mm512_set1_ps(unsafe { *from.add(at) });
                for (sum, step) in sums.iter_mut().zip(&step) {
                    *sum = _mm512_fmadd_ps(value, *step, *sum);
                }
            }
        }
    }
    // Loops of constant length, so that the sums stay in registers.
    for (m, sums) in sums.into_iter().enumerate() {
        for (sum, strip) in sums.into_iter().zip(&strips) {
            if m < count {
                let to = &mut out[windows.to(places.start + m) + strip.first..][..strip.there];
                // SAFETY: the panel has sixteen offsets and slopes.
                unsafe { finish(sum, strip, to) };
            }
        }
    }
}

/// Offset, what is there already, and slope.
///
/// # Safety
/// The processor has AVX-512; the panel has sixteen offsets and slopes.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn finish(sum: __m512, strip: &Strip<'_>, to: &mut [f32]) {
    let Strip { panel, onto, .. } = *strip;
    // SAFETY: sixteen offsets and slopes.
    let (bias, slopes) =
        unsafe { (_mm512_loadu_ps(panel.bias.as_ptr()), _mm512_loadu_ps(panel.slopes.as_ptr())) };
    let (sum, zero) = (_mm512_add_ps(sum, bias), _mm512_setzero_ps());
    if let Ok(to) = <&mut [f32; WIDE]>::try_from(&mut *to) {
        // SAFETY: `to` is sixteen values.
        unsafe {
            let sum = if onto { _mm512_add_ps(sum, _mm512_loadu_ps(to.as_ptr())) } else { sum };
            let done = _mm512_fmadd_ps(slopes, _mm512_min_ps(sum, zero), _mm512_max_ps(sum, zero));
            _mm512_storeu_ps(to.as_mut_ptr(), done);
        }
        return;
    }
    let mut sums = [0.0; WIDE];
    // SAFETY: sixteen values.
    unsafe { _mm512_storeu_ps(sums.as_mut_ptr(), sum) };
    part(sums, strip, to);
}

/// The last outputs, fewer than a vector.
#[inline(never)]
fn part(sums: [f32; WIDE], strip: &Strip<'_>, to: &mut [f32]) {
    for ((to, sum), slope) in to.iter_mut().zip(sums).zip(strip.panel.slopes) {
        let sum = sum + if strip.onto { *to } else { 0.0 };
        *to = sum.max(0.0) + slope * sum.min(0.0);
    }
}
