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
    let given = stage.weights.as_deref().map(|file| given(context, file)).transpose()?;
    if let (Some(given), 0) = (&given, stage.schedule.all_epochs()) {
        return save(context, |_, lnet| Ok(of_net(given, &trunk_of(context, lnet)?)?.0));
    }
    let (images, classes) = objects(&context.sets, Split::Train);
    if images.len() < stage.schedule.batch || classes < 2 {
        let why =
            "no --data folder holds pictures of at least two object classes (train/CLASS/...)".to_owned();
        return Err(TrainError::NoImages { stage: Stage::Objects.to_string(), why });
    }
    save(context, |name, lnet| train(context, name, stage, lnet, given.as_ref(), (images.clone(), classes)))
}

/// Saves the trunk of LNet_o, and that of LNet_s where it has a structure of its own, as `of` gives them.
fn save(
    context: &Context<'_>,
    of: impl Fn(&'static str, &NetSpec) -> Result<Weights, TrainError>,
) -> Result<(), TrainError> {
    let lnets = &context.recipe.nets;
    let trunk = of(Stage::Objects.name(), &lnets.lnet_o)?;
    if lnets.one_lnet() {
        return context.save(Stage::Objects, &[("trunk", &trunk)]);
    }
    let second = of(SECOND_OBJECTS, &lnets.lnet_s)?;
    context.save(Stage::Objects, &[("trunk", &trunk), ("lnet_s", &second)])
}

/// What the file `name` holds, which must be something of one of the LNets at least.
fn given(context: &Context<'_>, name: &str) -> Result<Weights, TrainError> {
    let path = context.file(name);
    let bytes = std::fs::read(&path).map_err(|e| TrainError::io(&path, e))?;
    let refused =
        |why: String| TrainError::Recipe(format!("stage objects: `weights`: {}: {why}", path.display()));
    let weights = Weights::from_safetensors(&bytes, "").map_err(|e| refused(e.to_string()))?;
    let nets = &context.recipe.nets;
    let mut all = 0;
    for lnet in [&nets.lnet_o, &nets.lnet_s].into_iter().take(if nets.one_lnet() { 1 } else { 2 }) {
        let (found, parameters) = of_net(&weights, &trunk_of(context, lnet)?)?;
        tracing::info!(
            "objects: {} of {parameters} parameters of {} begin from weights",
            found.len(),
            lnet.name
        );
        all += found.len();
    }
    if all == 0 {
        let why = format!(
            "has no parameter of net {}, as the recipe names and shapes them: give it the names of the net's layers",
            nets.lnet_o.name
        );
        return Err(refused(why));
    }
    Ok(weights)
}

/// Those of `weights` that are parameters of `net`, and how many it has.
fn of_net(weights: &Weights, net: &NetSpec) -> Result<(Weights, usize), TrainError> {
    let parameters = net.parameters()?;
    let count = parameters.len();
    let own = parameters.into_iter().filter_map(|parameter| {
        let array = weights.get(&parameter.name).filter(|array| array.shape == parameter.shape)?;
        Some((parameter.name, array.clone()))
    });
    Ok((own.collect(), count))
}

/// The part of an LNet that learns.
fn trunk_of(context: &Context<'_>, lnet: &NetSpec) -> Result<NetSpec, TrainError> {
    context.recipe.locating.object_trunk(lnet, context.attributes.len())
}

fn train(
    context: &Context<'_>,
    name: &'static str,
    stage: &ObjectStage,
    lnet: &NetSpec,
    given: Option<&Weights>,
    (images, classes): (Vec<Object>, usize),
) -> Result<Weights, TrainError> {
    let trunk = trunk_of(context, lnet)?;
    let mut modules = ObjectModules::new(&trunk, classes)?;
    modules.teachers =
        Teachers::of_stage(context, Stage::Objects, trunk.output()?.channels, modules.head.end())?;
    let schedule = &stage.schedule;
    let mut learner = Learner::new(&modules.list(), schedule, context.recipe.seed, &context.folder.device);
    if let Some(given) = given {
        learner.load_matching(&modules.trunk, given);
    }
    let task = Objects::new(name, context.recipe, stage, &modules, images);
    training_loop::run(&task, &mut learner, schedule, &context.folder.around())?;
    Ok(learner.weights(&modules.trunk))
}
