//! AVX-512: sixteen outputs are one vector.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m512, __mmask16, _MM_HINT_T0, _mm_prefetch, _mm512_add_ps, _mm512_fmadd_ps, _mm512_mask_storeu_ps,
    _mm512_maskz_loadu_ps, _mm512_set1_ps, _mm512_setzero_ps,
};
use std::ops::Range;

use super::{AHEAD, Strip};
use crate::kernel::activation::Top;
use crate::kernel::indirection::{EVEN, Windows};
use crate::kernel::isa::{Avx512, Isa};
use crate::kernel::simd::vector::activated;
use crate::kernel::tiling::{self, Even, Kernel, Packing, Tile, Tiles, Two};

/// One vector of sixteen outputs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Avx512F32(Avx512);

// SAFETY: the proof is that the processor has the instructions.
unsafe impl Kernel for Avx512F32 {
    const NAME: &'static str = "avx512";
    const PACKING: Packing = Packing { outputs: 16, inputs: 1 };

    type Value = f32;
    type Strip<'a> = Strip<'a>;

    fn new(isa: Isa) -> Option<Self> {
        isa.avx512().map(Self)
    }

    /// Thirty-two registers. Two panels go together, so that reading keeps up with two units that multiply: four cycles' latency of two units are eight sums
    /// under way, and four windows of two panels are enough. From 96 values on, twelve windows at a time are faster than eight.
    /// Nine or ten windows, which are the patches of a face, are a tile of their own.
    #[inline(always)]
    fn tiles<'a, W: Windows>() -> Tiles<'a, Self, W> {
        let one = || [Tile::of::<12>(), Tile::of::<6>()];
        Tiles {
            one: one(),
            narrow: one(),
            two: Two::Always {
                tiles: [Tile::of::<8>(), Tile::of::<4>()],
                alone: Some(Tile::of::<10>()),
                even: Some(Even { tile: Tile::of_even::<12>(), least_run: 96 }),
            },
        }
    }

    unsafe fn tile<W: Windows, const M: usize, const P: usize>(
        self,
        strips: &[Strip<'_>; P],
        map: &[f32],
        windows: &W,
        range: Range<usize>,
        out: &mut [f32],
    ) {
        // SAFETY: as the caller promises; packing gives a panel `rows.count * rows.run` rows of as many values as it has offsets and slopes, sixteen at most.
        unsafe { tile::<W, M, P, 1>(strips, map, windows, range, out) };
    }

    unsafe fn even_tile<W: Windows, const M: usize, const P: usize>(
        self,
        strips: &[Strip<'_>; P],
        map: &[f32],
        windows: &W,
        range: Range<usize>,
        out: &mut [f32],
    ) {
        // SAFETY: as above.
        unsafe { tile::<W, M, P, EVEN>(strips, map, windows, range, out) };
    }
}

/// The first `values` of a vector.
pub(crate) fn first(values: usize) -> __mmask16 {
    (u32::MAX >> (32 - values.clamp(1, 16))) as __mmask16
}

/// The sums of up to `M` windows with the weights of `V` panels. `E` windows each are read from one address and a step: 1, or [`EVEN`] where they have one.
///
/// # Safety
/// The processor has AVX-512; otherwise as [`Kernel::tile`], or [`Kernel::even_tile`] where `E` is not 1. Each panel has `rows.count * rows.run` rows of as
/// many values as it has offsets, and as many slopes, sixteen at most.
#[target_feature(enable = "avx512f")]
unsafe fn tile<W: Windows, const M: usize, const V: usize, const E: usize>(
    strips: &[Strip<'_>; V],
    map: &[f32],
    windows: &W,
    range: Range<usize>,
    out: &mut [f32],
) {
    let rows = strips[0].rows;
    let count = range.len();
    let mut sums = [[_mm512_setzero_ps(); V]; M];
    let (mut weights, mut wide, mut masks) = ([std::ptr::null(); V], [0; V], [0; V]);
    for (v, strip) in strips.iter().enumerate() {
        weights[v] = strip.panel.values.as_ptr();
        wide[v] = strip.panel.bias.len();
        masks[v] = first(wide[v]);
    }
    let apart = if E == 1 { 0 } else { windows.step().unwrap_or(0) };
    for row in 0..rows.count {
        // SAFETY: the windows' rows lie within the map.
        let mut inputs = unsafe { tiling::inputs::<_, W, M, E>(map, windows, &range, row) };
        for _ in 0..rows.run {
            let mut step = [_mm512_setzero_ps(); V];
            for (v, step) in step.iter_mut().enumerate() {
                // SAFETY: the panel has a row of `wide` values for each value of a window; the pointer goes at most one past its end.
                unsafe {
                    *step = _mm512_maskz_loadu_ps(masks[v], weights[v]);
                    // Asked for ahead: weights fill more pages than the processor follows by itself. No harm where there is nothing.
                    _mm_prefetch::<_MM_HINT_T0>(weights[v].wrapping_add(AHEAD).cast());
                    weights[v] = weights[v].add(wide[v]);
                }
            }
            for (m, sums) in sums.iter_mut().enumerate() {
                // SAFETY: the value is within the window's row.
                let value = _mm512_set1_ps(unsafe { *inputs[m / E].add(m % E * apart) });
                for (sum, step) in sums.iter_mut().zip(&step) {
                    *sum = _mm512_fmadd_ps(value, *step, *sum);
                }
            }
            for input in inputs.iter_mut().take(M / E) {
                // SAFETY: one past the end of the window's row at most.
                *input = unsafe { input.add(1) };
            }
        }
    }
    // SAFETY: the windows' sums have their place in the output.
    let outputs = unsafe { tiling::outputs::<W, M>(out, windows, &range) };
    // Loops of constant length, so that the sums stay in registers.
    for (v, strip) in strips.iter().enumerate() {
        let Strip { panel, accumulate, outputs: there, .. } = *strip;
        let there = first(there);
        for (m, sums) in sums.iter().enumerate() {
            if m < count {
                // SAFETY: `there` sums from the panel's first on lie in the output; it has as many offsets and slopes.
                unsafe {
                    let to = outputs[m].add(strip.first);
                    if panel.bare && !accumulate {
                        _mm512_mask_storeu_ps(to, there, sums[v]);
                    } else {
                        finish(sums[v], ([panel.bias, panel.slopes], panel.top), accumulate, to, there);
                    }
                }
            }
        }
    }
}

/// Offset, what is there already, and activation.
///
/// # Safety
/// The processor has AVX-512; offsets, slopes, and values from `to` on are as many as `there` says.
#[inline]
#[target_feature(enable = "avx512f")]
pub(crate) unsafe fn finish(
    sum: __m512,
    ([bias, slopes], top): ([&[f32]; 2], Top),
    accumulate: bool,
    to: *mut f32,
    there: __mmask16,
) {
    // SAFETY: no more values are read or written than `there` says.
    unsafe {
        let bias = _mm512_maskz_loadu_ps(there, bias.as_ptr());
        let slopes = _mm512_maskz_loadu_ps(there, slopes.as_ptr());
        let sum = _mm512_add_ps(sum, bias);
        let sum = if accumulate { _mm512_add_ps(sum, _mm512_maskz_loadu_ps(there, to)) } else { sum };
        _mm512_mask_storeu_ps(to, there, activated(sum, slopes, top));
    }
}
