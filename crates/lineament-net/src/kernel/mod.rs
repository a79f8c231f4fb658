//! The loops that do the work. Maps are row-major with channels innermost (H, W, C): a window's row is one run of
//! memory, and everything done a channel at a time runs over neighbouring values.

pub(crate) mod activation;
pub(crate) mod gemm;
pub(crate) mod pooling;
pub(crate) mod window;
