//! What the default model says of images, in full precision, and how far the answers of two builds are apart.
//!
//!     cargo run --release -p lineament --example answers -- [--engine native|int8|ort] PATH... > answers.jsonl
//!     cargo run --release -p lineament --example answers -- compare OLD.jsonl NEW.jsonl
//!
//! A path is an image or a folder of them; a line is written for each. `compare` prints the largest differences, and ends with 1 where a face
//! or an attribute is there in one list alone.

#[path = "../tests/answers/record.rs"]
mod record;

use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lineament::{Engine, Tagger};
use record::{Record, compare, record};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [] => Err("name images, or `compare OLD NEW`".into()),
        ["compare", old, new] => {
            let found = compare(&read(Path::new(old))?, &read(Path::new(new))?);
            found.other.iter().for_each(|line| println!("{line}"));
            println!(
                "{} faces; largest differences: boxes {:e} px, scores {:e}, probabilities {:e}",
                found.faces, found.r#box, found.score, found.probability
            );
            Ok(if found.other.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        ["--engine", engine, paths @ ..] => write(engine_named(engine)?, paths),
        paths => write(Engine::Native, paths),
    }
}

fn engine_named(name: &str) -> Result<Engine, Box<dyn Error>> {
    match name {
        "native" => Ok(Engine::Native),
        "int8" => Ok(Engine::Int8),
        #[cfg(feature = "ort")]
        "ort" => Ok(Engine::Ort(lineament::engine::OnnxRuntime::load(None, std::num::NonZeroUsize::MIN)?)),
        _ => Err(format!(
            "no engine {name} in this build; there are native, int8 and, with --features ort, ort"
        )
        .into()),
    }
}

fn write(engine: Engine, paths: &[&str]) -> Result<ExitCode, Box<dyn Error>> {
    let tagger = Tagger::builder().engine(engine).build()?;
    let mut output = std::io::stdout().lock();
    for path in paths {
        for file in files(Path::new(path))? {
            serde_json::to_writer(&mut output, &record(&tagger, &file)?)?;
            output.write_all(b"\n")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The path itself, or what lies straight in the folder, by name, without texts and folders.
fn files(path: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files =
        fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, std::io::Error>>()?;
    files.retain(|file| file.is_file() && file.extension().is_some_and(|end| end != "md" && end != "txt"));
    files.sort();
    Ok(files)
}

fn read(path: &Path) -> Result<Vec<Record>, Box<dyn Error>> {
    fs::read_to_string(path)?.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}
