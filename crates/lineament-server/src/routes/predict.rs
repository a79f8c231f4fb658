//! `POST /v1/predict`: faces and their attributes.

use std::sync::Arc;

use axum::extract::{Request, State};
use lineament::Selection;
use serde::Deserialize;
use utoipa::IntoParams;

use super::search::{SearchQuery, Smallest};
use super::{Answers, Point, names, options, select};
use crate::problem::Problem;
use crate::service::Service;
use crate::work::{Task, Wanted};

/// How photos are read.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PredictQuery {
    /// Only these attributes, in this order, separated by commas; all by default.
    #[param(example = "Smiling,Eyeglasses")]
    attributes: Option<String>,
    /// Call an attribute present from this probability on, instead of the model's own thresholds.
    #[param(minimum = 0, maximum = 1)]
    threshold: Option<f32>,
    /// What the model's own thresholds are chosen for.
    #[param(inline)]
    operating_point: Option<Point>,
    /// Height of the smallest face that is looked for: pixels (24, 24px), or a share of the photo's longer side (2.5%)
    /// [default: the service's, usually 2.5% and 16px at least].
    #[param(value_type = Option<String>, example = "24px")]
    smallest_face: Option<Smallest>,
    /// The best faces alone, at most so many; `faces_left_out` counts the others [default: as many as an answer holds].
    #[param(minimum = 1)]
    max_faces: Option<usize>,
    /// Look for faces that lie on their side or stand on their head, too [default: the service's, usually false].
    any_orientation: Option<bool>,
    /// Answer with eyes, nose and corners of the mouth, and which way each face looks [default: false].
    landmarks: Option<bool>,
    /// Answer with each face's quality: the share of its attributes that is expected to be right [default: false].
    quality: Option<bool>,
    /// Leave out faces whose quality is lower than this; `faces_of_low_quality` counts them.
    #[param(minimum = 0, maximum = 1)]
    least_quality: Option<f32>,
    /// Give no answer where it would be right with a lower probability than this: the value is null.
    #[param(minimum = 0, maximum = 1)]
    abstain: Option<f32>,
}

impl PredictQuery {
    fn search(&self) -> SearchQuery {
        SearchQuery {
            smallest_face: self.smallest_face,
            max_faces: self.max_faces,
            any_orientation: self.any_orientation,
        }
    }

    fn task(&self, service: &Service) -> Result<Task, Problem> {
        if self.threshold.is_some_and(|threshold| !(0.0..=1.0).contains(&threshold)) {
            return Err(Problem::bad_request("threshold is a probability; give a number between 0 and 1"));
        }
        if self.threshold.is_some() && self.operating_point.is_some() {
            return Err(Problem::bad_request(
                "threshold takes the place of operating_point; give one of the two",
            ));
        }
        let selection = Selection {
            attributes: names(self.attributes.as_deref()),
            operating_point: self.operating_point.map(Into::into),
            threshold: self.threshold,
            landmarks: self.landmarks,
            quality: self.quality,
            least_quality: self.least_quality,
            abstain: self.abstain,
            ..self.search().selection(service.settings().limits.faces)?
        };
        Ok(Task {
            tagger: select(service, &selection)?,
            search: self.search().weight(),
            wanted: Wanted::Attributes,
        })
    }
}

/// Faces and their attributes.
#[utoipa::path(
    post,
    path = "/v1/predict",
    tag = "pictures",
    params(PredictQuery),
    responses(
        (status = 200, description = "What was found: an object for a picture that was the body, a list for a form", body = Answers),
    ),
)]
pub async fn predict(State(service): State<Arc<Service>>, request: Request) -> Result<Answers, Problem> {
    let (options, upload) = options::read::<PredictQuery>(&service, request).await?;
    let (task, form) = (options.task(&service)?, upload.form);
    let results = service.ask(upload, task).await?;
    Answers::of(results, form)
}
