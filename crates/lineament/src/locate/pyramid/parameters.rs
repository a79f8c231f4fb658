//! Parameters of the pyramid localizer.

use super::super::parameters::{ParameterError, Range};
use crate::geometry::Rect;
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

impl WindowToBox {
    /// Width and height of the box around a face that is turned clockwise by `roll` degrees, in sides of the window. A face is
    /// taken for an ellipse: the box around a rectangle would grow by a fifth and more.
    pub(super) fn sides(&self, roll: f32) -> [f32; 2] {
        let (sine, cosine) = roll.to_radians().sin_cos();
        let around = |across: f32, down: f32| (across * cosine).hypot(down * sine);
        [around(self.width, self.height), around(self.height, self.width)]
    }

    /// The box that a face would have upright, about the same centre, of the box that it has turned by any angle.
    pub fn upright(&self, turned: Rect) -> Rect {
        // The diagonal is the same at every angle.
        let side = turned.width.hypot(turned.height) / self.width.hypot(self.height);
        Rect::about(turned.centre(), self.width * side, self.height * side)
    }
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
    use crate::geometry::Point;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_turned_box_touches_the_turned_ellipse_and_leads_back(roll in -180.0f32..180.0, side in 5.0f32..500.0) {
            let to_box = WindowToBox { right: 0.0, down: 0.0, width: 0.6, height: 0.85 };
            let [width, height] = to_box.sides(roll);
            let (sine, cosine) = roll.to_radians().sin_cos();
            let rim = |step: i32| {
                let (sin, cos) = (step as f32).to_radians().sin_cos();
                let (x, y) = (0.3 * cos, 0.425 * sin);
                Point::new(x * cosine - y * sine, x * sine + y * cosine)
            };
            let farthest = |of: fn(Point) -> f32| (0..360).map(|step| of(rim(step))).fold(0.0, f32::max);
            prop_assert!((farthest(|p| p.x) - width / 2.0).abs() < 1e-3);
            prop_assert!((farthest(|p| p.y) - height / 2.0).abs() < 1e-3);
            let turned = Rect::about(Point::new(30.0, 20.0), width * side, height * side);
            let upright = to_box.upright(turned);
            prop_assert!((upright.width - 0.6 * side).abs() < 1e-3 * side, "{upright:?}");
            prop_assert!((upright.height - 0.85 * side).abs() < 1e-3 * side, "{upright:?}");
            prop_assert!(upright.centre().distance(turned.centre()) < 1e-3 * side);
        }
    }

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
