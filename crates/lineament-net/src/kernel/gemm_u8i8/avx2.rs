//! AVX2, eight outputs an instruction: with VNNI where the processor has it for AVX, in numbers of sixteen bits where not.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m256i, _mm256_add_epi32, _mm256_and_si256, _mm256_dpbusd_avx_epi32, _mm256_loadu_si256,
    _mm256_madd_epi16, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_setzero_si256, _mm256_slli_epi16,
    _mm256_srai_epi16, _mm256_srli_epi16, _mm256_storeu_si256,
};
use std::ops::Range;

use super::Strip;
use crate::kernel::aligned::LANES;
use crate::kernel::indirection::Windows;
use crate::kernel::isa::{Avx2, Avx2Vnni, Isa};
use crate::kernel::tiling::{self, Kernel, Packing, Tile, Tiles, Two};

/// Vectors of a panel.
const VECTORS: usize = 2;
const OUTPUTS: usize = VECTORS * LANES;
const INPUTS: usize = 4;
const PACKING: Packing = Packing { outputs: OUTPUTS, inputs: INPUTS };

/// Four products and their sum in one instruction (VNNI).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Avx2VnniU8I8(Avx2Vnni);

// SAFETY: the proof is that the processor has the instructions.
unsafe impl Kernel for Avx2VnniU8I8 {
    const NAME: &'static str = "avx2-vnni";
    const PACKING: Packing = PACKING;

    type Value = u8;
    type Strip<'a> = Strip<'a>;

    fn new(isa: Isa) -> Option<Self> {
        isa.avx2_vnni().map(Self)
    }

    /// Sixteen registers: six windows of two vectors, a step of weights and four bytes of the map.
    #[inline(always)]
    fn tiles<'a, W: Windows>() -> Tiles<'a, Self, W> {
        let one = || [Tile::of::<6>(), Tile::of::<2>()];
        Tiles { one: one(), narrow: one(), two: Two::Never }
    }

    unsafe fn tile<W: Windows, const M: usize, const P: usize>(
        self,
        strips: &[Strip<'_>; P],
        map: &[u8],
        windows: &W,
        range: Range<usize>,
        out: &mut [f32],
    ) {
        for strip in strips {
            // SAFETY: as the caller promises; packing gives a panel `rows.count * steps` times 64 bytes.
            unsafe { vnni_tile::<W, M>(strip, map, windows, range.clone(), out) };
        }
    }
}

/// Bytes at even and at odd places, as numbers of sixteen bits: two products and their sum in one instruction, exact. (There is one for four bytes that
/// keeps its sums in sixteen bits, which these can exceed.)
#[derive(Debug, Clone, Copy)]
pub(crate) struct Avx2U8I8(Avx2);

// SAFETY: the proof is that the processor has the instructions.
unsafe impl Kernel for Avx2U8I8 {
    const NAME: &'static str = "avx2";
    const PACKING: Packing = PACKING;

    type Value = u8;
    type Strip<'a> = Strip<'a>;

    fn new(isa: Isa) -> Option<Self> {
        isa.avx2().map(Self)
    }

    /// Four windows: weights and bytes take twice the registers.
    #[inline(always)]
    fn tiles<'a, W: Windows>() -> Tiles<'a, Self, W> {
        let one = || [Tile::of::<4>(), Tile::of::<2>()];
        Tiles { one: one(), narrow: one(), two: Two::Never }
    }

    unsafe fn tile<W: Windows, const M: usize, const P: usize>(
        self,
        strips: &[Strip<'_>; P],
        map: &[u8],
        windows: &W,
        range: Range<usize>,
        out: &mut [f32],
    ) {
        for strip in strips {
            // SAFETY: as the caller promises; packing gives a panel `rows.count * steps` times 64 bytes.
            unsafe { halves_tile::<W, M>(strip, map, windows, range.clone(), out) };
        }
    }
}

/// The sums of up to `M` windows with the weights of a panel.
///
/// # Safety
/// The processor has AVX2 and AVX-VNNI; otherwise as [`tile`].
#[target_feature(enable = "avx2,avxvnni")]
unsafe fn vnni_tile<W: Windows, const M: usize>(
    strip: &Strip<'_>,
    map: &[u8],
    windows: &W,
    range: Range<usize>,
    out: &mut [f32],
) {
    // SAFETY: as the caller promises.
    unsafe { tile::<W, M, true>(strip, map, windows, range, out) };
}

/// The same in numbers of sixteen bits.
///
/// # Safety
/// The processor has AVX2; otherwise as [`tile`].
#[target_feature(enable = "avx2")]
unsafe fn halves_tile<W: Windows, const M: usize>(
    strip: &Strip<'_>,
    map: &[u8],
    windows: &W,
    range: Range<usize>,
    out: &mut [f32],
) {
    // SAFETY: as the caller promises.
    unsafe { tile::<W, M, false>(strip, map, windows, range, out) };
}

/// What both do, compiled for the instructions of the function that it ends up in.
///
/// # Safety
/// The processor has AVX2, and AVX-VNNI where `VNNI`; otherwise as [`Kernel::tile`]. The panel has `rows.count * steps` times 64 bytes.
#[inline(always)]
unsafe fn tile<W: Windows, const M: usize, const VNNI: bool>(
    strip: &Strip<'_>,
    map: &[u8],
    windows: &W,
    range: Range<usize>,
    out: &mut [f32],
) {
    let mut weights = strip.panel.values.as_ptr();
    // SAFETY: as the caller promises: what is read lies in the panel and within the rows of windows, up to whole steps.
    let done = unsafe {
        let mut first = [_mm256_setzero_si256(); VECTORS];
        for (first, begin) in first.iter_mut().zip(strip.begin.as_chunks::<LANES>().0) {
            *first = _mm256_loadu_si256(begin.as_ptr().cast());
        }
        let mut sums = [first; M];
        for row in 0..strip.rows.count {
            let inputs = tiling::inputs::<_, W, M, 1>(map, windows, &range, row);
            for at in 0..strip.steps {
                let mut step = [_mm256_setzero_si256(); VECTORS];
                for (v, step) in step.iter_mut().enumerate() {
                    *step = _mm256_loadu_si256(weights.add(v * LANES * INPUTS).cast());
                }
                weights = weights.add(OUTPUTS * INPUTS);
                // Unused with VNNI.
                let halves = step.map(|both| {
                    [_mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(both)), _mm256_srai_epi16::<8>(both)]
                });
                for (sums, input) in sums.iter_mut().zip(&inputs) {
                    let four = _mm256_set1_epi32(input.add(at * INPUTS).cast::<i32>().read_unaligned());
                    if VNNI {
                        for (sum, step) in sums.iter_mut().zip(&step) {
                            *sum = _mm256_dpbusd_avx_epi32(*sum, four, *step);
                        }
                    } else {
                        add_halves(sums, four, &halves);
                    }
                }
            }
        }
        // A loop of constant length, so that the sums stay in registers until here.
        let mut done = [[0; OUTPUTS]; M];
        for (done, sums) in done.iter_mut().zip(&sums) {
            for (to, sum) in done.as_chunks_mut::<LANES>().0.iter_mut().zip(sums) {
                _mm256_storeu_si256(to.as_mut_ptr().cast(), *sum);
            }
        }
        done
    };
    for (window, sums) in range.zip(&done) {
        strip.finish(sums, &mut out[windows.output(window) + strip.first..][..strip.outputs]);
    }
}

/// Adds the products of four bytes, the same for all outputs, with four weights of each output, even and odd ones apart.
///
/// # Safety
/// The processor has AVX2.
#[inline(always)]
unsafe fn add_halves(sums: &mut [__m256i; VECTORS], four: __m256i, halves: &[[__m256i; 2]; VECTORS]) {
    // SAFETY: as the caller promises.
    unsafe {
        let (even, odd) = (_mm256_and_si256(four, _mm256_set1_epi16(0xff)), _mm256_srli_epi16::<8>(four));
        for (sum, weights) in sums.iter_mut().zip(halves) {
            let both =
                _mm256_add_epi32(_mm256_madd_epi16(even, weights[0]), _mm256_madd_epi16(odd, weights[1]));
            *sum = _mm256_add_epi32(*sum, both);
        }
    }
}
