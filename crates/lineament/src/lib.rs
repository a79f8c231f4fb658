//! Faces and their attributes from a photo: locate, describe, and the bundle that holds the model.

pub mod crop;
pub mod geometry;
pub mod photo;

pub use geometry::{Affine, Point, Rect};
pub use photo::{Limits, Photo, PhotoError};
