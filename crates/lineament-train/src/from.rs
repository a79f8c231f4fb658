//! Fine-tuning: a training that begins from the nets of a finished bundle, for attributes of one's own, of faces or of anything else.
//!
//! LNets and localisation stay the bundle's; the run's folder is furnished as if their stages had run, and stages `anet` and `svms` go on from there.

use lineament::locate::Localisation;
use lineament::{Bundle, Tagger};
use lineament_data::split::DEFAULT_SPLIT_SEED;
use lineament_data::{Dataset, FindingKind, Split, SplitShares};
use rayon::prelude::*;

use crate::error::TrainError;
use crate::locating::{photo, photos, save_localisation};
use crate::recipe::{AttributeStage, Nets, Recipe};
use crate::run::Run;

/// The stages of a fine-tuning.
pub const STAGES: [&str; 2] = ["anet", "svms"];

/// What a training begins from.
#[derive(Debug, Clone)]
pub struct From {
    /// The bundle.
    pub bundle: Bundle,
    /// Where ANet looks.
    pub region: Look,
}

/// Where ANet looks in a picture that was not cropped around a face.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Look {
    /// At the face, if the bundle finds one in at least half of the pictures; else at the whole picture.
    #[default]
    Auto,
    /// At the face that the bundle finds.
    Located,
    /// At the whole picture.
    Whole,
}

/// Photos that are looked at to decide where to look.
const ASKED: usize = 100;

/// Pictures below which a set without splits of its own gives more than a tenth of them to the SVMs: of a hundred pictures ten would be too few to
/// choose thresholds on. The test part stays what it is elsewhere, so that `evaluate` measures on pictures that nothing was learned from.
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
        anet: AttributeStage { narrow: None, soft: 0.0, ..base.anet },
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

/// Writes what the skipped stages would have written: the bundle's weights, and how faces are found.
///
/// # Errors
/// When a file can't be written or a picture can't be read.
pub fn furnish(run: &Run<'_>, from: &From) -> Result<(), TrainError> {
    let parts = from.bundle.parts();
    for (stage, net) in [("lnet_o", "lnet_o"), ("lnet_s", "lnet_s"), ("start", "anet")] {
        let weights = parts.net(net).filter(|_| !run.result(stage).exists());
        if let Some(weights) = weights {
            run.save(stage, &[("trunk", weights)])?;
        }
    }
    if run.folder().join("localisation.json").exists() {
        return Ok(());
    }
    let Some(own) = from.bundle.card().lnets().map(|lnets| lnets.localisation.clone()) else {
        return Ok(());
    };
    let whole = match from.region {
        Look::Whole => true,
        Look::Located => false,
        Look::Auto => own == Localisation::Whole || !finds_faces(run, from)?,
    };
    save_localisation(run, &if whole { Localisation::Whole } else { own })
}

/// Whether the bundle finds a face in at least half of the training photos.
fn finds_faces(run: &Run<'_>, from: &From) -> Result<bool, TrainError> {
    let all = photos(run, Split::Train);
    // Spread over the set: tables are often sorted.
    let step = all.len().div_ceil(ASKED).max(1);
    let asked: Vec<_> = all.iter().step_by(step).collect();
    if asked.is_empty() {
        return Ok(true);
    }
    let failed = |e: lineament::TaggerError| TrainError::Net(e.to_string());
    let tagger = Tagger::new(from.bundle.clone()).map_err(failed)?;
    let found = asked
        .par_iter()
        .map(|sample| Ok(!tagger.locate(&photo(&sample.path)?).map_err(failed)?.is_empty()))
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
