//! The sums of bytes with AVX2, eight outputs an instruction: as in `byte_sums_avx512.rs` where the processor has AVX-VNNI, in numbers of sixteen bits where not.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m256i, _mm256_add_epi32, _mm256_and_si256, _mm256_dpbusd_avx_epi32, _mm256_loadu_si256,
    _mm256_madd_epi16, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_setzero_si256, _mm256_slli_epi16,
    _mm256_srai_epi16, _mm256_srli_epi16, _mm256_storeu_si256,
};
use std::ops::Range;

use super::ByteStrip;
use super::packing::{INPUTS, OUTPUTS, STEP, steps};
use crate::kernel::aligned::LANES;
use crate::kernel::indirection::Windows;
use crate::kernel::isa::{Avx2, Avx2Vnni};

/// Vectors of a panel.
const VECTORS: usize = OUTPUTS / LANES;

/// What `byte_sums` calls, after it has checked that all windows lie within `map` and all outputs within `out`.
pub(crate) fn sums<'a, W: Windows>(
    proof: Avx2,
    vnni: Option<Avx2Vnni>,
    strips: impl Iterator<Item = ByteStrip<'a>>,
    map: &[u8],
    windows: &W,
    places: Range<usize>,
    out: &mut [f32],
) {
    for strip in strips {
        let places = places.clone();
        // SAFETY: the proofs say that the processor has the instructions. `byte_sums` has checked the windows of `places`, and `BytePanels` fills each panel
        // with `rows.count * steps` times 64 bytes.
        unsafe {
            match vnni {
                Some(proof) => with_vnni(proof, &strip, map, windows, places, out),
                None => with_halves(proof, &strip, map, windows, places, out),
            }
        }
    }
}

/// # Safety
/// The processor has AVX2 and AVX-VNNI; otherwise as [`tiles`].
#[target_feature(enable = "avx2,avxvnni")]
unsafe fn with_vnni<W: Windows>(
    _: Avx2Vnni,
    strip: &ByteStrip<'_>,
    map: &[u8],
    windows: &W,
    places: Range<usize>,
    out: &mut [f32],
) {
    // Six windows: with the two vectors of a panel, a step of filters and four bytes of the map they fill sixteen registers.
    // SAFETY: as the caller promises.
    unsafe { tiles::<Bytes, W, 6>(strip, map, windows, places, out) };
}

/// # Safety
/// The processor has AVX2; otherwise as [`tiles`].
#[target_feature(enable = "avx2")]
unsafe fn with_halves<W: Windows>(
    _: Avx2,
    strip: &ByteStrip<'_>,
    map: &[u8],
    windows: &W,
    places: Range<usize>,
    out: &mut [f32],
) {
    // Four windows: filters and bytes take twice the registers.
    // SAFETY: as the caller promises.
    unsafe { tiles::<Halves, W, 4>(strip, map, windows, places, out) };
}

/// How bytes are multiplied. All are compiled for the instructions of the function that they end up in.
trait Products {
    /// Filters of a step made ready.
    type Filters;
    /// Bytes of the map made ready.
    type Four;

    /// # Safety
    /// The processor has the instructions of these products, here and below.
    unsafe fn filters(step: [__m256i; VECTORS]) -> Self::Filters;

    unsafe fn four(four: __m256i) -> Self::Four;

    /// Adds the products of four bytes, the same for all outputs, with four filters of each output.
    unsafe fn add(sums: &mut [__m256i; VECTORS], four: &Self::Four, filters: &Self::Filters);
}

/// Four products and their sum in one instruction (VNNI).
struct Bytes;

impl Products for Bytes {
    type Filters = [__m256i; VECTORS];
    type Four = __m256i;

    #[inline(always)]
    unsafe fn filters(step: [__m256i; VECTORS]) -> Self::Filters {
        step
    }

    #[inline(always)]
    unsafe fn four(four: __m256i) -> Self::Four {
        four
    }

    #[inline(always)]
    unsafe fn add(sums: &mut [__m256i; VECTORS], four: &Self::Four, filters: &Self::Filters) {
        for (sum, filter) in sums.iter_mut().zip(filters) {
            // SAFETY: as the caller promises.
            *sum = unsafe { _mm256_dpbusd_avx_epi32(*sum, *four, *filter) };
        }
    }
}

/// Bytes at even and at odd places, as numbers of sixteen bits: two products and their sum in one instruction, exact. (There is one for four bytes that
/// keeps its sums in sixteen bits, which these can exceed.)
struct Halves;

impl Products for Halves {
    type Filters = [[__m256i; 2]; VECTORS];
    type Four = [__m256i; 2];

    #[inline(always)]
    unsafe fn filters(step: [__m256i; VECTORS]) -> Self::Filters {
        // SAFETY: as the caller promises.
        step.map(|both| unsafe {
            [_mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(both)), _mm256_srai_epi16::<8>(both)]
        })
    }

    #[inline(always)]
    unsafe fn four(four: __m256i) -> Self::Four {
        // SAFETY: as the caller promises.
        unsafe { [_mm256_and_si256(four, _mm256_set1_epi16(0xff)), _mm256_srli_epi16::<8>(four)] }
    }

    #[inline(always)]
    unsafe fn add(sums: &mut [__m256i; VECTORS], [even, odd]: &Self::Four, filters: &Self::Filters) {
        for (sum, filters) in sums.iter_mut().zip(filters) {
            // SAFETY: as the caller promises.
            unsafe {
                let both = _mm256_add_epi32(
                    _mm256_madd_epi16(*even, filters[0]),
                    _mm256_madd_epi16(*odd, filters[1]),
                );
                *sum = _mm256_add_epi32(*sum, both);
            }
        }
    }
}

/// The sums of the windows of `places` with the filters of a panel, `M` windows at a time.
///
/// # Safety
/// The processor has AVX2 and the instructions of `P`; every row of every window of `places` lies within `map`, up to whole steps of four; the panel has 64
/// bytes a step.
#[inline(always)]
unsafe fn tiles<P: Products, W: Windows, const M: usize>(
    strip: &ByteStrip<'_>,
    map: &[u8],
    windows: &W,
    places: Range<usize>,
    out: &mut [f32],
) {
    let begin = strip.begin();
    for place in places.clone().step_by(M) {
        let next = place..places.end.min(place + M);
        // SAFETY: as the caller promises; the places are 1 to `M`.
        let done = unsafe { tile::<P, W, M>(strip, &begin, map, windows, next.clone()) };
        for (place, sums) in next.zip(&done) {
            strip.finish(sums, &mut out[windows.to(place) + strip.first..][..strip.there]);
        }
    }
}

/// The sums of up to `M` windows, which begin with `begin`.
///
/// # Safety
/// As [`tiles`]; `places` are 1 to `M`.
#[inline(always)]
unsafe fn tile<P: Products, W: Windows, const M: usize>(
    strip: &ByteStrip<'_>,
    begin: &[i32; OUTPUTS],
    map: &[u8],
    windows: &W,
    places: Range<usize>,
) -> [[i32; OUTPUTS]; M] {
    let (rows, count) = (strip.rows, places.len());
    let mut filters = strip.panel.values.as_ptr();
    // SAFETY: as the caller promises: what is read lies in the panel and within the rows of windows, up to whole steps.
    unsafe {
        let mut first = [_mm256_setzero_si256(); VECTORS];
        for (first, begin) in first.iter_mut().zip(begin.as_chunks::<LANES>().0) {
            *first = _mm256_loadu_si256(begin.as_ptr().cast());
        }
        let mut sums = [first; M];
        for row in 0..rows.count {
            let mut from = [map.as_ptr(); M];
            for (m, from) in from.iter_mut().enumerate() {
                // Past the last window it is computed once more and not stored.
                *from = from.add(windows.from(places.start + m.min(count - 1), row));
            }
            for at in 0..steps(rows) {
                let mut step = [_mm256_setzero_si256(); VECTORS];
                for (v, step) in step.iter_mut().enumerate() {
                    *step = _mm256_loadu_si256(filters.add(v * LANES * INPUTS).cast());
                }
                let ready = P::filters(step);
                filters = filters.add(STEP);
                for (sums, from) in sums.iter_mut().zip(&from) {
                    let four = _mm256_set1_epi32(from.add(at * INPUTS).cast::<i32>().read_unaligned());
                    P::add(sums, &P::four(four), &ready);
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
    }
}
