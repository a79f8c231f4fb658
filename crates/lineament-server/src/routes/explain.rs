//! `POST /v1/explain`: explanations of answers.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use lineament::Selection;
use lineament::explain::ExplainOptions;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::search::{SearchQuery, Smallest};
use super::{Answers, Point, names, options, png, select, wants_png};
use crate::maps::MapKind;
use crate::problem::Problem;
use crate::service::Service;
use crate::work::{ExplainRequest, Task, Wanted};

/// What is explained, and how.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExplainQuery {
    /// Only these attributes, in this order, separated by commas; all by default.
    #[param(example = "Smiling,Eyeglasses")]
    attributes: Option<String>,
    /// Only this face, counted from 1 in the order of /v1/predict; all by default.
    #[param(minimum = 1)]
    face: Option<usize>,
    /// How many neurons are listed, the strongest first [default: 5].
    #[param(minimum = 0)]
    neurons: Option<usize>,
    /// What the thresholds of the answers are chosen for.
    #[param(inline)]
    operating_point: Option<Point>,
    /// Whether maps are drawn, and how [default: none, or layer with `Accept: image/png`].
    #[param(inline)]
    map: Option<Kind>,
    /// Height of the smallest face that is looked for: pixels (24, 24px), or a share of the photo's longer side (2.5%)
    /// [default: the service's, usually 2.5% and 16px at least].
    #[param(value_type = Option<String>, example = "24px")]
    smallest_face: Option<Smallest>,
    /// The best faces alone, at most so many; `faces_left_out` counts the others [default: as many as an answer holds].
    #[param(minimum = 1)]
    max_faces: Option<usize>,
    /// Look for faces that lie on their side or stand on their head, too [default: the service's, usually false].
    any_orientation: Option<bool>,
}

/// How the maps are drawn.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// Not at all; regions are given all the same.
    None,
    /// Transparent where the attribute has no evidence, to be laid over the photo at the map's box.
    Layer,
    /// Over the face, which is cut out of the photo.
    Over,
}

impl ExplainQuery {
    fn search(&self) -> SearchQuery {
        SearchQuery {
            smallest_face: self.smallest_face,
            max_faces: self.max_faces,
            any_orientation: self.any_orientation,
        }
    }

    fn task(&self, service: &Service, png: bool) -> Result<Task, Problem> {
        if self.face == Some(0) {
            return Err(Problem::bad_request(
                "face counts from 1; give the number of a face, or leave it out",
            ));
        }
        let selection = Selection {
            attributes: names(self.attributes.as_deref()),
            operating_point: self.operating_point.map(Into::into),
            threshold: None,
            ..self.search().selection(service.settings().limits.faces)?
        };
        let tagger = select(service, &selection)?;
        let usual = ExplainOptions::default();
        let options = ExplainOptions { neurons: self.neurons.unwrap_or(usual.neurons), ..usual };
        let map = match self.map {
            Some(Kind::Layer) => Some(MapKind::Layer),
            Some(Kind::Over) => Some(MapKind::Over),
            None if png => Some(MapKind::Layer),
            None | Some(Kind::None) => None,
        };
        let wanted = Wanted::Explanations(ExplainRequest { face: self.face, options, map });
        Ok(Task { tagger, search: self.search().weight(), wanted })
    }
}

/// The region and the neurons behind each attribute of each face.
///
/// With `Accept: image/png` the map of one attribute of one face alone, as a PNG.
#[utoipa::path(
    post,
    path = "/v1/explain",
    tag = "pictures",
    params(ExplainQuery),
    responses(
        (status = 200, description = "Boxes and explanations, with maps in base64 where the request wants them; or one map itself", content(
            (Answers = "application/json"),
            (Vec<u8> = "image/png"),
        )),
    ),
)]
pub async fn explain(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Problem> {
    let alone = wants_png(&headers);
    let (options, upload) = options::read::<ExplainQuery>(&service, request).await?;
    let (task, form) = (options.task(&service, alone)?, upload.form);
    let results = service.ask(upload, task).await?;
    let answers = Answers::of(results, form)?;
    if !alone {
        return Ok(answers.into_response());
    }
    png(answers, |answer| {
        let explanations = answer.explanations.unwrap_or_default();
        if explanations.is_empty() {
            return Err(Problem::no_face(
                "no face was found in the picture, so that there is nothing to explain",
            ));
        }
        let count = explanations.len();
        let one = explanations.into_iter().next().filter(|_| count == 1);
        one.and_then(|one| one.map).map(|map| map.map).ok_or_else(|| {
            Problem::not_acceptable(format!(
                "a PNG holds one map and {count} are asked for; name one of `attributes`, one `face`, and no `map=none`"
            ))
        })
    })
}
