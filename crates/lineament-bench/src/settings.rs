//! What was typed, and what follows from it.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use lineament::Engine;
use lineament::Threads;
use lineament::engine::OnnxRuntime;

/// Measures speed, memory and size.
#[derive(Debug, Parser)]
#[command(name = "lineament-bench", max_term_width = 100)]
pub struct Arguments {
    /// Write the page here, and its sections as JSON to a folder beside it; sections that are there already and not taken again stay [default: the page goes to
    /// standard output]
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// A glance instead of a measurement: few runs, small folders
    #[arg(long)]
    pub quick: bool,
    /// Only this section; give it again for more
    #[arg(long, value_name = "NAME")]
    pub only: Vec<String>,
    /// ONNX Runtime's library [default: what ORT_DYLIB_PATH names, or the one of python3's onnxruntime]
    #[arg(long, value_name = "FILE")]
    pub engine_library: Option<PathBuf>,
    /// The program to measure [default: `lineament` beside this one, built first with `cargo build --release`]
    #[arg(long, value_name = "FILE")]
    pub program: Option<PathBuf>,
    /// Another build to compare with, by the name that the page gives it: `141eb99=/old/lineament` (section `against`)
    #[arg(long, value_name = "NAME=FILE", value_parser = another)]
    pub against: Option<OtherBuild>,
}

/// A build to compare with.
#[derive(Debug, Clone)]
pub struct OtherBuild {
    /// What the page calls it.
    pub name: String,
    /// Its program.
    pub program: PathBuf,
}

fn another(text: &str) -> Result<OtherBuild> {
    let (name, program) = text.split_once('=').context("give NAME=FILE, such as 141eb99=/old/lineament")?;
    let program = Path::new(program).canonicalize().with_context(|| program.to_owned())?;
    Ok(OtherBuild { name: name.to_owned(), program })
}

/// Everything that sections need to know.
pub struct Settings {
    /// What was typed.
    pub arguments: Arguments,
    /// The checkout.
    pub root: PathBuf,
    /// The release program.
    pub program: PathBuf,
    /// ONNX Runtime's library, where there is one.
    pub library: Option<PathBuf>,
    /// One thread, and two.
    pools: [Threads; 2],
    free: [Threads; 2],
}

impl Settings {
    /// Checks the arguments against the names of all sections, builds the program and finds ONNX Runtime.
    pub fn of(arguments: Arguments, sections: &[&str]) -> Result<Self> {
        for name in &arguments.only {
            ensure!(
                sections.contains(&name.as_str()),
                "no section {name}: there are {}",
                sections.join(", ")
            );
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
        let program = match &arguments.program {
            Some(program) => program.canonicalize().with_context(|| program.display().to_string())?,
            None => build(&root)?,
        };
        let library = library(arguments.engine_library.as_deref());
        if library.is_none() {
            eprintln!("ONNX Runtime is not here (pip install onnxruntime): there will be no rival");
        }
        let pools = [Threads::new(1, &Engine::Native)?, Threads::new(2, &Engine::Native)?];
        let free = [Threads::unpinned(1)?, Threads::unpinned(2)?];
        Ok(Self { arguments, root, program, library, pools, free })
    }

    /// Whether this section is asked for.
    pub fn wants(&self, section: &str) -> bool {
        if section == "against" && self.arguments.against.is_none() {
            return false;
        }
        let only = &self.arguments.only;
        only.is_empty() || only.iter().any(|name| name == section)
    }

    /// One of two values: for a glance, or for a measurement.
    pub fn pick<T>(&self, quick: T, full: T) -> T {
        if self.arguments.quick { quick } else { full }
    }

    /// The pool of one or two threads that an engine is called from.
    pub fn pool(&self, threads: usize, engine: &Engine) -> &Threads {
        let [one, two] = if engine.own_threads().is_none() { &self.pools } else { &self.free };
        if threads == 1 { one } else { two }
    }

    /// The rival on so many threads; none where it is not installed.
    pub fn rival(&self, threads: usize) -> Result<Option<Engine>> {
        let Some(library) = &self.library else { return Ok(None) };
        let threads = NonZeroUsize::new(threads).unwrap_or(NonZeroUsize::MIN);
        Ok(Some(Engine::Ort(OnnxRuntime::load(Some(library), threads)?)))
    }
}

/// Builds what is measured, beside this program.
fn build(root: &Path) -> Result<PathBuf> {
    let here = std::env::current_exe()?;
    let folder = here.parent().context("this program has no folder")?;
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => anyhow::bail!("measure with `cargo run --release -p lineament-bench`"),
        Some(profile) => profile,
    };
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--locked", "--profile", profile, "-p", "lineament-cli"]).current_dir(root);
    if let Some(target) = folder.parent() {
        cargo.arg("--target-dir").arg(target);
    }
    ensure!(cargo.status()?.success(), "the program cannot be built");
    Ok(folder.join(format!("lineament{}", std::env::consts::EXE_SUFFIX)))
}

fn library(named: Option<&Path>) -> Option<PathBuf> {
    let variable = || std::env::var_os("ORT_DYLIB_PATH").map(PathBuf::from);
    if let Some(path) = named.map(Path::to_path_buf).or_else(variable) {
        return Some(path);
    }
    let find = "import glob, os, onnxruntime as o; \
                print(glob.glob(os.path.dirname(o.__file__) + '/capi/libonnxruntime.so.*')[0])";
    let said = Command::new("python3").args(["-c", find]).output().ok()?;
    let path = PathBuf::from(String::from_utf8(said.stdout).ok()?.trim());
    path.is_file().then_some(path)
}
