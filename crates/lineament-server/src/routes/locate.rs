//! `POST /v1/locate`: where the faces are, and the response map of LNet_o.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::search::{SearchQuery, Smallest};
use super::{Answers, options, png, select, wants_png};
use crate::maps::MapKind;
use crate::problem::Problem;
use crate::service::Service;
use crate::work::{Task, Wanted};

/// How the map is drawn.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LocateQuery {
    /// How the response map is drawn [default: layer].
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

impl LocateQuery {
    fn search(&self) -> SearchQuery {
        SearchQuery {
            smallest_face: self.smallest_face,
            max_faces: self.max_faces,
            any_orientation: self.any_orientation,
        }
    }

    fn task(&self, service: &Service) -> Result<Task, Problem> {
        let map = match self.map {
            None | Some(Kind::Layer) => MapKind::Layer,
            Some(Kind::Over) => MapKind::Over,
        };
        let selection = self.search().selection(service.settings().limits.faces)?;
        let tagger = select(service, &selection)?;
        Ok(Task { tagger, search: self.search().weight(), wanted: Wanted::ResponseMap(map) })
    }
}

/// How the response map is drawn.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// Transparent where the response is weak, to be laid over the photo.
    Layer,
    /// Over the photo.
    Over,
}

/// Where the faces are, and the response map of LNet_o.
///
/// With `Accept: image/png` the map alone, as a PNG.
#[utoipa::path(
    post,
    path = "/v1/locate",
    tag = "pictures",
    params(LocateQuery),
    responses(
        (status = 200, description = "Boxes, and the map in base64; or the map itself", content(
            (Answers = "application/json"),
            (Vec<u8> = "image/png"),
        )),
    ),
)]
pub async fn locate(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Problem> {
    let (options, upload) = options::read::<LocateQuery>(&service, request).await?;
    let (task, form) = (options.task(&service)?, upload.form);
    let results = service.ask(upload, task).await?;
    let answers = Answers::of(results, form)?;
    if !wants_png(&headers) {
        return Ok(answers.into_response());
    }
    png(answers, |answer| answer.response_map.ok_or_else(|| Problem::failed("the map is missing")))
}
