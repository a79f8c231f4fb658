//! What is answered about images.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use axum::body::Body;
use axum::http::{Request, header};
use base64::Engine as _;
use common::{ask, file, form, image, post, service, tagger};
use image::ImageFormat;
use lineament::explain::ExplainOptions;
use lineament::testing::blocks;
use lineament::{Photo, Selection};
use lineament_server::Settings;
use serde_json::{Value, json};

#[tokio::test]
async fn an_image_is_answered_as_the_library_answers() {
    let answer = ask(&service(Settings::default()), post("/v1/predict", "image/png", image())).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header(header::CACHE_CONTROL), "no-store");
    let prediction = tagger(1).predict(image()).unwrap();
    assert!(!prediction.faces.is_empty());
    assert_eq!(answer.json(), json!(prediction));
    assert_eq!(
        answer.json(),
        json!({"width": 120, "height": 100, "faces": prediction.faces, "faces_left_out": 0})
    );
}

#[tokio::test]
async fn a_form_is_answered_by_a_list_and_a_broken_image_leaves_the_others() {
    let service = service(Settings::default());
    let (good, jpeg) = (image(), file(&blocks(80, 60, 2), ImageFormat::Jpeg));
    let images: [(&str, &[u8]); 3] = [("a.png", &good), ("b.txt", b"no picture"), ("deep/c.jpg", &jpeg)];
    let answer = ask(&service, form("/v1/predict?attributes=Smiling", &images)).await;
    assert_eq!(answer.status, 200);
    let reported = answer.json();
    let paths: Vec<&Value> = reported.as_array().unwrap().iter().map(|image| &image["path"]).collect();
    assert_eq!(paths, ["a.png", "b.txt", "deep/c.jpg"]);
    assert_eq!((&reported[0]["width"], &reported[2]["width"]), (&json!(120), &json!(80)));
    assert_eq!(reported[1]["problem"]["status"], 422);
    assert!(reported[1]["problem"]["detail"].as_str().unwrap().contains("convert the picture"));
}

#[tokio::test]
async fn attributes_and_thresholds_can_be_chosen() {
    let service = service(Settings::default());
    let ask = async |query: &str| {
        ask(&service, post(&format!("/v1/predict?{query}"), "application/octet-stream", image())).await
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
async fn landmarks_quality_and_doubt_are_told_where_they_are_asked_for() {
    let service = service(Settings::default());
    let photo = file(&blocks(300, 260, 3), ImageFormat::Png);
    let ask = async |query: &str| {
        let path = format!("/v1/predict?attributes=Bald&{query}");
        ask(&service, post(&path, "image/png", photo.clone())).await
    };
    let plain = ask("max_faces=9").await.json();
    let face = &plain["faces"][0];
    assert!(["landmarks", "pose", "quality"].iter().all(|name| face.get(name).is_none()), "{face}");
    assert!(plain.get("faces_of_low_quality").is_none());
    let whole = ask("landmarks=true&quality=true&abstain=1").await.json();
    let face = &whole["faces"][0];
    assert!(face["landmarks"]["nose"].is_array() && face["pose"]["yaw"].is_number(), "{face}");
    assert!((0.0..=1.0).contains(&face["quality"].as_f64().unwrap()), "{face}");
    assert!(face["attributes"]["Bald"]["value"].is_null(), "{face}");
    let none = ask("least_quality=1").await.json();
    assert_eq!(none["faces"].as_array().unwrap().len(), 0);
    assert_eq!(none["faces_of_low_quality"].as_u64(), Some(plain["faces"].as_array().unwrap().len() as u64));
    for wrong in ["least_quality=1.5", "abstain=-1", "abstain=NaN"] {
        assert!(ask(wrong).await.problem(400).contains("between 0 and 1"), "{wrong}");
    }
}

#[tokio::test]
async fn the_faces_that_are_looked_for_can_be_chosen() {
    let service = service(Settings::default());
    // More than one face is found here.
    let photo = file(&blocks(300, 260, 3), ImageFormat::Png);
    let ask = async |route: &str, query: &str| {
        ask(&service, post(&format!("/v1/{route}?{query}"), "image/png", photo.clone())).await
    };
    let counts = |answer: &Value| {
        (answer["faces"].as_array().unwrap().len() as u64, answer["faces_left_out"].as_u64().unwrap())
    };
    let all = ask("predict", "attributes=Bald").await.json();
    let (found, _) = counts(&all);
    assert!(found > 1, "{all}");
    let heights = |answer: &Value| -> Vec<f64> {
        answer["faces"]
            .as_array()
            .unwrap()
            .iter()
            .map(|face| face["box"]["height"].as_f64().unwrap())
            .collect()
    };
    let tallest = heights(&all).into_iter().fold(0.0, f64::max);
    for route in ["predict", "locate", "explain"] {
        let one = ask(route, "max_faces=1").await.json();
        assert_eq!(counts(&one), (1, found - 1), "{route}");
        assert_eq!(one["faces"][0]["box"], all["faces"][0]["box"], "the best");
        let large = ask(route, &format!("smallest_face={}", tallest - 0.1)).await.json();
        assert!(heights(&large).iter().all(|height| height + 0.2 >= tallest), "{route}: {large}");
        assert!((1..found).contains(&counts(&large).0), "{route}: {large}");
        assert_eq!(ask(route, "any_orientation=true&smallest_face=2.5%25").await.status, 200);

        assert!(ask(route, "max_faces=0").await.problem(400).contains("1 or more"));
        assert!(ask(route, "max_faces=-3").await.problem(400).contains("max_faces"));
        for wrong in ["0", "-3", "200%25", "abc"] {
            let said = ask(route, &format!("smallest_face={wrong}")).await.problem(400);
            assert!(said.contains("smallest_face: ") && said.contains("give "), "{wrong}: {said}");
        }
        assert!(ask(route, "any_orientation=maybe").await.problem(400).contains("any_orientation"));
    }
}

#[tokio::test]
async fn a_map_comes_with_the_boxes_or_alone() {
    let service = service(Settings::default());
    let answer = ask(&service, post("/v1/locate", "image/png", image())).await;
    assert_eq!(answer.status, 200);
    let reported = answer.json();
    assert!(reported["faces"][0]["box"]["x"].is_f64() && reported["faces"][0].get("attributes").is_none());
    let png = base64::engine::general_purpose::STANDARD
        .decode(reported["response_map"]["png"].as_str().unwrap())
        .unwrap();
    let map = image::load_from_memory(&png).unwrap().into_rgba8();
    assert_eq!(map.dimensions(), (120, 100));
    let clearness: Vec<u8> = map.pixels().map(|pixel| pixel.0[3]).collect();
    let (least, most) = (clearness.iter().min().unwrap(), clearness.iter().max().unwrap());
    assert!(most - least > 100, "clear where it is weak: {least} to {most}");

    let png_only = |address: &str| {
        Request::post(address).header(header::ACCEPT, "image/png").body(Body::from(image())).unwrap()
    };
    let alone = ask(&service, png_only("/v1/locate")).await;
    assert_eq!((alone.status.as_u16(), alone.header(header::CONTENT_TYPE)), (200, "image/png"));
    assert_eq!(alone.body, png);
    let over = ask(&service, png_only("/v1/locate?map=over")).await;
    assert_eq!(image::load_from_memory(&over.body).unwrap().color(), image::ColorType::Rgb8);

    let mut several = form("/v1/locate", &[("a.png", &image())]);
    several.headers_mut().insert(header::ACCEPT, "image/png".parse().unwrap());
    assert!(ask(&service, several).await.problem(406).contains("one picture"));
}

#[tokio::test]
async fn explanations_are_those_of_the_library() {
    let service = service(Settings::default());
    let ask =
        async |query: &str| ask(&service, post(&format!("/v1/explain?{query}"), "image/png", image())).await;
    let smiling = Selection { attributes: Some(vec!["Smiling".to_owned()]), ..Selection::default() };
    let tagger = tagger(1).with(&smiling).unwrap();
    let faces = tagger.locate(image()).unwrap();
    let options = ExplainOptions { neurons: 2, ..ExplainOptions::default() };
    let reported = ask("attributes=Smiling&neurons=2").await.json();
    let expected: Vec<Value> = (1..)
        .zip(&faces)
        .map(|(number, face)| {
            let one = tagger.explain(image(), face, &options).unwrap().remove(0);
            // Through text, as the answer: numbers of four bytes are written with fewer digits.
            let text = serde_json::to_string(&one).unwrap();
            let mut one: Value = serde_json::from_str(&text).unwrap();
            one["face"] = json!(number);
            one
        })
        .collect();
    assert_eq!(reported["explanations"], json!(expected));
    assert_eq!(reported["faces"].as_array().unwrap().len(), faces.len());

    let all = ask("face=1").await.json();
    let all = all["explanations"].as_array().unwrap();
    assert_eq!(all.len(), 40);
    assert!(all.iter().all(|one| one["face"] == 1 && one.get("map").is_none()));
    assert!(ask("face=0").await.problem(400).contains("from 1"));
    assert!(ask("face=99").await.problem(422).contains("face 99"));
    assert!(ask("attributes=Smilng").await.problem(400).contains("Smiling"));
    assert!(ask("map=yes").await.problem(400).contains("layer"));
}

#[tokio::test]
async fn a_map_of_an_attribute_covers_its_box() {
    let service = service(Settings::default());
    let asked = "/v1/explain?face=1&attributes=Smiling&map=layer";
    let reported = ask(&service, post(asked, "image/png", image())).await.json();
    let map = &reported["explanations"][0]["map"];
    let side = |name: &str| map["box"][name].as_f64().unwrap();
    let region = &reported["explanations"][0]["region"];
    for (start, length) in [("x", "width"), ("y", "height")] {
        let inside = |name: &str| region[name].as_f64().unwrap();
        assert!(inside(start) >= side(start) - 0.2);
        assert!(inside(start) + inside(length) <= side(start) + side(length) + 0.2);
    }
    let png = base64::engine::general_purpose::STANDARD.decode(map["png"].as_str().unwrap()).unwrap();
    let layer = image::load_from_memory(&png).unwrap();
    assert_eq!(layer.color(), image::ColorType::Rgba8);
    assert_eq!(json!([layer.width(), layer.height()]), json!([map["width"], map["height"]]));

    let alone = |query: &str| {
        Request::post(format!("/v1/explain?{query}"))
            .header(header::ACCEPT, "image/png")
            .body(Body::from(image()))
            .unwrap()
    };
    let same = ask(&service, alone("face=1&attributes=Smiling")).await;
    assert_eq!((same.header(header::CONTENT_TYPE), &same.body[..]), ("image/png", &png[..]));
    let over = ask(&service, alone("face=1&attributes=Smiling&map=over")).await;
    assert_eq!(image::load_from_memory(&over.body).unwrap().color(), image::ColorType::Rgb8);
    assert!(
        ask(&service, alone("face=1&attributes=Smiling,Bald")).await.problem(406).contains("2 are asked")
    );
    let grey = file(&Photo::filled(60, 60, [90; 3]), ImageFormat::Png);
    let mut none = alone("attributes=Smiling");
    *none.body_mut() = Body::from(grey);
    assert!(ask(&service, none).await.problem(422).contains("no face"));
}

#[tokio::test]
async fn what_is_no_image_is_refused_with_what_to_do() {
    let service = service(Settings::default());
    let ask = async |kind: &str, body: &'static [u8]| ask(&service, post("/v1/predict", kind, body)).await;
    assert!(ask("image/jpeg", b"").await.problem(400).contains("curl"));
    assert!(ask("image/jpeg", b"GIF89a").await.problem(422).contains("again"));
    assert!(ask("application/json", b"{}").await.problem(422).contains("looks like text"));
    assert!(
        ask("multipart/mixed; boundary=x", b"--x--\r\n").await.problem(415).contains("multipart/form-data")
    );
    assert!(ask("multipart/form-data", b"x").await.problem(400).contains("curl -F"));
    assert!(ask("multipart/form-data; boundary=x", b"y").await.problem(400).contains("form"));
    assert!(ask("multipart/form-data; boundary=x", b"--x--\r\n").await.problem(400).contains("no picture"));
}
