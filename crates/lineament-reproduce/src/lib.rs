//! The paper's experiments by one command: each trains what it needs, measures, and keeps its figures as a small CSV, from which the page is written.
//!
//! An experiment whose CSV is there is not run again, and trainings go on from their checkpoints, so that a run that was stopped costs minutes. What is
//! chosen is chosen on partition 1; figures are of partition 2.

mod amount;
mod detectors;
mod error;
mod figures;
mod identities;
mod lab;
mod localisation;
mod localisers;
mod maps;
mod page;
mod paper_recipe;
mod pretraining;
mod results;
mod systems;
mod transfer;

pub use error::ReproduceError;
pub use lab::{Lab, Options};
pub use results::{Results, Store};

/// An experiment: one or more CSVs, and a section of the page.
pub struct Experiment {
    /// What `--only` calls it; its CSVs are called so or begin with it.
    pub name: &'static str,
    /// The heading of its section.
    pub title: &'static str,
    run: fn(&Lab<'_>) -> Result<(), ReproduceError>,
    section: fn(&results::Store) -> Result<String, ReproduceError>,
}

/// All of them, in the order of the page.
pub const EXPERIMENTS: [Experiment; 9] = [
    Experiment {
        name: "systems",
        title: "Table 1: whole systems",
        run: systems::run,
        section: systems::section,
    },
    Experiment {
        name: localisers::NAME,
        title: "LNets in the place of a detector",
        run: localisers::run,
        section: localisers::section,
    },
    Experiment {
        name: "localisation",
        title: "Localisation (Fig. 7)",
        run: localisation::run,
        section: localisation::section,
    },
    Experiment {
        name: paper_recipe::NAME,
        title: "The paper's recipe",
        run: paper_recipe::run,
        section: paper_recipe::section,
    },
    Experiment {
        name: pretraining::NAME,
        title: "Object pre-training in the published localisation",
        run: pretraining::run,
        section: pretraining::section,
    },
    Experiment { name: "maps", title: "Response maps (Fig. 3)", run: maps::run, section: maps::section },
    Experiment {
        name: "identities",
        title: "Identity pre-training",
        run: identities::run,
        section: identities::section,
    },
    Experiment {
        name: "transfer",
        title: "Transfer (Table 2)",
        run: transfer::run,
        section: transfer::section,
    },
    Experiment {
        name: "amount",
        title: "Amount of data (Fig. 13)",
        run: amount::run,
        section: amount::section,
    },
];

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
        options.only.is_empty() || options.only.iter().any(|name| name == experiment.name)
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
            page::write(&store, &options.output)?;
        }
    }
    page::write(&store, &options.output)
}
