//! The loops that do the work. Maps are row-major with channels innermost (H, W, C), with room for padding around them: a window's row is one run of
//! memory, and everything done a channel at a time runs over neighbouring values.
//!
//! One file a kernel, its plain twin beside it; `path.rs` says which processors have what.

/// Evaluates a call of plain functions as it is, or compiled for the instructions of `path`: loops over channels become vectors by themselves.
macro_rules! on {
    ($path:expr, $call:expr) => {
        match $path {
            $crate::kernel::path::Path::Portable => $call,
            #[cfg(target_arch = "x86_64")]
            $crate::kernel::path::Path::Avx2(proof) => $crate::kernel::compiled::with_avx2(proof, || $call),
            // These loops wait for memory: wider vectors would not make them faster.
            #[cfg(target_arch = "x86_64")]
            $crate::kernel::path::Path::Avx512(proof) => {
                $crate::kernel::compiled::with_avx2(proof.avx2(), || $call)
            }
        }
    };
}

pub(crate) mod activation;
pub(crate) mod aligned;
#[cfg(target_arch = "x86_64")]
pub(crate) mod compiled;
pub(crate) mod panels;
pub(crate) mod path;
pub(crate) mod places;
pub(crate) mod pooling;
pub(crate) mod sums;
#[cfg(target_arch = "x86_64")]
mod sums_avx2;
#[cfg(target_arch = "x86_64")]
mod sums_avx512;
mod tiles;
pub(crate) mod together;
pub(crate) mod window;
pub(crate) mod winograd;
