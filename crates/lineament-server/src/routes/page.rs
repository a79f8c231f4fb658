//! The page at `/`, and the one at `/docs` to try requests on: files that are compiled in.

use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::service::Service;

/// The pages load what this service gives and nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Address, type and bytes of every file.
const FILES: &[(&str, &str, &[u8])] = &[
    ("/", HTML, include_bytes!("../../page/index.html")),
    ("/page/page.css", CSS, include_bytes!("../../page/page.css")),
    ("/page/page.js", SCRIPT, include_bytes!("../../page/page.js")),
    ("/page/api.js", SCRIPT, include_bytes!("../../page/api.js")),
    ("/page/attributes.js", SCRIPT, include_bytes!("../../page/attributes.js")),
    ("/page/filter.js", SCRIPT, include_bytes!("../../page/filter.js")),
    ("/page/regions.js", SCRIPT, include_bytes!("../../page/regions.js")),
    ("/page/viewer.js", SCRIPT, include_bytes!("../../page/viewer.js")),
    ("/page/astronaut.jpg", "image/jpeg", include_bytes!("../../page/astronaut.jpg")),
    ("/docs", HTML, include_bytes!("../../page/docs.html")),
    ("/page/docs.css", CSS, include_bytes!("../../page/docs.css")),
    ("/page/docs.js", SCRIPT, include_bytes!("../../page/docs.js")),
];

/// A route for every file.
pub fn router() -> Router<Arc<Service>> {
    FILES.iter().fold(Router::new(), |router, &(address, kind, bytes)| {
        router.route(address, get(move || async move { file(kind, bytes) }))
    })
}

fn file(kind: &'static str, bytes: &'static [u8]) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        // Files change with the program: they are asked for each time, and are small.
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, bytes).into_response()
}
