//! The compact recipe's localization: window classifiers that slide over a pyramid ([`lineament::locate::pyramid`]).

use std::path::PathBuf;

use lineament::locate::{PyramidLocalizer, PyramidParameters, Window, WindowToBox};
use lineament_data::{Framing, Sample, Split};
use lineament_fit::detection_threshold::at_false_alarms;
use lineament_net::{NetSpec, Weights};
use rayon::prelude::*;

use crate::context::Context;
use crate::error::TrainError;
use crate::faces::Whereabouts;
use crate::learner::Learner;
use crate::module::Module;
use crate::recipe::{PyramidRecipe, WindowStage, without_responses};
use crate::sets::{backgrounds, faceless, open_photo, photos};
use crate::stage::{FIRST_ROUND, Stage};
use crate::trained_lnets::net;
use crate::training_loop;
use crate::windows::{Negative, Positive, WindowData, Windows};

/// Stage `lnet_o`: windows of images that are framed alike, against windows without a face.
///
/// # Errors
/// When there is nothing to learn from, or the training stops.
pub fn lnet_o(context: &Context<'_>, recipe: &PyramidRecipe) -> Result<(), TrainError> {
    let data = WindowData {
        positives: framed(context, recipe),
        backgrounds: backgrounds(&context.sets),
        hard: Vec::new(),
    };
    let start = context.object_weights(Stage::LnetO, "trunk")?;
    learn(context, "lnet_o", &context.recipe.nets.lnet_o, &recipe.lnet_o, data, start.as_ref())
}

/// Stage `lnet_s`: the same, and windows that LNet_o found itself in photos, against what it took for a face where there is none.
///
/// # Errors
/// When there is nothing to learn from, or the training stops.
pub fn lnet_s(context: &Context<'_>, recipe: &PyramidRecipe) -> Result<PyramidParameters, TrainError> {
    let nets = &context.recipe.nets;
    let lnet_o = context.weights(Stage::LnetS, Stage::LnetO, "trunk", Some(&nets.lnet_o))?;
    // What LNet_s knows before it learns from windows that were found: what LNet_o does, where both have one structure, or a first round of its own.
    let known = match &recipe.lnet_s_first {
        _ if nets.one_lnet() => Some(lnet_o.clone()),
        Some(first) => {
            let data = WindowData {
                positives: framed(context, recipe),
                backgrounds: backgrounds(&context.sets),
                hard: Vec::new(),
            };
            let start = context.object_weights(Stage::LnetS, "lnet_s")?;
            learn(context, FIRST_ROUND, &nets.lnet_s, first, data, start.as_ref())?;
            Some(context.folder.weights(Stage::LnetS.name(), FIRST_ROUND, "trunk", Some(&nets.lnet_s))?)
        }
        None => None,
    };
    let own = match &known {
        Some(known) => localizer(context, &lnet_o, (&nets.lnet_s, known), &recipe.localisation)?,
        None => localizer(context, &lnet_o, (&nets.lnet_o, &lnet_o), &recipe.localisation)?,
    };
    let photos = photos(&context.sets, Split::Train);
    let found = strongest(&own, &photos.iter().map(|s| s.path.clone()).collect::<Vec<_>>())?;
    let mut positives = framed(context, recipe);
    let before = positives.len();
    for (sample, window) in photos.iter().zip(found) {
        let Some(window) = window.filter(|w| w.score > recipe.confident) else { continue };
        let window = Whereabouts::Region(window.rect());
        positives.push(Positive { path: sample.path.clone(), window, tags: sample.tags.clone() });
    }
    let own_windows = positives.len() - before;
    tracing::info!("lnet_s: LNet_o is sure of its window in {own_windows} of {} photos", photos.len());
    let hard = hard_windows(context, &own, recipe.hard)?;
    tracing::info!("lnet_s: {} hard windows without a face", hard.len());
    let data = WindowData { positives, backgrounds: backgrounds(&context.sets), hard };
    let start = match known {
        Some(known) => Some(known),
        None => context.object_weights(Stage::LnetS, "lnet_s")?,
    };
    learn(context, "lnet_s", &nets.lnet_s, &recipe.lnet_s, data, start.as_ref())?;
    calibrate(context, recipe)
}

fn learn(
    context: &Context<'_>,
    name: &'static str,
    net: &NetSpec,
    stage: &WindowStage,
    data: WindowData,
    start: Option<&Weights>,
) -> Result<(), TrainError> {
    without_responses(net, context.attributes.len())?;
    if data.positives.len() < stage.schedule.batch {
        let why = "no --data set that the recipe's [locating.frames] names holds tagged pictures cropped around their faces";
        return Err(TrainError::NoImages { stage: name.to_owned(), why: why.to_owned() });
    }
    if data.backgrounds.is_empty() {
        let why = "no --data folder holds pictures without a face (a flat folder of them, or object classes)";
        return Err(TrainError::NoImages { stage: name.to_owned(), why: why.to_owned() });
    }
    let module = Module::new(net, 0)?;
    let schedule = &stage.schedule;
    let mut learner = Learner::new(&[&module], schedule.optimiser, schedule.average, context.recipe.seed);
    let taken = start.map_or(0, |start| learner.load_matching(&module, start));
    tracing::info!("{name}: {} windows with a face, {taken} parameters from before", data.positives.len());
    let task = Windows::new(name, context.recipe, stage, &module, data, context.attributes.len());
    training_loop::run(&task, &mut learner, schedule, &context.folder.around())?;
    context.folder.save(name, &[("trunk", &learner.weights(&module))])
}

/// Tagged training images of sets that are framed alike.
fn framed(context: &Context<'_>, recipe: &PyramidRecipe) -> Vec<Positive> {
    let mut found = Vec::new();
    for set in &context.sets {
        let Some(frame) = recipe.frames.get(&set.name) else { continue };
        let of_set = set.samples.iter().filter(|s| s.split == Split::Train && s.framing == Framing::Aligned);
        found.extend(of_set.map(|s| Positive {
            path: s.path.clone(),
            window: Whereabouts::Framed(*frame),
            tags: s.tags.clone(),
        }));
    }
    found
}

fn localizer(
    context: &Context<'_>,
    lnet_o: &Weights,
    (second, lnet_s): (&NetSpec, &Weights),
    parameters: &PyramidParameters,
) -> Result<PyramidLocalizer, TrainError> {
    PyramidLocalizer::new(
        net(&context.recipe.nets.lnet_o, lnet_o)?,
        net(second, lnet_s)?,
        context.recipe.preprocess,
        parameters.clone(),
    )
    .map_err(|e| TrainError::Net(e.to_string()))
}

/// The strongest window of every image.
fn strongest(localizer: &PyramidLocalizer, paths: &[PathBuf]) -> Result<Vec<Option<Window>>, TrainError> {
    let best = |path: &PathBuf| {
        let windows = localizer.windows(&open_photo(path)?).map_err(|e| TrainError::Net(e.to_string()))?;
        Ok(windows.into_iter().next())
    };
    paths.par_iter().map(best).collect()
}

/// Images of each set without a face that are searched for hard windows: more of the same bring little.
const SEARCHED: usize = 4000;

/// The windows of images without a face that the LNets respond to most.
fn hard_windows(
    context: &Context<'_>,
    localizer: &PyramidLocalizer,
    most: usize,
) -> Result<Vec<Negative>, TrainError> {
    let evenly = |paths: Vec<PathBuf>| {
        let step = paths.len().div_ceil(SEARCHED).max(1);
        paths.into_iter().step_by(step)
    };
    let paths: Vec<PathBuf> = backgrounds(&context.sets).into_iter().flat_map(evenly).collect();
    let found = paths
        .par_iter()
        .map(|path| {
            let windows =
                localizer.windows(&open_photo(path)?).map_err(|e| TrainError::Net(e.to_string()))?;
            Ok(windows.iter().map(|w| (w.score, Negative { path: path.clone(), window: w.rect() })).collect())
        })
        .collect::<Result<Vec<Vec<(f32, Negative)>>, TrainError>>()?;
    let mut found: Vec<(f32, Negative)> = found.into_iter().flatten().collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found.truncate(most);
    Ok(found.into_iter().map(|(_, negative)| negative).collect())
}

/// Chooses, on the validation part, the constants from window to box (medians over photos with a given box) and the threshold
/// (on images without a face).
fn calibrate(context: &Context<'_>, recipe: &PyramidRecipe) -> Result<PyramidParameters, TrainError> {
    let mut chosen = recipe.localisation.clone();
    let nets = &context.recipe.nets;
    let lnet_o = context.weights(Stage::LnetS, Stage::LnetO, "trunk", Some(&nets.lnet_o))?;
    let lnet_s = context.weights(Stage::LnetS, Stage::LnetS, "trunk", Some(&nets.lnet_s))?;
    let boxed: Vec<Sample> =
        photos(&context.sets, Split::Validation).into_iter().filter(|s| s.rect.is_some()).collect();
    if let Some(lost) = recipe.candidates_lost {
        let all = localizer(context, &lnet_o, (&nets.lnet_s, &lnet_s), &chosen)?;
        let threshold = candidate_threshold(&all, &boxed, lost)?;
        chosen.candidate_threshold = threshold.unwrap_or(chosen.candidate_threshold);
    }
    let localizer = localizer(context, &lnet_o, (&nets.lnet_s, &lnet_s), &chosen)?;
    let found = strongest(&localizer, &boxed.iter().map(|s| s.path.clone()).collect::<Vec<_>>())?;
    let pairs: Vec<(Window, lineament::Rect)> =
        boxed.iter().zip(found).filter_map(|(s, w)| Some((w?, s.rect?))).collect();
    if let Some(face) = window_to_box(&pairs) {
        chosen.face = face;
    }
    let without = faceless(&context.sets);
    let score = |w: Option<Window>| w.map_or(f32::MIN, |w| w.score);
    let alarms: Vec<f32> = strongest(&localizer, &without)?.into_iter().map(score).collect();
    let faces: Vec<f32> = pairs.iter().map(|(w, _)| w.score).collect();
    if !alarms.is_empty() && !faces.is_empty() {
        let boundary = at_false_alarms(&faces, &alarms, alarms.len(), recipe.false_alarms)
            .map_err(|e| TrainError::Net(e.to_string()))?;
        chosen.threshold = boundary.threshold;
    }
    let right = pairs.iter().filter(|(w, given)| w.face(&chosen.face).iou(*given) >= 0.5).count();
    let passed = faces.iter().filter(|score| **score > chosen.threshold).count();
    tracing::info!(
        "lnet_s: validation: {right} of {} boxes at IoU 0.5, {passed} above the threshold {:.3} ({} pictures without a face)",
        boxed.len(),
        chosen.threshold,
        alarms.len()
    );
    Ok(chosen)
}

/// The response of LNet_o that all but a share of the faces exceed which LNet_s finds.
fn candidate_threshold(
    localizer: &PyramidLocalizer,
    boxed: &[Sample],
    lost: f64,
) -> Result<Option<f32>, TrainError> {
    let found = boxed.par_iter().map(|sample| {
        let refined =
            localizer.refined(&open_photo(&sample.path)?).map_err(|e| TrainError::Net(e.to_string()))?;
        let best = refined.first().map(|(_, coarse)| coarse.score);
        Ok((best, refined.iter().map(|(_, coarse)| coarse.score).collect::<Vec<f32>>()))
    });
    let found = found.collect::<Result<Vec<_>, TrainError>>()?;
    let mut best: Vec<f32> = found.iter().filter_map(|(best, _)| *best).collect();
    best.sort_by(f32::total_cmp);
    let Some(threshold) = best.get((best.len() as f64 * lost) as usize).map(|score| score.next_down()) else {
        return Ok(None);
    };
    let asked = found.iter().flat_map(|(_, all)| all).filter(|score| **score > threshold).count();
    tracing::info!(
        "lnet_s: validation: candidates above {threshold:.3}: {:.2} a photo",
        asked as f64 / found.len().max(1) as f64
    );
    Ok(Some(threshold))
}

/// Medians of where given boxes lie in the windows, over photos where the window is on the box at all.
fn window_to_box(pairs: &[(Window, lineament::Rect)]) -> Option<WindowToBox> {
    let near = |(window, given): &&(Window, lineament::Rect)| window.rect().iou(*given) > 0.25;
    let near: Vec<_> = pairs.iter().filter(near).collect();
    if near.len() < 20 {
        return None;
    }
    let median = |of: &dyn Fn(&Window, &lineament::Rect) -> f32| {
        let mut values: Vec<f32> = near.iter().map(|(w, r)| of(w, r) / w.side).collect();
        values.sort_by(f32::total_cmp);
        values[values.len() / 2]
    };
    Some(WindowToBox {
        right: median(&|w, r| r.centre().x - w.centre.x),
        down: median(&|w, r| r.centre().y - w.centre.y),
        width: median(&|_, r| r.width),
        height: median(&|_, r| r.height),
    })
}
