//! The sums with AVX-512: sixteen outputs are one vector.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m512, __mmask16, _MM_HINT_T0, _mm_prefetch, _mm512_add_ps, _mm512_fmadd_ps, _mm512_mask_storeu_ps,
    _mm512_maskz_loadu_ps, _mm512_max_ps, _mm512_min_ps, _mm512_set1_ps, _mm512_setzero_ps,
};
use std::ops::Range;

use super::Strip;
use crate::kernel::indirection::{EVEN, Windows};
use crate::kernel::isa::Avx512;
use crate::kernel::tiling::{AHEAD, Tile};

impl Tile for Strip<'_> {
    type Proof = Avx512;
    type Value = f32;

    const TWELVES: bool = true;

    unsafe fn tile<W: Windows, const M: usize, const V: usize>(
        strips: [Self; V],
        map: &[f32],
        windows: &W,
        places: Range<usize>,
        out: &mut [f32],
    ) {
        // SAFETY: as the caller promises; `Panels` fills each panel with `rows.count * rows.run` rows of as many values as it has offsets and slopes, sixteen at
        // most.
        unsafe { tile::<W, M, V, 1>(strips, map, windows, places, out) };
    }

    unsafe fn twelve<W: Windows, const V: usize>(
        strips: [Self; V],
        map: &[f32],
        windows: &W,
        places: Range<usize>,
        out: &mut [f32],
    ) {
        // SAFETY: as above.
        unsafe { tile::<W, 12, V, EVEN>(strips, map, windows, places, out) };
    }
}

/// The first `values` of a vector.
pub(crate) fn first(values: usize) -> __mmask16 {
    (u32::MAX >> (32 - values.clamp(1, 16))) as __mmask16
}

/// The sums of up to `M` windows with the filters of `V` panels. `E` windows each are read from one address and a step: 1, or [`EVEN`] where they have one.
///
/// # Safety
/// The processor has AVX-512; `places` are 1 to `M`, or `M` that begin with a multiple of `E` where that is not 1; every row of every window of them lies
/// within `map`, `first + there` values from `to` on within `out`; each panel has `rows.count * rows.run` rows of as many values as it has offsets, and as
/// many slopes, sixteen at most and `there` at least.
#[target_feature(enable = "avx512f")]
unsafe fn tile<W: Windows, const M: usize, const V: usize, const E: usize>(
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
    let apart = if E == 1 { 0 } else { windows.step().unwrap_or(0) };
    for row in 0..rows.count {
        // The first `M / E` of them.
        let mut from = [map.as_ptr(); M];
        for (m, from) in from.iter_mut().enumerate().take(M / E) {
            // Past the last window it is computed once more and not stored.
            let start = windows.from(places.start + (m * E).min(count - 1), row);
            // SAFETY: the window's row lies within the map.
            *from = unsafe { from.add(start) };
        }
        for _ in 0..rows.run {
            let mut step = [_mm512_setzero_ps(); V];
            for (v, step) in step.iter_mut().enumerate() {
                // SAFETY: the panel has a row of `wide` values for each value of a window; the pointer goes at most one past its end.
                unsafe {
                    *step = _mm512_maskz_loadu_ps(masks[v], filters[v]);
                    // Asked for ahead: filters fill more pages than the processor follows by itself. No harm where there is nothing.
                    _mm_prefetch::<_MM_HINT_T0>(filters[v].wrapping_add(AHEAD).cast());
                    filters[v] = filters[v].add(wide[v]);
                }
            }
            for (m, sums) in sums.iter_mut().enumerate() {
                // SAFETY: the value is within the window's row.
                let value = _mm512_set1_ps(unsafe { *from[m / E].add(m % E * apart) });
                for (sum, step) in sums.iter_mut().zip(&step) {
                    *sum = _mm512_fmadd_ps(value, *step, *sum);
                }
            }
            for from in from.iter_mut().take(M / E) {
                // SAFETY: one past the end of the window's row at most.
                *from = unsafe { from.add(1) };
            }
        }
    }
    let mut to = [out.as_mut_ptr(); M];
    for (m, to) in to.iter_mut().enumerate() {
        // SAFETY: the window's sums have their place in the output.
        *to = unsafe { to.add(windows.to(places.start + m.min(count - 1))) };
    }
    // Loops of constant length, so that the sums stay in registers.
    for (v, strip) in strips.iter().enumerate() {
        let Strip { panel, onto, there, .. } = *strip;
        let there = first(there);
        for (m, sums) in sums.iter().enumerate() {
            if m < count {
                // SAFETY: `there` sums from the panel's first on lie in the output; it has as many offsets and slopes.
                unsafe {
                    let to = to[m].add(strip.first);
                    if panel.bare && !onto {
                        _mm512_mask_storeu_ps(to, there, sums[v]);
                    } else {
                        finish(sums[v], [panel.bias, panel.slopes], onto, to, there);
                    }
                }
            }
        }
    }
}

/// Offset, what is there already, and slope.
///
/// # Safety
/// The processor has AVX-512; offsets, slopes, and values from `to` on are as many as `there` says.
#[inline]
#[target_feature(enable = "avx512f")]
pub(crate) unsafe fn finish(
    sum: __m512,
    [bias, slopes]: [&[f32]; 2],
    onto: bool,
    to: *mut f32,
    there: __mmask16,
) {
    let zero = _mm512_setzero_ps();
    // SAFETY: no more values are read or written than `there` says.
    unsafe {
        let bias = _mm512_maskz_loadu_ps(there, bias.as_ptr());
        let slopes = _mm512_maskz_loadu_ps(there, slopes.as_ptr());
        let sum = _mm512_add_ps(sum, bias);
        let sum = if onto { _mm512_add_ps(sum, _mm512_maskz_loadu_ps(there, to)) } else { sum };
        let done = _mm512_fmadd_ps(slopes, _mm512_min_ps(sum, zero), _mm512_max_ps(sum, zero));
        _mm512_mask_storeu_ps(to, there, done);
    }
}
