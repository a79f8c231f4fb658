//! The sums with AVX-512: sixteen outputs are one vector.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    _mm512_add_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_max_ps, _mm512_min_ps, _mm512_set1_ps,
    _mm512_setzero_ps, _mm512_storeu_ps,
};
use std::ops::Range;

use super::path::Avx512;
use super::places::Windows;
use super::sums::Strip;
use super::sums_avx2;

/// Outputs of one vector, and of a panel that is whole.
const WIDE: usize = 16;
/// Windows at once: two units of four cycles' latency are busy with eight, and twelve pointers still have registers of their own.
const MANY: usize = 12;
/// Windows at once where no more are left.
const FEW: usize = 6;

/// What `sums` calls, after it has checked that all windows lie within `map` and all outputs within `out`. A panel of eight outputs goes the way of
/// AVX2.
pub(crate) fn strip<W: Windows>(
    proof: Avx512,
    strip: Strip<'_>,
    map: &[f32],
    windows: &W,
    places: Range<usize>,
    out: &mut [f32],
) {
    if strip.panel.bias.len() != WIDE {
        return sums_avx2::strip(proof.avx2(), strip, map, windows, places, out);
    }
    let mut place = places.start;
    while place < places.end {
        let left = places.end - place;
        let next = place..place + left.min(if left > FEW { MANY } else { FEW });
        place = next.end;
        // SAFETY: `Avx512` is proof that the processor has the instructions. `sums` has checked the windows and outputs of `places`, and `Panels`
        // fills this panel with `rows.count * rows.run * 16` values and sixteen offsets and slopes.
        unsafe {
            if left > FEW {
                tile::<W, MANY>(strip, map, windows, next, out);
            } else {
                tile::<W, FEW>(strip, map, windows, next, out);
            }
        }
    }
}

/// The sums of up to `M` windows with sixteen filters.
///
/// # Safety
/// The processor has AVX-512; `places` are 1 to `M`; every row of every window of them lies within `map`, `first + there` values from `to` on within
/// `out`; the panel has `rows.count * rows.run` rows of sixteen values, and sixteen offsets and slopes; `there <= 16`.
#[target_feature(enable = "avx512f")]
unsafe fn tile<W: Windows, const M: usize>(
    strip: Strip<'_>,
    map: &[f32],
    windows: &W,
    places: Range<usize>,
    out: &mut [f32],
) {
    let Strip { panel, first, there, rows, onto } = strip;
    let count = places.len();
    let mut sums = [_mm512_setzero_ps(); M];
    let mut filters = panel.values.as_ptr();
    for row in 0..rows.count {
        let mut from = [map.as_ptr(); M];
        for (m, from) in from.iter_mut().enumerate() {
            // Past the last window it is computed once more and not stored.
            let start = windows.from(places.start + m.min(count - 1), row);
            // SAFETY: the window's row lies within the map.
            *from = unsafe { from.add(start) };
        }
        for at in 0..rows.run {
            // SAFETY: the panel has a row of sixteen values for each value of a window.
            let step = unsafe { _mm512_loadu_ps(filters) };
            // SAFETY: at most one past the panel's end.
            filters = unsafe { filters.add(WIDE) };
            for (sum, from) in sums.iter_mut().zip(&from) {
                // SAFETY: `at` is within the window's row.
                let value = unsafe { *from.add(at) };
                *sum = _mm512_fmadd_ps(_mm512_set1_ps(value), step, *sum);
            }
        }
    }
    // SAFETY: sixteen offsets and slopes.
    let (bias, slopes) =
        unsafe { (_mm512_loadu_ps(panel.bias.as_ptr()), _mm512_loadu_ps(panel.slopes.as_ptr())) };
    let zero = _mm512_setzero_ps();
    for (m, sum) in sums.into_iter().enumerate().take(count) {
        let to = &mut out[windows.to(places.start + m) + first..][..there];
        let sum = _mm512_add_ps(sum, bias);
        if let Ok(to) = <&mut [f32; WIDE]>::try_from(&mut *to) {
            // SAFETY: `to` is sixteen values.
            unsafe {
                let sum = if onto { _mm512_add_ps(sum, _mm512_loadu_ps(to.as_ptr())) } else { sum };
                let done = _mm512_fmadd_ps(slopes, _mm512_min_ps(sum, zero), _mm512_max_ps(sum, zero));
                _mm512_storeu_ps(to.as_mut_ptr(), done);
            }
            continue;
        }
        let mut done = [0.0; WIDE];
        // SAFETY: sixteen values.
        unsafe { _mm512_storeu_ps(done.as_mut_ptr(), sum) };
        for ((to, sum), slope) in to.iter_mut().zip(done).zip(panel.slopes) {
            let sum = sum + if onto { *to } else { 0.0 };
            *to = sum.max(0.0) + slope * sum.min(0.0);
        }
    }
}
