//! What is told about the service itself: health, counters, description, pages.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use axum::body::Body;
use axum::http::{Request, header};
use common::{ask, get, image, post, service};
use lineament::Photo;
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
        let form =
            &paths[route]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]["properties"];
        for name in ["smallest_face", "max_faces", "any_orientation"] {
            let parameter = parameters.iter().find(|parameter| parameter["name"] == name).unwrap();
            assert_eq!(form[name], parameter["schema"], "{route}");
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

/// Everything that pages name, and what they name, as browsers find it from the page's own address.
#[tokio::test]
async fn pages_load_what_is_here_and_nothing_else_below_any_path() {
    let below = service(Settings { prefix: "/photos/faces".parse().unwrap(), ..Settings::default() });
    for (service, home) in [(&service(Settings::default()), "/"), (&below, "/photos/faces/"), (&below, "/")] {
        let mut todo = vec![home.to_owned(), format!("{home}docs")];
        let mut seen = Vec::new();
        while let Some(address) = todo.pop() {
            if seen.contains(&address) {
                continue;
            }
            let answer = get(service, &address).await;
            assert_eq!(answer.status, 200, "{address}");
            let policy = answer.header(header::CONTENT_SECURITY_POLICY);
            assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
            assert_eq!(answer.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
            if let Ok(text) = std::str::from_utf8(&answer.body) {
                // The one address of another host is a name: that of SVG.
                let foreign = text.replace("http://www.w3.org/2000/svg", "");
                assert!(!foreign.contains("http://") && !foreign.contains("https://"), "{address}");
                assert!(
                    !["\"/", "`/"].iter().any(|root| text.contains(root)),
                    "{address} names what is not below it"
                );
                // Scripts name each other from where they lie, everything else is named from the page.
                let named = text.split(['"', '`']).filter_map(|word| {
                    let folder = address.rsplit_once('/').unwrap().0;
                    let script = word.strip_prefix("./").filter(|word| word.ends_with(".js"));
                    script
                        .map(|word| format!("{folder}/{word}"))
                        .or_else(|| word.starts_with("page/").then(|| format!("{home}{word}")))
                });
                todo.extend(named);
            }
            seen.push(address);
        }
        assert!(seen.len() >= 12, "{seen:?}");
    }
}

#[tokio::test]
async fn a_proxy_may_keep_a_prefix_or_strip_it() {
    let service = service(Settings { prefix: "/faces".parse().unwrap(), ..Settings::default() });
    let moved = get(&service, "/faces").await;
    assert_eq!((moved.status.as_u16(), moved.header(header::LOCATION)), (308, "/faces/"));
    for address in ["/faces/v1/predict?attributes=Bald", "/v1/predict?attributes=Bald"] {
        let answer = ask(&service, post(address, "image/png", image())).await.json();
        assert_eq!(answer["faces"][0]["attributes"].as_object().unwrap().len(), 1, "{address}");
    }
    let counters = get(&service, "/faces/metrics").await.text();
    assert!(
        counters.contains("lineament_requests_total{route=\"/v1/predict\",status=\"200\"} 2"),
        "{counters}"
    );
    get(&service, "/facesome/healthz").await.problem(404);
    let document = get(&service, "/faces/openapi.json").await.json();
    assert_eq!(document["servers"], serde_json::json!([{"url": "/faces"}]));
}

#[tokio::test]
async fn pages_and_description_name_the_formats_that_are_read() {
    let service = service(Settings::default());
    for address in ["/page/service.js", "/openapi.json"] {
        assert!(get(&service, address).await.text().contains(Photo::FORMATS), "{address}");
    }
}
