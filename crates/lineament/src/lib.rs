//! Faces and their attributes from a photo: locate, describe, and the bundle that holds the model.

pub mod attributes;
pub mod bundle;
pub mod crop;
pub mod engine;
pub mod explain;
pub mod geometry;
pub mod input;
pub mod json;
pub mod locate;
pub mod onnx;
pub mod output;
pub mod photo;
mod tagger;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod threads;

pub use attributes::{Attribute, OperatingPoint};
pub use bundle::{Bundle, BundleError, Card};
pub use engine::Engine;
pub use geometry::{Affine, Point, Rect};
pub use photo::{Limits, Photo, PhotoError};
pub use tagger::{TaggedFace, Tagger, TaggerError};
