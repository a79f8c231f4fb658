//! Fine-tuning: a training that begins from the nets of a finished bundle, for custom attributes, of faces or of anything else.
//!
//! LNets and localization stay the bundle's: the run's folder is initialized as if their stages had run, and stages `anet` and `svms` continue from there.

use lineament::locate::LnetMethod;
use lineament::{Bundle, Tagger};
use lineament_data::split::DEFAULT_SPLIT_SEED;
use lineament_data::{Dataset, FindingKind, Split, SplitShares};
use lineament_net::Weights;
use rayon::prelude::*;

use crate::context::Context;
use crate::error::TrainError;
use crate::folder::Folder;
use crate::options::{Crop, FineTune};
use crate::recipe::{AttributeStage, Nets, Recipe};
use crate::sets::{open_photo, photos};
use crate::stage::Stage;
use crate::trained_lnets::{has_localization, save_localization};

/// Photos that are looked at to decide where to look.
const LOOKED_AT: usize = 100;

/// Images below which a set without splits of its own gives more than a tenth of them to the SVMs: of a hundred images ten would be too few to
/// choose thresholds on. The test part stays what it is elsewhere, so that `evaluate` measures on images that nothing was trained on.
const SMALL: usize = 2000;
const SHARES: SplitShares = SplitShares { validation: 0.3, test: 0.1 };

/// A recipe for a bundle's nets: how ANet and the SVMs learn is taken from `given`, or from the recipe for tuning that comes along.
///
/// # Errors
/// When the recipe does not fit the nets.
pub fn recipe(bundle: &Bundle, given: Option<Recipe>) -> Result<Recipe, TrainError> {
    let base = match given {
        Some(recipe) => recipe,
        None => Recipe::tuning()?,
    };
    let (card, hash) = (bundle.card(), bundle.hash());
    let (Some(lnets), Some(look)) = (card.lnets(), card.anet()) else {
        let why =
            "--from needs a bundle of LNets and ANet; this one locates or describes faces in another way";
        return Err(TrainError::Recipe(why.to_owned()));
    };
    let recipe = Recipe {
        name: card.name.clone(),
        note: format!("Fine-tuned from {} {} ({}).", card.name, card.version, hash.get(..8).unwrap_or(&hash)),
        preprocess: card.preprocess,
        region: look.region,
        patches: look.patches.clone(),
        nets: Nets { lnet_o: lnets.lnet_o.clone(), lnet_s: lnets.lnet_s.clone(), anet: look.anet.clone() },
        identities: None,
        anet: AttributeStage { narrow: None, distillation: 0.0, ..base.anet },
        ..base
    };
    recipe.check()?;
    Ok(recipe)
}

/// Splits of small sets that have none of their own.
pub fn share_out(set: &mut Dataset) -> Result<(), TrainError> {
    if set.report.count(FindingKind::SplitsDrawn) > 0 && set.len() < SMALL {
        set.split_by_identity(DEFAULT_SPLIT_SEED, SHARES)?;
    }
    Ok(())
}

/// The file of the bundle's ANet in the run's folder.
const START: &str = "start";

/// Writes what the skipped stages would have written: the bundle's weights, and how faces are found.
///
/// # Errors
/// When a file can't be written or an image can't be read.
pub fn init_run(context: &Context<'_>, start: &FineTune) -> Result<(), TrainError> {
    let (FineTune { bundle, crop }, folder) = (start, &context.folder);
    save_nets(folder, bundle, &[("lnet_o", "lnet_o"), ("lnet_s", "lnet_s"), (START, "anet")])?;
    if has_localization(folder.path) {
        return Ok(());
    }
    let Some(own) = bundle.card().lnets().map(|lnets| lnets.method.clone()) else {
        return Ok(());
    };
    let full = match crop {
        Crop::Full => true,
        Crop::Located => false,
        Crop::Auto => own == LnetMethod::Whole || !finds_faces(context, bundle)?,
    };
    save_localization(folder.path, &if full { LnetMethod::Whole } else { own })
}

/// Writes nets of a bundle as results of stages, where none are yet.
///
/// # Errors
/// When a file can't be written.
pub fn save_nets(folder: &Folder<'_>, bundle: &Bundle, nets: &[(&str, &str)]) -> Result<(), TrainError> {
    for (stage, net) in nets {
        if let Some(weights) = bundle.parts().net(net).filter(|_| !folder.result(stage).exists()) {
            folder.save(stage, &[("trunk", weights)])?;
        }
    }
    Ok(())
}

/// The bundle's ANet, as [`init_run`] left it.
///
/// # Errors
/// When its file is not there or damaged.
pub fn anet(context: &Context<'_>) -> Result<Weights, TrainError> {
    context.folder.weights(Stage::Anet.name(), START, "trunk", Some(&context.recipe.nets.anet))
}

/// Whether the bundle finds a face in at least half of the training photos.
fn finds_faces(context: &Context<'_>, bundle: &Bundle) -> Result<bool, TrainError> {
    let all = photos(&context.sets, Split::Train);
    // Spread over the set: tables are often sorted.
    let step = all.len().div_ceil(LOOKED_AT).max(1);
    let chosen: Vec<_> = all.iter().step_by(step).collect();
    if chosen.is_empty() {
        return Ok(true);
    }
    let failed = |e: lineament::Error| TrainError::Net(e.to_string());
    let tagger = Tagger::new(bundle.clone()).map_err(failed)?;
    let found = chosen
        .par_iter()
        .map(|sample| Ok(!tagger.locate(&open_photo(&sample.path)?).map_err(failed)?.is_empty()))
        .collect::<Result<Vec<bool>, TrainError>>()?;
    let faces = found.iter().filter(|found| **found).count();
    let enough = 2 * faces >= found.len();
    tracing::info!(
        "from: a face was found in {faces} of {} pictures: ANet looks at {}",
        found.len(),
        if enough { "faces" } else { "whole pictures" }
    );
    Ok(enough)
}
