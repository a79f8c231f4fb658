//! Which faces are looked for, on every command, through the binary.

use std::fs::File;

use crate::common::{Stage, output};
use lineament::testing::blocks;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use predicates::prelude::*;
use predicates::str::contains;
use serde_json::Value;

/// A stage with an image in which the tiny model finds several faces.
fn stage() -> Stage {
    let stage = Stage::new();
    stage.photo("many.png", &blocks(300, 260, 3));
    stage
}

/// The answer about `many.png`.
fn answer(stage: &Stage, options: &[&str]) -> Value {
    let call = [&["locate", "many.png", "--format", "jsonl"], options].concat();
    serde_json::from_str(&output(&mut stage.with_model(&call))).unwrap()
}

fn heights(answer: &Value) -> Vec<f64> {
    answer["faces"].as_array().unwrap().iter().map(|face| face["box"]["height"].as_f64().unwrap()).collect()
}

/// The cells of a column of a Parquet file.
fn column(stage: &Stage, file: &str, name: &str) -> Vec<Field> {
    let reader = SerializedFileReader::new(File::open(stage.path(file)).unwrap()).unwrap();
    let cell = |(found, field): (String, Field)| (found == name).then_some(field);
    let rows = reader.get_row_iter(None).unwrap();
    rows.map(|row| row.unwrap().into_columns().into_iter().find_map(cell).unwrap()).collect()
}

#[test]
fn what_is_no_size_or_number_is_refused_by_every_command() {
    let stage = stage();
    let commands: [&[&str]; 8] = [
        &["predict", "many.png"],
        &["locate", "many.png"],
        &["explain", "many.png"],
        &["evaluate", "--data", "photos"],
        &["audit", "--data", "photos", "--output", "out"],
        &["insight", "--drawn", "--output", "out.html"],
        &["teach", "X", "--positive", "photos", "--negative", "photos", "--output", "x.lineament"],
        &["serve"],
    ];
    for command in commands {
        let refused = |option: &str, value: &str, said: &str| {
            let call = [command, &[option, value]].concat();
            stage.lineament(&call).assert().code(2).stdout("").stderr(contains(said.to_owned()));
        };
        refused("--smallest-face", "0", "give 8 to 1000000 pixels");
        refused("--smallest-face", "-3", "the smallest face is -3 pixels");
        refused("--smallest-face", "200%", "the smallest face is 200 % of the longer side");
        refused("--smallest-face", "abc", "give pixels (24 or 24px) or a share of the longer side (2.5%)");
        for wrong in ["0", "-3", "2.5", "abc"] {
            refused("--max-faces", wrong, &format!("invalid value '{wrong}' for '--max-faces <N>'"));
        }
    }
}

#[test]
fn a_limit_keeps_the_best_and_says_what_it_cuts() {
    let stage = stage();
    let all = answer(&stage, &[]);
    let found = all["faces"].as_array().unwrap();
    let cut = found.len() - 1;
    assert!(cut > 0 && all["faces_left_out"] == 0);
    let one = answer(&stage, &["--max-faces", "1"]);
    assert_eq!((&one["faces"], &one["faces_left_out"]), (&Value::from(vec![found[0].clone()]), &cut.into()));

    let faces = if cut == 1 { "face" } else { "faces" };
    let said = format!("{cut} {faces} left out by --max-faces");
    let call = ["predict", "many.png", "photos/grey.png", "--max-faces", "1", "--attributes", "Bald"];
    let text = output(&mut stage.with_model(&call));
    assert!(text.contains(&format!("\n  {said}\n\n")), "{text}");
    assert!(text.contains(&format!("1 face in 2 pictures, {said} · tiny")), "{text}");
    for format in ["json", "jsonl", "csv"] {
        stage.with_model(&call).args(["--format", format]).assert().code(0).stderr(contains(said.clone()));
    }
    let csv = output(stage.with_model(&call).args(["--format", "csv"]));
    let head = "path,width,height,face,x,y,box_width,box_height,score,roll,faces_left_out,error,Bald,Bald_probability";
    let (first, rows) = csv.split_once('\n').unwrap();
    assert_eq!((first, rows.lines().count()), (head, 1));
    // The paper's LNets do not know how a face stands.
    assert_eq!(rows.split(',').skip(9).take(2).collect::<Vec<_>>(), ["", &cut.to_string()]);

    output(stage.with_model(&call).args(["--output", "faces.parquet"]));
    output(stage.with_model(&call).args(["--shards", "shards"]));
    let count = Field::UInt(u32::try_from(cut).unwrap());
    assert_eq!(column(&stage, "faces.parquet", "faces_left_out"), std::slice::from_ref(&count));
    assert_eq!(column(&stage, "faces.parquet", "roll"), [Field::Null]);
    let shard = "shards/shard-000000.parquet";
    assert_eq!(column(&stage, shard, "faces_left_out"), [count, Field::UInt(0)]);
    assert_eq!(column(&stage, shard, "roll"), [Field::Null, Field::Null]);
    let again = stage.with_model(&call).args(["--shards", "shards"]).assert().code(0);
    again.stderr(contains(said.clone()).and(contains("1 of 1 shards were there")));

    let explain = ["explain", "many.png", "--max-faces", "1", "--attributes", "Bald"];
    assert!(output(&mut stage.with_model(&explain)).starts_with(&format!("many.png: 1 face, {said}\n")));
    let json = output(stage.with_model(&explain).args(["--format", "json"]));
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap()[0]["faces_left_out"], cut);
}

#[test]
fn small_faces_are_left_out_without_a_word() {
    let stage = stage();
    let all = heights(&answer(&stage, &[]));
    let tallest = all.iter().copied().fold(0.0, f64::max);
    let large = answer(&stage, &["--smallest-face", &format!("{}px", tallest - 0.1)]);
    assert!((1..all.len()).contains(&heights(&large).len()), "{large}");
    assert!(heights(&large).iter().all(|height| height + 0.2 > tallest));
    assert_eq!(large["faces_left_out"], 0);
    assert_eq!(heights(&answer(&stage, &["--smallest-face", "100%"])), [0.0; 0]);
    assert_eq!(heights(&answer(&stage, &["--any-orientation"])), all, "the paper's LNets look upright only");
}

#[test]
fn shards_of_another_search_are_not_mixed() {
    let stage = stage();
    let call = ["predict", "many.png", "--shards", "out", "--smallest-face", "3%"];
    output(&mut stage.with_model(&call));
    let shard = File::open(stage.path("out/shard-000000.parquet")).unwrap();
    let shard = SerializedFileReader::new(shard).unwrap();
    let pairs = shard.metadata().file_metadata().key_value_metadata().unwrap();
    let manifest = pairs.iter().find(|pair| pair.key == "lineament.manifest").unwrap().value.as_deref();
    let manifest: Value = serde_json::from_str(manifest.unwrap()).unwrap();
    let said = ["smallest_face", "max_faces", "any_orientation"].map(|name| manifest[name].clone());
    assert_eq!(said, ["3%".into(), Value::Null, false.into()]);
    for (options, differs) in [
        (&["--smallest-face", "3%", "--max-faces", "1"][..], "(max_faces differs)"),
        (&["--smallest-face", "3%", "--any-orientation"], "(any_orientation differs)"),
        (&["--smallest-face", "4%"], "(smallest_face differs)"),
        (&[], "(smallest_face differs)"),
    ] {
        let call = [&["predict", "many.png", "--shards", "out"], options].concat();
        stage.with_model(&call).assert().code(2).stderr(contains(differs));
    }
}
