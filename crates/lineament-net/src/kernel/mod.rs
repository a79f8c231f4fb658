//! The loops that do the work. Maps are row-major with channels innermost (H, W, C), with room for padding around them: a window's row is one run of
//! memory, and everything done a channel at a time runs over neighbouring values.
//!
//! One file a kernel, its plain twin beside it; `isa.rs` says which processors have what.

pub(crate) mod activation;
pub(crate) mod aligned;
pub(crate) mod depthwise;
pub(crate) mod gemm_f32;
pub(crate) mod gemm_u8i8;
pub(crate) mod indirection;
pub(crate) mod isa;
pub(crate) mod pooling;
pub(crate) mod pooling_planes;
mod simd;
pub(crate) mod tiling;
pub(crate) mod transpose;
mod weight_memory;
pub(crate) mod window;
pub(crate) mod winograd;

pub use isa::{Isa, IsaError};
pub use simd::dispatch::{Loops, vectorised};

/// Number `i` of a list without pattern, from -1 to 1: what the kernels' tests compute with.
#[cfg(test)]
fn value(i: usize) -> f32 {
    ((i * 2_654_435_761) % 2001) as f32 / 1000.0 - 1.0
}
