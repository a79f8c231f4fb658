//! Parameters of the pyramid localizer.

use super::super::parameters::{ParameterError, Range};
use serde::{Deserialize, Serialize};

/// From a window to the face box in it, all in sides of the window.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowToBox {
    /// How far the box's centre lies right of the window's.
    pub right: f32,
    /// How far it lies below.
    pub down: f32,
    /// Width of the box.
    pub width: f32,
    /// Height of the box.
    pub height: f32,
}

/// Parameters of the pyramid localizer, stored in the card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PyramidParameters {
    /// Response of LNet_s, at its second look, above which there is a face; chosen on images with and without faces.
    pub threshold: f32,
    /// Response of LNet_o above which LNet_s is asked.
    pub candidate_threshold: f32,
    /// Response of LNet_s at its first look above which it looks again.
    pub second_look: f32,
    /// Windows that LNet_s is asked about at most, the best: far more than a photo has faces, so that noise costs seconds at
    /// worst.
    pub candidates: usize,
    /// Each level of the pyramid is this many times smaller than the one before.
    pub step: f32,
    /// How far a window may reach beyond the photo, in sides of the window.
    pub margin: f32,
    /// Of two windows whose face boxes overlap by more than this IoU, the weaker one only has a vote on the place of the
    /// other.
    pub overlap: f32,
    /// From a window to the face.
    pub face: WindowToBox,
}

impl Default for PyramidParameters {
    fn default() -> Self {
        Self {
            threshold: 0.0,
            candidate_threshold: -2.0,
            second_look: -2.0,
            candidates: 4096,
            step: std::f32::consts::SQRT_2,
            margin: 0.23,
            overlap: 0.3,
            face: WindowToBox { right: 0.009, down: 0.057, width: 0.604, height: 0.831 },
        }
    }
}

impl PyramidParameters {
    /// Whether every value is one that the localizer can work with.
    ///
    /// # Errors
    /// Names the value that is out of range, and the range.
    pub fn check(&self) -> Result<(), ParameterError> {
        Range::of("threshold", -1e30, 1e30).holds(self.threshold)?;
        Range::of("candidate_threshold", -1e30, 1e30).holds(self.candidate_threshold)?;
        Range::of("second_look", -1e30, 1e30).holds(self.second_look)?;
        Range::of("candidates", 1.0, 1e6).holds(self.candidates as f64)?;
        Range::of("step", 1.05, 4.0).holds(self.step)?;
        Range::of("margin", 0.0, 1.0).holds(self.margin)?;
        Range::of("overlap", 0.05, 1.0).holds(self.overlap)?;
        Range::of("face.right", -2.0, 2.0).holds(self.face.right)?;
        Range::of("face.down", -2.0, 2.0).holds(self.face.down)?;
        Range::of("face.width", 0.05, 5.0).holds(self.face.width)?;
        Range::of("face.height", 0.05, 5.0).holds(self.face.height)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_checked() {
        assert_eq!(PyramidParameters::default().check(), Ok(()));
        type Edit = fn(&mut PyramidParameters);
        let edits: [(&str, Edit); 11] = [
            ("threshold", |p| p.threshold = f32::NAN),
            ("candidate_threshold", |p| p.candidate_threshold = f32::INFINITY),
            ("second_look", |p| p.second_look = f32::NAN),
            ("candidates", |p| p.candidates = 0),
            ("step", |p| p.step = 1.0),
            ("margin", |p| p.margin = -0.1),
            ("overlap", |p| p.overlap = 0.0),
            ("face.right", |p| p.face.right = 3.0),
            ("face.down", |p| p.face.down = f32::NAN),
            ("face.width", |p| p.face.width = 0.0),
            ("face.height", |p| p.face.height = 9.0),
        ];
        for (name, edit) in edits {
            let mut parameters = PyramidParameters::default();
            edit(&mut parameters);
            assert_eq!(parameters.check().unwrap_err().name, name);
        }
    }
}
