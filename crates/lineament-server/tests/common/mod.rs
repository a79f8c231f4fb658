//! A service with a tiny model, asked through its router.

#![allow(dead_code, clippy::unwrap_used, clippy::panic, reason = "every test file uses its part")]

use std::io::Cursor;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::response::Response;
use http_body_util::BodyExt;
use image::{ImageFormat, RgbImage};
use lineament::locate::{LnetMethod, PaperParameters};
use lineament::testing::{blocks, random_parts, tiny_card};
use lineament::{Bundle, Photo, Tagger};
use lineament_net::Precision;
use lineament_server::{Service, Settings};
use serde_json::Value;
use tower::ServiceExt;

/// A model that finds something in every image with edges.
pub fn bundle() -> Bundle {
    let mut card = tiny_card();
    card.lnets_mut().unwrap().method =
        LnetMethod::Paper(PaperParameters { threshold: 0.0, ..PaperParameters::default() });
    let parts = random_parts(&card, 7).unwrap();
    Bundle::new(&card, &parts, Precision::F32).unwrap()
}

pub fn tagger(threads: usize) -> Tagger {
    Tagger::builder().bundle(bundle()).threads(threads).build().unwrap()
}

pub fn service(settings: Settings) -> Arc<Service> {
    Service::start(tagger(2), settings).unwrap()
}

/// A service whose only thread is busy until the sender is dropped.
pub fn held_service(settings: Settings) -> (Arc<Service>, Sender<()>) {
    held_service_of(1, settings)
}

/// The same of several threads, all of them busy.
pub fn held_service_of(threads: usize, settings: Settings) -> (Arc<Service>, Sender<()>) {
    let tagger = tagger(threads);
    let (release, held) = channel::<()>();
    let held = Arc::new(Mutex::new(held));
    for _ in 0..threads {
        let held = Arc::clone(&held);
        tagger.threads().spawn(move || {
            let _ = held.lock().unwrap().recv();
        });
    }
    (Service::start(tagger, settings).unwrap(), release)
}

/// An image as a file.
pub fn file(photo: &Photo, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let image = RgbImage::from_raw(photo.width(), photo.height(), photo.pixels().to_vec()).unwrap();
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// An image in which the tiny model finds something.
pub fn image() -> Vec<u8> {
    file(&blocks(120, 100, 1), ImageFormat::Png)
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub async fn of(response: Response) -> Self {
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Self { status: head.status, headers: head.headers, body }
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    pub fn header(&self, name: impl header::AsHeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The detail of a problem, after checking that it is a whole one.
    pub fn problem(&self, status: u16) -> String {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        assert_eq!(self.header(header::CONTENT_TYPE), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert!(problem["type"].as_str().unwrap().starts_with("urn:lineament:"));
        assert!(!problem["title"].as_str().unwrap().is_empty());
        problem["detail"].as_str().unwrap().to_owned()
    }
}

pub async fn ask(service: &Arc<Service>, request: Request<Body>) -> Answer {
    Answer::of(service.router().oneshot(request).await.unwrap()).await
}

pub async fn get(service: &Arc<Service>, address: &str) -> Answer {
    ask(service, Request::get(address).body(Body::empty()).unwrap()).await
}

pub fn post(address: &str, kind: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(address).header(header::CONTENT_TYPE, kind).body(body.into()).unwrap()
}

/// Images with their names as a form.
pub fn form(address: &str, images: &[(&str, &[u8])]) -> Request<Body> {
    form_of(address, &[], images)
}

/// Options and images as a form, the options before the images and behind them by turns.
pub fn form_of(address: &str, options: &[(&str, &str)], images: &[(&str, &[u8])]) -> Request<Body> {
    let part = |head: String, bytes: &[u8]| {
        let head = format!("--frontier\r\nContent-Disposition: form-data; {head}\r\n\r\n");
        [head.as_bytes(), bytes, b"\r\n"].concat()
    };
    let mut parts: Vec<Vec<u8>> = images
        .iter()
        .map(|(name, bytes)| part(format!("name=\"picture\"; filename=\"{name}\""), bytes))
        .collect();
    for (place, (name, value)) in options.iter().enumerate() {
        let part = part(format!("name=\"{name}\""), value.as_bytes());
        parts.insert(if place % 2 == 0 { 0 } else { parts.len() }, part);
    }
    parts.push(b"--frontier--\r\n".to_vec());
    post(address, "multipart/form-data; boundary=frontier", parts.concat())
}

/// Waits until the counters say a line.
pub async fn until(service: &Arc<Service>, line: &str) {
    let begun = Instant::now();
    loop {
        let text = get(service, "/metrics").await.text();
        if text.lines().any(|found| found == line) {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{line} never came:\n{text}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
