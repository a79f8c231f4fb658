//! The experiments, in the order of the page.

use crate::error::ReproduceError;
use crate::lab::Lab;
use crate::results::Store;
use crate::{
    amount, every_face, identities, localization, localizers, maps, paper_recipe, pretraining, starts,
    systems, tables, transfer, turned,
};

/// An experiment: one or more CSVs, and a section of the page.
pub struct Experiment {
    /// What `--only` calls it; its CSVs are called so or begin with it.
    pub name: &'static str,
    /// The heading of its section.
    pub title: &'static str,
    /// Trains and measures.
    pub run: fn(&Lab<'_>) -> Result<(), ReproduceError>,
    /// Writes its section from its figures; nothing where there are none.
    pub section: fn(&Store) -> Result<String, ReproduceError>,
}

/// All of them, in the order of the page.
pub const EXPERIMENTS: [Experiment; 12] = [
    Experiment {
        name: "systems",
        title: "Table 1: whole systems",
        run: systems::run,
        section: systems::section,
    },
    Experiment {
        name: localizers::NAME,
        title: "LNets instead of a detector",
        run: localizers::run,
        section: localizers::section,
    },
    Experiment {
        name: "localisation",
        title: "Localization (Fig. 7)",
        run: localization::run,
        section: localization::section,
    },
    Experiment {
        name: every_face::NAME,
        title: "Every face in the photo",
        run: every_face::run,
        section: every_face::section,
    },
    Experiment { name: turned::NAME, title: "Turned photos", run: turned::run, section: turned::section },
    Experiment {
        name: tables::PAPER_RECIPE,
        title: "The paper's recipe",
        run: paper_recipe::run,
        section: paper_recipe::section,
    },
    Experiment {
        name: pretraining::NAME,
        title: "Object pre-training of the published LNets",
        run: pretraining::run,
        section: pretraining::section,
    },
    Experiment {
        name: starts::NAME,
        title: "Object pre-training at the paper's scale",
        run: starts::run,
        section: starts::section,
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
