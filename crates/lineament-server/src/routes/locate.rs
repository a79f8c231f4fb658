//! `POST /v1/locate`: where the faces are, and the response map of LNet_o.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{Answers, Query, png, wants_png};
use crate::maps::MapKind;
use crate::problem::Problem;
use crate::service::Service;
use crate::work::Task;

/// How the map is drawn.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LocateQuery {
    /// How the response map is drawn [default: layer].
    #[param(inline)]
    map: Option<Kind>,
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
    Query(query): Query<LocateQuery>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Problem> {
    let map = match query.map {
        None | Some(Kind::Layer) => MapKind::Layer,
        Some(Kind::Over) => MapKind::Over,
    };
    let (results, form) = service.ask(request, Task::Locate { map }).await?;
    let answers = Answers::of(results, form)?;
    if !wants_png(&headers) {
        return Ok(answers.into_response());
    }
    png(answers, |answer| answer.response_map.ok_or_else(|| Problem::failed("the map is missing")))
}
