//! The sums with AVX-512: sixteen outputs are one vector.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m512, __mmask16, _mm512_add_ps, _mm512_fmadd_ps, _mm512_mask_storeu_ps, _mm512_maskz_loadu_ps,
    _mm512_max_ps, _mm512_min_ps, _mm512_set1_ps, _mm512_setzero_ps,
};
use std::ops::Range;

use super::path::Avx512;
use super::places::Windows;
use super::sums::Strip;
use super::walk_avx512::Tile;

impl Tile for Strip<'_> {
    type Proof = Avx512;
    type Value = f32;

    unsafe fn tile<W: Windows, const M: usize, const V: usize>(
        strips: [Self; V],
        map: &[f32],
        windows: &W,
        places: Range<usize>,
        out: &mut [f32],
    ) {
        // SAFETY: as the caller promises; `Panels` fills each panel with `rows.count * rows.run` rows of as many values as it has offsets and slopes, sixteen at
        // most.
        unsafe { tile::<W, M, V>(strips, map, windows, places, out) };
    }
}

/// The first `values` of a vector.
fn first(values: usize) -> __mmask16 {
    (u32::MAX >> (32 - values.clamp(1, 16))) as __mmask16
}

/// The sums of up to `M` windows with the filters of `V` panels.
///
/// # Safety
/// The processor has AVX-512; `places` are 1 to `M`; every row of every window of them lies within `map`, `first + there` values from `to` on within
/// `out`; each panel has `rows.count * rows.run` rows of as many values as it has offsets, and as many slopes, sixteen at most and `there` at least.
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
    let (mut filters, mut wide, mut masks) = ([std::ptr::null(); V], [0; V], [0; V]);
    for (v, strip) in strips.iter().enumerate() {
        filters[v] = strip.panel.values.as_ptr();
        wide[v] = strip.panel.bias.len();
        masks[v] = first(wide[v]);
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
            for (v, step) in step.iter_mut().enumerate() {
                // SAFETY: the panel has a row of `wide` values for each value of a window; the pointer goes at most one past its end.
                unsafe {
                    *step = _mm512_maskz_loadu_ps(masks[v], filters[v]);
                    filters[v] = filters[v].add(wide[v]);
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
                // SAFETY: as many offsets and slopes as there are outputs, sixteen at most.
                unsafe { finish(sum, strip.panel.bias, strip.panel.slopes, strip.onto, to) };
            }
        }
    }
}

/// Offset, what is there already, and slope.
///
/// # Safety
/// The processor has AVX-512; there are at least as many offsets and slopes as `to` has values, and those are 1 to 16.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn finish(sum: __m512, bias: &[f32], slopes: &[f32], onto: bool, to: &mut [f32]) {
    let (there, zero) = (first(to.len()), _mm512_setzero_ps());
    // SAFETY: no more than `to.len()` values are read or written.
    unsafe {
        let bias = _mm512_maskz_loadu_ps(there, bias.as_ptr());
        let slopes = _mm512_maskz_loadu_ps(there, slopes.as_ptr());
        let sum = _mm512_add_ps(sum, bias);
        let sum = if onto { _mm512_add_ps(sum, _mm512_maskz_loadu_ps(there, to.as_ptr())) } else { sum };
        let done = _mm512_fmadd_ps(slopes, _mm512_min_ps(sum, zero), _mm512_max_ps(sum, zero));
        _mm512_mask_storeu_ps(to.as_mut_ptr(), there, done);
    }
}
