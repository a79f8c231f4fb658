//! The model in use, and the threads it works on.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use lineament::bundle::Bundle;
use lineament::explain::Explainer;
use lineament::locate::{LocalizerSpec, LocateError};
use lineament::{Engine, Tagger};
use rayon::ThreadPool;

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

/// A tagger of all of a bundle's attributes.
pub fn tagger(bundle: Bundle) -> Result<Tagger> {
    Tagger::new(bundle).context(UNUSABLE)
}

/// The tagger that was asked for, and the threads to call it on; says which engine works, and on how many threads.
pub fn ready(run: &RunArguments) -> Result<(Tagger, ThreadPool)> {
    let (engine, pool) = works(run)?;
    let spoken = spoken(&engine, &pool);
    let tagger = Tagger::with_engine(bundle(&run.model)?, engine).context(UNUSABLE)?;
    notes::note(spoken);
    Ok((tagger, pool))
}

/// The same, and what explains the tagger's answers.
pub fn ready_to_explain(run: &RunArguments) -> Result<(Tagger, Explainer, ThreadPool)> {
    let (engine, pool) = works(run)?;
    let (spoken, bundle) = (spoken(&engine, &pool), bundle(&run.model)?);
    let explainer = Explainer::new(&bundle, &engine).context(UNUSABLE)?;
    let tagger = Tagger::with_engine(bundle, engine).context(UNUSABLE)?;
    notes::note(spoken);
    Ok((tagger, explainer, pool))
}

fn works(run: &RunArguments) -> Result<(Engine, ThreadPool)> {
    let count = run.threads.count();
    let engine = engine::of(&run.engine, count)?;
    let pool = started(count, &engine)?;
    Ok((engine, pool))
}

fn spoken(engine: &Engine, pool: &ThreadPool) -> String {
    let count = pool.current_num_threads();
    format!("engine: {engine}, {count} {}", if count == 1 { "thread" } else { "threads" })
}

/// The same for commands that look for faces: refused at once where the model finds none, not once a picture.
pub fn ready_to_find(run: &RunArguments) -> Result<(Tagger, ThreadPool)> {
    let ready = ready(run)?;
    match ready.0.card().localizer {
        LocalizerSpec::Given => Err(LocateError::Given.into()),
        _ => Ok(ready),
    }
}

/// A pool of the threads that were asked for, for our own engine.
pub fn pool(arguments: &ThreadArguments) -> Result<ThreadPool> {
    started(arguments.count(), &Engine::Native)
}

/// The same for training, which starts threads of its own.
#[cfg(feature = "train")]
pub fn training_pool(arguments: &ThreadArguments) -> Result<ThreadPool> {
    lineament::threads::unbound(arguments.count()).context(FEWER)
}

fn started(threads: usize, engine: &Engine) -> Result<ThreadPool> {
    lineament::threads::pool(threads, engine).context(FEWER)
}

/// The first eight digits of a hash: enough to tell models apart.
pub fn short(hash: &str) -> &str {
    hash.get(..8).unwrap_or(hash)
}

/// The model as it is named beside its answers.
pub fn voice(tagger: &Tagger) -> String {
    format!("{} {} ({})", tagger.card().name, tagger.card().version, short(tagger.hash()))
}
