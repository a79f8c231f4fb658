//! The routes, one a file.

pub mod explain;
pub mod health;
pub mod locate;
pub mod model;
mod options;
pub mod page;
pub mod predict;
mod search;

use axum::Json;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use lineament::{OperatingPoint, Selection, Tagger};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::maps::Map;
use crate::problem::Problem;
use crate::service::{PhotoResult, Service};
use crate::work::Answer;

/// The answer about one photo that was the body, or a list for the photos of a form.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum Answers {
    /// About the photo.
    One(Box<Answer>),
    /// About each photo, in the order they were sent.
    Many(Vec<Entry>),
}

/// One photo of a form.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum Entry {
    /// Its answer.
    Read(Box<Answer>),
    /// Why there is none.
    Unread {
        /// The photo's name in the form.
        #[serde(skip_serializing_if = "Option::is_none")]
        path: Option<String>,
        /// What is wrong with it.
        problem: Problem,
    },
}

impl Answers {
    /// A single photo that cannot be read is a problem; in a list, the others are still answered.
    fn of(results: Vec<(Option<String>, PhotoResult)>, form: bool) -> Result<Self, Problem> {
        let mut entries = results.into_iter().map(|(path, answer)| match answer {
            Ok(mut answer) => {
                answer.prediction.path = path.map(Into::into);
                Ok(answer)
            }
            Err(problem) => Err((path, problem)),
        });
        if form {
            let entry = |entry| match entry {
                Ok(answer) => Entry::Read(Box::new(answer)),
                Err((path, problem)) => Entry::Unread { path, problem },
            };
            return Ok(Self::Many(entries.map(entry).collect()));
        }
        match entries.next() {
            Some(Ok(answer)) => Ok(Self::One(Box::new(answer))),
            Some(Err((_, problem))) => Err(problem),
            None => Err(Problem::bad_request("there is no picture in the request; send one")),
        }
    }
}

impl IntoResponse for Answers {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}

/// What the model's own thresholds are chosen for.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Point {
    /// As many right answers as possible.
    Accuracy,
    /// Presence and absence count the same, however rare an attribute is.
    Balanced,
}

impl From<Point> for OperatingPoint {
    fn from(point: Point) -> Self {
        match point {
            Point::Accuracy => Self::Accuracy,
            Point::Balanced => Self::Balanced,
        }
    }
}

/// The names that are separated by commas, if any are given.
fn names(attributes: Option<&str>) -> Option<Vec<String>> {
    Some(attributes?.split(',').map(|name| name.trim().to_owned()).collect())
}

/// The service's tagger with what a request selects.
fn select(service: &Service, selection: &Selection) -> Result<Tagger, Problem> {
    service.tagger().with(selection).map_err(|error| Problem::bad_request(error.to_string()))
}

/// Whether a PNG is asked for and JSON is not.
fn wants_png(headers: &HeaderMap) -> bool {
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

/// The one map of the answer, as a PNG.
fn png(answers: Answers, map: impl FnOnce(Answer) -> Result<Map, Problem>) -> Result<Response, Problem> {
    match answers {
        Answers::One(answer) => {
            Ok(([(header::CONTENT_TYPE, "image/png")], map(*answer)?.png).into_response())
        }
        Answers::Many(_) => Err(Problem::not_acceptable(
            "a form is answered by a list; send one picture as the body to get its map as a PNG",
        )),
    }
}

/// For addresses without a route.
pub async fn not_found() -> Problem {
    Problem::not_found("there is no such address; /docs lists those that there are")
}

/// For methods that a route does not know.
pub async fn wrong_method() -> Problem {
    Problem::wrong_method("use the method that the Allow header gives; /docs says what it does")
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
