//! Stages `lnet_o` and `lnet_s`: localisation from image-level tags (paper section 3.1).
//!
//! What reaches a loss here: the attribute tags of a picture, whether it has a face, and regions that an LNet found itself. Given boxes serve, on the
//! validation part, to choose the few constants from response to box; without any the recipe's own stand.

pub mod paper;
pub mod pyramid;

use std::path::{Path, PathBuf};

use lineament::engine::Engine;
use lineament::input::Preprocess;
use lineament::locate::{Localisation, Localizer, Locator};
use lineament::{Bundle, Limits, Photo};
use lineament_data::{Framing, Sample, Split};
use lineament_net::{Net, NetSpec, Weights};

use crate::checkpoint::write_whole;
use crate::error::TrainError;
use crate::folder;
use crate::located::Located;
use crate::recipe::{LocatingRecipe, Nets, Recipe};
use crate::run::Run;

/// Stage `lnet_o`.
///
/// # Errors
/// When there is nothing to learn from, or the training stops.
pub fn lnet_o(run: &Run<'_>) -> Result<(), TrainError> {
    match &run.recipe.locating {
        LocatingRecipe::Paper(recipe) => paper::lnet_o(run, recipe),
        LocatingRecipe::Pyramid(recipe) => pyramid::lnet_o(run, recipe),
    }
}

/// Stage `lnet_s`, and the choice of the localiser's constants on the validation part.
///
/// # Errors
/// When there is nothing to learn from, or the training stops.
pub fn lnet_s(run: &Run<'_>) -> Result<(), TrainError> {
    let chosen = match &run.recipe.locating {
        LocatingRecipe::Paper(recipe) => Localisation::Paper(paper::lnet_s(run, recipe)?),
        LocatingRecipe::Pyramid(recipe) => Localisation::Pyramid(pyramid::lnet_s(run, recipe)?),
    };
    save_localisation(run, &chosen)
}

/// Writes how the LNets lead to boxes into the run's folder.
///
/// # Errors
/// When the file can't be written.
pub fn save_localisation(run: &Run<'_>, chosen: &Localisation) -> Result<(), TrainError> {
    let text = serde_json::to_string_pretty(chosen).map_err(|e| TrainError::Net(e.to_string()))?;
    Ok(write_whole(&run.folder().join("localisation.json"), text.as_bytes())?)
}

/// The trained LNets and how they lead to boxes.
///
/// # Errors
/// When stage `lnet_s` has not run.
pub fn parts(run: &Run<'_>) -> Result<(Weights, Weights, Localisation), TrainError> {
    trained(run.folder(), &run.recipe.nets)
}

fn trained(folder: &Path, nets: &Nets) -> Result<(Weights, Weights, Localisation), TrainError> {
    let lnet_o = folder::weights(folder, "svms", "lnet_o", "trunk", Some(&nets.lnet_o))?;
    let lnet_s = folder::weights(folder, "svms", "lnet_s", "trunk", Some(&nets.lnet_s))?;
    let path = folder.join("localisation.json");
    let text = std::fs::read_to_string(&path).map_err(|e| TrainError::io(&path, e))?;
    let chosen = serde_json::from_str(&text)
        .map_err(|e| TrainError::Net(format!("{}: {e}; run stage lnet_s again", path.display())))?;
    Ok((lnet_o, lnet_s, chosen))
}

/// Looks with the trained LNets for the dominant face of every tagged photo, whatever its score: there is one, as the paper assumes.
///
/// # Errors
/// When stage `lnet_s` has not run or a photo can't be read.
pub fn find_faces(run: &Run<'_>) -> Result<Located, TrainError> {
    let localizer = open(run.folder(), run.recipe)?;
    let mut paths = Vec::new();
    for split in [Split::Train, Split::Validation] {
        paths.extend(photos(run, split).into_iter().map(|s| s.path));
    }
    let whole = parts(run)?.2 == Localisation::Whole;
    Ok(Located::find(localizer.as_ref(), &paths)?.of_whole_pictures(whole))
}

/// The LNets of a run's folder, with every response counting as a face, however weak: for the dominant face of photos that have one, and for curves.
///
/// # Errors
/// When stage `lnet_s` has not run there.
pub fn open(folder: &Path, recipe: &Recipe) -> Result<Box<dyn Localizer>, TrainError> {
    let nets = &recipe.nets;
    let (lnet_o, lnet_s, chosen) = trained(folder, nets)?;
    unbounded(chosen, (&nets.lnet_o, &lnet_o), (&nets.lnet_s, &lnet_s), recipe.preprocess)
}

/// The same for the LNets of a bundle.
///
/// # Errors
/// When its nets cannot be run, which no bundle that was opened brings about.
pub fn of_bundle(bundle: &Bundle) -> Result<Box<dyn Localizer>, TrainError> {
    let (card, parts) = (bundle.card(), bundle.parts());
    let mut locator = card.locator.clone();
    match &mut locator {
        Locator::Lnets(lnets) => unbound(&mut lnets.localisation),
        Locator::Detector(detector) => detector.threshold = crate::detecting::LEAST,
        _ => {}
    }
    let net = |name: &str| parts.net(name);
    let localizer = locator.localizer(&Engine::Native, net, parts.detector.as_deref(), card.preprocess);
    localizer.map_err(|e| TrainError::Net(e.to_string()))
}

fn unbounded(
    mut localisation: Localisation,
    lnet_o: (&NetSpec, &Weights),
    lnet_s: (&NetSpec, &Weights),
    preprocess: Preprocess,
) -> Result<Box<dyn Localizer>, TrainError> {
    unbound(&mut localisation);
    let localizer = localisation.localizer(net(lnet_o.0, lnet_o.1)?, net(lnet_s.0, lnet_s.1)?, preprocess);
    localizer.map_err(|e| TrainError::Net(e.to_string()))
}

/// Lets every response pass.
fn unbound(localisation: &mut Localisation) {
    match localisation {
        Localisation::Paper(parameters) => {
            parameters.threshold = LEAST;
            parameters.candidate_threshold = LEAST;
        }
        Localisation::Pyramid(parameters) => {
            parameters.threshold = LEAST;
            parameters.candidate_threshold = LEAST;
        }
        _ => {}
    }
}

/// A threshold that every response passes.
const LEAST: f32 = -1e30;

fn net(spec: &NetSpec, weights: &Weights) -> Result<Net, TrainError> {
    Net::new(spec, weights).map_err(|e| TrainError::Net(e.to_string()))
}

/// Training pictures without a face, a list a data set: those that say so, and objects.
fn backgrounds(run: &Run<'_>) -> Vec<Vec<PathBuf>> {
    let of_set = |set: &lineament_data::Dataset| -> Vec<PathBuf> {
        let without = |s: &&Sample| s.split == Split::Train && (s.face == Some(false) || s.class.is_some());
        set.samples.iter().filter(without).map(|s| s.path.clone()).collect()
    };
    run.sets.iter().map(of_set).filter(|paths| !paths.is_empty()).collect()
}

/// Pictures of the validation part that say that there is no face.
fn faceless(run: &Run<'_>) -> Vec<PathBuf> {
    let of_set = |set: &lineament_data::Dataset| -> Vec<PathBuf> {
        let without = |s: &&Sample| s.split == Split::Validation && s.face == Some(false);
        set.samples.iter().filter(without).map(|s| s.path.clone()).collect()
    };
    run.sets.iter().flat_map(of_set).collect()
}

/// Tagged photos with a face, as they were taken.
pub fn photos(run: &Run<'_>, split: Split) -> Vec<Sample> {
    let with = |s: &&Sample| {
        s.split == split
            && s.framing == Framing::Photo
            && s.face != Some(false)
            && s.tags.iter().any(Option::is_some)
    };
    run.sets.iter().flat_map(|set| set.samples.iter().filter(with).cloned()).collect()
}

/// Reads a picture.
///
/// # Errors
/// When it can't be read, with its path.
pub fn photo(path: &Path) -> Result<Photo, TrainError> {
    Photo::open(path, &Limits::default())
        .map_err(|source| TrainError::Photo { path: path.to_path_buf(), source })
}
