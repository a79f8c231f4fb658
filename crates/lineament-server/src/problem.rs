//! Refusals as `application/problem+json` (RFC 9457): what was wrong and what to do.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lineament::PhotoError;
use serde::Serialize;
use utoipa::ToSchema;

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Problem {
    /// Names the kind of problem for programs: `urn:lineament:...`.
    pub r#type: &'static str,
    /// The kind of problem for people.
    pub title: &'static str,
    /// The HTTP status.
    #[serde(serialize_with = "number")]
    #[schema(value_type = u16, minimum = 400, maximum = 599)]
    pub status: StatusCode,
    /// What was wrong this time and what to do about it.
    pub detail: String,
    /// After how many seconds it is worth trying again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}

fn number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

/// The kinds of problems: status, type and title.
macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident = $status:ident, $kind:literal, $title:literal;)*) => {
        impl Problem {
            $($(#[$doc])*
            pub fn $name(detail: impl Into<String>) -> Self {
                Self {
                    r#type: concat!("urn:lineament:", $kind),
                    title: $title,
                    status: StatusCode::$status,
                    detail: detail.into(),
                    retry_after: None,
                }
            })*
        }
    };
}

problems! {
    /// A request that cannot be understood.
    bad_request = BAD_REQUEST, "bad-request", "The request cannot be understood";
    /// No token, or a wrong one.
    unauthorised = UNAUTHORIZED, "unauthorised", "A token is needed";
    /// No such address.
    not_found = NOT_FOUND, "not-found", "There is nothing here";
    /// A method that the address does not know.
    wrong_method = METHOD_NOT_ALLOWED, "wrong-method", "The method does not go with this address";
    /// An answer in a form that cannot be given.
    not_acceptable = NOT_ACCEPTABLE, "not-acceptable", "The answer cannot be given in that form";
    /// A body that came too slowly.
    slow_body = REQUEST_TIMEOUT, "slow-body", "The request took too long to arrive";
    /// More bytes, pixels or photos than allowed.
    too_large = PAYLOAD_TOO_LARGE, "too-large", "The request is too large";
    /// A body of another type than a photo's.
    wrong_type = UNSUPPORTED_MEDIA_TYPE, "wrong-type", "The body is not of a type that is read";
    /// Bytes that cannot be read as a photo.
    unreadable = UNPROCESSABLE_ENTITY, "unreadable-picture", "The picture cannot be read";
    /// A face that is asked for and not found.
    no_face = UNPROCESSABLE_ENTITY, "no-face", "There is no such face";
    /// A full queue.
    busy = TOO_MANY_REQUESTS, "busy", "The service is busy";
    /// A fault in the service.
    failed = INTERNAL_SERVER_ERROR, "failed", "The service failed";
    /// An answer that takes too long.
    slow_answer = SERVICE_UNAVAILABLE, "slow-answer", "The answer took too long";
    /// A service that is about to stop.
    stopping = SERVICE_UNAVAILABLE, "stopping", "The service is stopping";
}

impl Problem {
    /// The content type.
    pub const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

    /// Adds when to come again, in whole seconds, at least one.
    pub fn retry_after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait.as_secs_f64().ceil().clamp(1.0, 3600.0) as u64), ..self }
    }
}

impl From<PhotoError> for Problem {
    fn from(error: PhotoError) -> Self {
        let detail = format!("the picture is refused: {error}");
        match error {
            PhotoError::TooManyPixels { .. } | PhotoError::TooManyBytes { .. } => Self::too_large(detail),
            _ => Self::unreadable(detail),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(&self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, Self::MEDIA_TYPE);
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
