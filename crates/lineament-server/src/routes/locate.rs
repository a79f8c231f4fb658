//! `POST /v1/locate`: where the faces are, and what LNet_o saw.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{Answers, Query};
use crate::problem::Problem;
use crate::service::Service;
use crate::work::{MapKind, Task};

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
    /// Clear where the response is weak, to be laid over the picture.
    Layer,
    /// Over the picture.
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
    let (told, form) = service.ask(request, Task::Locate { map }).await?;
    let answers = Answers::of(told, form)?;
    if !wants_png(&headers) {
        return Ok(answers.into_response());
    }
    match answers {
        Answers::One(answer) => {
            let png = answer.response_map.map(|map| map.png).unwrap_or_default();
            Ok(([(header::CONTENT_TYPE, "image/png")], png).into_response())
        }
        Answers::Many(_) => Err(Problem::not_acceptable(
            "a form is answered by a list; send one picture as the body to get its map as a PNG",
        )),
    }
}

/// Whether a PNG is asked for and JSON is not.
pub fn wants_png(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut ranges = accepted
        .flat_map(|value| value.split(','))
        .map(|range| range.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    let mut png = false;
    let json = ranges.any(|range| {
        png |= range == "image/png";
        range == "application/json"
    });
    png && !json
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_png_is_given_to_who_asks_for_nothing_else() {
        let wants = |accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accept.parse().unwrap());
            wants_png(&headers)
        };
        assert!(wants("image/png") && wants("image/png;q=0.9, */*;q=0.1"));
        assert!(
            !wants("*/*") && !wants("application/json, image/png") && !wants("image/png, application/json")
        );
        assert!(!wants_png(&HeaderMap::new()));
    }
}
