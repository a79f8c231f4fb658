//! A whole training: the stages in their order, each resumable, in one folder.

use std::path::PathBuf;

use crate::attributes_of;
use crate::context::{Context, named_file};
use crate::error::TrainError;
use crate::faces_of;
use crate::fine_tune;
use crate::folder::forget;
use crate::options::{Base, TrainOptions};
use crate::recipe::Recipe;
use crate::sets::{mark_photos, one_order, read_sets};
use crate::stage::Stage;
use crate::stages::{attributes, identities, localization, objects, svms};
use crate::training_loop::{best_path, checkpoint_path};

/// Trains everything that is not there yet and returns the path of the bundle (or of the one stage's weights).
///
/// # Errors
/// What stopped it; [`TrainError::Interrupted`] after a checkpoint was written.
pub fn train(options: &TrainOptions<'_>) -> Result<PathBuf, TrainError> {
    let stages = match &options.base {
        Base::Nothing => Stage::ALL,
        Base::Nets(_) => Stage::FINE_TUNING,
        Base::Attributes(_) => Stage::LOCALIZATION,
        Base::Faces(_) => Stage::ATTRIBUTES,
    };
    if let Some(stage) = options.stage.filter(|stage| !stages.contains(stage)) {
        return Err(TrainError::NoStage(stage.to_string(), Stage::names(stages)));
    }
    let text = toml::to_string(&options.recipe).map_err(|e| TrainError::Recipe(e.to_string()))?;
    let same = |kept: &str| Ok(Recipe::parse(kept)? == options.recipe);
    options.folder().prepare(&text, same, options.resume, options.stage.is_some())?;
    let tables: Vec<PathBuf> = options.recipe.tables().map(|name| named_file(&options.data, name)).collect();
    let mut sets = read_sets(&options.data, &tables)?;
    if let Base::Nets(_) = options.base {
        sets.iter_mut().try_for_each(fine_tune::share_out)?;
    }
    mark_photos(&mut sets, options.recipe.locating.photos());
    let (sets, attributes) = one_order(sets, &options.recipe.without)?;
    let recipe = match &options.base {
        // The bundle's LNets are not trained again.
        Base::Nets(_) | Base::Faces(_) => options.recipe.clone(),
        Base::Nothing | Base::Attributes(_) => options.recipe.for_attributes(attributes.len()),
    };
    let context = Context {
        recipe: &recipe,
        sets,
        data: &options.data,
        attributes,
        folder: options.folder(),
        base: &options.base,
        detector: options.detector.as_ref(),
    };
    match &options.base {
        Base::Nets(start) => fine_tune::init_run(&context, start)?,
        Base::Faces(bundle) => faces_of::init_run(&context, bundle)?,
        Base::Nothing | Base::Attributes(_) => {}
    }
    for stage in stages.iter().copied() {
        if is_due(options, &context, stage) {
            if options.stage.is_some() && !options.resume {
                for part in stage.parts() {
                    forget(&checkpoint_path(&options.output, part))?;
                    forget(&best_path(&options.output, part))?;
                }
            }
            tracing::info!("{stage}: begins");
            run_stage(&context, stage)?;
        }
    }
    if let (Base::Attributes(bundle), None) = (&options.base, options.stage) {
        attributes_of::join(&context, bundle)?;
    }
    Ok(context.folder.result(options.stage.unwrap_or(Stage::Svms).name()))
}

/// Whether a stage is to be run now.
fn is_due(options: &TrainOptions<'_>, context: &Context<'_>, stage: Stage) -> bool {
    if options.detector.is_some() && stage.localizes() {
        tracing::info!("{stage}: the detector takes its place");
        return false;
    }
    if options.stage.is_some_and(|only| only != stage) {
        return false;
    }
    if !stage.is_in(context.recipe) {
        tracing::info!("{stage}: the recipe has no such stage");
        return false;
    }
    if options.stage.is_none() && context.folder.result(stage.name()).exists() {
        tracing::info!("{stage}: done already");
        return false;
    }
    true
}

fn run_stage(context: &Context<'_>, stage: Stage) -> Result<(), TrainError> {
    match stage {
        Stage::Objects => objects::run(context),
        Stage::LnetO => localization::lnet_o(context),
        Stage::LnetS => localization::lnet_s(context),
        Stage::Identities => identities::run(context),
        Stage::Narrow => attributes::narrow_anet(context),
        Stage::Anet => attributes::anet(context),
        Stage::Svms => svms::run(context),
    }
}
