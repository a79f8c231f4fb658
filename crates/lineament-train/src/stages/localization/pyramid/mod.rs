//! The compact recipe's localization: window classifiers that slide over a pyramid ([`lineament::locate::pyramid`]).
//!
//! Both LNets learn in rounds. The first learns from windows of images that are framed alike, moved, resized and rotated by
//! known amounts, against windows without a face; each later one also from what the LNets of the round before find in the
//! training images: faces in photos, and what they take for one where there is none.

mod calibration;
mod mining;
mod taught;

use lineament::locate::{PyramidLocalizer, PyramidParameters};
use lineament_data::{Framing, Split};
use lineament_net::{NetSpec, Weights};

use super::given_weights;
use crate::context::Context;
use crate::error::TrainError;
use crate::faces::Whereabouts;
use crate::learner::Learner;
use crate::module::Module;
use crate::recipe::{PyramidRecipe, WindowStage, without_responses};
use crate::sets::backgrounds;
use crate::stage::Stage;
use crate::teachers::Teachers;
use crate::trained_lnets::net;
use crate::training_loop;
use crate::windows::{Negative, Positive, WindowData, Windows};

/// Stage `lnet_o`.
///
/// # Errors
/// When there is nothing to learn from, or the training stops.
pub fn lnet_o(context: &Context<'_>, recipe: &PyramidRecipe) -> Result<(), TrainError> {
    let (net, stage) = (&context.recipe.nets.lnet_o, &recipe.lnet_o);
    if stage.rounds == 0 {
        return take(context, stage, net, Stage::LnetO, "trunk");
    }
    let mut known: Option<Weights> = None;
    for name in Stage::LnetO.rounds(stage.rounds) {
        let hard = match &known {
            Some(lnet_o) => {
                let localizer = localizer(context, lnet_o, (net, lnet_o), &recipe.localisation)?;
                mining::hard_candidates(context, recipe, &localizer)?
            }
            None => Vec::new(),
        };
        let data = window_data(context, recipe, Vec::new(), hard)?;
        let start = match known {
            Some(known) => Some(known),
            None => beginning(context, stage, net, Stage::LnetO, "trunk")?,
        };
        known = Some(learn(context, (Stage::LnetO, name), net, stage, data, start.as_ref())?);
    }
    Ok(())
}

/// Stage `lnet_s`, and the choice of the localizer's constants.
///
/// # Errors
/// When there is nothing to learn from, or the training stops.
pub fn lnet_s(context: &Context<'_>, recipe: &PyramidRecipe) -> Result<PyramidParameters, TrainError> {
    let (nets, stage) = (&context.recipe.nets, &recipe.lnet_s);
    let (net, start) = (&nets.lnet_s, &recipe.localisation);
    if stage.rounds == 0 {
        take(context, stage, net, Stage::LnetS, "lnet_s")?;
        return calibration::calibrate(context, recipe);
    }
    let lnet_o = context.weights(Stage::LnetS, Stage::LnetO, "trunk", Some(&nets.lnet_o))?;
    // Where both LNets have one structure, LNet_s begins as LNet_o.
    let mut known = nets.one_lnet().then(|| lnet_o.clone());
    for name in Stage::LnetS.rounds(stage.rounds) {
        // Before there is an LNet_s, LNet_o looks at its own windows.
        let second = known.as_ref().map_or((&nets.lnet_o, &lnet_o), |known| (net, known));
        let localizer = localizer(context, &lnet_o, second, start)?;
        let own = if known.is_some() || stage.rounds == 1 {
            mining::own_windows(context, recipe, &localizer)?
        } else {
            Vec::new()
        };
        let hard = mining::hard_windows(context, recipe, &localizer)?;
        tracing::info!(
            "{name}: {} own windows in photos, {} hard ones without a face",
            own.len(),
            hard.len()
        );
        let data = window_data(context, recipe, own, hard)?;
        let start = match known {
            Some(known) => Some(known),
            None => beginning(context, stage, net, Stage::LnetS, "lnet_s")?,
        };
        known = Some(learn(context, (Stage::LnetS, name), net, stage, data, start.as_ref())?);
    }
    calibration::calibrate(context, recipe)
}

/// Framed and taught windows beside those that were found.
fn window_data(
    context: &Context<'_>,
    recipe: &PyramidRecipe,
    own: Vec<Positive>,
    hard: Vec<Negative>,
) -> Result<WindowData, TrainError> {
    let (mut positives, mut negatives) = match &recipe.windows {
        Some(windows) => taught::windows(context, windows)?,
        None => (Vec::new(), Vec::new()),
    };
    positives.extend(framed(context, recipe));
    positives.extend(own);
    negatives.extend(hard);
    Ok(WindowData { positives, backgrounds: backgrounds(&context.sets, &recipe.people), hard: negatives })
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
            roll: 0.0,
            tags: s.tags.clone(),
        }));
    }
    found
}

/// What a net knows before its first round: the file that the recipe names, or what stage `objects` learned.
fn beginning(
    context: &Context<'_>,
    stage: &WindowStage,
    net: &NetSpec,
    of: Stage,
    prefix: &str,
) -> Result<Option<Weights>, TrainError> {
    match &stage.weights {
        Some(name) => given_weights(context, name, net, of).map(Some),
        None => context.object_weights(of, prefix),
    }
}

/// A net that was learned elsewhere, as it is.
fn take(
    context: &Context<'_>,
    stage: &WindowStage,
    net: &NetSpec,
    of: Stage,
    prefix: &str,
) -> Result<(), TrainError> {
    without_responses(net, context.attributes.len())?;
    let weights = beginning(context, stage, net, of, prefix)?.unwrap_or_default();
    weights.check(net).map_err(|e| TrainError::Net(format!("stage {of}, which learns for no round: {e}")))?;
    context.folder.save(of.name(), &[("trunk", &weights)])
}

fn learn(
    context: &Context<'_>,
    (of, name): (Stage, &'static str),
    net: &NetSpec,
    stage: &WindowStage,
    data: WindowData,
    start: Option<&Weights>,
) -> Result<Weights, TrainError> {
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
    let teachers = Teachers::of_stage(context, of, net.output()?.channels, module.end())?;
    let modules: Vec<&Module> = std::iter::once(&module).chain(teachers.heads()).collect();
    let schedule = &stage.schedule;
    let mut learner = Learner::new(&modules, schedule, context.recipe.seed, &context.folder.device);
    let taken = start.map_or(0, |start| learner.load_matching(&module, start));
    tracing::info!("{name}: {} windows with a face, {taken} parameters from before", data.positives.len());
    let task = Windows::new(name, context.recipe, stage, &module, &teachers, data, context.attributes.len());
    training_loop::run(&task, &mut learner, schedule, &context.folder.around())?;
    let weights = learner.weights(&module);
    context.folder.save(name, &[("trunk", &weights)])?;
    Ok(weights)
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
