//! Parts of a face, placed by its landmarks: what FaceTracer and PANDA look at.

use lineament::attributes::RegionError;
use lineament::crop::warp;
use lineament::{Affine, Photo, Point, Rect};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Eyes, nose and corners of the mouth of the mean face, in distances between the eyes from their midpoint: the mean over CelebA's training
/// images, each moved, turned and scaled onto it.
const MEAN_FACE: [[f32; 2]; 5] = [[-0.5, 0.0], [0.5, 0.0], [0.0, 0.6], [-0.43, 1.05], [0.43, 1.05]];

/// A part of the face: an upright rectangle in the frame of the landmarks, whose origin is between the eyes and whose unit is their
/// distance in the mean face.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Its name: small letters, digits and underscores.
    pub name: String,
    /// Its centre: to the right, down.
    pub centre: [f32; 2],
    /// Its width and height.
    pub size: [f32; 2],
    /// Width and height of its image.
    pub pixels: [u32; 2],
}

/// Why parts cannot be drawn.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PartsError {
    /// None, or too many.
    #[error("there are {0} parts; there must be between 1 and {most}", most = Part::MOST)]
    Count(usize),
    /// A name that cannot stand before a tensor's.
    #[error(
        "a part is called {0:?}; a name has 1 to 40 small letters, digits and underscores, and is there once"
    )]
    Name(String),
    /// Nothing to see, or too much.
    #[error(
        "part {name}: its centre must lie within 10 of the eyes, its size between 0.05 and 20, and its pixels between 8 and {most} a side",
        most = Part::MOST_PIXELS
    )]
    Size {
        /// The part.
        name: String,
    },
}

impl Part {
    /// Most parts of an extractor.
    pub const MOST: usize = 64;
    /// Most pixels of a part's side.
    pub const MOST_PIXELS: u32 = 512;

    /// A part with these constants.
    pub fn new(name: &str, centre: [f32; 2], size: [f32; 2], pixels: [u32; 2]) -> Self {
        Self { name: name.to_owned(), centre, size, pixels }
    }

    /// Refuses parts that cannot be drawn, or that are called alike.
    ///
    /// # Errors
    /// The first of them.
    pub fn check_all<'a>(parts: impl IntoIterator<Item = &'a Self>) -> Result<(), PartsError> {
        let mut names = BTreeSet::new();
        for part in parts {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            let good = (1..=40).contains(&part.name.len()) && part.name.chars().all(plain);
            if !(good && names.insert(part.name.as_str())) {
                return Err(PartsError::Name(part.name.chars().take(100).collect()));
            }
            let near = part.centre.iter().all(|at| at.abs() <= 10.0);
            let sized = part.size.iter().all(|side| (0.05..=20.0).contains(side));
            if !(near && sized && part.pixels.iter().all(|side| (8..=Self::MOST_PIXELS).contains(side))) {
                return Err(PartsError::Size { name: part.name.clone() });
            }
        }
        match names.len() {
            1..=Self::MOST => Ok(()),
            count => Err(PartsError::Count(count)),
        }
    }

    /// The map from the part's image to the frame of the landmarks.
    pub fn in_frame(&self) -> Affine {
        let [width, height] = self.size;
        let [x, y] = self.centre;
        let rect = Rect::about(Point::new(x, y), width, height);
        Affine::of_rect(rect, self.pixels[0], self.pixels[1])
    }
}

/// Where the frame of the landmarks lies in a photo: the mean face moved, turned and scaled so that it fits the landmarks best (least
/// squares).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame(Affine);

impl Frame {
    /// The frame of five landmarks.
    ///
    /// # Errors
    /// Landmarks that fall together or are not finite.
    pub fn of(landmarks: &[Point; 5]) -> Result<Self, RegionError> {
        let mean = |of: &dyn Fn(usize) -> f32| (0..5).map(of).sum::<f32>() / 5.0;
        let (from_x, from_y) = (mean(&|at| MEAN_FACE[at][0]), mean(&|at| MEAN_FACE[at][1]));
        let (to_x, to_y) = (mean(&|at| landmarks[at].x), mean(&|at| landmarks[at].y));
        let (mut along, mut across, mut spread) = (0.0, 0.0, 0.0);
        for ([x, y], to) in MEAN_FACE.iter().zip(landmarks) {
            let (x, y, u, v) = (x - from_x, y - from_y, to.x - to_x, to.y - to_y);
            along += x * u + y * v;
            across += x * v - y * u;
            spread += x * x + y * y;
        }
        let (a, b) = (along / spread, across / spread);
        let map = Affine([a, -b, to_x - a * from_x + b * from_y, b, a, to_y - b * from_x - a * from_y]);
        // Smaller than a hundredth of a pixel between the eyes there is no face.
        if a.hypot(b) > 0.01 && map.is_finite() {
            Ok(Self(map))
        } else {
            Err(RegionError::Landmarks(*landmarks))
        }
    }

    /// The map from the frame to the photo.
    pub fn map(&self) -> Affine {
        self.0
    }

    /// What the photo shows of a part.
    pub fn draw(&self, photo: &Photo, part: &Part) -> Photo {
        warp(photo, &part.in_frame().then(&self.0), part.pixels[0], part.pixels[1])
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use lineament::crop::crop;
    use lineament::testing::blocks;
    use proptest::prelude::*;

    fn face_at(map: &Affine) -> [Point; 5] {
        MEAN_FACE.map(|[x, y]| map.apply(Point::new(x, y)))
    }

    proptest! {
        #[test]
        fn a_moved_turned_and_scaled_face_is_found_exactly(
            (x, y) in (-500.0..500.0_f32, -500.0..500.0_f32), angle in -3.0..3.0_f32, scale in 1.0..300.0_f32,
        ) {
            let (a, b) = (scale * angle.cos(), scale * angle.sin());
            let map = Affine([a, -b, x, b, a, y]);
            let found = Frame::of(&face_at(&map)).unwrap();
            for (found, expected) in found.map().0.iter().zip(map.0) {
                prop_assert!((found - expected).abs() < 1e-3 * scale.max(10.0), "{found} {expected}");
            }
        }
    }

    #[test]
    fn parts_follow_the_face() {
        let photo = blocks(200, 160, 3);
        let part = Part::new("eyes", [0.0, 0.0], [2.0, 1.0], [32, 16]);
        let upright = Frame::of(&face_at(&Affine([20.0, 0.0, 90.0, 0.0, 20.0, 70.0]))).unwrap();
        let rect = Rect::new(70.0, 60.0, 40.0, 20.0);
        let (drawn, cut) = (upright.draw(&photo, &part), crop(&photo, rect, 32, 16));
        let apart = drawn.pixels().iter().zip(cut.pixels()).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(apart <= 2, "{apart}");
        // Upside down it is the same image turned by half.
        let turned = Frame::of(&face_at(&Affine([-20.0, 0.0, 110.0, 0.0, -20.0, 90.0]))).unwrap();
        let mut other = Photo::filled(200, 160, [0; 3]);
        for (to, from) in other.pixels_mut().chunks_exact_mut(3).rev().zip(photo.pixels().chunks_exact(3)) {
            to.copy_from_slice(from);
        }
        let drawn = turned.draw(&other, &part);
        let apart = drawn.pixels().iter().zip(cut.pixels()).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(apart <= 2, "{apart}");
    }

    #[test]
    fn landmarks_that_are_no_face_and_parts_that_are_none_are_refused() {
        assert!(Frame::of(&[Point::new(3.0, 4.0); 5]).is_err());
        assert!(Frame::of(&[Point::new(f32::NAN, 4.0); 5]).is_err());
        let good = Part::new("nose", [0.0, 0.6], [1.0, 1.0], [32, 32]);
        let with = |name: &str| Part { name: name.to_owned(), ..good.clone() };
        assert!(Part::check_all([&good]).is_ok());
        assert!(matches!(Part::check_all([]), Err(PartsError::Count(0))));
        assert!(matches!(Part::check_all([&good, &good]), Err(PartsError::Name(_))));
        for name in ["", "Nose", "a.b", &"n".repeat(41)] {
            assert!(matches!(Part::check_all([&with(name)]), Err(PartsError::Name(_))), "{name}");
        }
        for wrong in [
            Part { size: [0.0, 1.0], ..good.clone() },
            Part { centre: [f32::NAN, 0.0], ..good.clone() },
            Part { pixels: [4, 32], ..good.clone() },
            Part { pixels: [32, 100_000], ..good.clone() },
        ] {
            assert!(matches!(Part::check_all([&wrong]), Err(PartsError::Size { .. })));
        }
    }
}
