//! How the service is: `/healthz`, `/readyz`, `/metrics`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::problem::Problem;
use crate::service::Service;

/// OpenMetrics text, which Prometheus reads.
const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Whether the process answers.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "service",
    responses(
        (status = 200, description = "It does", body = String, content_type = "text/plain"),
    ),
)]
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Whether images may be sent here: not while the service is about to stop.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "service",
    responses(
        (status = 200, description = "They may", body = String, content_type = "text/plain"),
    ),
)]
pub async fn readyz(State(service): State<Arc<Service>>) -> Result<&'static str, Problem> {
    if service.is_stopping() {
        return Err(Problem::stopping("the service is about to stop; send pictures to another"));
    }
    Ok("ready\n")
}

/// Counters for Prometheus: requests, images, faces, time of each stage, length of the queue.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "service",
    responses(
        (status = 200, description = "In the OpenMetrics format", body = String, content_type = "application/openmetrics-text"),
    ),
)]
pub async fn metrics(State(service): State<Arc<Service>>) -> Result<Response, Problem> {
    let text =
        service.metrics_text().map_err(|_| Problem::failed("the counters cannot be written; ask again"))?;
    Ok(([(header::CONTENT_TYPE, TEXT)], text).into_response())
}
