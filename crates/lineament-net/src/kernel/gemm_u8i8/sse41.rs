//! SSE4.1, for processors without AVX2: bytes become numbers of sixteen bits, of which one instruction multiplies and adds two.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_cvtepi8_epi16, _mm_cvtepu8_epi16, _mm_cvtsi32_si128, _mm_loadl_epi64,
    _mm_loadu_si128, _mm_madd_epi16, _mm_setzero_si128, _mm_shuffle_epi32, _mm_storeu_si128,
};
use std::ops::Range;

use super::Strip;
use crate::kernel::indirection::Windows;
use crate::kernel::isa::{Isa, Sse41};
use crate::kernel::tiling::{self, Kernel, Packing, Tile, Tiles, Two};

/// Outputs of a vector, and vectors of a panel.
const FOUR: usize = 4;
const VECTORS: usize = 2;
const OUTPUTS: usize = VECTORS * FOUR;
/// Inputs that one instruction multiplies.
const PAIR: usize = 2;
/// Bytes of weights that go with them.
const STEP: usize = OUTPUTS * PAIR;

/// Two vectors of four outputs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sse41U8I8(Sse41);

// SAFETY: the proof is that the processor has the instructions.
unsafe impl Kernel for Sse41U8I8 {
    const NAME: &'static str = "sse4.1";
    const PACKING: Packing = Packing { outputs: OUTPUTS, inputs: PAIR };

    type Value = u8;
    type Strip<'a> = Strip<'a>;

    fn new(isa: Isa) -> Option<Self> {
        isa.sse41().map(Self)
    }

    /// Sixteen registers: four windows of two vectors, two steps of weights, bytes and products.
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
            // SAFETY: as the caller promises; packing gives a panel `rows.count * steps` steps of sixteen bytes.
            unsafe { tile::<W, M>(strip, map, windows, range.clone(), out) };
        }
    }
}

/// The sums of up to `M` windows with the weights of a panel.
///
/// # Safety
/// The processor has SSE4.1; otherwise as [`Kernel::tile`]. The panel has `rows.count * steps` steps of sixteen bytes.
#[target_feature(enable = "sse4.1")]
unsafe fn tile<W: Windows, const M: usize>(
    strip: &Strip<'_>,
    map: &[u8],
    windows: &W,
    range: Range<usize>,
    out: &mut [f32],
) {
    let mut begin = [_mm_setzero_si128(); VECTORS];
    for (begin, from) in begin.iter_mut().zip(strip.begin.as_chunks::<FOUR>().0) {
        // SAFETY: four sums.
        *begin = unsafe { _mm_loadu_si128(from.as_ptr().cast()) };
    }
    let mut sums = [begin; M];
    let mut weights = strip.panel.values.as_ptr();
    for row in 0..strip.rows.count {
        // SAFETY: the windows' rows lie within the map.
        let inputs = unsafe { tiling::inputs::<_, W, M, 1>(map, windows, &range, row) };
        let mut at = 0;
        // Two steps at a time: four bytes are read at once.
        while at + 2 <= strip.steps {
            // SAFETY: there are two more steps of the panel, and four bytes of each window.
            unsafe {
                let both = [step(weights), step(weights.add(STEP))];
                weights = weights.add(2 * STEP);
                for (sums, input) in sums.iter_mut().zip(&inputs) {
                    let bytes = input.add(at * PAIR).cast::<i32>().read_unaligned();
                    let pairs = _mm_cvtepu8_epi16(_mm_cvtsi32_si128(bytes));
                    add(sums, _mm_shuffle_epi32::<0b00_00_00_00>(pairs), &both[0]);
                    add(sums, _mm_shuffle_epi32::<0b01_01_01_01>(pairs), &both[1]);
                }
            }
            at += 2;
        }
        if at < strip.steps {
            // SAFETY: there is one more step of the panel, and two bytes of each window.
            unsafe {
                let last = step(weights);
                weights = weights.add(STEP);
                for (sums, input) in sums.iter_mut().zip(&inputs) {
                    let bytes = input.add(at * PAIR).cast::<u16>().read_unaligned();
                    let pairs = _mm_cvtepu8_epi16(_mm_cvtsi32_si128(i32::from(bytes)));
                    add(sums, _mm_shuffle_epi32::<0b00_00_00_00>(pairs), &last);
                }
            }
        }
    }
    // A loop of constant length, so that the sums stay in registers until here.
    let mut done = [[0; OUTPUTS]; M];
    for (done, sums) in done.iter_mut().zip(&sums) {
        for (to, sum) in done.as_chunks_mut::<FOUR>().0.iter_mut().zip(sums) {
            // SAFETY: four sums.
            unsafe { _mm_storeu_si128(to.as_mut_ptr().cast(), *sum) };
        }
    }
    for (window, sums) in range.zip(&done) {
        strip.finish(sums, &mut out[windows.output(window) + strip.first..][..strip.outputs]);
    }
}

/// A step of weights, two numbers of sixteen bits an output.
///
/// # Safety
/// The processor has SSE4.1; sixteen bytes may be read.
#[inline]
#[target_feature(enable = "sse4.1")]
unsafe fn step(weights: *const i8) -> [__m128i; VECTORS] {
    // SAFETY: as the caller promises.
    unsafe {
        [0, FOUR * PAIR].map(|at| weights.add(at)).map(|half| _mm_cvtepi8_epi16(_mm_loadl_epi64(half.cast())))
    }
}

/// Adds the products of a pair of inputs, the same for all outputs, with the weights of each output. They are exact: 2 x 255 x 127 is far below 2^31.
#[inline]
#[target_feature(enable = "sse4.1")]
fn add(sums: &mut [__m128i; VECTORS], pair: __m128i, weights: &[__m128i; VECTORS]) {
    for (sum, weights) in sums.iter_mut().zip(weights) {
        *sum = _mm_add_epi32(*sum, _mm_madd_epi16(pair, *weights));
    }
}
