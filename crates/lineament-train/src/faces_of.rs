//! New attributes for a finished bundle: its LNets and its localization stay, ANet and SVMs are those of the run.

use lineament::Bundle;

use crate::context::Context;
use crate::error::TrainError;
use crate::fine_tune::save_nets;
use crate::provenance::LNETS;
use crate::recipe::{Nets, Recipe};
use crate::trained_lnets::{has_localization, save_localization};

/// A recipe with the bundle's LNets.
///
/// # Errors
/// When the bundle has none, or they see images prepared in another way than the recipe's.
pub fn recipe(bundle: &Bundle, given: Recipe) -> Result<Recipe, TrainError> {
    let card = bundle.card();
    let Some(lnets) = card.lnets() else {
        let why = "--faces-of needs a bundle of LNets; a detector of others is named by --detector FILE";
        return Err(TrainError::Recipe(why.to_owned()));
    };
    if card.preprocess != given.preprocess {
        let why = "[preprocess] differs from that of the bundle whose LNets are kept; take the bundle's";
        return Err(TrainError::Recipe(why.to_owned()));
    }
    let (lnet_o, lnet_s) = (lnets.lnet_o.clone(), lnets.lnet_s.clone());
    let nets = Nets { lnet_o, lnet_s, ..given.nets };
    // What only trains LNets has nothing to do.
    Ok(Recipe { nets, objects: None, ..given })
}

/// Writes what the skipped stages would have written: the bundle's LNets, and how faces are found.
///
/// # Errors
/// When a file can't be written.
pub fn init_run(context: &Context<'_>, bundle: &Bundle) -> Result<(), TrainError> {
    let folder = &context.folder;
    save_nets(folder, bundle, &[("lnet_o", "lnet_o"), ("lnet_s", "lnet_s")])?;
    match bundle.card().lnets() {
        Some(lnets) if !has_localization(folder.path) => save_localization(folder.path, &lnets.method),
        _ => Ok(()),
    }
}

/// What the kept LNets were trained on, by the bundle's lines: those that speak of LNets alone, or else all.
pub fn trained_on(bundle: &Bundle) -> Vec<String> {
    let lines = &bundle.card().trained_on;
    let own: Vec<String> = lines.iter().filter(|line| line.starts_with(LNETS)).cloned().collect();
    if own.is_empty() { lines.iter().map(|line| format!("{LNETS}{line}")).collect() } else { own }
}
