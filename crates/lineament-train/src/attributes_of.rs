//! A new localization for a finished bundle: its ANet, SVMs and thresholds stay, its LNets are those of the run.

use lineament::Bundle;
use lineament::bundle::Parts;
use lineament::locate::{Lnets, LocalizerSpec};
use lineament_net::Precision;

use crate::context::Context;
use crate::error::TrainError;
use crate::provenance::{LNETS, trained_on};
use crate::stage::Stage;
use crate::trained_lnets;

/// Writes the run's LNets and the bundle's attributes as one bundle.
///
/// # Errors
/// When the LNets are missing or see images prepared in another way than the bundle's ANet, or the file can't be written.
pub fn join(context: &Context<'_>, bundle: &Bundle) -> Result<(), TrainError> {
    let (recipe, mut card) = (context.recipe, bundle.card().clone());
    if card.preprocess != recipe.preprocess {
        let why = "[preprocess] differs from that of the bundle whose attributes are kept; take the bundle's";
        return Err(TrainError::Recipe(why.to_owned()));
    }
    let (lnet_o, lnet_s, method) = trained_lnets::read(context.folder.path, &recipe.nets)?;
    let parts = bundle.parts();
    let mut nets = parts.nets.clone();
    nets.insert("lnet_o".to_owned(), lnet_o);
    nets.insert("lnet_s".to_owned(), lnet_s);
    card.localizer = LocalizerSpec::Lnets(Lnets {
        lnet_o: recipe.nets.lnet_o.clone(),
        lnet_s: recipe.nets.lnet_s.clone(),
        method,
    });
    // What the attributes were learned from is in the bundle's own lines.
    card.trained_on.extend(trained_on(&context.sets).into_iter().map(|line| format!("{LNETS}{line}")));
    let parts = Parts { nets, detector: None, svms: parts.svms.clone() };
    let bundle = Bundle::new(&card, &parts, Precision::F16).map_err(|e| TrainError::Bundle(e.to_string()))?;
    bundle.write(&context.folder.result(Stage::Svms.name())).map_err(|e| TrainError::Bundle(e.to_string()))
}
