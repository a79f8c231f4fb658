//! A detector of others instead of the LNets: it learned from boxes, which LNets do without.
//!
//! `file.rs` reads and tries a detector's ONNX file, which a bundle may hold, too, as it is. `view.rs` says how photos become
//! what it sees, `yunet.rs` and `ultraface.rs` what its outputs mean, `family.rs` what else is known of each, and `run.rs` runs it.

mod family;
mod file;
mod run;
mod ultraface;
mod view;
mod yunet;

use super::Localizer;
use super::error::LocateError;
use super::parameters::{ParameterError, Range};
pub use family::Family;
pub use file::DetectorFile;
use serde::{Deserialize, Serialize};

/// A detector and the constants that it is run with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Detector {
    /// What the file holds.
    pub family: Family,
    /// Width and height of what it is shown, where they are fixed: photos are drawn to fit, in the upper left corner. Without it each
    /// photo is shown as large as it takes to find the smallest face that is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canvas: Option<[u32; 2]>,
    /// Least score of a face.
    pub threshold: f32,
    /// Most overlap (intersection over union) of two faces.
    pub overlap: f32,
}

const THRESHOLD: Range = Range::of("detector.threshold", 0.0, 1.0);
const OVERLAP: Range = Range::of("detector.overlap", 0.0, 1.0);
const CANVAS: Range = Range::of("detector.canvas", 32.0, view::MOST_SIDE as f64);

impl Detector {
    /// Largest file that is taken for a detector; reading one takes at most about eight times its size.
    pub const MAX_BYTES: usize = 16 << 20;
    /// The lowest threshold that it is run with where faces are wanted however weak.
    pub const LEAST_SCORE: f32 = 0.02;

    /// A detector as its authors run it.
    pub fn of(family: Family) -> Self {
        family.usual()
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
        let Some(canvas) = self.canvas else { return Ok(()) };
        canvas.iter().try_for_each(|side| CANVAS.holds(*side))?;
        match canvas.iter().find(|side| !side.is_multiple_of(view::STEP)) {
            Some(side) if self.family == Family::Yunet => Err(ParameterError {
                name: format!("detector.canvas (a multiple of {})", view::STEP),
                value: f64::from(*side),
                least: f64::from(side / view::STEP * view::STEP),
                most: f64::from(side / view::STEP * view::STEP),
            }),
            _ => Ok(()),
        }
    }

    /// The localizer of the file's bytes.
    ///
    /// # Errors
    /// A file that is no such detector.
    pub fn localizer(&self, onnx: &[u8]) -> Result<Box<dyn Localizer>, LocateError> {
        Ok(Box::new(run::DetectorLocalizer::new(self.clone(), onnx)?))
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
