//! The sums with AVX2 and FMA.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m256, _mm256_add_ps, _mm256_broadcast_ss, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_max_ps,
    _mm256_min_ps, _mm256_setzero_ps, _mm256_storeu_ps,
};
use std::ops::Range;

use super::aligned::LANES;
use super::path::Avx2;
use super::places::Windows;
use super::sums::Strip;

/// What `sums` calls, after it has checked that all windows lie within `map` and all outputs within `out`. Sixteen registers hold twelve vectors of
/// sums (or eight, in narrow panels), the filters of one step and one value of the map.
pub(crate) fn strip<W: Windows>(
    _: Avx2,
    strip: Strip<'_>,
    map: &[f32],
    windows: &W,
    places: Range<usize>,
    out: &mut [f32],
) {
    let vectors = strip.panel.bias.len() / LANES;
    // SAFETY: `Avx2` is proof that the processor has the instructions. `sums` has checked the windows and outputs of `places`, and `Panels` fills
    // a panel of `vectors` with `rows.count * rows.run * vectors * 8` values and as many offsets and slopes as it has outputs.
    unsafe {
        match vectors {
            1 => tiles::<W, 8, 1>(strip, map, windows, places, out),
            _ => tiles::<W, 6, 2>(strip, map, windows, places, out),
        }
    }
}

/// The sums of `M` windows with `8 V` filters at a time.
///
/// # Safety
/// The processor has AVX2 and FMA; every row of every window of `places` lies within `map`, `first + there` values from `to` on within `out`; the panel
/// has `rows.count * rows.run` rows of `8 V` values, and `8 V` offsets and slopes; `8 (V - 1) < there <= 8 V`.
#[target_feature(enable = "avx2,fma")]
unsafe fn tiles<W: Windows, const M: usize, const V: usize>(
    strip: Strip<'_>,
    map: &[f32],
    windows: &W,
    places: Range<usize>,
    out: &mut [f32],
) {
    let Strip { panel, first, there, rows, onto } = strip;
    let mut place = places.start;
    while place < places.end {
        let count = M.min(places.end - place);
        let mut sums = [[_mm256_setzero_ps(); V]; M];
        let mut filters = panel.values.as_ptr();
        for row in 0..rows.count {
            let mut from = [map.as_ptr(); M];
            for (m, from) in from.iter_mut().enumerate() {
                // Past the last window it is computed once more and not stored.
                let start = windows.from(place + m.min(count - 1), row);
                // SAFETY: the window's row lies within the map.
                *from = unsafe { from.add(start) };
            }
            for at in 0..rows.run {
                let mut step = [_mm256_setzero_ps(); V];
                for (v, step) in step.iter_mut().enumerate() {
                    // SAFETY: the panel has a row of 8 V values for each value of a window.
                    *step = unsafe { _mm256_loadu_ps(filters.add(v * LANES)) };
                }
                // SAFETY: at most one past the panel's end.
                filters = unsafe { filters.add(V * LANES) };
                for (sums, from) in sums.iter_mut().zip(&from) {
                    // SAFETY: `at` is within the window's row.
                    let value = unsafe { _mm256_broadcast_ss(&*from.add(at)) };
                    for (sum, step) in sums.iter_mut().zip(&step) {
                        *sum = _mm256_fmadd_ps(value, *step, *sum);
                    }
                }
            }
        }
        let bias = panel.bias.as_ptr();
        let slopes = panel.slopes.as_ptr();
        if count == M && there == V * LANES {
            for (m, sums) in sums.iter().enumerate() {
                // SAFETY: `there` values from `to + first` on lie within `out`; offsets and slopes have 8 V values.
                unsafe {
                    let to = out.as_mut_ptr().add(windows.to(place + m) + first);
                    for (v, sum) in sums.iter().enumerate() {
                        let before =
                            if onto { _mm256_loadu_ps(to.add(v * LANES)) } else { _mm256_setzero_ps() };
                        let sum =
                            _mm256_add_ps(_mm256_add_ps(*sum, _mm256_loadu_ps(bias.add(v * LANES))), before);
                        _mm256_storeu_ps(
                            to.add(v * LANES),
                            sloped(sum, _mm256_loadu_ps(slopes.add(v * LANES))),
                        );
                    }
                }
            }
        } else {
            // The last windows or a part of the outputs, by way of memory: masked stores take dozens of cycles on some processors.
            let mut done = [[[0.0f32; LANES]; V]; M];
            for m in 0..M {
                for v in 0..V {
                    // SAFETY: eight values; offsets and slopes have 8 V.
                    unsafe {
                        let sum = _mm256_add_ps(sums[m][v], _mm256_loadu_ps(bias.add(v * LANES)));
                        _mm256_storeu_ps(done[m][v].as_mut_ptr(), sum);
                    }
                }
            }
            for (m, sums) in done.iter().enumerate().take(count) {
                let to = &mut out[windows.to(place + m) + first..][..there];
                let pairs = to.iter_mut().zip(sums.as_flattened()).zip(panel.slopes);
                for ((to, sum), slope) in pairs {
                    let sum = sum + if onto { *to } else { 0.0 };
                    *to = sum.max(0.0) + slope * sum.min(0.0);
                }
            }
        }
        place += M;
    }
}

/// `sum` where positive, `slope * sum` elsewhere.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn sloped(sum: __m256, slope: __m256) -> __m256 {
    let zero = _mm256_setzero_ps();
    _mm256_fmadd_ps(slope, _mm256_min_ps(sum, zero), _mm256_max_ps(sum, zero))
}
