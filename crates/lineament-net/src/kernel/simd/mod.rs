//! Loops over neighbouring values, compiled once for each instruction set: plain ones, and those over registers.

pub(crate) mod dispatch;
pub(crate) mod lanes;
#[cfg(target_arch = "x86_64")]
mod registers;
pub(crate) mod vector;
