//! The sums with AVX2 and FMA: sixteen outputs are two vectors, or eight are one.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m256, _MM_HINT_T0, _mm_prefetch, _mm256_add_ps, _mm256_broadcast_ss, _mm256_fmadd_ps, _mm256_loadu_ps,
    _mm256_max_ps, _mm256_min_ps, _mm256_setzero_ps, _mm256_storeu_ps,
};
use std::ops::Range;

use super::Strip;
use crate::kernel::aligned::LANES;
use crate::kernel::indirection::Windows;
use crate::kernel::isa::Avx2;
use crate::kernel::tiling::{AHEAD, Tile};

/// A panel whose sums are made with AVX2.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Vectors<'a>(pub(crate) Strip<'a>);

impl Tile for Vectors<'_> {
    type Proof = Avx2;
    type Value = f32;

    fn narrow(&self) -> bool {
        self.0.panel.bias.len() <= LANES
    }

    unsafe fn tile<W: Windows, const M: usize, const V: usize>(
        strips: [Self; V],
        map: &[f32],
        windows: &W,
        places: Range<usize>,
        out: &mut [f32],
    ) {
        let narrow = strips[0].narrow();
        let strips = strips.map(|Self(strip)| strip);
        // SAFETY: as the caller promises, who puts no panels of different widths together; `Panels` fills a panel with `rows.count * rows.run` rows of as many
        // values as it has offsets and slopes.
        unsafe {
            if narrow {
                tile::<W, M, V, 1>(strips, map, windows, places, out);
            } else {
                tile::<W, M, V, 2>(strips, map, windows, places, out);
            }
        }
    }
}

/// The sums of up to `M` windows with the filters of `P` panels of `V` vectors.
///
/// # Safety
/// The processor has AVX2 and FMA; `places` are 1 to `M`; every row of every window of them lies within `map`, `first + there` values from `to` on within
/// `out`; each panel has `rows.count * rows.run` rows of `8 V` values, and `8 V` offsets and slopes; `there` is `8 V` at most.
#[target_feature(enable = "avx2,fma")]
unsafe fn tile<W: Windows, const M: usize, const P: usize, const V: usize>(
    strips: [Strip<'_>; P],
    map: &[f32],
    windows: &W,
    places: Range<usize>,
    out: &mut [f32],
) {
    let rows = strips[0].rows;
    let count = places.len();
    let mut sums = [[[_mm256_setzero_ps(); V]; P]; M];
    let mut filters = strips.map(|strip| strip.panel.values.as_ptr());
    for row in 0..rows.count {
        let mut from = [map.as_ptr(); M];
        for (m, from) in from.iter_mut().enumerate() {
            // Past the last window it is computed once more and not stored.
            let start = windows.from(places.start + m.min(count - 1), row);
            // SAFETY: the window's row lies within the map.
            *from = unsafe { from.add(start) };
        }
        for at in 0..rows.run {
            let mut step = [[_mm256_setzero_ps(); V]; P];
            for (step, filters) in step.iter_mut().zip(&mut filters) {
                for (v, step) in step.iter_mut().enumerate() {
                    // SAFETY: the panel has a row of 8 V values for each value of a window.
                    *step = unsafe { _mm256_loadu_ps(filters.add(v * LANES)) };
                }
                // SAFETY: at most one past the panel's end; nothing is read by asking ahead.
                unsafe {
                    _mm_prefetch::<_MM_HINT_T0>(filters.wrapping_add(AHEAD).cast());
                    *filters = filters.add(V * LANES);
                }
            }
            for (sums, from) in sums.iter_mut().zip(&from) {
                // SAFETY: `at` is within the window's row.
                let value = unsafe { _mm256_broadcast_ss(&*from.add(at)) };
                for (sum, step) in sums.as_flattened_mut().iter_mut().zip(step.as_flattened()) {
                    *sum = _mm256_fmadd_ps(value, *step, *sum);
                }
            }
        }
    }
    let mut to = [out.as_mut_ptr(); M];
    for (m, to) in to.iter_mut().enumerate() {
        // SAFETY: the window's sums have their place in the output.
        *to = unsafe { to.add(windows.to(places.start + m.min(count - 1))) };
    }
    // Loops of constant length, so that the sums stay in registers.
    for (p, strip) in strips.iter().enumerate() {
        for (m, sums) in sums.iter().enumerate() {
            if m < count {
                // SAFETY: the panel's sums of the window have their place in the output, and it has as many offsets and slopes.
                unsafe { finish(strip, &sums[p], to[m].add(strip.first)) };
            }
        }
    }
}

/// Offset, what is there already, and slope.
///
/// # Safety
/// The processor has AVX2 and FMA; `strip.there` values from `to` on may be written, `8 V` at most; the panel has `8 V` offsets and slopes.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn finish<const V: usize>(strip: &Strip<'_>, sums: &[__m256; V], to: *mut f32) {
    let Strip { panel, there, onto, .. } = *strip;
    // SAFETY: whole vectors of the output, of offsets and slopes.
    unsafe {
        if there == V * LANES {
            if panel.bare && !onto {
                return sums
                    .iter()
                    .enumerate()
                    .for_each(|(v, sum)| _mm256_storeu_ps(to.add(v * LANES), *sum));
            }
            for (v, sum) in sums.iter().enumerate() {
                let to = to.add(v * LANES);
                let sum = _mm256_add_ps(*sum, _mm256_loadu_ps(panel.bias.as_ptr().add(v * LANES)));
                let sum = if onto { _mm256_add_ps(sum, _mm256_loadu_ps(to)) } else { sum };
                let slope = _mm256_loadu_ps(panel.slopes.as_ptr().add(v * LANES));
                _mm256_storeu_ps(to, sloped(sum, slope));
            }
            return;
        }
    }
    // Only some of the outputs are there, by way of memory: masked stores take dozens of cycles on some processors.
    let mut done = [[0.0f32; LANES]; V];
    for (done, sum) in done.iter_mut().zip(sums) {
        // SAFETY: eight values.
        unsafe { _mm256_storeu_ps(done.as_mut_ptr(), *sum) };
    }
    // SAFETY: as many values may be written.
    let to = unsafe { std::slice::from_raw_parts_mut(to, there) };
    for (((to, sum), bias), slope) in to.iter_mut().zip(done.as_flattened()).zip(panel.bias).zip(panel.slopes)
    {
        let sum = sum + bias + if onto { *to } else { 0.0 };
        *to = sum.max(0.0) + slope * sum.min(0.0);
    }
}

/// `sum` where positive, `slope * sum` elsewhere.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn sloped(sum: __m256, slope: __m256) -> __m256 {
    let zero = _mm256_setzero_ps();
    _mm256_fmadd_ps(slope, _mm256_min_ps(sum, zero), _mm256_max_ps(sum, zero))
}
