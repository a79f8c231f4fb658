//! Plain loops, compiled once for the instructions of each path.
#![allow(unsafe_code)]

use super::aligned::LANES;
use super::path::Path;

/// Loops over neighbouring channels, which become vectors by themselves.
pub(crate) trait Loops {
    /// Runs them, best with `L` channels at a time. Has to be `#[inline(always)]`, and so has all that it calls: what stays outside of the function that
    /// is compiled for a path's instructions runs without them, as closures handed to it do.
    fn run<const L: usize>(self);
}

/// Runs `loops`, compiled for `path`. The arithmetic stays that of the plain loops: products and sums are not fused.
pub(crate) fn run(path: Path, loops: impl Loops) {
    match path {
        Path::Portable => loops.run::<LANES>(),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the path is proof that the processor has the instructions.
        Path::Avx2(_) => unsafe { avx2(loops) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Path::Avx512(_) => unsafe { avx512(loops) },
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2(loops: impl Loops) {
    loops.run::<LANES>();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma")]
fn avx512(loops: impl Loops) {
    loops.run::<16>();
}
