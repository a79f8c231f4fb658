//! SSE4.1, for processors without AVX2: eight outputs are two vectors of four.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m128, _MM_HINT_T0, _mm_add_ps, _mm_load1_ps, _mm_loadu_ps, _mm_mul_ps, _mm_prefetch, _mm_setzero_ps,
    _mm_storeu_ps,
};
use std::ops::Range;

use super::{AHEAD, Strip};
use crate::kernel::indirection::Windows;
use crate::kernel::isa::{Isa, Sse41};
use crate::kernel::simd::vector::activated;
use crate::kernel::tiling::{self, Kernel, Packing, Tile, Tiles, Two};

/// Values of a vector.
const FOUR: usize = 4;
/// Vectors of a panel.
const VECTORS: usize = 2;

/// Two vectors of four outputs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sse41F32(Sse41);

// SAFETY: the proof is that the processor has the instructions.
unsafe impl Kernel for Sse41F32 {
    const NAME: &'static str = "sse4.1";
    const PACKING: Packing = Packing { outputs: VECTORS * FOUR, inputs: 1 };

    type Value = f32;
    type Strip<'a> = Strip<'a>;

    fn new(isa: Isa) -> Option<Self> {
        isa.sse41().map(Self)
    }

    /// Sixteen registers: six windows of two vectors, two vectors of weights, a value and a product.
    #[inline(always)]
    fn tiles<'a, W: Windows>() -> Tiles<'a, Self, W> {
        let one = || [Tile::of::<6>(), Tile::of::<4>()];
        Tiles { one: one(), narrow: one(), two: Two::Rest([Tile::of::<2>(), Tile::of::<1>()]) }
    }

    unsafe fn tile<W: Windows, const M: usize, const P: usize>(
        self,
        strips: &[Strip<'_>; P],
        map: &[f32],
        windows: &W,
        range: Range<usize>,
        out: &mut [f32],
    ) {
        // SAFETY: as the caller promises; packing gives a panel `rows.count * rows.run` rows of eight values, and as many offsets and slopes.
        unsafe { tile::<W, M, P>(strips, map, windows, range, out) };
    }
}

/// The sums of up to `M` windows with the weights of `P` panels.
///
/// # Safety
/// The processor has SSE4.1; otherwise as [`Kernel::tile`]. Each panel has `rows.count * rows.run` rows of eight values, and eight offsets and slopes.
#[target_feature(enable = "sse4.1")]
unsafe fn tile<W: Windows, const M: usize, const P: usize>(
    strips: &[Strip<'_>; P],
    map: &[f32],
    windows: &W,
    range: Range<usize>,
    out: &mut [f32],
) {
    let (rows, count) = (strips[0].rows, range.len());
    let mut sums = [[[_mm_setzero_ps(); VECTORS]; P]; M];
    let mut weights = strips.each_ref().map(|strip| strip.panel.values.as_ptr());
    for row in 0..rows.count {
        // SAFETY: the windows' rows lie within the map.
        let inputs = unsafe { tiling::inputs::<_, W, M, 1>(map, windows, &range, row) };
        for at in 0..rows.run {
            let mut step = [[_mm_setzero_ps(); VECTORS]; P];
            for (step, weights) in step.iter_mut().zip(&mut weights) {
                for (v, step) in step.iter_mut().enumerate() {
                    // SAFETY: the panel has a row of eight values for each value of a window.
                    *step = unsafe { _mm_loadu_ps(weights.add(v * FOUR)) };
                }
                // SAFETY: at most one past the panel's end; nothing is read by asking ahead.
                unsafe {
                    _mm_prefetch::<_MM_HINT_T0>(weights.wrapping_add(AHEAD).cast());
                    *weights = weights.add(VECTORS * FOUR);
                }
            }
            for (sums, input) in sums.iter_mut().zip(&inputs) {
                // SAFETY: `at` is within the window's row.
                let value = unsafe { _mm_load1_ps(input.add(at)) };
                for (sum, step) in sums.as_flattened_mut().iter_mut().zip(step.as_flattened()) {
                    *sum = _mm_add_ps(*sum, _mm_mul_ps(value, *step));
                }
            }
        }
    }
    // SAFETY: the windows' sums have their place in the output.
    let outputs = unsafe { tiling::outputs::<W, M>(out, windows, &range) };
    // Loops of constant length, so that the sums stay in registers.
    for (p, strip) in strips.iter().enumerate() {
        for (m, sums) in sums.iter().enumerate() {
            if m < count {
                // SAFETY: the panel's sums of the window have their place in the output.
                unsafe { finish(strip, &sums[p], outputs[m].add(strip.first)) };
            }
        }
    }
}

/// Offset, what is there already, and slope.
///
/// # Safety
/// The processor has SSE4.1; `strip.outputs` values from `to` on may be written, eight at most; the panel has eight offsets and slopes.
#[inline]
#[target_feature(enable = "sse4.1")]
unsafe fn finish(strip: &Strip<'_>, sums: &[__m128; VECTORS], to: *mut f32) {
    let Strip { panel, outputs, accumulate, .. } = *strip;
    if outputs < VECTORS * FOUR {
        let mut done = [[0.0f32; FOUR]; VECTORS];
        for (done, sum) in done.iter_mut().zip(sums) {
            // SAFETY: four values.
            unsafe { _mm_storeu_ps(done.as_mut_ptr(), *sum) };
        }
        // SAFETY: as many values may be written.
        return strip.finish(done.as_flattened(), unsafe { std::slice::from_raw_parts_mut(to, outputs) });
    }
    for (v, sum) in sums.iter().enumerate() {
        // SAFETY: whole vectors of the output, of offsets and slopes.
        unsafe {
            let to = to.add(v * FOUR);
            let sum = _mm_add_ps(*sum, _mm_loadu_ps(panel.bias.as_ptr().add(v * FOUR)));
            let sum = if accumulate { _mm_add_ps(sum, _mm_loadu_ps(to)) } else { sum };
            let slope = _mm_loadu_ps(panel.slopes.as_ptr().add(v * FOUR));
            _mm_storeu_ps(to, activated(sum, slope, panel.top));
        }
    }
}
