//! Plain loops, compiled for more instructions than every processor has.
#![allow(unsafe_code)]

use super::path::Avx2;

/// Runs `f`, with all that is inlined into it compiled for AVX2 and FMA. The arithmetic stays that of the plain loops: products and sums are not fused
/// unless they say so.
#[inline]
pub(crate) fn with_avx2<R>(_: Avx2, f: impl FnOnce() -> R) -> R {
    #[target_feature(enable = "avx2,fma")]
    fn inner<R>(f: impl FnOnce() -> R) -> R {
        f()
    }
    // SAFETY: `Avx2` is proof that the processor has the instructions.
    unsafe { inner(f) }
}
