//! A request's body from anywhere, as an image or as a form of images, cut into any chunks: an answer that is no fault of the service's.
//!
//! The first byte of the input chooses the way in, the second the size of the chunks; the rest is the body.

#![no_main]

use std::convert::Infallible;
use std::sync::{Arc, LazyLock};

use axum::body::{Body, Bytes};
use axum::http::{Request, header};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use libfuzzer_sys::fuzz_target;
use lineament::Tagger;
use lineament::testing::tiny_bundle;
use lineament_server::settings::Limits;
use lineament_server::{Service, Settings};
use tokio::runtime::Runtime;
use tower::ServiceExt;

static SERVICE: LazyLock<(Runtime, Arc<Service>)> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime starts");
    let bundle = tiny_bundle(1).expect("the tiny model is sound");
    let tagger = Tagger::builder().bundle(bundle).threads(1).build().expect("the tiny model runs");
    let limits = Limits { pixels: 1 << 12, body: 1 << 16, ..Limits::default() };
    let settings = Settings { limits, ..Settings::default() };
    let service = runtime.block_on(async { Service::start(tagger, settings) });
    (runtime, service.expect("the service starts"))
});

/// Ways in: the address, and the type and the coding that the body is said to have.
const WAYS: [(&str, &str, &str); 10] = [
    ("/v1/locate", "multipart/form-data; boundary=frontier", ""),
    ("/v1/predict", "multipart/form-data; boundary=\"-\"", ""),
    ("/v1/predict?attributes=Smiling", "multipart/form-data; boundary=frontier", ""),
    ("/v1/explain?map=layer", "multipart/form-data; boundary=frontier", ""),
    ("/v1/locate", "image/jpeg", ""),
    ("/v1/locate", "application/octet-stream", ""),
    ("/v1/locate", "image/jpeg", "gzip"),
    ("/v1/locate", "image/jpeg", "deflate"),
    ("/v1/locate", "image/jpeg", "zstd"),
    ("/v1/predict", "multipart/form-data; boundary=frontier", "gzip"),
];

fuzz_target!(|bytes: &[u8]| {
    let [way, chunk, body @ ..] = bytes else { return };
    let (address, kind, coding) = WAYS[usize::from(*way) % WAYS.len()];
    let chunks: Vec<Result<Frame<Bytes>, Infallible>> = body
        .chunks(usize::from(*chunk).max(1))
        .map(|chunk| Ok(Frame::data(Bytes::copy_from_slice(chunk))))
        .collect();
    let body = Body::new(StreamBody::new(futures_util::stream::iter(chunks)));
    let request =
        Request::post(address).header(header::CONTENT_TYPE, kind).header(header::CONTENT_ENCODING, coding);
    let request = request.body(body).expect("the request is sound");
    let (runtime, service) = &*SERVICE;
    let (status, answer) = runtime.block_on(async {
        let Ok(response) = service.router().oneshot(request).await;
        let (head, body) = response.into_parts();
        (head.status, body.collect().await.map(|body| body.to_bytes()).unwrap_or_default())
    });
    assert_ne!(status.as_u16(), 500, "{}", String::from_utf8_lossy(&answer));
});
