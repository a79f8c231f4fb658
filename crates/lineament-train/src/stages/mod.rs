//! What each stage does: it reads the [`Context`](crate::context::Context) and what earlier stages left in the folder, and
//! leaves its own result there.

pub mod attributes;
pub mod identities;
pub mod localization;
pub mod objects;
pub mod svms;
