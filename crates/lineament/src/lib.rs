//! Faces and their attributes from a photo: locate, describe, and the bundle that holds the model.

pub mod attributes;
pub mod bundle;
pub mod crop;
pub mod engine;
mod error;
pub mod explain;
mod geometry;
pub mod input;
pub mod locate;
pub mod onnx;
pub mod output;
mod photo;
pub mod prediction;
mod selection;
mod source;
mod tagger;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod threads;

pub use attributes::OperatingPoint;
pub use bundle::{Bundle, BundleError, Card};
pub use engine::Engine;
pub use error::{Error, Result};
pub use geometry::{Affine, Point, Rect};
pub use locate::Face;
pub use photo::{Limits, Photo, PhotoError};
pub use prediction::{Attribute, Attributes, FaceRecord, Prediction};
pub use selection::Selection;
pub use source::Source;
pub use tagger::{FaceArea, Tagger, TaggerBuilder};
pub use threads::Threads;
