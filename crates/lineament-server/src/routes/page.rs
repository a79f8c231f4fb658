//! The page at `/`, and the one at `/docs` to try requests on: files that are compiled in.

use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::page_files::{DOCS, INDEX, PageFile, SERVICE, SHARED};
use crate::service::Service;

/// The pages load what this service gives and nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A route for every file.
pub fn router() -> Router<Arc<Service>> {
    [INDEX, DOCS].iter().chain(SHARED).chain(SERVICE).fold(Router::new(), |router, &file| {
        router.route(&format!("/{}", file.path), get(move || async move { answer(file) }))
    })
}

fn answer(file: PageFile) -> Response {
    let headers = [
        (header::CONTENT_TYPE, file.kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        // Files change with the program: they are asked for each time, and are small.
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, file.bytes).into_response()
}
