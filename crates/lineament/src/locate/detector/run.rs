//! Running a detector.

use super::view::{STEP, View};
use super::{Detector, Outputs};
use crate::geometry::{Point, Rect, suppress_by};
use crate::locate::{Face, Faces, Localizer, LocateError, Search};
use crate::photo::Photo;
use lineament_onnx::{Limits, Model};

/// A detector, ready to run. It can be shared between threads.
pub(super) struct DetectorLocalizer {
    detector: Detector,
    model: Model,
}

impl DetectorLocalizer {
    /// Reads the ONNX file.
    pub(super) fn new(detector: Detector, onnx: &[u8]) -> Result<Self, LocateError> {
        detector.check()?;
        let model = Model::read(onnx, Limits::default()).map_err(failed)?;
        Ok(Self { detector, model })
    }

    /// Runs it on a blank image.
    ///
    /// # Errors
    /// Outputs that are not those of the detector, or no numbers.
    pub(super) fn try_out(&self) -> Result<(), LocateError> {
        let canvas = self.detector.canvas.unwrap_or([2 * STEP, STEP]);
        let [width, height] = canvas.map(|side| side as usize);
        let outputs = self.outputs(canvas, vec![0.0; 3 * width * height])?;
        self.detector.family.faces(&outputs, canvas, 0.0)?;
        match outputs.0.iter().find(|(_, values)| values.iter().any(|value| !value.is_finite())) {
            Some((name, _)) => Err(LocateError::Detector {
                reason: format!("its output {name} is not all numbers on a blank image"),
            }),
            None => Ok(()),
        }
    }

    fn outputs(&self, [width, height]: [u32; 2], input: Vec<f32>) -> Result<Outputs, LocateError> {
        let outputs = self.model.run(&[1, 3, height as usize, width as usize], input).map_err(failed)?;
        Ok(Outputs(outputs.into_iter().map(|output| (output.name, output.values)).collect()))
    }

    /// The faces of one view, in pixels of the photo.
    fn faces_in(&self, photo: &Photo, view: View) -> Result<Vec<Face>, LocateError> {
        let outputs = self.outputs(view.canvas, view.drawn(photo, self.detector.family))?;
        self.detector.faces(&outputs, view)
    }
}

fn failed(error: lineament_onnx::OnnxError) -> LocateError {
    LocateError::Detector { reason: error.to_string() }
}

impl Localizer for DetectorLocalizer {
    fn locate(&self, photo: &Photo, search: &Search) -> Result<Faces, LocateError> {
        let mut found = Vec::new();
        for view in self.detector.views(photo, search) {
            found.extend(self.faces_in(photo, view)?);
        }
        let found = suppress_by(found, self.detector.overlap, |face: &Face| (face.rect, face.score));
        Ok(search.limit(found, photo))
    }
}

impl Detector {
    /// The faces that the outputs of a view mean, best first, in pixels of the photo.
    pub(super) fn faces(
        &self,
        outputs: &Outputs,
        View { canvas, scale }: View,
    ) -> Result<Vec<Face>, LocateError> {
        let found = self.family.faces(outputs, canvas, self.threshold)?;
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
