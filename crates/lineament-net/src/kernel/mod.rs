//! The loops that do the work. Maps are row-major with channels innermost (H, W, C), with room for padding around them: a window's row is one run of
//! memory, and everything done a channel at a time runs over neighbouring values.
//!
//! One file a kernel, its plain twin beside it; `path.rs` says which processors have what.

pub(crate) mod activation;
pub(crate) mod aligned;
pub(crate) mod byte_panels;
pub(crate) mod byte_sums;
#[cfg(target_arch = "x86_64")]
mod byte_sums_avx2;
#[cfg(target_arch = "x86_64")]
mod byte_sums_avx512;
mod compiled;
mod lanes;
pub(crate) mod panels;
pub(crate) mod path;
pub(crate) mod places;
pub(crate) mod pooling;
pub(crate) mod quantise;
pub(crate) mod sums;
#[cfg(target_arch = "x86_64")]
mod sums_avx2;
#[cfg(target_arch = "x86_64")]
mod sums_avx512;
mod tiles;
pub(crate) mod together;
#[cfg(target_arch = "x86_64")]
mod walk;
pub(crate) mod window;
pub(crate) mod winograd;

pub use compiled::{Loops, vectorised};

/// Number `i` of a list without pattern, from -1 to 1: what the kernels' tests compute with.
#[cfg(test)]
fn value(i: usize) -> f32 {
    ((i * 2_654_435_761) % 2001) as f32 / 1000.0 - 1.0
}
