//! `lineament predict --crops` and `--embeddings` through the binary.

use std::collections::BTreeMap;
use std::fs::{self, File};

use crate::common::{Stage, output};
use lineament::{Limits, Photo, Tagger};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use predicates::prelude::*;
use serde_json::Value;

fn rows(stage: &Stage, name: &str) -> Vec<BTreeMap<String, Field>> {
    let reader = SerializedFileReader::new(File::open(stage.path(name)).unwrap()).unwrap();
    reader.get_row_iter(None).unwrap().map(|row| row.unwrap().into_columns().into_iter().collect()).collect()
}

fn floats(field: &Field) -> Vec<f32> {
    let Field::ListInternal(list) = field else { panic!("a list is expected: {field:?}") };
    let float = |field: &Field| match field {
        Field::Float(value) => *value,
        other => panic!("a number is expected: {other:?}"),
    };
    list.elements().iter().map(float).collect()
}

fn text(field: &Field) -> Option<String> {
    match field {
        Field::Str(text) => Some(text.clone()),
        _ => None,
    }
}

/// Embeddings of the faces of an image, as the library gives them.
fn expected(stage: &Stage, image: &str) -> Vec<Vec<f32>> {
    let tagger = Tagger::builder().model_file(stage.path("tiny.lineament")).embeddings(true).build().unwrap();
    let faces = tagger.predict(stage.path(image)).unwrap().faces;
    faces.into_iter().map(|face| face.embedding.unwrap()).collect()
}

/// Rows of an `.npy` file.
fn npy(bytes: &[u8]) -> (String, Vec<f32>) {
    assert!(bytes.starts_with(b"\x93NUMPY\x01\x00"));
    let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    assert_eq!((start % 64, bytes[start - 1]), (0, b'\n'));
    let values = bytes[start..].as_chunks::<4>().0.iter().map(|value| f32::from_le_bytes(*value)).collect();
    (String::from_utf8(bytes[10..start].to_vec()).unwrap(), values)
}

#[test]
fn every_face_has_a_crop_and_every_format_says_which() {
    let stage = Stage::new();
    // The same name twice in a folder, and once more in another.
    fs::copy(stage.path("photos/a.png"), stage.path("photos/deep/a.png")).unwrap();
    stage.photo("photos/a.bmp.png", &lineament::testing::blocks(90, 80, 5));
    let call = |format: &str| {
        let arguments = ["predict", "photos", "--crops", "crops", "--crop-side", "48", "--format", format];
        output(&mut stage.with_model(&arguments))
    };
    let pages: Vec<Value> = serde_json::from_str(&call("json")).unwrap();
    let mut named: Vec<String> = Vec::new();
    for page in &pages {
        for (number, face) in (1..).zip(page["faces"].as_array().unwrap()) {
            let crop = face["crop"].as_str().unwrap();
            let stem = page["path"].as_str().unwrap().trim_start_matches("photos/").trim_end_matches(".png");
            assert_eq!(crop, format!("{stem}.face-{number}.jpg"));
            let read = Photo::open(stage.path("crops").join(crop), &Limits::default()).unwrap();
            assert_eq!((read.width(), read.height()), (48, 48));
            assert!(face["attributes"].as_object().unwrap().len() == 40, "attributes stay");
            named.push(crop.to_owned());
        }
    }
    assert!(named.len() >= 4, "{named:?}");
    let unlike: std::collections::BTreeSet<&String> = named.iter().collect();
    assert_eq!(unlike.len(), named.len());

    let lines: Vec<Value> = call("jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines, pages);
    let table = call("csv");
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let column = reader.headers().unwrap().iter().position(|name| name == "crop").unwrap();
    let crops: Vec<String> = reader.records().map(|row| row.unwrap()[column].to_owned()).collect();
    assert_eq!(crops, named);
    let shown = call("text");
    assert!(named.iter().all(|name| shown.contains(&format!("    crop {name}\n"))), "{shown}");

    // A folder of crops among the photos is not looked at.
    let again = ["predict", "photos", "--crops", "photos/crops", "--format", "jsonl"];
    let first = output(&mut stage.with_model(&again));
    assert_eq!(first, output(&mut stage.with_model(&again)));
}

#[test]
fn crops_are_of_the_kind_that_was_asked_for_and_replace_nothing_of_others() {
    let stage = Stage::new();
    let call =
        ["predict", "photos/a.png", "--crops", "crops", "--crop-format", "png", "--crop-framing", "region"];
    let call = [&call[..], &["--format", "json"]].concat();
    let pages: Vec<Value> = serde_json::from_str(&output(&mut stage.with_model(&call))).unwrap();
    // What the model sees, from its own region.
    let tagger = Tagger::from_file(stage.path("tiny.lineament")).unwrap();
    let photo = Photo::open(stage.path("photos/a.png"), &Limits::default()).unwrap();
    let face = tagger.locate(&photo).unwrap()[0];
    let region = tagger.region_of(&face).unwrap().region().unwrap();
    let first = stage.path("crops/a.face-1.png");
    assert_eq!(pages[0]["faces"][0]["crop"], "a.face-1.png");
    let seen = lineament::crop::crop(&photo, region, 256, 256);
    assert_eq!(Photo::open(&first, &Limits::default()).unwrap(), seen);

    photo.save_png(&first).unwrap();
    let refused = stage.with_model(&call).assert().code(1).stderr(predicate::str::contains("--force"));
    let pages: Vec<Value> = serde_json::from_slice(&refused.get_output().stdout).unwrap();
    assert!(pages[0]["faces"][0].get("crop").is_none(), "a crop that is not written is not named");
    assert_eq!(Photo::open(&first, &Limits::default()).unwrap(), photo);
    output(&mut stage.with_model(&[&call[..], &["--force"]].concat()));
    assert_eq!(Photo::open(&first, &Limits::default()).unwrap(), seen);
    stage
        .with_model(&["predict", "photos", "--crop-side", "9"])
        .assert()
        .code(2)
        .stderr(predicate::str::contains("--crops"));
}

#[test]
fn parquet_holds_embeddings_as_lists() {
    let stage = Stage::new();
    output(&mut stage.with_model(&["predict", "photos", "--embeddings", "--output", "faces.parquet"]));
    let mut found: BTreeMap<String, Vec<Vec<f32>>> = BTreeMap::new();
    for row in rows(&stage, "faces.parquet") {
        found.entry(text(&row["path"]).unwrap()).or_default().push(floats(&row["embedding"]));
    }
    assert_eq!(found.keys().collect::<Vec<_>>(), ["photos/a.png", "photos/deep/b.png"]);
    for (path, embeddings) in found {
        assert_eq!(embeddings, expected(&stage, &path), "{path}");
    }
    let reader = SerializedFileReader::new(File::open(stage.path("faces.parquet")).unwrap()).unwrap();
    let noted = reader.metadata().file_metadata().key_value_metadata().unwrap().clone();
    let value = |key: &str| noted.iter().find(|pair| pair.key == key).unwrap().value.clone().unwrap();
    let tagger = Tagger::from_file(stage.path("tiny.lineament")).unwrap();
    assert_eq!(value("lineament.model.sha256"), tagger.hash());
    assert_eq!(value("lineament.embedding.length"), tagger.embedding_length().to_string());
}

#[test]
fn other_formats_have_an_array_beside_them() {
    let stage = Stage::new();
    let call = |file: &str, format: &str| {
        let option = format!("--embeddings={file}");
        output(&mut stage.with_model(&["predict", "photos", "--format", format, &option]))
    };
    let pages: Vec<Value> = serde_json::from_str(&call("faces.npy", "json")).unwrap();
    let all: Vec<Vec<f32>> =
        ["photos/a.png", "photos/deep/b.png"].iter().flat_map(|image| expected(&stage, image)).collect();
    let rows = pages.iter().flat_map(|page| page["faces"].as_array().unwrap());
    let rows: Vec<u64> = rows.map(|face| face["embedding_row"].as_u64().unwrap()).collect();
    assert_eq!(rows, (0..all.len() as u64).collect::<Vec<_>>());
    let (header, values) = npy(&fs::read(stage.path("faces.npy")).unwrap());
    assert!(header.contains(&format!("'shape': ({}, {})", all.len(), all[0].len())), "{header}");
    assert!(header.contains("'descr': '<f4'"));
    assert_eq!(values, all.concat());

    let csv = call("faces.safetensors", "csv");
    assert!(csv.lines().next().unwrap().contains(",error,embedding_row,"), "{csv}");
    let bytes = fs::read(stage.path("faces.safetensors")).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let tensor = tensors.tensor("embeddings").unwrap();
    assert_eq!(tensor.shape(), [all.len(), all[0].len()]);
    let values: Vec<f32> =
        tensor.data().as_chunks::<4>().0.iter().map(|value| f32::from_le_bytes(*value)).collect();
    assert_eq!(values, all.concat());
    let (_, metadata) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    let tagger = Tagger::from_file(stage.path("tiny.lineament")).unwrap();
    assert_eq!(metadata.metadata().as_ref().unwrap()["lineament.model.sha256"], tagger.hash());

    let refused = |arguments: &[&str], what: &str| {
        let arguments = [&["predict", "photos"], arguments].concat();
        stage.with_model(&arguments).assert().code(2).stderr(predicate::str::contains(what));
    };
    refused(&["--embeddings=faces.npy"], "--force");
    refused(&["--embeddings"], "no place for embeddings");
    refused(&["--embeddings=faces.txt"], "faces.safetensors");
    refused(&["--shards", "out", "--embeddings=other.npy"], "shards hold embeddings themselves");
    // No face: no rows, and still an array.
    output(&mut stage.with_model(&[
        "predict",
        "photos/grey.png",
        "--embeddings=none.npy",
        "--format",
        "csv",
    ]));
    assert!(npy(&fs::read(stage.path("none.npy")).unwrap()).0.contains("'shape': (0, "));
}

#[test]
fn shards_hold_embeddings_and_name_crops() {
    let stage = Stage::new();
    let call =
        ["predict", "photos", "--shards", "out", "--shard-rows", "2", "--embeddings", "--crops", "crops"];
    output(&mut stage.with_model(&call));
    let all: Vec<_> =
        stage.listing("out").iter().flat_map(|name| rows(&stage, &format!("out/{name}"))).collect();
    let of = |path: &str| all.iter().filter(|row| text(&row["path"]).unwrap() == path).collect::<Vec<_>>();
    for (path, stem) in
        [("photos/a.png", "shard-000000/000000"), ("photos/deep/b.png", "shard-000000/000001")]
    {
        let embeddings: Vec<Vec<f32>> = of(path).iter().map(|row| floats(&row["embedding"])).collect();
        assert_eq!(embeddings, expected(&stage, path));
        let crops: Vec<String> = of(path).iter().map(|row| text(&row["crop"]).unwrap()).collect();
        assert_eq!(crops[0], format!("{stem}.face-1.jpg"));
        assert!(crops.iter().all(|crop| stage.path("crops").join(crop).is_file()));
    }
    assert_eq!(
        (&of("photos/grey.png")[0]["crop"], &of("photos/grey.png")[0]["embedding"]),
        (&Field::Null, &Field::Null)
    );
    // Called again, nothing is to be done; with other options, the folder is of another run.
    stage.with_model(&call).assert().code(0).stderr(predicate::str::contains("2 of 2 shards were there"));
    let other = |arguments: &[&str], what: &str| {
        let arguments = [&["predict", "photos", "--shards", "out", "--shard-rows", "2"], arguments].concat();
        stage.with_model(&arguments).assert().code(2).stderr(predicate::str::contains(what));
    };
    other(&[], "crops, embeddings differs");
    other(&["--embeddings", "--crops", "crops", "--crop-side", "99"], "(crops differs)");
}
