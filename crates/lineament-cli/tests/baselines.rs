//! Models that locate or describe in another way than LNets and ANet, through the binary.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::collections::BTreeMap;
use std::fs;

use common::{Stage, output};
use lineament::Bundle;
use lineament::attributes::{CustomExtractor, Extractor};
use lineament::bundle::Card;
use lineament::locate::{Detector, Family, LocalizerSpec};
use lineament::testing::{random_parts, tiny_card};
use lineament_net::Precision;
use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;
use serde_json::{Value, json};

/// FaceTracer on two parts with random SVMs.
fn stage(localizer: LocalizerSpec) -> Stage {
    let stage = Stage::new();
    let part = |name: &str, x: f32| json!({ "name": name, "centre": [x, 0.0], "size": [1.5, 1.5], "pixels": [16, 16] });
    let extractor = Extractor::Custom(CustomExtractor {
        kind: "facetracer".to_owned(),
        about: "FaceTracer: gradients and colours in parts of the face that landmarks place".to_owned(),
        features: 456,
        nets: BTreeMap::new(),
        settings: json!({ "parts": [part("left", -0.5), part("right", 0.5)], "colour_weight": 0.5, "power": 0.5 }),
    });
    let card = Card { format: Card::FORMAT, localizer, extractor, ..tiny_card() };
    write(&stage, &card);
    stage
}

/// A bundle of the card with random weights.
fn write(stage: &Stage, card: &Card) {
    let parts = random_parts(card, 3).unwrap();
    let bundle = Bundle::new(card, &parts, Precision::F32).unwrap();
    fs::write(stage.path("baseline.lineament"), bundle.bytes()).unwrap();
}

const MODEL: [&str; 2] = ["--model", "baseline.lineament"];

#[cfg(not(feature = "train"))]
#[test]
fn a_build_without_training_says_what_runs_a_baseline() {
    let stage = stage(LocalizerSpec::Given);
    let call = ["evaluate", "--data", "photos", "--region", "landmarks"];
    stage.lineament(&call).args(MODEL).assert().code(2).stderr(contains("--features train"));
}

#[test]
fn a_model_that_finds_no_faces_says_so_where_faces_are_looked_for() {
    let stage = stage(LocalizerSpec::Given);
    for call in [["predict", "photos"], ["locate", "photos"]] {
        let refused = stage.lineament(&call).args(MODEL).assert().code(2).stdout("");
        refused.stderr(contains("finds no faces")).stderr(contains("--region landmarks"));
    }
}

#[cfg(feature = "train")]
#[test]
fn a_model_that_finds_no_faces_is_measured_on_landmarks() {
    let stage = stage(LocalizerSpec::Given);
    output(&mut stage.lineament(&["draw", "--output", "drawn", "--people", "12", "--pictures", "2"]));
    let call = ["evaluate", "--data", "drawn/celeba", "--region", "landmarks", "--format", "json"];
    let figures: Value = serde_json::from_str(&output(stage.lineament(&call).args(MODEL))).unwrap();
    assert_eq!((&figures["images"], figures["attributes"].as_array().unwrap().len()), (&Value::from(4), 40));
    let call = ["evaluate", "--data", "drawn/celeba", "--region", "located"];
    stage.lineament(&call).args(MODEL).assert().code(2).stderr(contains("finds no faces"));
}

#[test]
fn a_baseline_is_shown_and_verified_but_not_exported_or_explained() {
    let stage = stage(LocalizerSpec::Given);
    let shown = output(stage.lineament(&["model", "show"]).args(MODEL));
    for said in ["landmarks", "FaceTracer", "40 attributes"] {
        assert!(shown.contains(said), "{said} in\n{shown}");
    }
    let json = output(stage.lineament(&["model", "show", "--format", "json"]).args(MODEL));
    let card: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&card["format"], &card["describer"]["kind"]), (&Value::from(2), &Value::from("facetracer")));
    let verified = stage.lineament(&["model", "verify"]).args(MODEL).assert();
    if cfg!(feature = "train") {
        verified.success().stdout(contains("sound: tiny"));
    } else {
        // What makes its vectors is not in this build.
        verified.code(2).stderr(contains("FaceTracer").and(contains("--features train")));
    }
    let refused = stage.lineament(&["export", "--onnx", "graphs"]).args(MODEL).assert().code(2);
    refused.stderr(contains("LNets and ANet"));
    let refused = stage.lineament(&["explain", "photos/a.png"]).args(MODEL).assert().code(2);
    refused.stderr(contains("ANet"));
}

#[test]
fn a_detector_that_cannot_be_run_is_refused() {
    let stage = Stage::new();
    let localizer = LocalizerSpec::Detector(Detector::of(Family::Yunet));
    let card = Card { format: Card::FORMAT, localizer, ..tiny_card() };
    write(&stage, &card);
    let refused = stage.lineament(&["predict", "photos"]).args(MODEL).assert().code(2).stdout("");
    // The file is empty.
    refused.stderr(contains("the detector cannot be used"));
    let shown = output(stage.lineament(&["model", "show"]).args(MODEL));
    assert!(shown.contains("yunet"), "{shown}");
}
