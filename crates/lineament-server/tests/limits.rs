//! What is refused: too much at once, too slow, too many, and those without the token.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::cell::RefCell;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, TryRecvError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{Request, header};
use common::{ask, file, form, get, held_service, held_service_of, image, post, service, tagger, until};
use hyper::body::Frame;
use image::ImageFormat;
use lineament::testing::blocks;
use lineament_server::settings::{Limits, QueueConfig};
use lineament_server::{Service, Settings, Token};
use tokio::sync::mpsc::channel;
use tower::ServiceExt;

fn limits(limits: Limits) -> Settings {
    Settings { limits, ..Settings::default() }
}

fn predict() -> Request<Body> {
    post("/v1/predict", "image/png", image())
}

#[tokio::test]
async fn bytes_pixels_images_and_faces_have_limits() {
    let small = service(limits(Limits { body: 1000, ..Limits::default() }));
    let long = vec![7u8; 1001];
    let mut reported = post("/v1/predict", "image/png", long.clone());
    reported.headers_mut().insert(header::CONTENT_LENGTH, 1001.into());
    assert!(ask(&small, reported).await.problem(413).contains("1000 bytes"));
    let (feed, stream) = channel::<Bytes>(1);
    feed.try_send(long.into()).unwrap();
    let untold = post("/v1/predict", "image/png", Body::new(Fed(stream)));
    assert!(ask(&small, untold).await.problem(413).contains("1000 bytes"));
    assert!(ask(&small, form("/v1/predict", &[("a", &[7; 950])])).await.problem(413).contains("1000 bytes"));

    let coarse = service(limits(Limits { pixels: 11_999, ..Limits::default() }));
    assert!(ask(&coarse, predict()).await.problem(413).contains("120 x 100"));

    let two = service(limits(Limits { images: 2, ..Limits::default() }));
    let good: &[u8] = &image();
    assert_eq!(ask(&two, form("/v1/predict", &[("a", good); 2])).await.status, 200);
    assert!(
        ask(&two, form("/v1/predict", &[("a", good); 3])).await.problem(413).contains("more than 2 pictures")
    );

    let free = service(Settings::default());
    let (wide, all) = 'found: {
        for seed in 0..60 {
            let bytes = file(&blocks(200 + 17 * seed, 160, seed.into()), ImageFormat::Png);
            let reported = ask(&free, post("/v1/predict", "image/png", bytes.clone())).await.json();
            if reported["faces"].as_array().unwrap().len() > 1 {
                break 'found (bytes, reported);
            }
        }
        unreachable!("the tiny model finds several in some picture");
    };
    let count = all["faces"].as_array().unwrap().len();
    let one = service(limits(Limits { faces: 1, ..Limits::default() }));
    let reported = ask(&one, post("/v1/predict", "image/png", wide)).await.json();
    assert_eq!(reported["faces"][0], all["faces"][0], "the best");
    assert_eq!(
        (reported["faces"].as_array().unwrap().len(), &reported["faces_left_out"]),
        (1, &(count - 1).into())
    );
}

#[tokio::test]
async fn maps_have_a_limit_and_explanations_without_them_have_none() {
    let few = service(limits(Limits { maps: 3, ..Limits::default() }));
    let ask = async |query: &str| {
        ask(&few, post(&format!("/v1/explain?face=1&{query}"), "image/png", image())).await
    };
    assert!(ask("map=layer").await.problem(413).contains("more than 3 maps"));
    assert_eq!(ask("map=layer&attributes=Smiling,Bald,Male").await.status, 200);
    assert_eq!(ask("map=none").await.json()["explanations"].as_array().unwrap().len(), 40);
}

#[tokio::test]
async fn bodies_that_are_held_have_a_limit_together() {
    let tight = service(limits(Limits { body: 4096, held: 4096, ..Limits::default() }));
    let (feed, slow) = channel::<Bytes>(1);
    let router = tight.router();
    let first = tokio::spawn(router.oneshot(post("/v1/predict", "image/png", Body::new(Fed(slow)))));
    until(&tight, "lineament_held_bytes 4096.0").await;
    let second = ask(&tight, post("/v1/predict", "image/png", "GIF89a")).await;
    assert!(second.problem(429).contains("being sent at once"));
    drop(feed);
    assert_eq!(first.await.unwrap().unwrap().status(), 400, "an empty body");
    assert_eq!(ask(&tight, post("/v1/predict", "image/png", "GIF89a")).await.status, 422);
}

#[tokio::test]
async fn a_full_queue_answers_429_and_a_hang_up_frees_a_place() {
    let queue = QueueConfig { capacity: 2, patience: Duration::from_secs(60), active: 2 };
    let (service, release) = held_service(Settings { queue, ..Settings::default() });
    let hung = |service: &Arc<Service>| tokio::spawn(service.router().oneshot(predict()));
    let first = hung(&service);
    until(&service, "lineament_batch_pictures_count 1").await;
    let (second, third) = (hung(&service), hung(&service));
    until(&service, "lineament_queue_pictures 2").await;

    let refused = ask(&service, predict()).await;
    assert!(refused.problem(429).contains("Retry-After"));
    let seconds: u64 = refused.header(header::RETRY_AFTER).parse().unwrap();
    assert_eq!(refused.json()["retry_after"], seconds);
    assert!(seconds >= 1);

    second.abort();
    until(&service, "lineament_queue_pictures 1").await;
    until(&service, "lineament_requests_total{route=\"/v1/predict\",status=\"499\"} 1").await;
    let fourth = hung(&service);
    until(&service, "lineament_queue_pictures 2").await;
    drop(release);
    for answered in [first, third, fourth] {
        assert_eq!(answered.await.unwrap().unwrap().status(), 200);
    }
    until(&service, "lineament_queue_pictures 0").await;
    until(&service, "lineament_held_bytes 0.0").await;
}

#[tokio::test]
async fn an_image_whose_client_left_before_the_work_began_is_not_worked_on() {
    let (service, release) = held_service(Settings::default());
    let first = tokio::spawn(service.router().oneshot(predict()));
    until(&service, "lineament_batch_pictures_count 1").await;
    first.abort();
    until(&service, "lineament_requests_total{route=\"/v1/predict\",status=\"499\"} 1").await;
    drop(release);
    assert_eq!(ask(&service, predict()).await.status, 200);
    until(&service, "lineament_stage_seconds_count{stage=\"decode\"} 1").await;
}

#[tokio::test]
async fn an_image_does_not_wait_for_another_that_is_worked_on() {
    let (service, release) = held_service_of(2, Settings::default());
    // Alone, it is to have both threads; the next one has a thread of its own.
    let first = tokio::spawn(service.router().oneshot(predict()));
    until(&service, "lineament_batch_pictures_count 1").await;
    for _ in 0..3 {
        assert_eq!(ask(&service, predict()).await.status, 200);
    }
    assert!(!first.is_finished());
    drop(release);
    assert_eq!(first.await.unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn dropping_the_service_ends_its_threads() {
    thread_local! {
        static ALIVE: RefCell<Option<Sender<()>>> = const { RefCell::new(None) };
    }
    let (alive, ended) = std::sync::mpsc::channel();
    let tagger = tagger(2);
    tagger.threads().install(|| rayon::broadcast(|_| ALIVE.replace(Some(alive.clone()))));
    drop(alive);
    let service = Service::start(tagger, Settings::default()).unwrap();
    assert_eq!(ask(&service, predict()).await.status, 200);
    assert_eq!(ended.try_recv(), Err(TryRecvError::Empty));
    drop(service);
    assert_eq!(ended.recv_timeout(Duration::from_secs(20)), Err(RecvTimeoutError::Disconnected));
}

#[tokio::test]
async fn time_has_limits() {
    let short = Limits { time: Duration::from_millis(150), ..Limits::default() };
    let (held, _release) = held_service(limits(short));
    // The body is whole when it is first looked at, so that only the answer can be late.
    let late = ask(&held, predict()).await;
    assert!(late.problem(503).contains("0.15 s"));
    assert!(!late.header(header::RETRY_AFTER).is_empty());
    let (_feed, slow) = channel::<Bytes>(1);
    let slow = ask(&held, post("/v1/predict", "image/png", Body::new(Fed(slow)))).await;
    assert!(slow.problem(408).contains("not whole"));
}

#[tokio::test]
async fn the_token_guards_work_and_counters_and_nothing_else() {
    let token = Token::new("a-token-of-a-good-length").unwrap();
    let service = service(Settings { token: Some(token), ..Settings::default() });
    for (method, address) in [
        ("POST", "/v1/predict"),
        ("POST", "/v1/locate"),
        ("POST", "/v1/explain"),
        ("GET", "/v1/model"),
        ("GET", "/metrics"),
    ] {
        let with = |header: Option<&str>| {
            let request = Request::builder().method(method).uri(address);
            let request = match header {
                Some(value) => request.header(header::AUTHORIZATION, value),
                None => request,
            };
            request.body(Body::from(if method == "POST" { image() } else { Vec::new() })).unwrap()
        };
        let refused = ask(&service, with(None)).await;
        assert!(refused.problem(401).contains("Authorization: Bearer"), "{address}");
        assert_eq!(refused.header(header::WWW_AUTHENTICATE), "Bearer");
        ask(&service, with(Some("Bearer a-token-of-a-good-lengtH"))).await.problem(401);
        assert_eq!(
            ask(&service, with(Some("Bearer a-token-of-a-good-length"))).await.status,
            200,
            "{address}"
        );
    }
    for open in ["/", "/docs", "/openapi.json", "/healthz", "/readyz"] {
        assert_eq!(get(&service, open).await.status, 200, "{open}");
    }
}

#[tokio::test]
async fn other_origins_are_let_in_only_where_told() {
    let from = |origin: &str| {
        let mut request = predict();
        request.headers_mut().insert(header::ORIGIN, origin.parse().unwrap());
        request
    };
    let allowed = |answer: &common::Answer| answer.header(header::ACCESS_CONTROL_ALLOW_ORIGIN).to_owned();
    let closed = service(Settings::default());
    assert_eq!(allowed(&ask(&closed, from("https://a.example")).await), "");

    let open =
        service(Settings { origins: vec!["https://a.example".parse().unwrap()], ..Settings::default() });
    assert_eq!(allowed(&ask(&open, from("https://a.example")).await), "https://a.example");
    assert_eq!(allowed(&ask(&open, from("https://b.example")).await), "");
    let preflight = Request::options("/v1/predict")
        .header(header::ORIGIN, "https://a.example")
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
        .body(Body::empty())
        .unwrap();
    let answer = ask(&open, preflight).await;
    assert_eq!((answer.status.as_u16(), allowed(&answer)), (200, "https://a.example".to_owned()));

    let any = service(Settings { origins: vec!["*".parse().unwrap()], ..Settings::default() });
    assert_eq!(allowed(&ask(&any, from("https://b.example")).await), "*");
}

/// A body that comes when it is fed, and tells no length.
struct Fed(tokio::sync::mpsc::Receiver<Bytes>);

impl HttpBody for Fed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}
