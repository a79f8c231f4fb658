//! What is told about one picture.

use std::path::PathBuf;

use lineament::Rect;
use lineament::attributes::Attribute;
use serde::{Deserialize, Serialize};

/// One picture and its faces.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// As it was given.
    pub path: PathBuf,
    /// In pixels of the upright picture.
    pub width: u32,
    /// In pixels of the upright picture.
    pub height: u32,
    /// Best first.
    pub faces: Vec<PageFace>,
}

/// One face.
#[derive(Debug, Clone, PartialEq)]
pub struct PageFace {
    /// In pixels of the picture.
    pub rect: Rect,
    /// How sure the localiser is.
    pub score: f32,
    /// One for each of [`Told::attributes`], in the same order.
    pub attributes: Vec<Attribute>,
}

/// What all pages have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Names of the attributes that are told, in the order they were asked for; none when only boxes are.
    pub attributes: Vec<String>,
    /// Whether the attributes were chosen by name: then absent ones are shown too.
    pub chosen: bool,
    /// The model that speaks: its name, version and short hash.
    pub model: String,
}

/// What happened in all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Pictures read.
    pub pictures: u64,
    /// Faces in them.
    pub faces: u64,
    /// Pictures, or places, that could not be read.
    pub unread: u64,
}
