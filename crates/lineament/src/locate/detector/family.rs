//! Which detectors are known, and how a face lies in a box of each.

use super::{Detector, Outputs, ultraface, yunet};
use crate::attributes::Region;
use crate::locate::{Face, LocateError};
use serde::{Deserialize, Serialize};

/// Which detector a file holds, told by its outputs: other nets with the same outputs are of the family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Family {
    /// YuNet (libfacedetection): boxes and five landmarks.
    Yunet,
    /// UltraFace (Linzaer's light-weight detector): boxes.
    Ultraface,
}

/// How a family's boxes lie around a face, in heights of the box.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct FaceInBox {
    /// The `d` of [`Region`].
    pub(super) size: f32,
    /// How far the midpoint of the eyes lies above the center of the box.
    pub(super) eyes: f32,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Yunet, Self::Ultraface];

    /// Its name, as it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Yunet => "yunet",
            Self::Ultraface => "ultraface",
        }
    }

    /// A region with the constants for boxes of the family, so that a model whose region was fitted to other boxes looks where it learned
    /// to look.
    pub fn region(self, rule: Region) -> Region {
        let FaceInBox { size, eyes } = self.face_in_box();
        Region { enlarge: rule.span * size, shift: rule.drop * size - eyes, ..rule }
    }

    /// Medians over the un-cropped photos of CelebA's partitions 0 and 1 whose landmarks lie in the box with the highest score; the ignored test
    /// `the_faces_in_boxes_are_the_fitted_ones` repeats it.
    pub(super) fn face_in_box(self) -> FaceInBox {
        match self {
            Self::Yunet => FaceInBox { size: 0.3621, eyes: 0.1061 },
            Self::Ultraface => FaceInBox { size: 0.3600, eyes: 0.0978 },
        }
    }

    /// The names of its outputs, which no net of another family has all of.
    pub(super) fn outputs(self) -> &'static [&'static str] {
        match self {
            Self::Yunet => &yunet::OUTPUTS,
            Self::Ultraface => &ultraface::OUTPUTS,
        }
    }

    /// The number that a color becomes, and the channels in the order of the net.
    pub(super) fn input(self) -> (fn(u8) -> f32, [usize; 3]) {
        match self {
            Self::Yunet => (yunet::number, [2, 1, 0]),
            Self::Ultraface => (ultraface::number, [0, 1, 2]),
        }
    }

    /// The faces that outputs mean, in pixels of the canvas, in no order.
    pub(super) fn faces(
        self,
        outputs: &Outputs,
        canvas: [u32; 2],
        threshold: f32,
    ) -> Result<Vec<Face>, LocateError> {
        match self {
            Self::Yunet => yunet::faces(outputs, canvas, threshold),
            Self::Ultraface => ultraface::faces(outputs, canvas, threshold),
        }
    }

    /// A detector as its authors run it, on a canvas that is made for each photo.
    pub(super) fn usual(self) -> Detector {
        match self {
            Self::Yunet => Detector { family: self, canvas: None, threshold: 0.6, overlap: 0.3 },
            Self::Ultraface => {
                Detector { family: self, canvas: Some([320, 240]), threshold: 0.7, overlap: 0.3 }
            }
        }
    }
}
