//! `--landmarks` through the binary: in every format, and refused where a model knows none.

use crate::common::{Stage, output};
use lineament::testing::{random_parts, tiny_card};
use lineament::{Bundle, Card};
use lineament_net::Precision;
use predicates::prelude::*;
use serde_json::Value;

const CALL: [&str; 5] = ["predict", "photos/a.png", "--landmarks", "--attributes", "Smiling"];

#[test]
fn json_names_landmarks_and_the_pose_and_has_neither_unless_asked() {
    let stage = Stage::new();
    let answer = |arguments: &[&str]| -> Value {
        serde_json::from_str(&output(&mut stage.with_model(arguments))).unwrap()
    };
    let face = &answer(&[&CALL[..], &["--format", "json"]].concat())[0]["faces"][0];
    let names: Vec<&String> = face["landmarks"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["left_eye", "left_mouth", "nose", "right_eye", "right_mouth"], "sorted by the reader");
    assert!(face["landmarks"]["nose"].as_array().unwrap().iter().all(Value::is_f64));
    let angles: Vec<&String> = face["pose"].as_object().unwrap().keys().collect();
    assert_eq!(angles, ["pitch", "roll", "yaw"]);
    let bare = &answer(&["predict", "photos/a.png", "--format", "json"])[0]["faces"][0];
    assert!(bare.get("landmarks").is_none() && bare.get("pose").is_none());
}

#[test]
fn tables_have_two_columns_a_landmark_and_two_angles_behind_the_attributes() {
    let stage = Stage::new();
    let csv = output(&mut stage.with_model(&[&CALL[..], &["--format", "csv"]].concat()));
    let (header, row) = csv.split_once('\n').unwrap();
    assert!(header.ends_with("Smiling,Smiling_probability,left_eye_x,left_eye_y,right_eye_x,right_eye_y,nose_x,nose_y,left_mouth_x,left_mouth_y,right_mouth_x,right_mouth_y,yaw,pitch"), "{header}");
    let cells: Vec<&str> = row.lines().next().unwrap().split(',').collect();
    assert_eq!(cells.len(), header.split(',').count());
    assert!(cells[cells.len() - 12..].iter().all(|cell| cell.parse::<f32>().is_ok()), "{row}");

    stage.with_model(&[&CALL[..], &["--output", "faces.parquet"]].concat()).assert().code(0);
    let table = lineament_data::columns::ParquetFile::open(&stage.path("faces.parquet")).unwrap();
    assert!(table.names().contains(&"right_mouth_y") && table.names().last() == Some(&"pitch"));

    let text = output(&mut stage.with_model(&CALL));
    assert!(text.contains("looks "), "{text}");
}

#[test]
fn coco_has_landmarks_as_keypoints() {
    let stage = Stage::new();
    let call = |options: &[&'static str]| -> Value {
        serde_json::from_str(&output(&mut stage.with_model(&[options, &["--format", "coco"]].concat())))
            .unwrap()
    };
    let marked = call(&CALL);
    assert_eq!(marked["categories"][0]["keypoints"].as_array().unwrap().len(), 5);
    let annotation = &marked["annotations"][0];
    assert_eq!(
        (annotation["keypoints"].as_array().unwrap().len(), &annotation["num_keypoints"]),
        (15, &Value::from(5))
    );
    assert!(annotation["pose"]["yaw"].is_number(), "{annotation}");
    let bare = call(&["predict", "photos/a.png"]);
    assert!(bare["categories"][0].get("keypoints").is_none() && bare["annotations"][0].get("pose").is_none());
}

#[test]
fn shards_of_landmarks_are_another_run() {
    let stage = Stage::new();
    stage.with_model(&["predict", "photos", "--shards", "shards", "--landmarks"]).assert().code(0);
    stage
        .with_model(&["predict", "photos", "--shards", "shards"])
        .assert()
        .code(2)
        .stderr(predicate::str::contains("landmarks"));
}

#[test]
fn a_model_without_landmarks_says_so() {
    let stage = Stage::new();
    let card = Card { landmarks: None, ..tiny_card() };
    let bundle = Bundle::new(&card, &random_parts(&card, 7).unwrap(), Precision::F32).unwrap();
    bundle.write(&stage.path("without.lineament")).unwrap();
    stage
        .lineament(&["predict", "photos/a.png", "--landmarks", "--model", "without.lineament"])
        .assert()
        .code(2)
        .stderr(
            predicate::str::contains("finds no landmarks")
                .and(predicate::str::contains("--attributes").not()),
        );
}
