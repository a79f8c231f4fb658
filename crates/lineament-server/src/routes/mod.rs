//! What can be asked; one route a file.

pub mod health;
pub mod locate;
pub mod model;
pub mod page;
pub mod predict;

use axum::Json;
use axum::extract::FromRequestParts;
use axum::extract::rejection::QueryRejection;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use crate::problem::Problem;
use crate::service::Told;
use crate::work::Answer;

/// What is answered about pictures: one for a picture that was the body, a list for those of a form.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum Answers {
    /// About the picture.
    One(Box<Answer>),
    /// About each picture, in the order they were sent.
    Many(Vec<Entry>),
}

/// One picture of a form.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum Entry {
    /// Its answer.
    Read(Box<Answer>),
    /// Why there is none.
    Unread {
        /// The picture's name in the form.
        #[serde(skip_serializing_if = "Option::is_none")]
        path: Option<String>,
        /// What is wrong with it.
        problem: Problem,
    },
}

impl Answers {
    /// A picture alone that cannot be read is a problem; in a list, the others are still answered.
    fn of(told: Vec<Told>, form: bool) -> Result<Self, Problem> {
        let mut entries = told.into_iter().map(|(path, answer)| match answer {
            Ok(mut answer) => {
                answer.picture.path = path;
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

/// The query of an address, refused with a problem.
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        read.map(|query| Self(query.0)).map_err(|rejection: QueryRejection| {
            Problem::bad_request(format!("{}; /docs says what may be asked", rejection.body_text()))
        })
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
