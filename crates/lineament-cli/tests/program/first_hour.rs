//! What a new user tries first: each call does what was meant, or says what to do.

use std::fs;

use crate::common::{Stage, output};
use predicates::prelude::*;
use predicates::str::contains;

#[test]
fn names_of_attributes_need_no_exact_case_nor_spaces() {
    let stage = Stage::new();
    for names in ["Smiling, eyeglasses", "smiling,Eye Glasses", " SMILING , eyeglasses"] {
        let text = output(&mut stage.with_model(&[
            "predict",
            "photos/a.png",
            "--attributes",
            names,
            "--format",
            "csv",
        ]));
        let header = text.lines().next().unwrap();
        assert!(
            header.ends_with("error,Smiling,Smiling_probability,Eyeglasses,Eyeglasses_probability"),
            "{header}"
        );
    }
}

#[test]
fn a_model_of_another_kind_is_said_to_be_that() {
    let stage = Stage::new();
    fs::write(stage.path("net.pt"), b"PK\x03\x04 and more").unwrap();
    fs::write(stage.path("net.onnx"), b"\x08\x07\x12\x07pytorch").unwrap();
    fs::write(stage.path("my.toml"), "name = 'my'").unwrap();
    fs::write(stage.path("empty.lineament"), "").unwrap();
    fs::create_dir(stage.path("run")).unwrap();
    fs::copy(stage.path("tiny.lineament"), stage.path("run/model.lineament")).unwrap();
    for (model, said) in [
        ("photos/a.png", "it is an image"),
        ("net.pt", "PyTorch"),
        ("net.onnx", "--detector"),
        ("my.toml", "a recipe"),
        ("empty.lineament", "it is empty"),
        ("run", "give run/model.lineament"),
        ("paper", "the name of a recipe"),
        ("default", "leave it out"),
        ("gone.lineament", "gone.lineament"),
    ] {
        let run = stage.lineament(&["predict", "photos", "--model", model]).assert().code(2);
        run.stderr(contains(model).and(contains(said)));
    }
}

#[test]
fn an_image_on_standard_input_is_no_list() {
    let stage = Stage::new();
    let image = fs::read(stage.path("photos/a.png")).unwrap();
    let run = stage.with_model(&["predict", "-"]).write_stdin(image).assert().code(1);
    let said = String::from_utf8(run.get_output().stderr.clone()).unwrap();
    assert!(
        said.contains("standard input holds an image") && said.matches("not read").count() == 1,
        "{said}"
    );
}

#[test]
fn a_list_may_be_of_any_form() {
    let stage = Stage::new();
    for list in ["photos/a.png\0photos/deep/b.png\0", "\u{feff}photos/a.png\r\nphotos/deep/b.png\r\n"] {
        let mut call = stage.with_model(&["predict", "-", "--format", "jsonl"]);
        assert_eq!(output(call.write_stdin(list)).lines().count(), 2, "{list:?}");
    }
}

#[test]
fn images_that_cannot_be_read_have_their_rows() {
    let stage = Stage::new();
    fs::write(stage.path("photos/broken.jpg"), "no picture").unwrap();
    let written = |format: &str| {
        let run = stage.with_model(&["predict", "photos", "--format", format]).assert().code(1);
        String::from_utf8(run.get_output().stdout.clone()).unwrap()
    };
    let lines = written("jsonl");
    let broken: serde_json::Value =
        serde_json::from_str(lines.lines().find(|line| line.contains("broken.jpg")).unwrap()).unwrap();
    assert_eq!(broken["path"], "photos/broken.jpg");
    assert!(broken["error"].as_str().unwrap().contains("broken.jpg") && broken["faces"].is_null());
    assert_eq!(lines.lines().count(), 4);
    let table = written("csv");
    let mut table = csv::Reader::from_reader(table.as_bytes());
    let header = table.headers().unwrap().clone();
    let of = |row: &csv::StringRecord, name: &str| {
        row[header.iter().position(|column| column == name).unwrap()].to_owned()
    };
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    let broken: Vec<_> = rows.iter().filter(|row| of(row, "path") == "photos/broken.jpg").collect();
    assert!(broken.len() == 1 && of(broken[0], "face") == "0" && !of(broken[0], "error").is_empty());
    assert!(rows.iter().all(|row| row.len() == header.len()));
}

#[test]
fn quiet_says_only_what_failed() {
    let stage = Stage::new();
    let call = ["predict", "photos", "--format", "jsonl", "--quiet"];
    stage.with_model(&call).assert().code(0).stderr("");
    fs::write(stage.path("photos/broken.jpg"), "no picture").unwrap();
    let run = stage.with_model(&call).assert().code(1);
    let said = String::from_utf8(run.get_output().stderr.clone()).unwrap();
    assert!(said.lines().count() == 1 && said.contains("broken.jpg"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_missing_folder_and_a_missing_permission_are_told_apart() {
    use std::os::unix::fs::PermissionsExt;

    let stage = Stage::new();
    let call = ["predict", "photos", "--output", "no/such/faces.csv"];
    stage.with_model(&call).assert().code(2).stderr(contains("its folder is not there"));
    fs::create_dir(stage.path("closed")).unwrap();
    fs::set_permissions(stage.path("closed"), fs::Permissions::from_mode(0o555)).unwrap();
    // Root may write anywhere.
    if fs::write(stage.path("closed/probe"), "").is_err() {
        let call = ["predict", "photos", "--output", "closed/faces.csv"];
        stage.with_model(&call).assert().code(2).stderr(contains("this user may not write there"));
    }
    fs::set_permissions(stage.path("closed"), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn an_image_that_was_read_is_not_called_unread() {
    let stage = Stage::new();
    fs::create_dir(stage.path("photos/a.png.xmp")).unwrap();
    let call = ["predict", "photos/a.png", "--threshold", "0", "--attributes", "Smiling", "--xmp"];
    let run = stage.with_model(&call).assert().code(1).stdout(contains("1 read but not written to"));
    run.stderr(contains("not written:").and(contains("a.png.xmp")).and(contains("not read").not()));
}
