//! Stages `narrow` and `anet`: attribute tags, first on a narrower net where the recipe has one.

use std::collections::HashMap;
use std::path::PathBuf;

use lineament_net::{NetSpec, Weights};

use crate::anet::{AnetModules, Attributes, head_spec};
use crate::anet_faces;
use crate::batches::SHARDS;
use crate::context::Context;
use crate::error::TrainError;
use crate::faces::{Face, Faces};
use crate::fine_tune;
use crate::learner::Learner;
use crate::options::Base;
use crate::recipe::{Schedule, narrow};
use crate::stage::Stage;
use crate::teachers::{Answers, Teachers};
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
    if let Some(file) = &recipe.anet.weights {
        let (trunk, head) = given(context, file, net)?;
        if recipe.anet.schedule.all_epochs() == 0 {
            return context.save(Stage::Anet, &[("trunk", &trunk), ("head", &head)]);
        }
        return train(context, Stage::Anet, net, &recipe.anet.schedule, |modules, learner| {
            learner.load_matching(&modules.trunk, &trunk);
            learner.load_matching(&modules.head, &head);
            Ok(())
        });
    }
    train(context, Stage::Anet, net, &recipe.anet.schedule, |modules, learner| {
        if matches!(context.base, Base::Nets(_)) {
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

/// Trunk and head of a net that was learned elsewhere.
fn given(context: &Context<'_>, file: &str, net: &NetSpec) -> Result<(Weights, Weights), TrainError> {
    let path = context.file(file);
    let bytes = std::fs::read(&path).map_err(|e| TrainError::io(&path, e))?;
    let read = |prefix: &str, net: &NetSpec| {
        let weights = Weights::from_safetensors(&bytes, prefix).and_then(|weights| {
            weights.check(net)?;
            Ok(weights)
        });
        weights.map_err(|e| TrainError::Recipe(format!("stage anet: `weights`: {}: {e}", path.display())))
    };
    Ok((read("trunk", net)?, read("head", &head_spec(net, context.attributes.len())?)?))
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
    let mut modules = AnetModules::new(net, outputs)?;
    modules.teachers = teachers(context, stage, net, &faces, modules.head.end())?;
    let mut learner = Learner::new(&modules.list(), schedule, recipe.seed, &context.folder.device);
    start(&modules, &mut learner)?;
    let mut schedule = schedule.clone();
    let mut task = Attributes::new(stage.name(), recipe, &faces, &modules, schedule.batch);
    if matches!(context.base, Base::Nets(_)) {
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

/// Whom the stage learns from beside the tags: those that the recipe names, and a teacher that a data set brings with it.
fn teachers(
    context: &Context<'_>,
    stage: Stage,
    net: &NetSpec,
    faces: &Faces,
    offset: usize,
) -> Result<Teachers, TrainError> {
    let channels = net.output()?.channels;
    let weight = f64::from(context.recipe.anet.distillation);
    let of_set = |face: &Face| Some((face.path.clone(), face.teacher.clone()?));
    let rows: HashMap<PathBuf, Vec<f32>> = faces.faces.iter().filter_map(of_set).collect();
    let mut own = Teachers::default();
    if weight > 0.0 && !rows.is_empty() {
        let answers = Answers { vectors: false, width: context.attributes.len(), rows };
        own.add(answers, weight, channels, offset)?;
    }
    own.and_of_stage(context, stage, channels, offset)
}
