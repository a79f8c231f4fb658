//! `lineament explain` through the binary.

use crate::common::{Stage, examples, output};
use lineament::testing::blocks;
use predicates::prelude::*;
use serde_json::Value;

fn pages(text: &str) -> Vec<Value> {
    serde_json::from_str(text).unwrap()
}

#[test]
fn explanations_name_answers_regions_and_neurons() {
    let stage = Stage::new();
    let call = ["explain", "photos", "--format", "json", "--attributes", "Smiling,Bald", "--neurons", "3"];
    let reported = pages(&output(&mut stage.with_model(&call)));
    assert_eq!(reported.len(), 3);
    assert_eq!(reported[2]["faces"].as_array().unwrap().len(), 0);
    let attributes = reported[0]["faces"][0]["attributes"].as_array().unwrap();
    assert_eq!(
        attributes.iter().map(|a| a["name"].as_str().unwrap()).collect::<Vec<_>>(),
        ["Smiling", "Bald"]
    );
    let predicted = ["predict", "photos", "--format", "json"];
    let predicted = pages(&output(&mut stage.with_model(&predicted)));
    for attribute in attributes {
        let name = attribute["name"].as_str().unwrap();
        let answer = &predicted[0]["faces"][0]["attributes"][name];
        assert_eq!(attribute["value"], answer["value"]);
        assert!(
            (attribute["probability"].as_f64().unwrap() - answer["probability"].as_f64().unwrap()).abs()
                < 1e-3
        );
        let amounts: Vec<f64> = attribute["strongest"]
            .as_array()
            .unwrap()
            .iter()
            .map(|neuron| neuron["amount"].as_f64().unwrap())
            .collect();
        assert_eq!(amounts.len(), 3);
        assert!(amounts.windows(2).all(|pair| pair[0].abs() >= pair[1].abs()));
        let sum = attribute["bias"].as_f64().unwrap() + amounts.iter().sum::<f64>();
        assert!((attribute["partial_score"].as_f64().unwrap() - sum).abs() < 1e-4);
        assert_eq!(attribute["region_from"], "hidden");
    }
}

#[test]
fn threads_change_nothing_and_text_says_what_json_says() {
    let stage = Stage::new();
    let reported = |threads| output(&mut stage.with_model(&["explain", "photos", "--threads", threads]));
    assert_eq!(reported("1"), reported("3"));
    assert!(reported("2").contains("% of all that was said"));
}

#[test]
fn maps_are_written_over_faces() {
    let stage = Stage::new();
    let call = ["explain", "photos/a.png", "--attributes", "Smiling", "--annotate", "maps"];
    output(&mut stage.with_model(&call));
    assert!(stage.path("maps/a.1.Smiling.png").exists(), "{:?}", stage.listing("maps"));
}

#[test]
fn what_cannot_be_read_or_understood_is_said() {
    let stage = Stage::new();
    stage.photo("good.png", &blocks(60, 60, 3));
    stage
        .with_model(&["explain", "gone.png", "good.png"])
        .assert()
        .code(1)
        .stderr(predicate::str::contains("gone.png"));
    stage
        .with_model(&["explain", "good.png", "--attributes", "Smilling"])
        .assert()
        .code(2)
        .stderr(predicate::str::contains("Smiling"));
}

#[test]
fn the_default_model_finds_a_smile_at_the_mouth() {
    let stage = Stage::new();
    let photo = examples().join("astronaut.png");
    let call = ["explain", photo.to_str().unwrap(), "--attributes", "Smiling", "--format", "json"];
    let reported = pages(&output(&mut stage.lineament(&call)));
    let attribute = &reported[0]["faces"][0]["attributes"][0];
    assert_eq!((&attribute["value"], &attribute["region_from"]), (&true.into(), &"hidden".into()));
    let region = |name: &str| attribute["region"][name].as_f64().unwrap();
    let (x, y) = (region("x") + region("width") / 2.0, region("y") + region("height") / 2.0);
    // The mouth of the astronaut, with as much around it as it is wide.
    assert!((185.0..265.0).contains(&x) && (125.0..185.0).contains(&y), "{x}, {y}");

    let reported = pages(&output(&mut stage.lineament(&[&call[..], &["--regions", "responses"]].concat())));
    assert_eq!(reported[0]["faces"][0]["attributes"][0]["region_from"], "responses");
}
