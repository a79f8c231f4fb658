//! What is answered about pictures.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use axum::body::Body;
use axum::http::{Request, header};
use base64::Engine as _;
use common::{ask, file, form, picture, post, service, tagger};
use image::ImageFormat;
use lineament::json::{Attributes, Face};
use lineament::testing::blocks;
use lineament::{Limits, Photo};
use lineament_server::Settings;
use serde_json::{Value, json};

#[tokio::test]
async fn a_picture_is_answered_as_the_library_answers() {
    let answer = ask(&service(Settings::default()), post("/v1/predict", "image/png", picture())).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header(header::CACHE_CONTROL), "no-store");
    let tagger = tagger();
    let photo = Photo::decode(&picture(), &Limits::default()).unwrap();
    let names = || tagger.card().names();
    let faces: Vec<Face> = tagger
        .tag(&photo)
        .unwrap()
        .iter()
        .map(|face| Face::new(face.rect, face.score, Attributes::of(names(), &face.attributes)))
        .collect();
    assert!(!faces.is_empty());
    assert_eq!(answer.json(), json!({"width": 120, "height": 100, "faces": faces}));
}

#[tokio::test]
async fn a_form_is_answered_by_a_list_and_a_broken_picture_leaves_the_others() {
    let service = service(Settings::default());
    let (good, jpeg) = (picture(), file(&blocks(80, 60, 2), ImageFormat::Jpeg));
    let pictures: [(&str, &[u8]); 3] = [("a.png", &good), ("b.txt", b"no picture"), ("deep/c.jpg", &jpeg)];
    let answer = ask(&service, form("/v1/predict?attributes=Smiling", &pictures)).await;
    assert_eq!(answer.status, 200);
    let told = answer.json();
    let paths: Vec<&Value> = told.as_array().unwrap().iter().map(|picture| &picture["path"]).collect();
    assert_eq!(paths, ["a.png", "b.txt", "deep/c.jpg"]);
    assert_eq!((&told[0]["width"], &told[2]["width"]), (&json!(120), &json!(80)));
    assert_eq!(told[1]["problem"]["status"], 422);
    assert!(told[1]["problem"]["detail"].as_str().unwrap().contains("convert the picture"));
}

#[tokio::test]
async fn attributes_and_thresholds_can_be_chosen() {
    let service = service(Settings::default());
    let ask = async |query: &str| {
        ask(&service, post(&format!("/v1/predict?{query}"), "application/octet-stream", picture())).await
    };
    let text = ask("attributes=Smiling,Bald,Smiling&threshold=0").await;
    let face = &text.json()["faces"][0];
    assert_eq!(face["attributes"].as_object().unwrap().len(), 2);
    assert!(text.text().find("Smiling") < text.text().find("Bald"), "in the order asked for");
    assert_eq!(face["attributes"]["Bald"]["value"], true, "everything is likelier than nothing");
    assert_eq!(ask("operating_point=balanced").await.status, 200);

    assert!(ask("attributes=Smilng").await.problem(400).contains("Smiling"));
    assert!(ask("threshold=NaN").await.problem(400).contains("between 0 and 1"));
    assert!(ask("threshold=1.5").await.problem(400).contains("between 0 and 1"));
    assert!(ask("threshold=0.5&operating_point=balanced").await.problem(400).contains("one of the two"));
    assert!(ask("treshold=0.5").await.problem(400).contains("/docs"));
    assert!(ask("operating_point=best").await.problem(400).contains("balanced"));
}

#[tokio::test]
async fn a_map_comes_with_the_boxes_or_alone() {
    let service = service(Settings::default());
    let answer = ask(&service, post("/v1/locate", "image/png", picture())).await;
    assert_eq!(answer.status, 200);
    let told = answer.json();
    assert!(told["faces"][0]["box"]["x"].is_f64() && told["faces"][0].get("attributes").is_none());
    let png = base64::engine::general_purpose::STANDARD
        .decode(told["response_map"]["png"].as_str().unwrap())
        .unwrap();
    let map = image::load_from_memory(&png).unwrap().into_rgba8();
    assert_eq!(map.dimensions(), (120, 100));
    let clearness: Vec<u8> = map.pixels().map(|pixel| pixel.0[3]).collect();
    let (least, most) = (clearness.iter().min().unwrap(), clearness.iter().max().unwrap());
    assert!(most - least > 100, "clear where it is weak: {least} to {most}");

    let png_only = |address: &str| {
        Request::post(address).header(header::ACCEPT, "image/png").body(Body::from(picture())).unwrap()
    };
    let alone = ask(&service, png_only("/v1/locate")).await;
    assert_eq!((alone.status.as_u16(), alone.header(header::CONTENT_TYPE)), (200, "image/png"));
    assert_eq!(alone.body, png);
    let over = ask(&service, png_only("/v1/locate?map=over")).await;
    assert_eq!(image::load_from_memory(&over.body).unwrap().color(), image::ColorType::Rgb8);

    let mut several = form("/v1/locate", &[("a.png", &picture())]);
    several.headers_mut().insert(header::ACCEPT, "image/png".parse().unwrap());
    assert!(ask(&service, several).await.problem(406).contains("one picture"));
}

#[tokio::test]
async fn what_is_no_picture_is_refused_with_what_to_do() {
    let service = service(Settings::default());
    let ask = async |kind: &str, body: &'static [u8]| ask(&service, post("/v1/predict", kind, body)).await;
    assert!(ask("image/jpeg", b"").await.problem(400).contains("curl"));
    assert!(ask("image/jpeg", b"GIF89a").await.problem(422).contains("again"));
    assert!(ask("application/json", b"{}").await.problem(415).contains("image/jpeg"));
    assert!(ask("multipart/form-data", b"x").await.problem(400).contains("curl -F"));
    assert!(ask("multipart/form-data; boundary=x", b"y").await.problem(400).contains("form"));
    assert!(ask("multipart/form-data; boundary=x", b"--x--\r\n").await.problem(400).contains("no part"));
}
