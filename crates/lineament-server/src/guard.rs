//! What stands around every route: tokens, counting, and headers that keep browsers from doing more than they should.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::problem::Problem;
use crate::service::Service;

/// The status under which a request is counted whose client hung up.
const HUNG_UP: u16 = 499;

/// Lets in who brings the token.
pub async fn token(State(service): State<Arc<Service>>, request: Request, next: Next) -> Response {
    let given = request.headers().get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    match service.settings().token.as_ref() {
        Some(token) if !given.is_some_and(|given| token.is_in(given)) => Problem::unauthorised(
            "this service wants a token; send it as `Authorization: Bearer TOKEN`, or ask whoever runs the service for one",
        )
        .into_response(),
        _ => next.run(request).await,
    }
}

/// Counts answers and how long they took.
pub async fn count(State(service): State<Arc<Service>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    // Dropped half-way when the client hangs up.
    let mut counting = Counting { service, route, begun: Instant::now(), status: HUNG_UP };
    let response = next.run(request).await;
    counting.status = response.status().as_u16();
    response
}

struct Counting {
    service: Arc<Service>,
    route: String,
    begun: Instant,
    status: u16,
}

impl Drop for Counting {
    fn drop(&mut self) {
        self.service.metrics().request(&self.route, self.status, self.begun.elapsed());
    }
}

/// Headers of every answer, unless a route gives its own: nothing is kept, nothing is guessed, nothing else is loaded.
pub async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
