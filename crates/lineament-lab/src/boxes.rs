//! How well a model finds all faces of photos whose faces have boxes.

use lineament::Tagger;
use lineament::locate::LocalizerSpec;
use lineament_data::BoxedSet;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::detection::{Detection, Searched, detection};
use crate::evaluation::Model;
use crate::observe::{EvaluateError, Skipped, found_in};

/// What a model finds in a set of photos.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BoxEvaluation {
    /// The set.
    pub data: String,
    /// Photos that were read.
    #[serde(rename = "pictures")]
    pub images: usize,
    /// What finds faces: `lnets`, or the name of a detector.
    pub localizer: String,
    /// Whether it learned from boxes, as detectors do; LNets learn from tags of whole images.
    pub trained_on_boxes: bool,
    /// From which score on it usually calls something a face; the curves are over all scores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f32>,
    /// How well.
    #[serde(flatten)]
    pub detection: Detection,
    /// Which model was asked.
    pub model: Model,
    /// Photos that could not be read.
    pub skipped: Vec<Skipped>,
}

/// Asks a model for the faces of each photo, on the rayon pool of the caller; `done` is called after each. For whole curves the tagger
/// should find faces however weak ([`TaggerBuilder::least_score`](lineament::TaggerBuilder::least_score)); `threshold` then says from which score
/// on the model usually does.
///
/// # Errors
/// A set none of whose photos can be read. One alone is no error: it is listed.
pub fn evaluate_boxes(
    tagger: &Tagger,
    set: &BoxedSet,
    threshold: Option<f32>,
    done: &(dyn Fn() + Sync),
) -> Result<BoxEvaluation, EvaluateError> {
    let look = |image: &lineament_data::BoxedImage| {
        let searched =
            found_in(tagger, &image.path).map(|found| Searched { found, given: image.boxes.clone() });
        searched.map_err(|reason| Skipped { path: image.path.clone(), reason })
    };
    let answers: Vec<_> = set.images.par_iter().map(look).inspect(|_| done()).collect();
    let (mut images, mut skipped) = (Vec::with_capacity(answers.len()), Vec::new());
    for answer in answers {
        match answer {
            Ok(image) => images.push(image),
            Err(one) => skipped.push(one),
        }
    }
    match skipped.first() {
        Some(first) if images.is_empty() => {
            let (data, first) = (set.name.clone(), first.reason.clone());
            Err(EvaluateError::NothingRead { data, images: skipped.len(), first })
        }
        _ => {
            let (localizer, trained_on_boxes) = match &tagger.card().localizer {
                LocalizerSpec::Detector(detector) => (detector.family.name(), true),
                _ => ("lnets", false),
            };
            Ok(BoxEvaluation {
                data: set.name.clone(),
                images: images.len(),
                localizer: localizer.to_owned(),
                trained_on_boxes,
                threshold,
                detection: detection(&images, threshold),
                model: Model::of(tagger),
                skipped,
            })
        }
    }
}
