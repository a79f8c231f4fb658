//! Running a detector with tract, which reads ONNX and is Rust throughout.

use super::super::error::LocateError;
use super::super::{Faces, Localizer, Search};
use super::{Detector, Outputs};
use crate::photo::Photo;
use std::sync::Arc;
use tract_onnx::prelude::*;

/// A detector, ready to run. It can be shared between threads.
pub(super) struct DetectorLocalizer {
    detector: Detector,
    model: Arc<TypedRunnableModel>,
    names: Vec<String>,
}

impl DetectorLocalizer {
    /// Reads the ONNX file and prepares it for the detector's canvas.
    pub(super) fn new(detector: Detector, onnx: &[u8]) -> Result<Self, LocateError> {
        let refused = |error: TractError| LocateError::Detector { reason: format!("{error:#}") };
        detector.check()?;
        let [width, height] = detector.canvas.map(|side| side as usize);
        // The files leave the batch open in the shapes that they state; here it is one image, and the shapes follow from that.
        let reader = tract_onnx::onnx().with_ignore_value_info(true).with_ignore_output_shapes(true);
        let model = reader.model_for_read(&mut &onnx[..]).map_err(refused)?;
        let label = |outlet: &OutletId| model.outlet_label(*outlet).unwrap_or_default().to_owned();
        let names = model.outputs.iter().map(label).collect();
        let model = model
            .with_input_fact(0, f32::fact([1, 3, height, width]).into())
            .and_then(|model| model.into_optimized())
            .and_then(|model| model.into_runnable())
            .map_err(refused)?;
        Ok(Self { detector, model, names })
    }
}

impl Localizer for DetectorLocalizer {
    fn locate(&self, photo: &Photo, search: &Search) -> Result<Faces, LocateError> {
        let failed = |error: TractError| LocateError::Detector { reason: format!("{error:#}") };
        let (input, scale) = self.detector.shown(photo);
        let input = Tensor::from_shape(&input.shape(), input.data()).map_err(failed)?;
        let outputs = self.model.run(tvec!(input.into())).map_err(failed)?;
        let read = |(name, values): (&String, &TValue)| {
            let values = values.to_plain_array_view::<f32>()?;
            Ok((name.clone(), values.iter().copied().collect::<Vec<f32>>()))
        };
        let outputs =
            self.names.iter().zip(&outputs).map(read).collect::<TractResult<_>>().map_err(failed)?;
        Ok(search.limit(self.detector.faces(&Outputs(outputs), scale)?, photo))
    }
}
