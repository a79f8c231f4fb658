//! AVX2 and FMA: sixteen outputs are two vectors, or eight are one.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m256, _MM_HINT_T0, _mm_prefetch, _mm256_add_ps, _mm256_broadcast_ss, _mm256_fmadd_ps, _mm256_loadu_ps,
    _mm256_setzero_ps, _mm256_storeu_ps,
};
use std::ops::Range;

use super::{AHEAD, Strip};
use crate::kernel::aligned::LANES;
use crate::kernel::indirection::Windows;
use crate::kernel::isa::{Avx2, Isa};
use crate::kernel::simd::vector::activated;
use crate::kernel::tiling::{self, Kernel, Packing, Tile, Tiles, Two};

/// Two vectors of eight outputs; the last panel may be one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Avx2F32(Avx2);

// SAFETY: the proof is that the processor has the instructions.
unsafe impl Kernel for Avx2F32 {
    const NAME: &'static str = "avx2";
    // (Three vectors times four windows would fill the registers to the last one; compilers then move sums to memory and back.)
    const PACKING: Packing = Packing { outputs: 2 * LANES, inputs: 1 };

    type Value = f32;
    type Strip<'a> = Strip<'a>;

    fn new(isa: Isa) -> Option<Self> {
        isa.avx2().map(Self)
    }

    /// Sixteen registers: six windows of one panel of two vectors, eight of a narrow one. Where one or two windows are left, two panels go together.
    #[inline(always)]
    fn tiles<'a, W: Windows>() -> Tiles<'a, Self, W> {
        Tiles {
            one: [Tile::of::<6>(), Tile::of::<4>()],
            narrow: [Tile::of::<8>(), Tile::of::<4>()],
            two: Two::Rest([Tile::of::<2>(), Tile::of::<1>()]),
        }
    }

    fn is_narrow(strip: &Strip<'_>) -> bool {
        strip.panel.bias.len() <= LANES
    }

    unsafe fn tile<W: Windows, const M: usize, const P: usize>(
        self,
        strips: &[Strip<'_>; P],
        map: &[f32],
        windows: &W,
        range: Range<usize>,
        out: &mut [f32],
    ) {
        // SAFETY: as the caller promises; packing gives a panel `rows.count * rows.run` rows of as many values as it has offsets and slopes.
        unsafe {
            if Self::is_narrow(&strips[0]) {
                tile::<W, M, P, 1>(strips, map, windows, range, out);
            } else {
                tile::<W, M, P, 2>(strips, map, windows, range, out);
            }
        }
    }
}

/// The sums of up to `M` windows with the weights of `P` panels of `V` vectors.
///
/// # Safety
/// The processor has AVX2 and FMA; otherwise as [`Kernel::tile`]. Each panel has `rows.count * rows.run` rows of `8 V` values, and `8 V` offsets and slopes.
#[target_feature(enable = "avx2,fma")]
unsafe fn tile<W: Windows, const M: usize, const P: usize, const V: usize>(
    strips: &[Strip<'_>; P],
    map: &[f32],
    windows: &W,
    range: Range<usize>,
    out: &mut [f32],
) {
    let rows = strips[0].rows;
    let count = range.len();
    let mut sums = [[[_mm256_setzero_ps(); V]; P]; M];
    let mut weights = strips.each_ref().map(|strip| strip.panel.values.as_ptr());
    for row in 0..rows.count {
        // SAFETY: the windows' rows lie within the map.
        let inputs = unsafe { tiling::inputs::<_, W, M, 1>(map, windows, &range, row) };
        for at in 0..rows.run {
            let mut step = [[_mm256_setzero_ps(); V]; P];
            for (step, weights) in step.iter_mut().zip(&mut weights) {
                for (v, step) in step.iter_mut().enumerate() {
                    // SAFETY: the panel has a row of 8 V values for each value of a window.
                    *step = unsafe { _mm256_loadu_ps(weights.add(v * LANES)) };
                }
                // SAFETY: at most one past the panel's end; nothing is read by asking ahead.
                unsafe {
                    _mm_prefetch::<_MM_HINT_T0>(weights.wrapping_add(AHEAD).cast());
                    *weights = weights.add(V * LANES);
                }
            }
            for (sums, input) in sums.iter_mut().zip(&inputs) {
                // SAFETY: `at` is within the window's row.
                let value = unsafe { _mm256_broadcast_ss(&*input.add(at)) };
                for (sum, step) in sums.as_flattened_mut().iter_mut().zip(step.as_flattened()) {
                    *sum = _mm256_fmadd_ps(value, *step, *sum);
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
                // SAFETY: the panel's sums of the window have their place in the output, and it has as many offsets and slopes.
                unsafe { finish(strip, &sums[p], outputs[m].add(strip.first)) };
            }
        }
    }
}

/// Offset, what is there already, and slope.
///
/// # Safety
/// The processor has AVX2 and FMA; `strip.outputs` values from `to` on may be written, `8 V` at most; the panel has `8 V` offsets and slopes.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn finish<const V: usize>(strip: &Strip<'_>, sums: &[__m256; V], to: *mut f32) {
    let Strip { panel, outputs, accumulate, .. } = *strip;
    // SAFETY: whole vectors of the output, of offsets and slopes.
    unsafe {
        if outputs == V * LANES {
            if panel.bare && !accumulate {
                return sums
                    .iter()
                    .enumerate()
                    .for_each(|(v, sum)| _mm256_storeu_ps(to.add(v * LANES), *sum));
            }
            for (v, sum) in sums.iter().enumerate() {
                let to = to.add(v * LANES);
                let sum = _mm256_add_ps(*sum, _mm256_loadu_ps(panel.bias.as_ptr().add(v * LANES)));
                let sum = if accumulate { _mm256_add_ps(sum, _mm256_loadu_ps(to)) } else { sum };
                let slope = _mm256_loadu_ps(panel.slopes.as_ptr().add(v * LANES));
                _mm256_storeu_ps(to, activated(sum, slope, panel.top));
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
    strip.finish(done.as_flattened(), unsafe { std::slice::from_raw_parts_mut(to, outputs) });
}
