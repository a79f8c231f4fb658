//! Stage `svms`: SVMs, calibration and thresholds, and the bundle that holds everything.

use std::collections::BTreeMap;

use lineament::attributes::{Anet, AnetPatches, Describer};
use lineament::bundle::{Bundle, Card, Parts};
use lineament::locate::{Lnets, Locator};

use lineament_net::Precision;

use crate::anet::head_spec;
use crate::error::TrainError;
use crate::locating;
use crate::run::Run;
use crate::svms::{NetHead, features, heads};

/// The terms of weights that were learned from research data; a training on data of one's own edits the card.
pub(crate) const LICENCE: &str =
    "For non-commercial research only: the weights were learned from pictures that are released for that.";

/// Fits the heads on the validation part and writes `model.lineament`.
///
/// # Errors
/// When an earlier stage is missing, or the bundle can't be written.
pub fn svms(run: &Run<'_>) -> Result<(), TrainError> {
    let recipe = run.recipe;
    let trunk = run.weights("svms", "anet", "trunk", Some(&recipe.nets.anet))?;
    let head = head_spec(&recipe.nets.anet, run.attributes.len())?;
    let head = NetHead::new(&run.weights("svms", "anet", "head", Some(&head))?)?;
    let anet = Anet::new(&recipe.nets.anet, &trunk, recipe.preprocess, recipe.patches.clone())
        .map_err(|e| TrainError::Net(e.to_string()))?;
    let faces = run.faces()?;
    let found = features(&faces, &anet, &recipe.svms)?;
    let heads = heads(&found, &head, &run.attributes, &recipe.svms)?;
    let (locator, mut nets, detector) = match run.detector() {
        Some((detector, onnx)) => (Locator::Detector(detector.clone()), BTreeMap::new(), Some(onnx.clone())),
        None => {
            let (lnet_o, lnet_s, localisation) = locating::parts(run)?;
            let specs = (recipe.nets.lnet_o.clone(), recipe.nets.lnet_s.clone());
            let lnets = Lnets { lnet_o: specs.0, lnet_s: specs.1, localisation };
            let weights = [("lnet_o".to_owned(), lnet_o), ("lnet_s".to_owned(), lnet_s)];
            (Locator::Lnets(lnets), BTreeMap::from(weights), None)
        }
    };
    nets.insert("anet".to_owned(), trunk);
    let mut trained_on = trained_on(&run.sets);
    let mut licence = LICENCE.to_owned();
    if let Some(from) = run.from() {
        // What the nets were learned from before still holds, and so do its terms.
        let base = from.bundle.card();
        trained_on.splice(0..0, base.trained_on.iter().cloned());
        licence.clone_from(&base.licence);
    }
    let card = Card {
        format: if detector.is_some() { Card::FORMAT } else { Card::CASCADE },
        name: recipe.name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        created: None,
        locator,
        describer: Describer::Anet(AnetPatches {
            anet: recipe.nets.anet.clone(),
            region: run.region()?,
            patches: recipe.patches.clone(),
        }),
        preprocess: recipe.preprocess,
        attributes: heads.cards,
        trained_on,
        scores: heads.scores,
        licence,
        note: recipe.note.clone(),
    };
    let parts = Parts { nets, detector, svms: heads.svms };
    let bundle = Bundle::new(&card, &parts, Precision::F16).map_err(|e| TrainError::Bundle(e.to_string()))?;
    bundle.write(&run.result("svms")).map_err(|e| TrainError::Bundle(e.to_string()))
}

/// A line a data set: its name and how many pictures of each part were there.
pub(crate) fn trained_on(sets: &[lineament_data::Dataset]) -> Vec<String> {
    let line = |set: &lineament_data::Dataset| {
        let count = |split| set.split(split).len();
        format!(
            "{}: {} pictures to train on, {} to choose on",
            set.name,
            count(lineament_data::Split::Train),
            count(lineament_data::Split::Validation)
        )
    };
    sets.iter().map(line).collect()
}
