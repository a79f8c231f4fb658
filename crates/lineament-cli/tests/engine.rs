//! `--engine`: the same answers from ONNX Runtime where it is there, and a sentence on how to get it where it is not.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::{Stage, examples, output};
use predicates::str::contains;

#[test]
fn the_engine_and_its_threads_are_always_said() {
    let stage = Stage::new();
    for (threads, said) in [("1", "engine: native, 1 thread\n"), ("3", "engine: native, 3 threads\n")] {
        for command in ["predict", "locate"] {
            let call = [command, "photos/grey.png", "--threads", threads];
            stage.with_model(&call).assert().code(0).stderr(contains(said));
        }
    }
}

#[test]
fn what_belongs_to_the_other_engine_is_refused() {
    let stage = Stage::new();
    for engine in ["native", "int8"] {
        for option in [["--engine-library", "lib.so"], ["--engine-provider", "cuda"]] {
            let call = ["predict", "photos", "--engine", engine, option[0], option[1]];
            stage.with_model(&call).assert().code(2).stderr(contains("use it with --engine ort"));
        }
    }
}

#[test]
fn eight_bits_tell_nearly_the_same_on_any_threads() {
    let (stage, astronaut) = (Stage::new(), examples().join("astronaut.png"));
    let reported = |engine: &str, threads: &str| -> serde_json::Value {
        let call = ["predict", "--format", "json", "--engine", engine, "--threads", threads];
        let mut run = stage.lineament(&call);
        let name = if engine == "int8" { "engine: native, int8, " } else { "engine: native, " };
        run.arg(&astronaut).assert().stderr(contains(name));
        serde_json::from_str(&output(&mut run)).unwrap()
    };
    let (single, eight) = (reported("native", "2"), reported("int8", "2"));
    assert_ne!(single, eight);
    assert_eq!(eight, reported("int8", "1"));
    let faces = [&single, &eight].map(|reported| reported[0]["faces"].as_array().unwrap());
    assert_eq!(faces[0].len(), faces[1].len());
    let attributes = faces.map(|faces| faces[0]["attributes"].as_object().unwrap());
    let probability = |reported: &serde_json::Value| reported["probability"].as_f64().unwrap();
    let apart = attributes[0]
        .iter()
        .map(|(name, reported)| (probability(reported) - probability(&attributes[1][name])).abs());
    let mean = apart.sum::<f64>() / attributes[0].len() as f64;
    assert!(mean < 0.02, "{mean}");
}

#[cfg(not(feature = "ort"))]
#[test]
fn a_build_without_onnx_runtime_says_how_to_get_it() {
    let stage = Stage::new();
    for command in ["predict", "locate"] {
        let call = [command, "photos", "--engine", "ort"];
        stage.with_model(&call).assert().code(2).stdout("").stderr(contains("--features ort"));
    }
}

#[cfg(feature = "ort")]
mod with_onnx_runtime {
    use std::fs;
    use std::path::PathBuf;
    use std::process::Command;

    use super::common::{Stage, examples, output};
    use predicates::prelude::*;
    use predicates::str::contains;
    use serde_json::Value;

    /// The library that ORT_DYLIB_PATH names, or the one in python3's onnxruntime; none where it is not installed.
    fn library() -> Option<PathBuf> {
        if let Some(named) = std::env::var_os("ORT_DYLIB_PATH") {
            return Some(named.into());
        }
        let find = "import glob, os, onnxruntime as o; \
                    print(glob.glob(os.path.dirname(o.__file__) + '/capi/libonnxruntime.so.*')[0])";
        let said = Command::new("python3").args(["-c", find]).output().ok()?;
        let path = PathBuf::from(String::from_utf8(said.stdout).ok()?.trim());
        if !path.is_file() {
            // `.ci/run` sets this: there nothing may be left out.
            assert!(std::env::var_os("LINEAMENT_NEEDS_ORT").is_none(), "there is no ONNX Runtime");
            eprintln!("skipped: there is no ONNX Runtime here (pip install onnxruntime)");
            return None;
        }
        Some(path)
    }

    /// Every number of a value, in its order.
    fn numbers(value: &Value, into: &mut Vec<f64>) {
        match value {
            Value::Number(number) => into.push(number.as_f64().unwrap()),
            Value::Array(values) => values.iter().for_each(|value| numbers(value, into)),
            Value::Object(fields) => fields.values().for_each(|value| numbers(value, into)),
            _ => {}
        }
    }

    fn agree(one: &str, other: &str) {
        let read = |text: &str| {
            let mut all = Vec::new();
            numbers(&serde_json::from_str(text).unwrap(), &mut all);
            all
        };
        let (one, other) = (read(one), read(other));
        assert_eq!(one.len(), other.len());
        assert!(one.len() > 40, "a face is found: {one:?}");
        for (one, other) in one.iter().zip(&other) {
            assert!((one - other).abs() <= 1e-3 * one.abs().max(1.0), "{one} against {other}");
        }
    }

    #[test]
    fn both_engines_give_the_same_answers() {
        let Some(library) = library() else { return };
        let stage = Stage::new();
        let library = library.to_str().unwrap();
        // A pyramid of window classifiers (the default model), and the paper's way (the tiny one).
        let astronaut = examples().join("astronaut.png");
        for model in [None, Some("tiny.lineament")] {
            for threads in ["1", "2"] {
                let mut call =
                    vec!["predict", astronaut.to_str().unwrap(), "--format", "json", "--threads", threads];
                call.extend(model.iter().flat_map(|model| ["--model", model]));
                let native = output(&mut stage.lineament(&call));
                call.extend(["--engine", "ort", "--engine-library", library]);
                let mut run = stage.lineament(&call);
                let said = contains("engine: ONNX Runtime 1.").and(contains(format!(", {threads} thread")));
                run.assert().code(0).stderr(said);
                agree(&native, &output(&mut run));
            }
        }
    }

    #[test]
    fn many_images_come_in_their_order() {
        let Some(library) = library() else { return };
        let stage = Stage::new();
        let native = output(&mut stage.with_model(&["predict", "photos", "--format", "csv"]));
        let mut run = stage.with_model(&["predict", "photos", "--format", "csv", "--engine", "ort"]);
        let ort = output(run.env("ORT_DYLIB_PATH", &library));
        let paths = |text: &str| -> Vec<String> {
            text.lines().map(|line| line.split(',').next().unwrap().to_owned()).collect()
        };
        assert_eq!(paths(&native), paths(&ort));
    }

    #[test]
    fn a_provider_that_is_not_there_is_no_silent_processor() {
        let Some(library) = library() else { return };
        let stage = Stage::new();
        let call = ["predict", "photos", "--engine", "ort", "--engine-provider", "coreml"];
        let mut run = stage.with_model(&call);
        run.env("ORT_DYLIB_PATH", &library).assert().code(2).stderr(contains("provider coreml"));
    }

    #[test]
    fn a_library_that_is_none_is_refused_with_what_to_do() {
        let stage = Stage::new();
        fs::write(stage.path("text.so"), "no library").unwrap();
        for file in ["nowhere.so", "text.so"] {
            let call = ["predict", "photos", "--engine", "ort", "--engine-library", file];
            let said =
                contains(file).and(contains("pip install onnxruntime")).and(contains("ORT_DYLIB_PATH"));
            stage.with_model(&call).assert().code(2).stdout("").stderr(said);
        }
    }
}
