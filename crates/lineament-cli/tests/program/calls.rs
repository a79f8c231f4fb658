//! Calls that are wrong: each ends with status 2 and a sentence that says what to do.

use std::fs;

use crate::common::{Stage, output};
use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;

fn refused(stage: &Stage, arguments: &[&str], said: &[&str]) {
    let mut run = stage.lineament(arguments).assert().code(2).stdout("");
    for part in said {
        run = run.stderr(contains(*part));
    }
}

#[test]
fn a_misspelt_attribute_is_suggested() {
    let stage = Stage::new();
    let call = ["predict", "photos", "--model", "tiny.lineament", "--attributes", "Smiling,Eyeglases"];
    refused(&stage, &call, &["Eyeglases", "Eyeglasses"]);
    let call = ["predict", "photos", "--model", "tiny.lineament", "--attributes", "Xylophone"];
    refused(&stage, &call, &["Xylophone", "model show"]);
}

#[test]
fn an_unknown_instruction_set_is_no_fault_of_the_model() {
    let stage = Stage::new();
    let mut call = stage.lineament(&["predict", "photos", "--model", "tiny.lineament"]);
    let refused = call.env("LINEAMENT_ISA", "nonsense").assert().code(2).stdout("");
    refused.stderr(contains("nonsense").and(contains("portable")).and(contains("model").not()));
}

#[test]
fn options_out_of_range_are_refused() {
    let stage = Stage::new();
    refused(&stage, &["predict", "photos", "--threshold", "1.5"], &["between 0 and 1"]);
    refused(
        &stage,
        &["predict", "photos", "--threshold", "0.5", "--operating-point", "balanced"],
        &["cannot be used with"],
    );
    refused(&stage, &["predict", "photos", "--threads", "0"], &["0 is not in 1..=1024"]);
    refused(&stage, &["predict", "photos", "--format", "yaml"], &["yaml", "jsonl"]);
    refused(&stage, &["predict"], &["PATH"]);
    refused(&stage, &["predikt"], &["predict"]);
}

#[test]
fn a_pattern_that_matches_nothing_is_refused() {
    let stage = Stage::new();
    refused(
        &stage,
        &["predict", "photos/*.tiff", "--model", "tiny.lineament"],
        &["no file matches photos/*.tiff"],
    );
    refused(&stage, &["predict", "photos/[", "--model", "tiny.lineament"], &["is no pattern"]);
}

#[test]
fn outputs_that_cannot_be_written_are_refused() {
    let stage = Stage::new();
    let to = |output| ["predict", "photos", "--model", "tiny.lineament", "--output", output];
    refused(&stage, &to("no/such/folder/out.json"), &["out.json cannot be written"]);
    refused(&stage, &to("photos"), &["photos is a folder"]);
    let call = ["predict", "photos", "--model", "tiny.lineament", "--annotate", "tiny.lineament"];
    refused(&stage, &call, &["the folder tiny.lineament cannot be made"]);
}

#[test]
fn models_that_cannot_be_used_are_refused() {
    let stage = Stage::new();
    let with = |model| ["predict", "photos", "--model", model];
    refused(&stage, &with("gone.lineament"), &["gone.lineament", "cannot be read"]);
    refused(&stage, &with("photos"), &["photos", "folder"]);
    refused(&stage, &with("photos/a.png"), &["photos/a.png", "no bundle"]);
    let bytes = fs::read(stage.path("tiny.lineament")).unwrap();
    fs::write(stage.path("cut.lineament"), &bytes[..bytes.len() / 2]).unwrap();
    refused(&stage, &with("cut.lineament"), &["cut.lineament", "damaged"]);
    let mut flipped = bytes.clone();
    *flipped.last_mut().unwrap() ^= 1;
    fs::write(stage.path("flipped.lineament"), flipped).unwrap();
    refused(&stage, &with("flipped.lineament"), &["flipped.lineament", "checksum"]);
}

#[cfg(not(feature = "default-model"))]
#[test]
fn a_build_without_a_model_says_how_to_give_one() {
    let stage = Stage::new();
    refused(&stage, &["predict", "photos"], &["no default model", "--model"]);
}

#[cfg(not(feature = "train"))]
#[test]
fn a_build_without_training_says_how_to_get_it() {
    let stage = Stage::new();
    let call = ["train", "--recipe", "compact", "--data", "photos", "--output", "run"];
    refused(&stage, &call, &["--features train"]);
}

#[test]
fn an_export_needs_something_to_write_and_a_place() {
    let stage = Stage::new();
    refused(&stage, &["export", "--model", "tiny.lineament"], &["--bundle"]);
    let call = ["export", "--onnx", "photos/a.png", "--model", "tiny.lineament"];
    refused(&stage, &call, &["the folder photos/a.png cannot be made"]);
    let call = ["export", "--onnx", "photos/a.png/graphs", "--model", "tiny.lineament"];
    refused(&stage, &call, &["the folder photos/a.png/graphs cannot be made"]);
    let call = ["export", "--onnx", "graphs", "--model", "gone.lineament"];
    refused(&stage, &call, &["gone.lineament", "cannot be read"]);
    let call = ["export", "--onnx", "graphs", "--whole", "--model", "tiny.lineament"];
    refused(&stage, &call, &["pyramid", "without --whole"]);
    refused(&stage, &["export", "--bundle", "copy.lineament", "--whole"], &["--onnx"]);
    refused(&stage, &["export", "--onnx", "graphs", "--int8", "--model", "tiny.lineament"], &["--whole"]);
    assert!(!stage.path("graphs").exists());
}

#[test]
fn help_tells_of_formats_and_exit_statuses() {
    let stage = Stage::new();
    let help = output(&mut stage.lineament(&["--help"]));
    for said in
        ["predict", "locate", "evaluate", "train", "export", "model", "draw", "Exit status", "Examples:"]
    {
        assert!(help.contains(said), "{said} in\n{help}");
    }
    let help = output(&mut stage.lineament(&["predict", "--help"]));
    for said in ["jsonl", "box_width", "standard input", "--annotate", "--operating-point"] {
        assert!(help.contains(said), "{said} in\n{help}");
    }
}
