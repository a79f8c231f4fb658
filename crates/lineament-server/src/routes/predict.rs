//! `POST /v1/predict`: faces and their attributes.

use std::sync::Arc;

use axum::extract::{Request, State};
use lineament::Selection;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Answers, Point, Query, names, select};
use crate::problem::Problem;
use crate::service::Service;
use crate::work::Task;

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
}

impl PredictQuery {
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
            ..Selection::default()
        };
        Ok(Task::Predict(select(service, &selection)?))
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
pub async fn predict(
    State(service): State<Arc<Service>>,
    Query(query): Query<PredictQuery>,
    request: Request,
) -> Result<Answers, Problem> {
    let task = query.task(&service)?;
    let (results, form) = service.ask(request, task).await?;
    Answers::of(results, form)
}
