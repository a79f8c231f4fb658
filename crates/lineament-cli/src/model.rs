//! The model in use, and the threads it works on.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use lineament::bundle::Bundle;
use lineament::explain::ExplainError;
use lineament::locate::{DetectorFile, LocalizerSpec, LocateError};
use lineament::{Card, Engine, Error, Tagger, TaggerBuilder};

use crate::arguments::{ModelArguments, RunArguments, ThreadArguments};
use crate::{engine, notes};

const FEWER: &str = "the threads cannot be started; give fewer with --threads";
const UNUSABLE: &str = "the model cannot be used; `lineament model verify` says more";

/// Opens the bundle that was asked for, or the one in the program.
pub fn bundle(arguments: &ModelArguments) -> Result<Bundle> {
    open(arguments.model.as_deref())
}

/// The same where the bundle may also be named without an option.
pub fn named_bundle(named: Option<&PathBuf>, arguments: &ModelArguments) -> Result<Bundle> {
    match (named, &arguments.model) {
        (Some(_), Some(_)) => bail!("the model is given twice; give it as BUNDLE or with --model"),
        (named, model) => open(named.or(model.as_ref()).map(PathBuf::as_path)),
    }
}

fn open(path: Option<&Path>) -> Result<Bundle> {
    let Some(path) = path else { return Ok(Bundle::embedded()?) };
    Bundle::open(path).map_err(|error| match what_it_is(path) {
        Some(what) => anyhow!("{} is no bundle: {what}", path.display()),
        None => error.into(),
    })
}

/// What a file is that is no model, where that can be told, and what to do.
fn what_it_is(path: &Path) -> Option<String> {
    const MODEL: &str = "a model is a .lineament file, as `lineament export`, `teach` and `train` write it";
    if path.is_dir() {
        let inside = path.join("model.lineament");
        return Some(match inside.is_file() {
            true => format!("it is a folder; give {}", inside.display()),
            false => format!("it is a folder; {MODEL}"),
        });
    }
    let name = path.to_str().unwrap_or_default();
    if !path.exists() && ["default", "compact"].contains(&name) {
        return Some(format!(
            "the default model (compact) needs no --model; leave it out, or give a file: {MODEL}"
        ));
    }
    if !path.exists() && lineament_recipes::text(name).is_some() {
        return Some(format!("it is the name of a recipe, which says how to train one; {MODEL}"));
    }
    let mut start = Vec::new();
    let opened = std::fs::File::open(path).ok()?;
    opened.take(1024).read_to_end(&mut start).ok()?;
    let ends = |ending: &str| path.extension().is_some_and(|found| found.eq_ignore_ascii_case(ending));
    let what = match start.as_slice() {
        [] => "it is empty",
        start if looks_like_image(start) => "it is an image",
        [b'P', b'K', 3, 4, ..] => "it is a ZIP archive or PyTorch's weights",
        [0x80, ..] => "it is a Python pickle",
        [0x89, b'H', b'D', b'F', ..] => "it is an HDF5 file",
        [b'P', b'A', b'R', b'1', ..] => "it is a Parquet table",
        _ if ends("onnx") => {
            return Some(format!(
                "it is an ONNX graph; one that finds faces is given with --detector, and {MODEL}"
            ));
        }
        _ if ends("toml") => "it is a recipe, which says how to train one",
        _ if ends("json") || ends("csv") || ends("txt") || ends("xmp") => "it is text",
        _ => return None,
    };
    Some(format!("{what}; {MODEL}"))
}

/// Whether bytes begin as those of an image do.
pub fn looks_like_image(start: &[u8]) -> bool {
    let marks: [&[u8]; 8] =
        [b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF", b"II*\0", b"MM\0*", b"\0\0\0\x0cJXL", b"\xff\x0a"];
    marks.iter().any(|mark| start.starts_with(mark))
        || start.get(4..8) == Some(b"ftyp")
        || start.starts_with(b"BM") && start.get(6..10) == Some(&[0; 4])
}

/// The same model under another name, where one was given.
pub fn renamed(bundle: Bundle, name: Option<&str>) -> Result<Bundle> {
    let Some(name) = name else { return Ok(bundle) };
    let card = Card { name: name.to_owned(), ..bundle.card().clone() };
    bundle.with_svms(&card, &bundle.parts().svms).context("--name cannot be the name of a model")
}

/// A tagger of all of a bundle's attributes on our own engine, on one thread a processor where no number is given.
pub fn tagger(bundle: Bundle, arguments: &ThreadArguments) -> Result<Tagger> {
    built(builder(bundle, Engine::Native).context(UNUSABLE)?, arguments.count())
}

/// The tagger that was asked for, on the threads that were asked for; notes which engine works, and on how many threads.
pub fn ready(run: &RunArguments) -> Result<Tagger> {
    ready_if(run, |_| Ok(()))
}

/// The same where the card allows it, which is asked before nets are made ready.
fn ready_if(run: &RunArguments, allows: impl Fn(&Card) -> Result<()>) -> Result<Tagger> {
    let bundle = bundle(&run.model)?;
    allows(bundle.card())?;
    Ok(noted(of_bundle(bundle, run)?))
}

/// Notes which engine works, on how many threads, and what finds faces where LNets do not.
fn noted(tagger: Tagger) -> Tagger {
    let count = tagger.threads().count();
    let threads = if count == 1 { "thread" } else { "threads" };
    notes::note(format!("engine: {}, {count} {threads}", tagger.engine()));
    if let Some(detector) = detector(tagger.card()) {
        notes::note(format!("faces: found by {detector}, a detector of others, which was trained on boxes"));
    }
    tagger
}

/// The name of the detector of others, where one finds faces.
fn detector(card: &Card) -> Option<&'static str> {
    match &card.localizer {
        LocalizerSpec::Detector(detector) => Some(detector.family.name()),
        _ => None,
    }
}

/// The tagger that was asked for, which finds faces however weak, and from which score on it usually does.
pub fn ready_for_curves(run: &RunArguments) -> Result<(Tagger, Option<f32>)> {
    let bundle = bundle(&run.model)?;
    let found_by = detector_file(run)?;
    let threshold = match &found_by {
        Some(file) => Some(file.detector().threshold),
        None => bundle.card().localizer.threshold(),
    };
    if found_by.is_none() && bundle.card().localizer == LocalizerSpec::Given {
        return Err(LocateError::Given.into());
    }
    let count = run.threads.count();
    let builder = builder(bundle, engine::of(&run.engine, count)?).context(UNUSABLE)?;
    let tagger = built(found_with(builder, found_by).least_score(LocalizerSpec::EVERY_SCORE), count)?;
    Ok((noted(tagger), threshold))
}

fn detector_file(run: &RunArguments) -> Result<Option<DetectorFile>> {
    let open =
        |path: &PathBuf| DetectorFile::named(path).context("--detector names no detector that can be used");
    run.detector.as_ref().map(open).transpose()
}

/// SHA-256 of the file of the detector that was asked for.
pub fn detector_hash(run: &RunArguments) -> Result<Option<String>> {
    Ok(detector_file(run)?.map(|file| file.hash()))
}

fn found_with(builder: TaggerBuilder, detector: Option<DetectorFile>) -> TaggerBuilder {
    match detector {
        Some(detector) => builder.detector(detector),
        None => builder,
    }
}

/// The same without a note, for a bundle that is open already.
pub fn of_bundle(bundle: Bundle, run: &RunArguments) -> Result<Tagger> {
    let count = run.threads.count();
    let builder = builder(bundle, engine::of(&run.engine, count)?).context(UNUSABLE)?;
    built(found_with(builder, detector_file(run)?), count)
}

fn built(builder: TaggerBuilder, threads: usize) -> Result<Tagger> {
    builder.threads(threads).build().map_err(|error| {
        let advice = if matches!(error, Error::Threads(_)) { FEWER } else { UNUSABLE };
        anyhow::Error::from(error).context(advice)
    })
}

/// A build with training also runs the bundles of baselines.
#[cfg(feature = "train")]
pub fn builder(bundle: Bundle, engine: Engine) -> Result<TaggerBuilder> {
    Ok(lineament_reproduce::baselines::builder(bundle, engine)?)
}

/// The model with its engine, still without threads.
#[cfg(not(feature = "train"))]
pub fn builder(bundle: Bundle, engine: Engine) -> Result<TaggerBuilder> {
    Ok(Tagger::builder().bundle(bundle).engine(engine))
}

/// [`ready`] for commands that look for faces: refused at once where the model finds none, not once an image.
pub fn ready_to_find(run: &RunArguments) -> Result<Tagger> {
    ready_if(run, |card| match card.localizer {
        LocalizerSpec::Given if run.detector.is_none() => Err(LocateError::Given.into()),
        _ => Ok(()),
    })
}

/// [`ready`] for commands that explain answers.
pub fn ready_to_explain(run: &RunArguments) -> Result<Tagger> {
    ready_if(run, check_explains)
}

/// Refuses a model whose answers cannot be explained.
pub fn check_explains(card: &Card) -> Result<()> {
    match card.anet() {
        Some(_) => Ok(()),
        None => Err(ExplainError::NoAnet).context(UNUSABLE),
    }
}

/// The threads that were asked for, for work without nets.
pub fn threads(arguments: &ThreadArguments) -> Result<lineament::Threads> {
    lineament::Threads::new(arguments.count(), &Engine::Native).context(FEWER)
}

/// The threads that were asked for, for training, which starts threads of its own.
#[cfg(feature = "train")]
pub fn training_threads(arguments: &ThreadArguments) -> Result<lineament::Threads> {
    lineament::Threads::unpinned(arguments.count()).context(FEWER)
}

/// The first eight digits of a hash: enough to tell models apart.
pub fn short(hash: &str) -> &str {
    hash.get(..8).unwrap_or(hash)
}

/// The model as it is named beside its answers: name, version and short hash, and what finds faces where LNets do not.
pub fn label(tagger: &Tagger) -> String {
    let card = tagger.card();
    let model = format!("{} {} ({})", card.name, card.version, short(tagger.hash()));
    match detector(card) {
        Some(detector) => format!("{model}, faces by {detector}"),
        None => model,
    }
}
