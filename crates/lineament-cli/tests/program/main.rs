//! The program, called as people call it. One binary for all of these: linking one for each file would take longer than running them.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "../common/mod.rs"]
mod common;

mod audit;
mod calls;
mod crops;
mod datasets;
mod evaluate;
mod explain;
#[cfg(unix)]
mod files;
mod first_hour;
mod insight;
mod landmarks;
mod libraries;
#[cfg(unix)]
mod mixed;
mod model;
mod page;
mod predict;
mod quality;
mod search;
#[cfg(unix)]
mod serve;
mod shards;
mod shell;
mod teach;
mod unreadable;
mod xmp;
