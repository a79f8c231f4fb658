//! The paper's experiments by one command: each trains what it needs, measures, and keeps its figures as a small CSV, from which the page is written.
//!
//! An experiment whose CSV is there is not run again, and trainings go on from their checkpoints, so that a run that was stopped costs minutes. What is
//! chosen is chosen on partition 1; figures are of partition 2.

mod amount;
pub mod baselines;
mod detectors;
mod error;
mod every_face;
mod experiments;
mod figures;
mod identities;
mod lab;
mod localization;
mod localizers;
mod maps;
mod page;
mod paper_recipe;
mod pretraining;
mod results;
mod starts;
mod systems;
mod tables;
mod transfer;
mod turned;

pub use error::ReproduceError;
pub use experiments::{EXPERIMENTS, Experiment};
pub use lab::{Lab, Options};
pub use results::{Results, Store};

/// Runs what is asked for and not there yet, and writes the page from all results that are there.
///
/// # Errors
/// What stopped an experiment; those before it are kept. [`ReproduceError::Interrupted`] after a checkpoint was written.
pub fn reproduce(options: &Options<'_>) -> Result<(), ReproduceError> {
    for name in &options.only {
        if EXPERIMENTS.iter().all(|experiment| experiment.name != name) {
            let names = EXPERIMENTS.map(|experiment| experiment.name).join(", ");
            return Err(ReproduceError::NoExperiment { name: name.clone(), names });
        }
    }
    let store = results::Store::beside(&options.output);
    let wanted = |experiment: &&Experiment| {
        // A part of an experiment is called like it and something more.
        let named = |name: &String| {
            let rest = experiment.name.strip_prefix(name.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
        };
        options.only.is_empty() || options.only.iter().any(named)
    };
    let missing: Vec<&Experiment> = EXPERIMENTS
        .iter()
        .filter(wanted)
        .filter(|experiment| options.again || !store.holds(experiment.name))
        .collect();
    if !missing.is_empty() && !options.page_only {
        let lab = Lab::open(options, store.clone())?;
        for experiment in missing {
            tracing::info!("{}: begins", experiment.name);
            (experiment.run)(&lab)?;
            page::write(&EXPERIMENTS, &store, &options.output)?;
        }
    }
    page::write(&EXPERIMENTS, &store, &options.output)
}
