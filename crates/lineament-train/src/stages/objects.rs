//! Stage `objects`: the LNets learn object classes.

use lineament_data::Split;
use lineament_net::{NetSpec, Weights};

use crate::context::Context;
use crate::error::TrainError;
use crate::learner::Learner;
use crate::objects::{Object, ObjectModules, Objects, objects};
use crate::recipe::ObjectStage;
use crate::stage::{SECOND_OBJECTS, Stage};
use crate::teachers::Teachers;
use crate::training_loop;

/// Trains the trunk of LNet_o, and that of LNet_s where it has a structure of its own.
///
/// # Errors
/// When there is nothing to learn from, or the training stops.
pub fn run(context: &Context<'_>) -> Result<(), TrainError> {
    let Some(stage) = &context.recipe.objects else { return Ok(()) };
    let (images, classes) = objects(&context.sets, Split::Train);
    if images.len() < stage.schedule.batch || classes < 2 {
        let why =
            "no --data folder holds pictures of at least two object classes (train/CLASS/...)".to_owned();
        return Err(TrainError::NoImages { stage: Stage::Objects.to_string(), why });
    }
    let lnets = &context.recipe.nets;
    let train = |name, lnet, images| train(context, name, stage, lnet, images, classes);
    let trunk = train(Stage::Objects.name(), &lnets.lnet_o, images.clone())?;
    if lnets.one_lnet() {
        return context.save(Stage::Objects, &[("trunk", &trunk)]);
    }
    let second = train(SECOND_OBJECTS, &lnets.lnet_s, images)?;
    context.save(Stage::Objects, &[("trunk", &trunk), ("lnet_s", &second)])
}

fn train(
    context: &Context<'_>,
    name: &'static str,
    stage: &ObjectStage,
    lnet: &NetSpec,
    images: Vec<Object>,
    classes: usize,
) -> Result<Weights, TrainError> {
    let trunk = context.recipe.locating.object_trunk(lnet, context.attributes.len())?;
    let mut modules = ObjectModules::new(&trunk, classes)?;
    modules.teachers =
        Teachers::of_stage(context, Stage::Objects, trunk.output()?.channels, modules.head.end())?;
    let schedule = &stage.schedule;
    let mut learner =
        Learner::new(&modules.list(), schedule.optimiser, schedule.average, context.recipe.seed);
    let task = Objects::new(name, context.recipe, stage, &modules, images);
    training_loop::run(&task, &mut learner, schedule, &context.folder.around())?;
    Ok(learner.weights(&modules.trunk))
}
