//! What happened in all.

use serde::{Deserialize, Serialize};

/// Counts over a run, or over a shard of one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Images read.
    #[serde(rename = "pictures")]
    pub images: u64,
    /// Faces in them.
    pub faces: u64,
    /// Images, or paths, that could not be read.
    pub unread: u64,
}
