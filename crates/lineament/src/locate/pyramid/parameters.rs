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
    /// Least response of LNet_s that is a face; chosen on images with and without faces.
    pub threshold: f32,
    /// Least response of LNet_o that LNet_s is asked about.
    pub candidate_threshold: f32,
    /// How much less than the best of its windows LNet_o may respond to one that LNet_s is asked about.
    pub candidate_margin: f32,
    /// Windows that LNet_s is asked about at most.
    pub candidates: usize,
    /// Longest side of the photo in LNet_o's finest level, in pixels.
    pub longest_side: u32,
    /// Levels of LNet_o's pyramid.
    pub levels: usize,
    /// Each level is this many times smaller than the one before.
    pub step: f32,
    /// How far a window may reach beyond the photo, in sides of the window.
    pub margin: f32,
    /// Side of the head-shoulder region, in sides of LNet_o's window.
    pub region: f32,
    /// Steps of LNet_s's pyramid to either side of LNet_o's scale.
    pub fine_levels: usize,
    /// Factor between them.
    pub fine_step: f32,
    /// Candidates, and faces, overlap no better one by more than this IoU.
    pub overlap: f32,
    /// From LNet_s's window to the face.
    pub face: WindowToBox,
}

impl Default for PyramidParameters {
    fn default() -> Self {
        Self {
            threshold: 0.0,
            candidate_threshold: -2.0,
            candidate_margin: 100.0,
            candidates: 6,
            longest_side: 224,
            levels: 7,
            step: std::f32::consts::SQRT_2,
            margin: 0.23,
            region: 1.4,
            fine_levels: 1,
            fine_step: 1.26,
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
        Range::of("candidate_margin", 0.0, 1e30).holds(self.candidate_margin)?;
        Range::of("candidates", 1.0, 1000.0).holds(self.candidates as f64)?;
        Range::of("longest_side", 16.0, 4096.0).holds(self.longest_side)?;
        Range::of("levels", 1.0, 32.0).holds(self.levels as f64)?;
        Range::of("step", 1.05, 4.0).holds(self.step)?;
        Range::of("margin", 0.0, 1.0).holds(self.margin)?;
        Range::of("region", 1.0, 4.0).holds(self.region)?;
        Range::of("fine_levels", 0.0, 8.0).holds(self.fine_levels as f64)?;
        Range::of("fine_step", 1.02, 4.0).holds(self.fine_step)?;
        Range::of("overlap", 0.0, 1.0).holds(self.overlap)?;
        Range::of("face.right", -2.0, 2.0).holds(self.face.right)?;
        Range::of("face.down", -2.0, 2.0).holds(self.face.down)?;
        Range::of("face.width", 0.05, 5.0).holds(self.face.width)?;
        Range::of("face.height", 0.05, 5.0).holds(self.face.height)
    }
}
