//! Somebody else's face detector instead of the LNets: what the paper compares its LNets with.
//!
//! The detector's ONNX file lies in the bundle as it is. `yunet.rs` and `ultraface.rs` say what a photo becomes for it and what its
//! outputs mean; running it takes the feature `detector`.

#[cfg(feature = "detector")]
mod run;
#[cfg_attr(not(feature = "detector"), allow(dead_code))]
mod ultraface;
#[cfg_attr(not(feature = "detector"), allow(dead_code))]
mod yunet;

use super::error::LocateError;
use super::parameters::{ParameterError, Range};
use super::{Face, Localizer};
use crate::crop::crop;
use crate::geometry::{Point, Rect, suppress_by};
use crate::photo::Photo;
use lineament_net::Tensor;
use serde::{Deserialize, Serialize};

/// Which detector a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Family {
    /// YuNet (libfacedetection): boxes and five landmarks.
    Yunet,
    /// UltraFace (Linzaer's light-weight detector): boxes.
    Ultraface,
}

impl Family {
    /// Its name, as it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Yunet => "yunet",
            Self::Ultraface => "ultraface",
        }
    }
}

/// A detector and the constants that it is run with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Detector {
    /// What the file holds.
    pub family: Family,
    /// Width and height of what it is shown: photos are drawn to fit, in its upper left corner.
    pub canvas: [u32; 2],
    /// Least score of a face.
    pub threshold: f32,
    /// Most overlap (intersection over union) of two faces.
    pub overlap: f32,
}

const THRESHOLD: Range = Range::of("detector.threshold", 0.0, 1.0);
const OVERLAP: Range = Range::of("detector.overlap", 0.0, 1.0);
const CANVAS: Range = Range::of("detector.canvas", 32.0, 2048.0);

impl Detector {
    /// Largest file that is taken for a detector.
    pub const MAX_BYTES: usize = 64 << 20;

    /// A detector as its authors run it.
    pub fn of(family: Family) -> Self {
        match family {
            Family::Yunet => Self { family, canvas: [320, 320], threshold: 0.6, overlap: 0.3 },
            Family::Ultraface => Self { family, canvas: [320, 240], threshold: 0.7, overlap: 0.3 },
        }
    }

    /// Whether faces come with five landmarks.
    pub fn gives_landmarks(&self) -> bool {
        self.family == Family::Yunet
    }

    /// Refuses constants that it cannot be run with.
    ///
    /// # Errors
    /// The first of them.
    pub fn check(&self) -> Result<(), ParameterError> {
        THRESHOLD.holds(self.threshold)?;
        OVERLAP.holds(self.overlap)?;
        self.canvas.iter().try_for_each(|side| CANVAS.holds(*side))?;
        // YuNet halves its maps five times.
        match self.canvas.iter().find(|side| !side.is_multiple_of(32)) {
            Some(side) if self.family == Family::Yunet => Err(ParameterError {
                name: "detector.canvas (a multiple of 32)".to_owned(),
                value: f64::from(*side),
                least: f64::from(side / 32 * 32),
                most: f64::from(side / 32 * 32),
            }),
            _ => Ok(()),
        }
    }

    /// The localizer of the file's bytes.
    ///
    /// # Errors
    /// A file that is no such detector.
    #[cfg(feature = "detector")]
    pub fn localizer(&self, onnx: &[u8]) -> Result<Box<dyn Localizer>, LocateError> {
        Ok(Box::new(run::DetectorLocalizer::new(self.clone(), onnx)?))
    }

    /// Says how to get a program that runs detectors.
    ///
    /// # Errors
    /// Always.
    #[cfg(not(feature = "detector"))]
    pub fn localizer(&self, _: &[u8]) -> Result<Box<dyn Localizer>, LocateError> {
        Err(LocateError::NoDetectors { family: self.family.name() })
    }

    #[cfg_attr(not(feature = "detector"), allow(dead_code))]
    /// What the detector is shown of a photo, and how many pixels of the photo one of its pixels spans.
    fn shown(&self, photo: &Photo) -> (Tensor, f32) {
        let [width, height] = self.canvas;
        let scale = (photo.width() as f32 / width as f32).max(photo.height() as f32 / height as f32);
        let to = |side: u32, most: u32| ((side as f32 / scale).round() as u32).clamp(1, most);
        let (columns, rows) = (to(photo.width(), width), to(photo.height(), height));
        // Both axes by one factor, so that boxes come back undistorted.
        let seen = Rect::new(0.0, 0.0, columns as f32 * scale, rows as f32 * scale);
        let drawn = crop(photo, seen, columns, rows);
        let mut tensor = Tensor::zeros([1, 3, height as usize, width as usize]);
        let (plane, row) = (width as usize * height as usize, width as usize);
        let number = match self.family {
            Family::Yunet => yunet::number,
            Family::Ultraface => ultraface::number,
        };
        for (channel, values) in tensor.data_mut().chunks_exact_mut(plane).enumerate() {
            let from = match self.family {
                Family::Yunet => 2 - channel,
                Family::Ultraface => channel,
            };
            let lines = values.chunks_exact_mut(row).zip(drawn.pixels().chunks_exact(columns as usize * 3));
            for (line, pixels) in lines {
                for (value, pixel) in line.iter_mut().zip(pixels.chunks_exact(3)) {
                    *value = pixel.get(from).map_or(0.0, |colour| number(*colour));
                }
            }
        }
        (tensor, scale)
    }

    #[cfg_attr(not(feature = "detector"), allow(dead_code))]
    /// The faces that the outputs mean, best first, in pixels of the photo.
    fn faces(&self, outputs: &Outputs, scale: f32) -> Result<Vec<Face>, LocateError> {
        let found = match self.family {
            Family::Yunet => yunet::faces(outputs, self.canvas, self.threshold)?,
            Family::Ultraface => ultraface::faces(outputs, self.canvas, self.threshold)?,
        };
        let found =
            found.into_iter().filter(|face| face.rect.is_finite() && face.rect.area() > 0.0).collect();
        let kept = suppress_by(found, self.overlap, |face: &Face| (face.rect, face.score));
        let in_photo = |point: Point| Point::new(point.x * scale, point.y * scale);
        Ok(kept
            .into_iter()
            .map(|Face { rect, landmarks, score, roll }| Face {
                rect: Rect::new(rect.x * scale, rect.y * scale, rect.width * scale, rect.height * scale),
                score,
                landmarks: landmarks.map(|points| points.map(in_photo)),
                roll,
            })
            .collect())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

/// Outputs of a detector by name, each a list of numbers.
#[derive(Debug, Default)]
struct Outputs(Vec<(String, Vec<f32>)>);

impl Outputs {
    /// The output of that name, with so many numbers.
    fn get(&self, name: &str, numbers: usize) -> Result<&[f32], LocateError> {
        let found = self.0.iter().find(|(known, _)| known == name).map(|(_, values)| values.as_slice());
        found.filter(|values| values.len() == numbers).ok_or_else(|| LocateError::Detector {
            reason: match found {
                Some(values) => format!("its output {name:?} has {} numbers, not {numbers}", values.len()),
                None => format!("it has no output {name:?}"),
            },
        })
    }
}
