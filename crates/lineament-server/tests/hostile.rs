//! Requests and images that are wrong in every way a seed can think of: no fault of ours, no panic, still answering.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::fs;
use std::path::Path;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Method, Request};
use common::{ask, file, get, image, post, service};
use image::ImageFormat;
use lineament::testing::blocks;
use lineament_server::Settings;
use lineament_server::settings::Limits;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const FORMATS: [ImageFormat; 6] = [
    ImageFormat::Png,
    ImageFormat::Jpeg,
    ImageFormat::Gif,
    ImageFormat::WebP,
    ImageFormat::Bmp,
    ImageFormat::Pnm,
];

/// Of formats that are not written here, and of unusual kinds.
const FILES: [&str; 12] = [
    "labelled.heic",
    "alpha.heic",
    "tiles.avif",
    "ten.avif",
    "colour.jxl",
    "alpha.jxl",
    "colour.jp2",
    "alpha.j2k",
    "cmyk.tif",
    "turned.tif",
    "progressive.jpg",
    "cmyk.jpg",
];

#[tokio::test]
async fn some_hundred_mutants_are_answered() {
    mutants(0..400).await;
}

#[tokio::test]
#[ignore = "minutes; run by hand: cargo test -p lineament-server --test hostile -- --ignored"]
async fn ten_thousand_mutants_are_answered() {
    mutants(1000..11_000).await;
}

async fn mutants(seeds: std::ops::Range<u64>) {
    let limits = Limits { pixels: 60_000, body: 1 << 20, ..Limits::default() };
    let service = service(Settings { limits, ..Settings::default() });
    let mut originals: Vec<Vec<u8>> =
        FORMATS.iter().map(|&format| file(&blocks(48, 40, 5), format)).collect();
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lineament/tests/fixtures");
    originals.extend(FILES.map(|name| fs::read(files.join(name)).unwrap()));
    let mut statuses = std::collections::BTreeMap::<u16, u32>::new();
    for seed in seeds.clone() {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let answer = ask(&service, request(&originals, &mut random)).await;
        let status = answer.status.as_u16();
        assert_ne!(status, 500, "seed {seed}: {}", answer.text());
        if status >= 400 && status != 405 {
            assert!(answer.problem(status).len() > 10, "seed {seed}");
        }
        *statuses.entry(status).or_default() += 1;
    }
    println!("{} mutants by status: {statuses:?}", seeds.end - seeds.start);
    assert!(
        statuses.contains_key(&200) && statuses.contains_key(&422),
        "some live, some do not: {statuses:?}"
    );
    let counters = get(&service, "/metrics").await.text();
    assert!(counters.contains("lineament_panics_total 0\n"), "{counters}");
    assert_eq!(ask(&service, post("/v1/predict", "image/png", image())).await.status, 200);
}

fn request(originals: &[Vec<u8>], random: &mut ChaCha8Rng) -> Request<Body> {
    let address =
        ["/v1/predict", "/v1/predict", "/v1/locate", "/v1/explain?map=layer"].choose(random).unwrap();
    let image = |random: &mut ChaCha8Rng| {
        let mut bytes = originals.choose(random).unwrap().clone();
        if random.random_bool(0.9) {
            mutate(&mut bytes, random);
        }
        bytes
    };
    let mut request = if random.random_bool(0.3) {
        let images: Vec<Vec<u8>> = (0..random.random_range(0..4)).map(|_| image(random)).collect();
        let named: Vec<(&str, &[u8])> = images.iter().map(|bytes| ("x.jpg", bytes.as_slice())).collect();
        common::form(address, &named)
    } else {
        post(address, "image/jpeg", image(random))
    };
    if random.random_bool(0.25) {
        distort(&mut request, random);
    }
    request
}

/// Flips, cuts, repeats and overwrites bytes, mostly near the head, where sizes stand.
fn mutate(bytes: &mut Vec<u8>, random: &mut ChaCha8Rng) {
    for _ in 0..random.random_range(1..6) {
        let reach = if random.random_bool(0.6) { bytes.len().min(64) } else { bytes.len() };
        if reach == 0 {
            return;
        }
        let at = random.random_range(0..reach);
        match random.random_range(0..6) {
            0 => bytes[at] ^= 1 << random.random_range(0..8),
            1 => bytes[at] = *[0, 1, 0x7f, 0x80, 0xff].choose(random).unwrap(),
            2 => bytes.truncate(at),
            3 => {
                let end = (at + random.random_range(1..32)).min(bytes.len());
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
            4 => {
                let end = (at + random.random_range(1..32)).min(bytes.len());
                bytes.drain(at..end);
            }
            _ => {
                let end = (at + 4).min(bytes.len());
                bytes[at..end].fill(random.random());
            }
        }
    }
}

/// Wrong methods, queries, headers and frames of forms.
fn distort(request: &mut Request<Body>, random: &mut ChaCha8Rng) {
    let text = |random: &mut ChaCha8Rng| -> String {
        let signs = [
            "a",
            "%",
            "&",
            "=",
            "%00",
            "%ff",
            "9",
            ".",
            "-",
            "Smiling",
            ",",
            "NaN",
            "1e999",
            "e",
            "gzip",
            "zstd",
            "%F0%9F%98%80",
        ];
        (0..random.random_range(0..9)).map(|_| *signs.choose(random).unwrap()).collect()
    };
    match random.random_range(0..5) {
        0 => {
            *request.method_mut() =
                [Method::GET, Method::PUT, Method::HEAD, Method::OPTIONS].choose(random).unwrap().clone()
        }
        1 => {
            let keys = ["attributes", "threshold", "operating_point", "map", "face", "neurons", "x"];
            let key = keys.choose(random).unwrap();
            let address = format!("{}?{key}={}", request.uri().path(), text(random));
            if let Ok(uri) = address.parse() {
                *request.uri_mut() = uri;
            }
        }
        2 => {
            let kinds = [
                "multipart/form-data; boundary=",
                "multipart/form-data; boundary=fron",
                "image/",
                "/",
                "text/html",
                "é",
                "",
            ];
            let kind = format!("{}{}", kinds.choose(random).unwrap(), text(random));
            if let Ok(kind) = HeaderValue::from_bytes(kind.as_bytes()) {
                request.headers_mut().insert("content-type", kind);
            }
        }
        3 => {
            let names = [
                "content-length",
                "accept",
                "authorization",
                "origin",
                "transfer-encoding",
                "content-encoding",
                "expect",
            ];
            let name = HeaderName::from_static(names.choose(random).unwrap());
            if let Ok(value) = HeaderValue::from_str(&text(random)) {
                request.headers_mut().insert(name, value);
            }
        }
        _ => {
            let mut body = b"--frontier\r\nContent-Disposition: form-data; name=\"picture\"\r\n\r\nx\r\n--frontier--\r\n".to_vec();
            mutate(&mut body, random);
            *request.body_mut() = Body::from(body);
        }
    }
}
