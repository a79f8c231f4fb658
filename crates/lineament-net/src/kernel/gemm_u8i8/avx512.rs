//! The sums of bytes with AVX-512 VNNI: one instruction multiplies four inputs with the filters of sixteen outputs.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m512i, _mm512_cvtepi32_ps, _mm512_dpbusd_epi32, _mm512_loadu_ps, _mm512_loadu_si512, _mm512_mul_ps,
    _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_si512,
};
use std::ops::Range;

use super::ByteStrip;
use super::packing::{INPUTS, STEP, steps};
use crate::kernel::gemm_f32::avx512 as gemm_f32;
use crate::kernel::indirection::Windows;
use crate::kernel::isa::Avx512Vnni;
use crate::kernel::tiling::Tile;

impl Tile for ByteStrip<'_> {
    type Proof = Avx512Vnni;
    type Value = u8;

    unsafe fn tile<W: Windows, const M: usize, const V: usize>(
        strips: [Self; V],
        map: &[u8],
        windows: &W,
        places: Range<usize>,
        out: &mut [f32],
    ) {
        // SAFETY: as the caller promises; `BytePanels` fills each panel with `rows.count * steps` times 64 bytes.
        unsafe { tile::<W, M, V>(strips, map, windows, places, out) };
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

/// Scale, and what follows any sum. Products and sums are not fused, as in the plain twin; where they seem to be, one of the two is zero.
#[inline]
#[target_feature(enable = "avx512f")]
fn finish(sum: __m512i, strip: &ByteStrip<'_>, to: &mut [f32]) {
    let panel = &strip.panel;
    // SAFETY: sixteen scales, offsets and slopes, and no more outputs.
    unsafe {
        let factor = _mm512_mul_ps(_mm512_set1_ps(strip.scale.step), _mm512_loadu_ps(panel.scales.as_ptr()));
        let sum = _mm512_mul_ps(_mm512_cvtepi32_ps(sum), factor);
        let there = gemm_f32::first(to.len());
        gemm_f32::finish(sum, [panel.bias, panel.slopes], strip.onto, to.as_mut_ptr(), there);
    }
}
