//! `--quality`, `--least-quality` and `--abstain` through the binary: in every format, and refused where a model does not tell.

use crate::common::{Stage, output};
use lineament::testing::{random_parts, tiny_card};
use lineament::{Bundle, Card};
use lineament_net::Precision;
use predicates::prelude::*;
use serde_json::Value;

const CALL: [&str; 4] = ["predict", "photos/a.png", "--attributes", "Smiling,Bald"];

fn json(stage: &Stage, options: &[&str]) -> Value {
    let call = [&CALL[..], &["--format", "json"], options].concat();
    serde_json::from_str::<Value>(&output(&mut stage.with_model(&call))).unwrap()[0].take()
}

#[test]
fn every_format_has_the_quality_where_it_was_asked_for() {
    let stage = Stage::new();
    let quality = json(&stage, &["--quality"])["faces"][0]["quality"].as_f64().unwrap();
    assert!((0.0..=1.0).contains(&quality), "{quality}");
    assert!(json(&stage, &[])["faces"][0].get("quality").is_none());

    let csv = output(&mut stage.with_model(&[&CALL[..], &["--quality", "--format", "csv"]].concat()));
    let (header, row) = csv.split_once('\n').unwrap();
    assert!(header.ends_with("Bald,Bald_probability,quality"), "{header}");
    assert_eq!(row.lines().next().unwrap().rsplit(',').next().unwrap(), format!("{quality:.4}"));

    stage.with_model(&[&CALL[..], &["--quality", "--output", "faces.parquet"]].concat()).assert().code(0);
    let table = lineament_data::columns::ParquetFile::open(&stage.path("faces.parquet")).unwrap();
    assert_eq!(table.names().last(), Some(&"quality"));
    let text = output(&mut stage.with_model(&[&CALL[..], &["--quality"]].concat()));
    let shown: f64 = text.split_once("quality ").unwrap().1.lines().next().unwrap().parse().unwrap();
    // Both are rounded, each to its own digits.
    assert!((shown - quality).abs() < 0.000_6, "{shown}, {quality}");
    let coco = output(&mut stage.with_model(&[&CALL[..], &["--quality", "--format", "coco"]].concat()));
    let coco: Value = serde_json::from_str(&coco).unwrap();
    assert_eq!(coco["annotations"][0]["quality"].as_f64(), Some(quality));
}

#[test]
fn faces_of_a_lower_quality_are_left_out_and_counted() {
    let stage = Stage::new();
    let all = json(&stage, &["--least-quality", "0"]);
    let found = all["faces"].as_array().unwrap().len();
    assert_eq!((all["faces_of_low_quality"].as_u64(), found > 0), (Some(0), true));
    let none = json(&stage, &["--least-quality", "1"]);
    assert_eq!(none["faces"].as_array().unwrap().len(), 0);
    assert_eq!(none["faces_of_low_quality"].as_u64(), Some(found as u64));
    let text = output(&mut stage.with_model(&[&CALL[..], &["--least-quality", "1"]].concat()));
    let said = if found == 1 {
        "1 face left out by --least-quality".to_owned()
    } else {
        format!("{found} faces left out by --least-quality")
    };
    assert_eq!(text.matches(&said).count(), 2, "under the photo and in the sum: {text}");
}

#[test]
fn tables_say_how_many_faces_are_left_out_by_their_quality() {
    let stage = Stage::new();
    let call =
        |options: &[&'static str]| [&["predict", "photos", "--least-quality", "1"][..], options].concat();
    let csv = stage.with_model(&call(&["--format", "csv"])).assert().code(0);
    let (header, notes) = (csv.get_output().stdout.clone(), csv.get_output().stderr.clone());
    assert!(String::from_utf8(header).unwrap().trim_end().ends_with(",quality,faces_of_low_quality"));
    assert!(String::from_utf8(notes).unwrap().contains("left out by --least-quality"));
    let one = ["predict", "photos/a.png", "--least-quality", "1", "--output", "faces.parquet"];
    stage.with_model(&one).assert().code(0).stderr(predicate::str::contains("left out by --least-quality"));
    let shards = stage.with_model(&call(&["--shards", "shards"])).assert().code(0);
    shards.stderr(predicate::str::contains("left out by --least-quality"));
    let shard = stage.listing("shards").into_iter().find(|name| name.ends_with(".parquet")).unwrap();
    let file = std::fs::File::open(stage.path("shards").join(shard)).unwrap();
    let rows = parquet::file::reader::SerializedFileReader::new(file).unwrap();
    let rows = parquet::file::reader::FileReader::get_row_iter(&rows, None).unwrap();
    let mut counts = Vec::new();
    for row in rows {
        let row: std::collections::BTreeMap<_, _> = row.unwrap().into_columns().into_iter().collect();
        counts.push(row["faces_of_low_quality"].clone());
    }
    assert!(counts.iter().any(|count| *count != parquet::record::Field::UInt(0)), "{counts:?}");
}

#[test]
fn an_attribute_that_is_called_as_a_column_is_refused_in_tables_alone() {
    let stage = Stage::new();
    let mut card = tiny_card();
    card.attributes[3].name = "roll".to_owned();
    card.attributes[4].name = "yaw".to_owned();
    let bundle = Bundle::new(&card, &random_parts(&card, 7).unwrap(), Precision::F32).unwrap();
    bundle.write(&stage.path("odd.lineament")).unwrap();
    let call = |options: &[&'static str]| {
        [&["predict", "photos/a.png", "--model", "odd.lineament"][..], options].concat()
    };
    for options in [
        &["--format", "csv"][..],
        &["--output", "a.parquet"],
        &["--attributes", "yaw", "--landmarks", "--format", "csv"],
    ] {
        let told = predicate::str::contains("two columns would be called")
            .and(predicate::str::contains("--attributes"));
        stage.lineament(&call(options)).assert().code(2).stderr(told);
    }
    stage.lineament(&call(&["--format", "json"])).assert().code(0);
    stage.lineament(&call(&["--attributes", "yaw", "--format", "csv"])).assert().code(0);
}

#[test]
fn answers_that_are_too_doubtful_are_unknown_in_every_format() {
    let stage = Stage::new();
    let careful = json(&stage, &["--abstain", "1"]);
    for name in ["Smiling", "Bald"] {
        let answer = &careful["faces"][0]["attributes"][name];
        assert!(answer["value"].is_null() && answer["probability"].is_f64(), "{answer}");
    }
    assert!(json(&stage, &["--abstain", "0"])["faces"][0]["attributes"]["Bald"]["value"].is_boolean());
    fn call(options: &[&'static str]) -> Vec<&'static str> {
        [&CALL[..], &["--abstain", "1"], options].concat()
    }
    let csv = output(&mut stage.with_model(&call(&["--format", "csv"])));
    let (header, row) = csv.split_once('\n').unwrap();
    let place = header.split(',').position(|name| name == "Bald").unwrap();
    assert_eq!(row.lines().next().unwrap().split(',').nth(place), Some(""));
    let text = output(&mut stage.with_model(&call(&[])));
    assert!(text.contains("?    Bald"), "{text}");
    let every = output(&mut stage.with_model(&["predict", "photos/a.png", "--abstain", "1"]));
    assert!(every.contains("40 of the 40 attributes unknown"), "{every}");
    let coco: Value =
        serde_json::from_str(&output(&mut stage.with_model(&call(&["--format", "coco"])))).unwrap();
    assert_eq!(coco["annotations"][0]["attributes"], serde_json::json!({}));
    stage.with_model(&call(&["--output", "faces.parquet"])).assert().code(0);
    stage
        .with_model(&call(&["--format", "label-studio", "--output", "tasks.json"]))
        .assert()
        .code(2)
        .stderr(predicate::str::contains("leave --abstain out"));
}

#[test]
fn shards_of_other_options_are_another_run() {
    let stage = Stage::new();
    stage
        .with_model(&["predict", "photos", "--shards", "shards", "--quality", "--abstain", "0.9"])
        .assert()
        .code(0);
    for options in [&[][..], &["--quality"], &["--quality", "--abstain", "0.8"]] {
        let call = [&["predict", "photos", "--shards", "shards"][..], options].concat();
        stage.with_model(&call).assert().code(2).stderr(predicate::str::contains("abstain"));
    }
}

#[test]
fn a_model_that_does_not_tell_says_so_and_numbers_that_are_none_are_refused() {
    let stage = Stage::new();
    let card = Card { quality: None, ..tiny_card() };
    let bundle = Bundle::new(&card, &random_parts(&card, 7).unwrap(), Precision::F32).unwrap();
    bundle.write(&stage.path("without.lineament")).unwrap();
    for options in [&["--quality"][..], &["--least-quality", "0.5"]] {
        let call = [&["predict", "photos/a.png", "--model", "without.lineament"][..], options].concat();
        let told = predicate::str::contains("does not tell the quality")
            .and(predicate::str::contains("--attributes").not());
        stage.lineament(&call).assert().code(2).stderr(told);
    }
    for option in ["--least-quality", "--abstain"] {
        stage.with_model(&[&CALL[..], &[option, "1.5"]].concat()).assert().code(2);
    }
}
