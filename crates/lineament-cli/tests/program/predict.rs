//! `lineament predict` through the binary.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};

use crate::common::{Stage, examples, output};
use lineament::testing::blocks;
use predicates::prelude::*;
use serde_json::Value;

/// Numbers depend on the processor's arithmetic in their last digits: they are checked for, not compared.
fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"\d+\.\d+", "[number]");
    settings.add_filter(r#""value":(true|false)"#, r#""value":[value]"#);
    settings.add_filter(r"\([0-9a-f]{8}\)", "([hash])");
    settings.bind(|| insta::assert_snapshot!(name, text));
}

fn json(text: &str) -> Vec<Value> {
    serde_json::from_str(text).unwrap()
}

fn paths(pages: &[Value]) -> Vec<String> {
    pages.iter().map(|page| page["path"].as_str().unwrap().replace('\\', "/")).collect()
}

#[test]
fn json_is_one_array_of_pages_in_the_order_of_the_images() {
    let stage = Stage::new();
    let text = output(&mut stage.with_model(&["predict", "photos", "--format", "json"]));
    let pages = json(&text);
    assert_eq!(paths(&pages), ["photos/a.png", "photos/deep/b.png", "photos/grey.png"]);
    let face = &pages[0]["faces"][0];
    for field in ["x", "y", "width", "height"] {
        assert!(face["box"][field].is_f64(), "{field}");
    }
    assert!(face["score"].is_f64());
    assert_eq!(face["attributes"].as_object().unwrap().len(), 40);
    let probability = face["attributes"]["Smiling"]["probability"].as_f64().unwrap();
    assert!((0.0..=1.0).contains(&probability));
    assert!(face["attributes"]["Smiling"]["value"].is_boolean());
    assert_eq!(pages[2]["faces"].as_array().unwrap().len(), 0);
    let two = output(&mut stage.with_model(&[
        "predict",
        "photos/a.png",
        "photos/grey.png",
        "--format",
        "json",
        "--attributes",
        "Smiling,Bald",
    ]));
    snapshot("predict_json", &keep_one_face(&two));
}

/// How many faces a random net finds is no matter of the format.
fn keep_one_face(text: &str) -> String {
    let mut pages = json(text);
    for page in &mut pages {
        page["faces"].as_array_mut().unwrap().truncate(1);
    }
    pages.iter().map(|page| format!("{page}\n")).collect()
}

#[test]
fn jsonl_is_the_same_a_line_an_image() {
    let stage = Stage::new();
    let array = output(&mut stage.with_model(&["predict", "photos", "--format", "json"]));
    let lines = output(&mut stage.with_model(&["predict", "photos", "--format", "jsonl"]));
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines, json(&array));
}

#[test]
fn text_names_the_image_and_the_model_that_spoke() {
    let stage = Stage::new();
    let text = output(&mut stage.with_model(&["predict", "photos/grey.png"]));
    snapshot("predict_text_without_a_face", &text);
    let text = output(&mut stage.with_model(&["predict", "photos/a.png", "--attributes", "Smiling,Bald"]));
    assert!(text.starts_with("photos/a.png  120 × 100\n  face 1  at "), "{text}");
    assert!(text.contains(" %  ") && text.contains("Smiling") && text.contains("Bald"), "{text}");
    assert!(!text.contains('\x1b'), "no colours outside a terminal");
}

#[test]
fn csv_has_a_row_a_face() {
    let stage = Stage::new();
    let pages = json(&output(&mut stage.with_model(&["predict", "photos", "--format", "json"])));
    let faces: usize = pages.iter().map(|page| page["faces"].as_array().unwrap().len()).sum();
    let text =
        output(&mut stage.with_model(&["predict", "photos", "--format", "csv", "--attributes", "Male,Bald"]));
    let mut lines = text.lines();
    let head = "path,width,height,face,x,y,box_width,box_height,score,roll,faces_left_out,error,\
                Male,Male_probability,Bald,Bald_probability";
    assert_eq!(lines.next(), Some(head));
    assert_eq!(lines.clone().count(), faces);
    let first = lines.next().unwrap();
    assert!(first.replace('\\', "/").starts_with("photos/a.png,120,100,1,"), "{first}");
    assert_eq!(first.split(',').count(), 16);
}

#[test]
fn parquet_has_the_same_columns_typed() {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;

    let stage = Stage::new();
    output(&mut stage.with_model(&[
        "predict",
        "photos",
        "--output",
        "faces.parquet",
        "--attributes",
        "Male",
    ]));
    let csv =
        output(&mut stage.with_model(&["predict", "photos", "--format", "csv", "--attributes", "Male"]));
    let reader = SerializedFileReader::new(fs::File::open(stage.path("faces.parquet")).unwrap()).unwrap();
    let names: Vec<String> =
        reader.metadata().file_metadata().schema().get_fields().iter().map(|f| f.name().to_owned()).collect();
    // A row a face has no place for an image that could not be read.
    assert_eq!(names.join(","), csv.lines().next().unwrap().replace("error,", ""));
    let rows: Vec<_> = reader.get_row_iter(None).unwrap().map(Result::unwrap).collect();
    assert_eq!(rows.len(), csv.lines().count() - 1);
    let first: Vec<Field> = rows[0].get_column_iter().map(|(_, field)| field.clone()).collect();
    assert!(matches!(first[1], Field::UInt(120)));
    assert!(matches!(first[8], Field::Float(_)));
    assert!(matches!((&first[9], &first[10]), (Field::Null, Field::UInt(0))), "roll and faces_left_out");
    assert!(matches!(first[11], Field::Bool(_)));
}

#[test]
fn the_name_of_the_output_decides_the_format_and_the_file_is_whole() {
    let stage = Stage::new();
    let silent = output(&mut stage.with_model(&["predict", "photos", "--output", "faces.csv"]));
    assert_eq!(silent, "");
    assert!(stage.text("faces.csv").starts_with("path,width"));
    assert_eq!(stage.listing("."), ["faces.csv", "photos", "tiny.lineament"]);
}

#[test]
fn an_image_that_cannot_be_read_is_said_and_the_rest_goes_on() {
    let stage = Stage::new();
    fs::write(stage.path("photos/broken.jpg"), b"\xff\xd8\xff\xe0 no more").unwrap();
    let run = stage.with_model(&["predict", "photos", "--format", "json"]).assert().code(1);
    let pages = json(&String::from_utf8_lossy(&run.get_output().stdout));
    assert_eq!(pages.len(), 3);
    run.stderr(predicate::str::contains("not read: ").and(predicate::str::contains("broken.jpg")));
}

#[test]
fn a_named_file_is_tried_whatever_its_name() {
    let stage = Stage::new();
    fs::copy(stage.path("photos/a.png"), stage.path("picture.dat")).unwrap();
    let pages = json(&output(&mut stage.with_model(&["predict", "picture.dat", "--format", "json"])));
    assert_eq!(pages[0]["width"], 120);
    stage
        .with_model(&["predict", "photos/readme.txt"])
        .assert()
        .code(1)
        .stderr(predicate::str::contains("readme.txt").and(predicate::str::contains("not a picture")));
    stage
        .with_model(&["predict", "gone.jpg"])
        .assert()
        .code(1)
        .stderr(predicate::str::contains("gone.jpg: cannot be read"))
        .stdout(predicate::str::contains("0 faces in 0 pictures, 1 not read"));
}

#[test]
fn patterns_are_expanded() {
    let stage = Stage::new();
    let text = output(&mut stage.with_model(&["predict", "photos/**/*.png", "--format", "json"]));
    assert_eq!(paths(&json(&text)), ["photos/a.png", "photos/deep/b.png", "photos/grey.png"]);
}

#[test]
fn a_list_on_standard_input_is_answered_line_by_line() {
    let stage = Stage::new();
    let mut child = Command::new(assert_cmd::cargo::cargo_bin("lineament"))
        .current_dir(stage.path("."))
        .args(["predict", "-", "--format", "jsonl", "--model", "tiny.lineament"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut list = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap());
    for (name, width) in [("photos/a.png\n", 120), ("photos/deep\r\n", 160), ("photos/grey.png\n", 64)] {
        list.write_all(name.as_bytes()).unwrap();
        let mut answer = String::new();
        answers.read_line(&mut answer).unwrap();
        let page: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(page["width"], width);
    }
    drop(list);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn threads_change_nothing() {
    let stage = Stage::new();
    for number in 0..40 {
        stage.photo(&format!("photos/{number:02}.png"), &blocks(60 + number, 50, number.into()));
    }
    let on = |threads| {
        output(&mut stage.with_model(&["predict", "photos", "--format", "jsonl", "--threads", threads]))
    };
    assert_eq!(on("1"), on("5"));
}

#[test]
fn a_threshold_of_ones_own_decides_the_value() {
    let stage = Stage::new();
    for (threshold, value) in [("0", true), ("1", false)] {
        let text = output(&mut stage.with_model(&[
            "predict",
            "photos/a.png",
            "--format",
            "json",
            "--threshold",
            threshold,
        ]));
        for (name, attribute) in json(&text)[0]["faces"][0]["attributes"].as_object().unwrap() {
            assert_eq!(attribute["value"], value, "{name} at {threshold}");
        }
    }
}

#[test]
fn the_operating_point_moves_values_and_not_probabilities() {
    let stage = Stage::new();
    let at = |point| {
        let text = output(&mut stage.with_model(&[
            "predict",
            "photos",
            "--format",
            "json",
            "--operating-point",
            point,
        ]));
        let mut pages = json(&text);
        let mut present = 0;
        for attribute in pages
            .iter_mut()
            .flat_map(|page| page["faces"].as_array_mut().unwrap())
            .flat_map(|face| face["attributes"].as_object_mut().unwrap().values_mut())
        {
            present += u32::from(attribute["value"].take() == Value::Bool(true));
        }
        (pages, present)
    };
    let ((accurate, few), (balanced, many)) = (at("accuracy"), at("balanced"));
    assert_eq!(accurate, balanced);
    assert!(few < many, "{few} {many}");
}

#[test]
fn annotated_copies_are_written_without_touching_the_images() {
    let stage = Stage::new();
    let before = fs::read(stage.path("photos/a.png")).unwrap();
    output(&mut stage.with_model(&["predict", "photos", "--annotate", "photos"]));
    assert_eq!(fs::read(stage.path("photos/a.png")).unwrap(), before);
    let copy =
        lineament::Photo::open(stage.path("photos/a.faces.png"), &lineament::Limits::default()).unwrap();
    assert_eq!((copy.width(), copy.height()), (120, 100));
    assert_eq!(stage.listing("photos/deep"), ["b.faces.png", "b.png"]);
}

#[test]
fn a_folder_without_images_is_no_failure_but_is_said() {
    let stage = Stage::new();
    fs::create_dir(stage.path("empty")).unwrap();
    stage
        .with_model(&["predict", "empty", "--format", "json"])
        .assert()
        .code(0)
        .stdout("[]\n")
        .stderr(predicate::str::contains("no picture was found"));
}

#[test]
fn a_reader_that_has_read_enough_ends_the_program_quietly() {
    let stage = Stage::new();
    for number in 0..60 {
        stage.photo(&format!("photos/{number:02}.png"), &blocks(80, 80, number));
    }
    let mut child = Command::new(assert_cmd::cargo::cargo_bin("lineament"))
        .current_dir(stage.path("."))
        .args(["predict", "photos", "--format", "jsonl", "--model", "tiny.lineament"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap());
    answers.read_line(&mut String::new()).unwrap();
    drop(answers);
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    // The engine is always said; nothing else is.
    assert!(said.starts_with("note: engine: native, ") && said.lines().count() == 1, "{said}");
}

#[test]
fn the_examples_can_be_read() {
    let stage = Stage::new();
    let text = output(&mut stage.with_model(&["predict", examples().to_str().unwrap(), "--format", "json"]));
    let sizes: Vec<_> =
        json(&text).iter().map(|page| (page["width"].clone(), page["height"].clone())).collect();
    assert_eq!(sizes, [(512.into(), 512.into()), (451.into(), 300.into()), (600.into(), 400.into())]);
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_leaves_no_half_file() {
    let stage = Stage::new();
    let mut child = Command::new(assert_cmd::cargo::cargo_bin("lineament"))
        .current_dir(stage.path("."))
        .args(["predict", "-", "--output", "faces.json", "--model", "tiny.lineament"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    // Held open: the program waits for the next path.
    let list = child.stdin.take();
    let half = || stage.listing(".").iter().any(|name| name.starts_with(".lineament-"));
    for _ in 0..1000 {
        if half() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert!(half(), "the output is under way");
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    drop(list);
    assert_eq!(stage.listing("."), ["photos", "tiny.lineament"]);
}
