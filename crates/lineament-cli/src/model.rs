//! The model in use, and the threads it works on.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use lineament::bundle::Bundle;
use lineament::explain::ExplainError;
use lineament::locate::{LocalizerSpec, LocateError};
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
    Ok(match path {
        Some(path) => Bundle::open(path)?,
        None => Bundle::embedded()?,
    })
}

/// A tagger of all of a bundle's attributes on our own engine, on one thread a processor where no number is given.
pub fn tagger(bundle: Bundle, arguments: &ThreadArguments) -> Result<Tagger> {
    built(bundle, Engine::Native, arguments.count())
}

/// The tagger that was asked for, on the threads that were asked for; notes which engine works, and on how many threads.
pub fn ready(run: &RunArguments) -> Result<Tagger> {
    ready_if(run, |_| Ok(()))
}

/// The same where the card allows it, which is asked before nets are made ready.
fn ready_if(run: &RunArguments, allows: impl Fn(&Card) -> Result<()>) -> Result<Tagger> {
    let bundle = bundle(&run.model)?;
    allows(bundle.card())?;
    let tagger = of_bundle(bundle, run)?;
    let count = tagger.threads().count();
    let threads = if count == 1 { "thread" } else { "threads" };
    notes::note(format!("engine: {}, {count} {threads}", tagger.engine()));
    Ok(tagger)
}

/// The same without a note, for a bundle that is open already.
pub fn of_bundle(bundle: Bundle, run: &RunArguments) -> Result<Tagger> {
    let count = run.threads.count();
    built(bundle, engine::of(&run.engine, count)?, count)
}

fn built(bundle: Bundle, engine: Engine, threads: usize) -> Result<Tagger> {
    let tagger = builder(bundle, engine).context(UNUSABLE)?.threads(threads).build();
    tagger.map_err(|error| {
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
        LocalizerSpec::Given => Err(LocateError::Given.into()),
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

/// The threads that were asked for, for training, which starts threads of its own.
#[cfg(feature = "train")]
pub fn training_threads(arguments: &ThreadArguments) -> Result<lineament::Threads> {
    lineament::Threads::unpinned(arguments.count()).context(FEWER)
}

/// The first eight digits of a hash: enough to tell models apart.
pub fn short(hash: &str) -> &str {
    hash.get(..8).unwrap_or(hash)
}

/// The model as it is named beside its answers: name, version and short hash.
pub fn label(tagger: &Tagger) -> String {
    format!("{} {} ({})", tagger.card().name, tagger.card().version, short(tagger.hash()))
}
