//! Models that locate or describe in another way than LNets and ANet, through the binary.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::fs;

use common::{Stage, output};
use lineament::Bundle;
use lineament::attributes::facetracer::{Colours, Hog};
use lineament::attributes::{Describer, FaceTracer, Part};
use lineament::bundle::Card;
use lineament::locate::{Detector, Family, LocalizerSpec};
use lineament::testing::{random_parts, tiny_card};
use lineament_net::Precision;
use predicates::str::contains;
use serde_json::Value;

/// FaceTracer on two parts with random SVMs; the detector's file is none.
fn stage(localizer: LocalizerSpec) -> Stage {
    let stage = Stage::new();
    let part = |name: &str, x: f32| Part::new(name, [x, 0.0], [1.5, 1.5], [16, 16]);
    let describer = Describer::Facetracer(FaceTracer {
        parts: vec![part("left", -0.5), part("right", 0.5)],
        hog: Hog::default(),
        colours: Colours::default(),
        colour_weight: 0.5,
        power: 0.5,
    });
    let card = Card { format: Card::FORMAT, localizer, describer, ..tiny_card() };
    let parts = random_parts(&card, 3).unwrap();
    let bundle = Bundle::new(&card, &parts, Precision::F32).unwrap();
    fs::write(stage.path("rival.lineament"), bundle.bytes()).unwrap();
    stage
}

const MODEL: [&str; 2] = ["--model", "rival.lineament"];

#[test]
fn a_model_that_finds_no_faces_is_measured_on_landmarks_and_says_so_elsewhere() {
    let stage = stage(LocalizerSpec::Given);
    for call in [["predict", "photos"], ["locate", "photos"]] {
        let refused = stage.lineament(&call).args(MODEL).assert().code(2).stdout("");
        refused.stderr(contains("finds no faces")).stderr(contains("--region landmarks"));
    }
    output(&mut stage.lineament(&["draw", "--output", "drawn", "--people", "12", "--pictures", "2"]));
    let call = ["evaluate", "--data", "drawn/celeba", "--region", "landmarks", "--format", "json"];
    let figures: Value = serde_json::from_str(&output(stage.lineament(&call).args(MODEL))).unwrap();
    assert_eq!((&figures["images"], figures["attributes"].as_array().unwrap().len()), (&Value::from(4), 40));
    let call = ["evaluate", "--data", "drawn/celeba", "--region", "located"];
    stage.lineament(&call).args(MODEL).assert().code(2).stderr(contains("finds no faces"));
}

#[test]
fn a_rival_is_shown_and_verified_but_not_exported_or_explained() {
    let stage = stage(LocalizerSpec::Given);
    let shown = output(stage.lineament(&["model", "show"]).args(MODEL));
    for said in ["landmarks", "FaceTracer", "40 attributes"] {
        assert!(shown.contains(said), "{said} in\n{shown}");
    }
    let json = output(stage.lineament(&["model", "show", "--format", "json"]).args(MODEL));
    let card: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&card["format"], &card["describer"]["kind"]), (&Value::from(2), &Value::from("facetracer")));
    assert!(output(stage.lineament(&["model", "verify"]).args(MODEL)).contains("sound: tiny"));
    let refused = stage.lineament(&["export", "--onnx", "graphs"]).args(MODEL).assert().code(2);
    refused.stderr(contains("LNets and ANet"));
    let refused = stage.lineament(&["explain", "photos/a.png"]).args(MODEL).assert().code(2);
    refused.stderr(contains("ANet"));
}

#[test]
fn a_detector_that_this_program_cannot_run_is_refused_with_advice() {
    let stage = stage(LocalizerSpec::Detector(Detector::of(Family::Yunet)));
    let refused = stage.lineament(&["predict", "photos"]).args(MODEL).assert().code(2).stdout("");
    // The file is empty, for those that can.
    let said = if cfg!(feature = "rivals") {
        "the detector in the bundle cannot be used"
    } else {
        "--features rivals"
    };
    refused.stderr(contains(said));
    let shown = output(stage.lineament(&["model", "show"]).args(MODEL));
    assert!(shown.contains("yunet"), "{shown}");
}
