//! AVX-512 VNNI: one instruction multiplies four inputs with the weights of sixteen outputs.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m512i, _mm512_cvtepi32_ps, _mm512_dpbusd_epi32, _mm512_loadu_ps, _mm512_loadu_si512, _mm512_mul_ps,
    _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_si512,
};
use std::ops::Range;

use super::Strip;
use crate::kernel::gemm_f32::avx512 as gemm_f32;
use crate::kernel::indirection::Windows;
use crate::kernel::isa::{Avx512Vnni, Isa};
use crate::kernel::tiling::{self, Kernel, Packing, Tile, Tiles, Two};

const OUTPUTS: usize = 16;
const INPUTS: usize = 4;

/// One vector of sixteen outputs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Avx512U8I8(Avx512Vnni);

// SAFETY: the proof is that the processor has the instructions.
unsafe impl Kernel for Avx512U8I8 {
    const NAME: &'static str = "avx512-vnni";
    const PACKING: Packing = Packing { outputs: OUTPUTS, inputs: INPUTS };

    type Value = u8;
    type Strip<'a> = Strip<'a>;

    fn new(isa: Isa) -> Option<Self> {
        isa.avx512_vnni().map(Self)
    }

    /// As in single precision.
    #[inline(always)]
    fn tiles<'a, W: Windows>() -> Tiles<'a, Self, W> {
        let one = || [Tile::of::<12>(), Tile::of::<6>()];
        let two = Two::Always { tiles: [Tile::of::<8>(), Tile::of::<4>()], alone: None, even: None };
        Tiles { one: one(), narrow: one(), two }
    }

    unsafe fn tile<W: Windows, const M: usize, const P: usize>(
        self,
        strips: &[Strip<'_>; P],
        map: &[u8],
        windows: &W,
        range: Range<usize>,
        out: &mut [f32],
    ) {
        // SAFETY: as the caller promises; packing gives a panel `rows.count * steps` times 64 bytes.
        unsafe { tile::<W, M, P>(strips, map, windows, range, out) };
    }
}

/// The sums of up to `M` windows with the weights of `V` panels.
///
/// # Safety
/// The processor has AVX-512 and VNNI; otherwise as [`Kernel::tile`]. Each panel has `rows.count * steps` times 64 bytes.
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn tile<W: Windows, const M: usize, const V: usize>(
    strips: &[Strip<'_>; V],
    map: &[u8],
    windows: &W,
    range: Range<usize>,
    out: &mut [f32],
) {
    let Strip { rows, steps, .. } = strips[0];
    let count = range.len();
    let mut begin = [_mm512_setzero_si512(); V];
    let mut weights = [std::ptr::null::<i8>(); V];
    for (v, strip) in strips.iter().enumerate() {
        // SAFETY: sixteen sums.
        begin[v] = unsafe { _mm512_loadu_si512(strip.begin.as_ptr().cast()) };
        weights[v] = strip.panel.values.as_ptr();
    }
    let mut sums = [begin; M];
    for row in 0..rows.count {
        // SAFETY: the windows' rows lie within the map.
        let inputs = unsafe { tiling::inputs::<_, W, M, 1>(map, windows, &range, row) };
        for at in 0..steps {
            let mut step = [_mm512_setzero_si512(); V];
            for (step, weights) in step.iter_mut().zip(&mut weights) {
                // SAFETY: the panel has 64 bytes for each step; the pointer goes at most one past its end.
                unsafe {
                    *step = _mm512_loadu_si512(weights.cast());
                    *weights = weights.add(OUTPUTS * INPUTS);
                }
            }
            for (sums, input) in sums.iter_mut().zip(&inputs) {
                // SAFETY: the four bytes are within the window's row, up to whole steps.
                let four = unsafe { input.add(at * INPUTS).cast::<i32>().read_unaligned() };
                let four = _mm512_set1_epi32(four);
                for (sum, step) in sums.iter_mut().zip(&step) {
                    *sum = _mm512_dpbusd_epi32(*sum, four, *step);
                }
            }
        }
    }
    // Loops of constant length, so that the sums stay in registers.
    for (m, sums) in sums.into_iter().enumerate() {
        for (sum, strip) in sums.into_iter().zip(strips) {
            if m < count {
                finish(
                    sum,
                    strip,
                    &mut out[windows.output(range.start + m) + strip.first..][..strip.outputs],
                );
            }
        }
    }
}

/// Scale, and what follows any sum. Products and sums are not fused, as in the portable kernel; where they seem to be, one of the two is zero.
#[inline]
#[target_feature(enable = "avx512f")]
fn finish(sum: __m512i, strip: &Strip<'_>, to: &mut [f32]) {
    let panel = &strip.panel;
    // SAFETY: sixteen scales, offsets and slopes, and no more outputs.
    unsafe {
        let factor = _mm512_mul_ps(_mm512_set1_ps(strip.scale.step), _mm512_loadu_ps(panel.scales.as_ptr()));
        let sum = _mm512_mul_ps(_mm512_cvtepi32_ps(sum), factor);
        let there = gemm_f32::first(to.len());
        let after = ([panel.bias, panel.slopes], panel.top);
        gemm_f32::finish(sum, after, strip.accumulate, to.as_mut_ptr(), there);
    }
}
