//! Faces and their attributes from a photo: locate, describe, and the bundle that holds the model.

pub mod attributes;
pub mod crop;
pub mod draw;
pub mod geometry;
pub mod input;
pub mod locate;
pub mod output;
pub mod photo;

pub use geometry::{Affine, Point, Rect};
pub use photo::{Limits, Photo, PhotoError};
