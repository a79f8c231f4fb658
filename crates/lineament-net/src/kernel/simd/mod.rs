//! Plain loops over neighbouring values, compiled once for each instruction set.

pub(crate) mod dispatch;
pub(crate) mod lanes;
