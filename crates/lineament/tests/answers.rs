//! The default model's answers on `examples/`, with every engine and every instruction set that this processor has, against those in the
//! repository (`tests/answers/ENGINE-ISA.json`, `ort.json`).
//!
//! A process chooses its instructions once, by `LINEAMENT_ISA`, so that each set is tried in a process of its own: the test calls itself.
//! This writes the files anew, those of ONNX Runtime where it is there:
//!
//!     UPDATE_ANSWERS=1 cargo test -p lineament --features ort --test answers

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "answers/record.rs"]
mod record;

use std::path::Path;
#[cfg(feature = "ort")]
use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

use lineament::{Engine, Tagger};
use lineament_net::Isa;
use record::{Record, compare, record};

/// By how many pixels the side of a box may move.
const BOX: f32 = 0.01;
/// By how much a score or a probability may.
const SCORE: f32 = 1e-4;

const IMAGES: [&str; 3] = ["astronaut.png", "chelsea.png", "coffee.png"];

/// What a process that the test calls is to run, and where it writes.
const ENGINE: &str = "LINEAMENT_ANSWERS_ENGINE";
const OUTPUT: &str = "LINEAMENT_ANSWERS_OUTPUT";

#[test]
fn native_answers_are_those_in_the_repository() {
    for isa in Isa::available() {
        check(&format!("native-{isa}"), "native", isa, None);
    }
}

#[test]
fn eight_bit_answers_are_those_in_the_repository() {
    for isa in Isa::available() {
        check(&format!("int8-{isa}"), "int8", isa, None);
    }
}

/// ONNX Runtime chooses its instructions itself.
#[cfg(feature = "ort")]
#[test]
fn answers_of_onnx_runtime_are_those_in_the_repository() {
    let Some(library) = onnx_runtime() else { return };
    check("ort", "ort", Isa::best(), Some(&library));
}

/// The library that ORT_DYLIB_PATH names, or the one in python3's onnxruntime. Where LINEAMENT_NEEDS_ORT is set, as in `.ci/run`, it must be there.
#[cfg(feature = "ort")]
fn onnx_runtime() -> Option<PathBuf> {
    if let Some(named) = env::var_os("ORT_DYLIB_PATH") {
        return Some(named.into());
    }
    let find = "import glob, os, onnxruntime as o; print(glob.glob(os.path.dirname(o.__file__) + '/capi/libonnxruntime.so.*')[0])";
    let output = Command::new("python3").args(["-c", find]).output().ok();
    let path = output
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .map(|text| PathBuf::from(text.trim()));
    let found = path.filter(|path| path.is_file());
    assert!(
        found.is_some() || env::var_os("LINEAMENT_NEEDS_ORT").is_none(),
        "there is no ONNX Runtime (pip install onnxruntime)"
    );
    if found.is_none() {
        eprintln!("skipped: there is no ONNX Runtime (pip install onnxruntime)");
    }
    found
}

fn check(name: &str, engine: &str, isa: Isa, library: Option<&Path>) {
    let found = answers(engine, isa, library);
    let file = root().join(format!("tests/answers/{name}.json"));
    if env::var_os("UPDATE_ANSWERS").is_some() {
        fs::write(&file, serde_json::to_string_pretty(&found).unwrap() + "\n").unwrap();
        return;
    }
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let committed: Vec<Record> = serde_json::from_str(&text).unwrap();
    let apart = compare(&committed, &found);
    assert!(apart.other.is_empty(), "{name}: {:?}", apart.other);
    assert!(apart.faces > 0, "{name}: no face is compared");
    assert!(apart.r#box <= BOX && apart.score <= SCORE && apart.probability <= SCORE, "{name}: {apart:?}");
}

/// What a process of its own says, with these instructions.
fn answers(engine: &str, isa: Isa, library: Option<&Path>) -> Vec<Record> {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("answers.json");
    let mut call = Command::new(env::current_exe().unwrap());
    call.args(["--exact", "writes_answers_where_it_is_called", "--ignored", "--nocapture"]);
    call.env("LINEAMENT_ISA", isa.to_string()).env(ENGINE, engine).env(OUTPUT, &output);
    if let Some(library) = library {
        call.env("ORT_DYLIB_PATH", library);
    }
    let ended = call.output().unwrap();
    assert!(ended.status.success(), "{engine} on {isa}: {}", String::from_utf8_lossy(&ended.stderr));
    serde_json::from_str(&fs::read_to_string(&output).unwrap()).unwrap()
}

#[test]
#[ignore = "called by the others, in processes of their own"]
fn writes_answers_where_it_is_called() {
    let (Ok(engine), Some(output)) = (env::var(ENGINE), env::var_os(OUTPUT)) else { return };
    let engine = match engine.as_str() {
        "native" => Engine::Native,
        "int8" => Engine::Int8,
        #[cfg(feature = "ort")]
        "ort" => {
            Engine::Ort(lineament::engine::OnnxRuntime::load(None, std::num::NonZeroUsize::MIN).unwrap())
        }
        _ => panic!("no engine {engine}"),
    };
    let tagger = Tagger::builder().engine(engine).build().unwrap();
    let answers: Vec<Record> = IMAGES
        .iter()
        .map(|image| record(&tagger, &root().join("../../examples").join(image)).unwrap())
        .collect();
    fs::write(output, serde_json::to_vec(&answers).unwrap()).unwrap();
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
