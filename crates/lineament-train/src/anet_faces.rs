//! The faces that ANet learns from: those of cropped images, and those that the LNets or a detector find in photos.

use std::path::{Path, PathBuf};

use lineament::attributes::Region;
use lineament::locate::{Detector, LnetMethod};
use lineament::{Point, Rect};
use lineament_data::{Dataset, Split};

use crate::checkpoint::write_whole;
use crate::context::Context;
use crate::detector;
use crate::error::TrainError;
use crate::faces::Faces;
use crate::located::Located;
use crate::recipe::Recipe;
use crate::sets::photos;
use crate::trained_lnets;

/// Collects them. Photos are searched once; what was found is kept in `located.csv`.
///
/// # Errors
/// When the LNets are not there yet or an image can't be read.
pub fn collect(context: &Context<'_>) -> Result<Faces, TrainError> {
    let path = context.folder.path.join("located.csv");
    let located = match context.detector {
        _ if path.exists() => {
            let full = context.detector.is_none() && looks_at_full_images(context)?;
            Located::open(&path)?.of_full_images(full)
        }
        Some((detector, onnx)) => {
            let located = find_with_detector(&context.sets, detector, onnx)?;
            fit_region(context, &located)?;
            located.save(&path)?;
            located
        }
        None => {
            let located = find_with_lnets(context)?;
            located.save(&path)?;
            located
        }
    };
    let recipe = Recipe { region: region(context)?, ..context.recipe.clone() };
    Ok(Faces::collect(&context.sets, &recipe, &located))
}

/// How a box or landmarks become the square that ANet sees: the recipe's way, or what fits a detector's boxes better.
///
/// # Errors
/// When what was fitted can't be read.
pub fn region(context: &Context<'_>) -> Result<Region, TrainError> {
    if context.detector.is_none() {
        return Ok(context.recipe.region);
    }
    let path = region_file(context.folder.path);
    let text = std::fs::read_to_string(&path).map_err(|e| TrainError::io(&path, e))?;
    serde_json::from_str(&text).map_err(|e| {
        TrainError::Net(format!("{}: {e}; delete it and located.csv to fit it again", path.display()))
    })
}

fn region_file(folder: &Path) -> PathBuf {
    folder.join("region.json")
}

fn looks_at_full_images(context: &Context<'_>) -> Result<bool, TrainError> {
    let (_, _, localization) = trained_lnets::read(context.folder.path, &context.recipe.nets)?;
    Ok(localization == LnetMethod::Whole)
}

/// Tagged photos that faces are looked for in.
fn searched(sets: &[Dataset]) -> Vec<PathBuf> {
    let of = |split| photos(sets, split).into_iter().map(|sample| sample.path);
    of(Split::Train).chain(of(Split::Validation)).collect()
}

/// The dominant face of every tagged photo, whatever its score: there is one, as the paper assumes.
fn find_with_lnets(context: &Context<'_>) -> Result<Located, TrainError> {
    let localizer = trained_lnets::open(context.folder.path, context.recipe)?;
    let full = looks_at_full_images(context)?;
    Ok(Located::find(localizer.as_ref(), &searched(&context.sets))?.of_full_images(full))
}

fn find_with_detector(sets: &[Dataset], detector: &Detector, onnx: &[u8]) -> Result<Located, TrainError> {
    let eager = Detector { threshold: detector::LEAST, ..detector.clone() };
    let localizer = eager.localizer(onnx).map_err(|e| TrainError::Net(e.to_string()))?;
    Located::find(localizer.as_ref(), &searched(sets))
}

/// Fits the square around a box to the square of the landmarks, on training photos that have some: the medians of size and place. Where none
/// has, the recipe's constants stay.
fn fit_region(context: &Context<'_>, located: &Located) -> Result<(), TrainError> {
    let marked = photos(&context.sets, Split::Train);
    let marked: Vec<(Rect, [Point; 5])> =
        marked.iter().filter_map(|sample| located.get(&sample.path).zip(sample.landmarks)).collect();
    let fitted = detector::fitted(context.recipe.region, &marked);
    tracing::info!(
        "detector: the square is {:.4} heights of its boxes, {:.4} below their centres ({} photos)",
        fitted.enlarge,
        fitted.shift,
        marked.len()
    );
    let text = serde_json::to_string_pretty(&fitted).map_err(|e| TrainError::Net(e.to_string()))?;
    Ok(write_whole(&region_file(context.folder.path), text.as_bytes())?)
}
