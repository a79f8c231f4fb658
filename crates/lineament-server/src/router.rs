//! The routes of a service, and what stands around them.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderValue, Method, header};
use axum::routing::{get, post};
use axum::{Router, middleware};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::service::Service;
use crate::{guard, openapi, routes};

impl Service {
    /// What answers requests.
    pub fn router(self: &Arc<Self>) -> Router {
        let guarded = Router::new()
            .route("/v1/predict", post(routes::predict::predict))
            .route("/v1/locate", post(routes::locate::locate))
            .route("/v1/explain", post(routes::explain::explain))
            .route("/v1/model", get(routes::model::model))
            .route("/metrics", get(routes::health::metrics))
            .layer(middleware::from_fn_with_state(Arc::clone(self), guard::token));
        let router = Router::new()
            .route("/healthz", get(routes::health::healthz))
            .route("/readyz", get(routes::health::readyz))
            .route("/openapi.json", get(openapi::openapi))
            .merge(guarded)
            .merge(routes::page::router())
            .fallback(routes::not_found)
            .method_not_allowed_fallback(routes::wrong_method)
            .layer(middleware::from_fn_with_state(Arc::clone(self), guard::count))
            .layer(middleware::from_fn(guard::headers));
        let router = match cors(&self.settings().origins) {
            Some(cors) => router.layer(cors),
            None => router,
        };
        self.settings().prefix.above(router.with_state(Arc::clone(self)))
    }
}

/// What pages of other origins may do, if anything.
fn cors(origins: &[HeaderValue]) -> Option<CorsLayer> {
    let allowed = match origins {
        [] => return None,
        origins if origins.iter().any(|origin| origin == "*") => AllowOrigin::any(),
        origins => AllowOrigin::list(origins.iter().cloned()),
    };
    let layer = CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([
            header::ACCEPT,
            header::AUTHORIZATION,
            header::CONTENT_ENCODING,
            header::CONTENT_TYPE,
        ])
        .expose_headers([header::RETRY_AFTER])
        .max_age(Duration::from_secs(600));
    Some(layer)
}
