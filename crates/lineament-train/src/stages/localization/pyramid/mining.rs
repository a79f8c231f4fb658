//! Windows that LNets find themselves in training images: faces in photos, and what they take for one where there is none.

use std::path::{Path, PathBuf};

use lineament::locate::{LocateError, PyramidLocalizer, Window};
use lineament::{Photo, Search};
use lineament_data::Split;
use rayon::prelude::*;

use crate::context::Context;
use crate::error::TrainError;
use crate::faces::Whereabouts;
use crate::recipe::PyramidRecipe;
use crate::sets::{backgrounds, open_photo, with_face};
use crate::windows::{Negative, Positive};

/// Images of each set without a face that are searched for hard windows: more of the same bring little.
const SEARCHED: usize = 4000;

/// Hard windows of one image at most, so that no single one fills the list.
const A_IMAGE: usize = 12;

/// The windows in training photos of which the LNets are more sure than the recipe asks for. Tags belong to the strongest one of a photo.
///
/// # Errors
/// When a photo can't be read or a net can't be run.
pub fn own_windows(
    context: &Context<'_>,
    recipe: &PyramidRecipe,
    localizer: &PyramidLocalizer,
) -> Result<Vec<Positive>, TrainError> {
    let photos = with_face(&context.sets, Split::Train);
    let found = photos
        .par_iter()
        .map(|sample| {
            let mut tags = sample.tags.clone();
            let sure = windows_of(&sample.path, |photo| localizer.windows(photo, &Search::default()))?;
            let sure = sure.into_iter().take_while(|window| window.score > recipe.confident);
            let positive = |window: Window| Positive {
                path: sample.path.clone(),
                window: Whereabouts::Region(window.rect()),
                roll: window.roll,
                tags: std::mem::take(&mut tags),
            };
            Ok(sure.map(positive).collect())
        })
        .collect::<Result<Vec<Vec<Positive>>, TrainError>>()?;
    Ok(found.into_iter().flatten().collect())
}

/// The windows of images without a face that LNet_s responds to most, at either look.
///
/// # Errors
/// When an image can't be read or a net can't be run.
pub fn hard_windows(
    context: &Context<'_>,
    recipe: &PyramidRecipe,
    localizer: &PyramidLocalizer,
) -> Result<Vec<Negative>, TrainError> {
    hardest(context, recipe, |photo| {
        let candidates = localizer.candidates(photo, &Search::default())?;
        let first = localizer.look(photo, &candidates)?;
        let again: Vec<Window> =
            first.iter().copied().filter(|window| window.score > recipe.localisation.second_look).collect();
        let second = localizer.look(photo, &again)?;
        // A window as LNet_s saw it, with its response.
        let seen = |(window, answer): (&Window, &Window)| Window { score: answer.score, ..*window };
        let mut seen: Vec<Window> =
            candidates.iter().zip(&first).map(seen).chain(again.iter().zip(&second).map(seen)).collect();
        seen.sort_by(|a, b| b.score.total_cmp(&a.score));
        Ok(seen)
    })
}

/// The windows of images without a face that LNet_o responds to most.
///
/// # Errors
/// As [`hard_windows`].
pub fn hard_candidates(
    context: &Context<'_>,
    recipe: &PyramidRecipe,
    localizer: &PyramidLocalizer,
) -> Result<Vec<Negative>, TrainError> {
    hardest(context, recipe, |photo| localizer.candidates(photo, &Search::default()))
}

fn hardest(
    context: &Context<'_>,
    recipe: &PyramidRecipe,
    find: impl Fn(&Photo) -> Result<Vec<Window>, LocateError> + Sync,
) -> Result<Vec<Negative>, TrainError> {
    let evenly = |paths: Vec<PathBuf>| {
        let step = paths.len().div_ceil(SEARCHED).max(1);
        paths.into_iter().step_by(step)
    };
    let paths: Vec<PathBuf> =
        backgrounds(&context.sets, &recipe.people).into_iter().flat_map(evenly).collect();
    let found = paths
        .par_iter()
        .map(|path| {
            let windows = windows_of(path, &find)?.into_iter().take(A_IMAGE);
            let negative = |w: Window| Negative { path: path.clone(), window: w.rect(), roll: w.roll };
            Ok(windows.map(|w| (w.score, negative(w))).collect())
        })
        .collect::<Result<Vec<Vec<(f32, Negative)>>, TrainError>>()?;
    let mut found: Vec<(f32, Negative)> = found.into_iter().flatten().collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found.truncate(recipe.hard);
    Ok(found.into_iter().map(|(_, negative)| negative).collect())
}

/// Windows of the image in a file, best first.
fn windows_of(
    path: &Path,
    find: impl Fn(&Photo) -> Result<Vec<Window>, LocateError>,
) -> Result<Vec<Window>, TrainError> {
    find(&open_photo(path)?).map_err(|e| TrainError::Net(e.to_string()))
}
