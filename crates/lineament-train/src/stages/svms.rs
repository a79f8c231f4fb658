//! Stage `svms`: SVMs, calibration and thresholds, and the bundle that holds everything.

use std::collections::BTreeMap;

use lineament::attributes::{Anet, AnetPatches, Extractor};
use lineament::bundle::{Bundle, Card, Parts};
use lineament::locate::{Lnets, LocalizerSpec};

use lineament_net::Precision;

use crate::anet::head_spec;
use crate::anet_faces;
use crate::context::Context;
use crate::error::TrainError;
use crate::faces_of;
use crate::heads::{NetHead, features, heads};
use crate::options::Base;
use crate::provenance::{LICENCE, trained_on};
use crate::stage::Stage;
use crate::trained_lnets;

/// Fits the heads on the validation part and writes `model.lineament`.
///
/// # Errors
/// When an earlier stage is missing, or the bundle can't be written.
pub fn run(context: &Context<'_>) -> Result<(), TrainError> {
    let recipe = context.recipe;
    let trunk = context.weights(Stage::Svms, Stage::Anet, "trunk", Some(&recipe.nets.anet))?;
    let head = head_spec(&recipe.nets.anet, context.attributes.len())?;
    let head = NetHead::new(&context.weights(Stage::Svms, Stage::Anet, "head", Some(&head))?)?;
    let anet = Anet::new(&recipe.nets.anet, &trunk, recipe.preprocess, recipe.patches.clone())
        .map_err(|e| TrainError::Net(e.to_string()))?;
    let faces = anet_faces::collect(context)?;
    let found = features(&faces, &anet, &recipe.svms)?;
    let heads = heads(&found, &head, &context.attributes, &recipe.svms)?;
    let (localizer, mut nets, detector) = match context.detector {
        Some((detector, onnx)) => {
            (LocalizerSpec::Detector(detector.clone()), BTreeMap::new(), Some(onnx.clone()))
        }
        None => {
            let (lnet_o, lnet_s, method) = trained_lnets::read(context.folder.path, &recipe.nets)?;
            let specs = (recipe.nets.lnet_o.clone(), recipe.nets.lnet_s.clone());
            let lnets = Lnets { lnet_o: specs.0, lnet_s: specs.1, method };
            let weights = [("lnet_o".to_owned(), lnet_o), ("lnet_s".to_owned(), lnet_s)];
            (LocalizerSpec::Lnets(lnets), BTreeMap::from(weights), None)
        }
    };
    nets.insert("anet".to_owned(), trunk);
    let mut trained_on = trained_on(&context.sets);
    let mut licence = LICENCE.to_owned();
    // What the nets were trained on before still holds, and so do its terms.
    let (before, base) = match context.base {
        Base::Nets(start) => (start.bundle.card().trained_on.clone(), Some(&start.bundle)),
        Base::Faces(bundle) => (faces_of::trained_on(bundle), Some(bundle)),
        Base::Nothing | Base::Attributes(_) => (Vec::new(), None),
    };
    trained_on.splice(0..0, before);
    if let Some(base) = base {
        licence.clone_from(&base.card().licence);
    }
    let card = Card {
        format: Card::FORMAT,
        name: recipe.name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        created: None,
        localizer,
        extractor: Extractor::Anet(AnetPatches {
            anet: recipe.nets.anet.clone(),
            region: anet_faces::region(context)?,
            patches: recipe.patches.clone(),
        }),
        landmarks: None,
        quality: None,
        preprocess: recipe.preprocess,
        attributes: heads.cards,
        trained_on,
        scores: heads.scores,
        licence,
        note: recipe.note.clone(),
    };
    let parts = Parts { nets, detector, svms: heads.svms };
    let bundle = Bundle::new(&card, &parts, Precision::F16).map_err(|e| TrainError::Bundle(e.to_string()))?;
    bundle.write(&context.folder.result(Stage::Svms.name())).map_err(|e| TrainError::Bundle(e.to_string()))
}
