//! What is told about the service itself: health, counters, description, pages.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use axum::body::Body;
use axum::http::{Request, header};
use common::{ask, get, image, post, service};
use lineament_server::Settings;

#[tokio::test]
async fn a_service_that_is_about_to_stop_says_so() {
    let service = service(Settings::default());
    assert_eq!(get(&service, "/readyz").await.text(), "ready\n");
    service.stop();
    assert!(get(&service, "/readyz").await.problem(503).contains("about to stop"));
    assert_eq!(get(&service, "/healthz").await.text(), "ok\n");
    let answer = ask(&service, post("/v1/predict", "image/png", image())).await;
    assert_eq!(answer.status, 200, "whoever is here already is answered");
}

#[tokio::test]
async fn addresses_and_methods_that_are_not_there_are_problems() {
    let service = service(Settings::default());
    assert!(get(&service, "/v2/predict").await.problem(404).contains("/docs"));
    let wrong = get(&service, "/v1/predict").await;
    assert!(wrong.problem(405).contains("Allow"));
    assert_eq!(wrong.header(header::ALLOW), "POST");
}

#[tokio::test]
async fn the_model_says_what_it_tells_and_what_labels_are() {
    let model = get(&service(Settings::default()), "/v1/model").await.json();
    assert_eq!(model["name"], "tiny");
    assert_eq!(model["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(model["attributes"].as_array().unwrap().len(), 40);
    let attribute = &model["attributes"][31];
    assert_eq!(attribute["name"], "Smiling");
    assert!(attribute["accuracy"].as_f64().unwrap() > attribute["balanced"].as_f64().unwrap());
    assert!(model["labels"].as_str().unwrap().contains("Nobody is identified"));
    assert_eq!(model["card"]["attributes"].as_array().unwrap().len(), 40);
}

#[tokio::test]
async fn counters_tell_requests_stages_and_the_queue() {
    let service = service(Settings::default());
    ask(&service, post("/v1/predict", "image/png", image())).await;
    ask(&service, post("/v1/locate", "image/png", image())).await;
    ask(&service, post("/v1/predict", "image/png", "GIF89a")).await.problem(422);
    let answer = get(&service, "/metrics").await;
    assert!(answer.header(header::CONTENT_TYPE).starts_with("application/openmetrics-text"));
    let text = answer.text();
    for line in [
        "lineament_requests_total{route=\"/v1/predict\",status=\"200\"} 1",
        "lineament_requests_total{route=\"/v1/predict\",status=\"422\"} 1",
        "lineament_request_seconds_count{route=\"/v1/locate\"} 1",
        "lineament_stage_seconds_count{stage=\"wait\"} 3",
        "lineament_stage_seconds_count{stage=\"decode\"} 3",
        "lineament_stage_seconds_count{stage=\"locate\"} 2",
        "lineament_stage_seconds_count{stage=\"attributes\"} 1",
        "lineament_stage_seconds_count{stage=\"map\"} 1",
        "lineament_pictures_total{outcome=\"read\"} 2",
        "lineament_pictures_total{outcome=\"refused\"} 1",
        "lineament_queue_pictures 0",
        "lineament_panics_total 0",
        "# EOF",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
}

#[tokio::test]
async fn the_description_is_openapi_3_1_and_every_address_in_it_answers() {
    let service = service(Settings::default());
    let text = get(&service, "/openapi.json").await;
    let document = text.json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let text = text.text();
    let mut references: Vec<&str> =
        text.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    references.sort_unstable();
    references.dedup();
    assert!(references.len() > 5);
    for reference in references {
        assert!(document.pointer(reference).is_some(), "{reference} leads nowhere");
    }
    // Two things of one name would share one description.
    let described = |name: &str| document["components"]["schemas"][name].to_string();
    assert!(described("Attribute").contains("probability"));
    assert!(described("Explanation").contains("region_from"));
    let paths = document["paths"].as_object().unwrap();
    for route in ["/v1/predict", "/v1/locate", "/v1/explain"] {
        let parameters = paths[route]["post"]["parameters"].as_array().unwrap();
        for name in ["smallest_face", "max_faces", "any_orientation"] {
            assert!(parameters.iter().any(|parameter| parameter["name"] == name), "{route} has no {name}");
        }
    }
    for expected in
        ["/v1/predict", "/v1/locate", "/v1/explain", "/v1/model", "/healthz", "/readyz", "/metrics"]
    {
        assert!(paths.contains_key(expected), "{expected} is not described");
    }
    for (path, item) in paths {
        for method in item.as_object().unwrap().keys() {
            let method = method.to_uppercase();
            let request = Request::builder().method(method.as_str()).uri(path);
            let status = ask(&service, request.body(Body::from(image())).unwrap()).await.status;
            assert_eq!(status, 200, "{method} {path}");
        }
    }
}

/// Everything that a page names, and what they name.
#[tokio::test]
async fn pages_load_what_is_here_and_nothing_else() {
    let service = service(Settings::default());
    let mut todo = vec!["/".to_owned(), "/docs".to_owned()];
    let mut seen = Vec::new();
    while let Some(address) = todo.pop() {
        if seen.contains(&address) {
            continue;
        }
        let answer = get(&service, &address).await;
        assert_eq!(answer.status, 200, "{address}");
        let policy = answer.header(header::CONTENT_SECURITY_POLICY);
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
        if let Ok(text) = std::str::from_utf8(&answer.body) {
            // The one address of another host is a name: that of SVG.
            let foreign = text.replace("http://www.w3.org/2000/svg", "");
            assert!(!foreign.contains("http://") && !foreign.contains("https://"), "{address}");
            let named = text.split('"').filter(|word| word.starts_with("/page/"));
            todo.extend(named.map(str::to_owned));
        }
        seen.push(address);
    }
    assert!(seen.len() >= 10, "{seen:?}");
}
