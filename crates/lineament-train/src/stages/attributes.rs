//! Stages `narrow` and `anet`: attribute tags, first on a narrower net where the recipe has one.

use lineament_net::NetSpec;

use crate::anet::{AnetModules, Attributes, head_spec};
use crate::anet_faces;
use crate::batches::SHARDS;
use crate::context::Context;
use crate::error::TrainError;
use crate::fine_tune;
use crate::learner::Learner;
use crate::recipe::{Schedule, narrow};
use crate::stage::Stage;
use crate::training_loop::{self, Task};
use crate::widen::widen;

/// Stage `narrow`.
///
/// # Errors
/// When there is nothing to learn from, or the training stops.
pub fn narrow_anet(context: &Context<'_>) -> Result<(), TrainError> {
    let Some(stage) = &context.recipe.anet.narrow else { return Ok(()) };
    let net = narrow(&context.recipe.nets.anet, stage.width)?;
    train(context, Stage::Narrow, &net, &stage.schedule, |modules, learner| {
        load_identities(context, modules, learner, &net)
    })
}

/// Stage `anet`.
///
/// # Errors
/// When there is nothing to learn from, or the training stops.
pub fn anet(context: &Context<'_>) -> Result<(), TrainError> {
    let (recipe, attributes) = (context.recipe, context.attributes.len());
    let net = &recipe.nets.anet;
    train(context, Stage::Anet, net, &recipe.anet.schedule, |modules, learner| {
        if context.fine_tune.is_some() {
            learner.load_matching(&modules.trunk, &fine_tune::anet(context)?);
            return Ok(());
        }
        let Some(stage) = &recipe.anet.narrow else {
            return load_identities(context, modules, learner, net);
        };
        let slim = narrow(net, stage.width)?;
        let (slim_head, head) = (head_spec(&slim, attributes)?, head_spec(net, attributes)?);
        let of_narrow = |prefix, net| context.weights(Stage::Anet, Stage::Narrow, prefix, Some(net));
        let trunk = widen(&slim, net, &of_narrow("trunk", &slim)?, recipe.seed)?;
        learner.load_matching(&modules.trunk, &trunk);
        let head = widen(&slim_head, &head, &of_narrow("head", &slim_head)?, recipe.seed)?;
        learner.load_matching(&modules.head, &head);
        Ok(())
    })
}

/// Starts from what stage `identities` learned, where the recipe has one.
fn load_identities(
    context: &Context<'_>,
    modules: &AnetModules,
    learner: &mut Learner,
    net: &NetSpec,
) -> Result<(), TrainError> {
    if context.recipe.identities.is_some() {
        let known = context.weights(Stage::Anet, Stage::Identities, "trunk", Some(net))?;
        learner.load_matching(&modules.trunk, &known);
    }
    Ok(())
}

/// Trains `net` on tags, from the weights that `start` gives it.
fn train(
    context: &Context<'_>,
    stage: Stage,
    net: &NetSpec,
    schedule: &Schedule,
    start: impl FnOnce(&AnetModules, &mut Learner) -> Result<(), TrainError>,
) -> Result<(), TrainError> {
    let recipe = context.recipe;
    let faces = anet_faces::collect(context)?;
    let outputs = context.attributes.len();
    let distilled = recipe.anet.distillation > 0.0 && faces.faces.iter().any(|face| face.teacher.is_some());
    let modules =
        if distilled { AnetModules::with_teacher(net, outputs)? } else { AnetModules::new(net, outputs)? };
    let mut learner = Learner::new(&modules.list(), schedule.optimiser, schedule.average, recipe.seed);
    start(&modules, &mut learner)?;
    let mut schedule = schedule.clone();
    let mut task = Attributes::new(stage.name(), recipe, &faces, &modules, schedule.batch);
    if context.fine_tune.is_some() {
        // A few dozen images are less than a batch, and may still be all that somebody has.
        let most = task.images() / (2 * SHARDS) * 2 * SHARDS;
        schedule.batch = schedule.batch.min(most).max(2 * SHARDS);
        task = Attributes::new(stage.name(), recipe, &faces, &modules, schedule.batch);
    }
    if task.images() < schedule.batch {
        let why =
            "no --data folder holds tagged pictures with a face (the LNets may have found none)".to_owned();
        return Err(TrainError::NoImages { stage: stage.to_string(), why });
    }
    tracing::info!("{stage}: {} faces", task.images());
    training_loop::run(&task, &mut learner, &schedule, &context.folder.around())?;
    let (trunk, head) = (learner.weights(&modules.trunk), learner.weights(&modules.head));
    context.save(stage, &[("trunk", &trunk), ("head", &head)])
}
