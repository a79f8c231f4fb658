//! Where an extractor looks.

use crate::geometry::{Point, Rect};

/// Where the face to describe is: what an extractor needs to know of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FaceRegion {
    /// A square around it, in pixels of the photo.
    Region(Rect),
    /// Its left eye, right eye, nose, left and right corner of the mouth (left and right as seen in the image), in pixels of the photo.
    Landmarks([Point; 5]),
}

impl FaceRegion {
    /// The square, where it is one.
    pub fn region(self) -> Option<Rect> {
        match self {
            Self::Region(region) => Some(region),
            Self::Landmarks(_) => None,
        }
    }
}

impl From<Rect> for FaceRegion {
    fn from(region: Rect) -> Self {
        Self::Region(region)
    }
}

impl From<[Point; 5]> for FaceRegion {
    fn from(landmarks: [Point; 5]) -> Self {
        Self::Landmarks(landmarks)
    }
}
