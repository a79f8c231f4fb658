//! Five landmarks of a face that a localizer has found, by a small net on the square around its box, and the pose that follows from them.

mod pose;

use lineament_net::{NetSpec, Shape, SpecError, Weights};
use serde::{Deserialize, Serialize};

use crate::crop::{crop, warp};
use crate::engine::{Engine, EngineError, Runner};
use crate::geometry::{Affine, Point, Rect};
use crate::input::Preprocess;
use crate::photo::Photo;
pub use pose::Pose;

/// The five landmarks in CelebA's order, left and right as seen once the head is turned upright.
pub const NAMES: [&str; 5] = ["left_eye", "right_eye", "nose", "left_mouth", "right_mouth"];

/// How landmarks are found: part of a bundle's card. The weights lie beside those of the other nets, as `landmarks.*`.
///
/// The net answers with ten numbers: x and y of each landmark, from the centre of the square that it sees, in sides of the square.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LandmarkSpec {
    /// From `3 x side x side` to `10 x 1 x 1`.
    pub net: NetSpec,
    /// Side of the square, in heights of the upright face box; its centre is that of the box.
    pub enlarge: f32,
}

/// Why landmarks cannot be found.
#[derive(Debug, thiserror::Error)]
pub enum LandmarkError {
    /// A net that does not read a square or gives something else than ten numbers.
    #[error(
        "the net for landmarks reads {input} and gives {output}; it must read a square of 3 channels and give 10x1x1"
    )]
    Shape {
        /// What it reads.
        input: Shape,
        /// What it gives.
        output: Shape,
    },
    /// A square of no sensible size.
    #[error("the square for landmarks is {0} box heights wide; it must be between 0.5 and 4")]
    Enlarge(f32),
    /// The net itself.
    #[error("the net for landmarks: {0}")]
    Spec(#[from] SpecError),
    /// What runs it.
    #[error("the net for landmarks: {0}")]
    Net(#[from] EngineError),
    /// A box without an inside.
    #[error("the face box {0:?} has no inside; give one with a width and a height above 0")]
    Box(Rect),
    /// Weights so large that numbers overflow.
    #[error(
        "the landmarks are not finite: the model's weights are damaged, fetch or export the bundle again"
    )]
    NotFinite,
    /// A model without them.
    #[error(
        "this model finds no landmarks: use one that was trained with them (`lineament model show` says so), or leave --landmarks out"
    )]
    None,
}

impl LandmarkSpec {
    /// The name of its tensors.
    pub const NET: &'static str = "landmarks";

    /// Refuses what cannot find landmarks.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), LandmarkError> {
        let (input, output) = (self.net.input, self.net.output()?);
        if input.channels != 3 || input.height != input.width || output != Shape::new(2 * NAMES.len(), 1, 1) {
            return Err(LandmarkError::Shape { input, output });
        }
        if !(0.5..=4.0).contains(&self.enlarge) {
            return Err(LandmarkError::Enlarge(self.enlarge));
        }
        Ok(())
    }

    /// The square that the net sees of a face with this upright box, before it is turned.
    fn square(&self, upright: Rect) -> Result<Rect, LandmarkError> {
        let side = self.enlarge * upright.height;
        let square = Rect::about(upright.centre(), side, side);
        let inside = upright.width > 0.0 && side > 0.0 && square.is_finite();
        if inside { Ok(square) } else { Err(LandmarkError::Box(upright)) }
    }
}

/// A net for landmarks, ready to run.
pub struct Landmarker {
    net: Runner,
    spec: LandmarkSpec,
    preprocess: Preprocess,
}

impl Landmarker {
    /// The net on an engine.
    ///
    /// # Errors
    /// What [`LandmarkSpec::check`] finds, or weights that do not fit.
    pub fn new(
        engine: &Engine,
        spec: &LandmarkSpec,
        weights: &Weights,
        preprocess: Preprocess,
    ) -> Result<Self, LandmarkError> {
        spec.check()?;
        Ok(Self { net: engine.runner(&spec.net, weights)?, spec: spec.clone(), preprocess })
    }

    /// The landmarks of a face in the order of [`NAMES`], in pixels of the photo; `upright` is the box that it would have if it were not
    /// turned ([`Card::upright_box`](crate::Card::upright_box)), `roll` how far it is turned clockwise, in degrees.
    ///
    /// # Errors
    /// A box without an inside, or weights that overflow.
    pub fn find(&self, photo: &Photo, upright: Rect, roll: f32) -> Result<[Point; 5], LandmarkError> {
        if !roll.is_finite() {
            return Err(LandmarkError::Box(upright));
        }
        let square = self.spec.square(upright)?;
        let pixels = self.spec.net.input.width as u32;
        let side = pixels as f32;
        let view = Affine::of_turned(square, roll.to_radians(), false, pixels, pixels);
        let drawn = match roll {
            0.0 => crop(photo, square, pixels, pixels),
            _ => warp(photo, &view, pixels, pixels),
        };
        let output = self.net.forward(&self.preprocess.tensor_of(&[drawn]))?;
        let mut landmarks = [Point::default(); 5];
        for (landmark, [x, y]) in landmarks.iter_mut().zip(output.data().as_chunks::<2>().0) {
            *landmark = view.apply(Point::new((x + 0.5) * side, (y + 0.5) * side));
        }
        let finite = landmarks.iter().all(|point| point.x.is_finite() && point.y.is_finite());
        if finite { Ok(landmarks) } else { Err(LandmarkError::NotFinite) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
