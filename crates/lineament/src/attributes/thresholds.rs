//! Where a score becomes a yes.

use serde::{Deserialize, Serialize};

/// What the thresholds are chosen for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperatingPoint {
    /// As many right answers as possible; a rare attribute needs strong evidence.
    #[default]
    Accuracy,
    /// The mean of the rates of right answers among images with and without the attribute, so that a rare attribute
    /// counts as much as a common one.
    Balanced,
}

/// The thresholds of one attribute on its score, one for each operating point.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// For [`OperatingPoint::Accuracy`].
    pub accuracy: f32,
    /// For [`OperatingPoint::Balanced`].
    pub balanced: f32,
}

impl Thresholds {
    /// The threshold that a score must exceed at `point` to be a yes.
    pub fn at(&self, point: OperatingPoint) -> f32 {
        match point {
            OperatingPoint::Accuracy => self.accuracy,
            OperatingPoint::Balanced => self.balanced,
        }
    }

    /// Whether both thresholds are finite.
    pub fn is_finite(&self) -> bool {
        self.accuracy.is_finite() && self.balanced.is_finite()
    }
}
