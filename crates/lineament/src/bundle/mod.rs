//! The bundle: nets, SVMs and their card in one safetensors file.

mod card;
mod error;
mod file;

pub use card::{Card, CardError};
pub use error::BundleError;
pub use file::{Bundle, Parts};
