//! Training through the program: killed half-way, resumed, and used.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod common;

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use assert_cmd::prelude::*;
use predicates::prelude::*;

fn lineament() -> Command {
    Command::cargo_bin("lineament").unwrap()
}

fn train(data: &Path, run: &Path, more: &[&str]) -> Command {
    let mut command = lineament();
    command.args(["train", "--recipe", "drawn", "--data"]).arg(data).arg("--output").arg(run).args(more);
    command
}

#[test]
fn a_killed_training_is_resumed_and_its_model_predicts() {
    let folder = tempfile::tempdir().unwrap();
    let (data, run) = (folder.path().join("drawn"), folder.path().join("run"));
    lineament().args(["draw", "--people", "18", "--output"]).arg(&data).assert().success();

    // Killed as soon as the second stage has begun: the first one's result must last.
    let mut child = train(&data, &run, &[]).stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    while !run.join("objects.safetensors").exists() {
        assert!(child.try_wait().unwrap().is_none(), "the training ended before it could be killed");
        assert!(begun.elapsed() < Duration::from_secs(300), "the first stage takes too long");
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();

    train(&data, &run, &[]).assert().code(2).stderr(predicate::str::contains("--resume"));
    train(&data, &run, &["--resume"])
        .assert()
        .success()
        .stderr(predicate::str::contains("objects: done already"));

    let model = run.join("model.lineament");
    lineament().args(["model", "verify"]).arg(&model).assert().success();
    lineament()
        .args(["predict", "--model"])
        .arg(&model)
        .arg(data.join("celeba/Img/img_celeba"))
        .args(["--format", "jsonl"])
        .assert()
        .success()
        .stdout(predicate::str::contains("\"Smiling\":{\"value\":"));
    let curves = std::fs::read_to_string(run.join("curves.html")).unwrap();
    for log in ["objects", "lnet_o", "lnet_s", "identities", "anet"] {
        let text = std::fs::read_to_string(run.join(format!("{log}.csv"))).unwrap();
        assert!(text.starts_with("epoch,step,rate,loss,seconds"), "{log}: {text}");
        assert!(curves.contains(&format!("{log}: loss by epoch")), "{log}");
        assert!(text.lines().count() >= 2, "{log}: {text}");
    }
    #[cfg(unix)]
    readable_as_any_new_file(&run);
}

/// Whoever may read a new file may read each that a training wrote.
#[cfg(unix)]
fn readable_as_any_new_file(run: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    let plain = run.join("plain");
    std::fs::write(&plain, "").unwrap();
    for entry in std::fs::read_dir(run).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            assert_eq!(mode(&path), mode(&plain), "{}", path.display());
        }
    }
}

#[test]
fn a_device_that_is_not_there_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let (data, run) = (folder.path().join("drawn"), folder.path().join("run"));
    for (device, said) in [("cuda:1", "--features train,cuda"), ("gpu", "devices are cpu, wgpu")] {
        let refused = train(&data, &run, &["--device", device]).assert().code(2);
        refused.stderr(predicate::str::contains(said));
        assert!(!run.exists(), "{device}");
    }
}

#[test]
fn what_cannot_be_trained_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = folder.path().join("nothing");
    std::fs::create_dir(&nothing).unwrap();
    train(&nothing, &folder.path().join("run"), &[]).assert().code(2);
    let recipe = folder.path().join("mine.toml");
    std::fs::write(&recipe, "name = 'mine'\nseed = 1\nepochz = 3\n").unwrap();
    let mut command = lineament();
    command.args(["train", "--data"]).arg(&nothing).arg("--output").arg(folder.path().join("run2"));
    command.arg("--recipe").arg(&recipe);
    command
        .assert()
        .code(2)
        .stderr(predicate::str::contains("mine.toml").and(predicate::str::contains("epochz")));
    let mut command = lineament();
    command
        .args(["train", "--recipe", "compakt", "--data"])
        .arg(&nothing)
        .arg("--output")
        .arg(folder.path().join("r3"));
    command.assert().code(2).stderr(predicate::str::contains(
        "compact, paper, paper_objects, lab, drawn, facetracer, panda, landmarks and quality",
    ));
}

/// Drawn objects of four kinds, and what is to be told of them: nothing of it is about faces.
fn tagged_objects(stage: &common::Stage) {
    lineament_data::write_objects(&stage.path("objects"), 40, 32, 3).unwrap();
    let mut table = "path,Striped,Round\n".to_owned();
    for (class, striped, round) in [("bars", 1, 0), ("disc", 0, 1), ("ring", 0, 1), ("cross", 0, 0)] {
        for number in 0..40 {
            writeln!(table, "objects/train/{class}/{class}_{number:04}.jpg,{striped},{round}").unwrap();
        }
    }
    std::fs::write(stage.path("tags.csv"), table).unwrap();
}

#[test]
fn a_bundle_is_fine_tuned_on_things_that_are_not_faces() {
    let stage = common::Stage::new();
    tagged_objects(&stage);
    let call =
        ["train", "--from", "tiny.lineament", "--data", "tags.csv", "--region", "whole", "--output", "run"];
    stage
        .lineament(&call)
        .assert()
        .success()
        .stderr(predicate::str::contains("written: run/model.lineament"));
    stage.lineament(&["model", "verify", "run/model.lineament"]).assert().success();
    let shown = common::output(&mut stage.lineament(&["model", "show", "run/model.lineament"]));
    for said in [
        "2 attributes",
        "Striped",
        "the whole picture",
        "Fine-tuned from tiny 0.0.1",
        "CC0-1.0",
        "nothing; tags: ",
    ] {
        assert!(shown.contains(said), "{said} in\n{shown}");
    }
    let call = [
        "evaluate",
        "--data",
        "tags.csv",
        "--split",
        "train",
        "--format",
        "json",
        "--model",
        "run/model.lineament",
    ];
    let figures: serde_json::Value =
        serde_json::from_str(&common::output(&mut stage.lineament(&call))).unwrap();
    assert_eq!((&figures["faces_missed"], figures["attributes"].as_array().unwrap().len()), (&0.into(), 2));
    let call = ["predict", "objects/val/bars", "--format", "json", "--model", "run/model.lineament"];
    let pages: serde_json::Value =
        serde_json::from_str(&common::output(&mut stage.lineament(&call))).unwrap();
    assert_eq!(pages[0]["faces"][0]["box"]["width"], 32.0);

    // Resumed it is done; another number of attributes goes as well, and a misspelt name does not.
    let again = [&call_from("run")[..], &["--resume"]].concat();
    stage.lineament(&again).assert().success().stderr(predicate::str::contains("anet: done already"));
    let less = [&call_from("one")[..], &["--without", "Striped"]].concat();
    stage.lineament(&less).assert().success();
    let shown = common::output(&mut stage.lineament(&["model", "show", "one/model.lineament"]));
    assert!(shown.contains("1 attributes") && !shown.contains("Striped"), "{shown}");
    let misspelt = [&call_from("none")[..], &["--without", "Stripd"]].concat();
    stage.lineament(&misspelt).assert().code(2).stderr(predicate::str::contains("did you mean \"Striped\"?"));
}

fn call_from(run: &str) -> [&str; 9] {
    ["train", "--from", "tiny.lineament", "--data", "tags.csv", "--region", "whole", "--output", run]
}
