//! Where an extractor looks.

use crate::geometry::{Point, Rect};

/// Where the face to describe is: what an extractor needs to know of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FaceRegion {
    /// A square around it, in pixels of the photo.
    Region(Rect),
    /// The same square, turned about its centre as the head is.
    Turned {
        /// The square before it is turned, in pixels of the photo.
        region: Rect,
        /// How far the head is turned clockwise, in degrees.
        roll: f32,
    },
    /// Its left eye, right eye, nose, left and right corner of the mouth (left and right as seen in the image), in pixels of the photo.
    Landmarks([Point; 5]),
}

impl FaceRegion {
    /// The square of a face whose head is turned by `roll` degrees, given that of an upright one with the same box: its centre
    /// turns about that of the box.
    pub fn turned(region: Rect, face: Rect, roll: f32) -> Self {
        if roll == 0.0 || !roll.is_finite() {
            return Self::Region(region);
        }
        let (from, about) = (region.centre(), face.centre());
        let (x, y) = (from.x - about.x, from.y - about.y);
        let (sine, cosine) = roll.to_radians().sin_cos();
        let centre = Point::new(about.x + x * cosine - y * sine, about.y + x * sine + y * cosine);
        Self::Turned { region: Rect::about(centre, region.width, region.height), roll }
    }

    /// The square, where it is one, before it is turned.
    pub fn region(self) -> Option<Rect> {
        match self {
            Self::Region(region) | Self::Turned { region, .. } => Some(region),
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_region_turns_about_the_face() {
        let face = Rect::new(100.0, 100.0, 40.0, 50.0);
        // Ten pixels above the middle of the face.
        let region = Rect::about(Point::new(120.0, 115.0), 80.0, 80.0);
        assert_eq!(FaceRegion::turned(region, face, 0.0), FaceRegion::Region(region));
        assert_eq!(FaceRegion::turned(region, face, f32::NAN), FaceRegion::Region(region));
        let turned = |roll| FaceRegion::turned(region, face, roll).region().unwrap().centre();
        // What was above is on the right of a head that is turned clockwise by a quarter.
        assert!(turned(90.0).distance(Point::new(130.0, 125.0)) < 1e-4);
        assert!(turned(180.0).distance(Point::new(120.0, 135.0)) < 1e-4);
    }
}
