//! Stage `identities`: ANet, or the narrow one, learns to tell people apart.

use crate::anet::{AnetModules, Identities, people};
use crate::context::Context;
use crate::error::TrainError;
use crate::faces::Faces;
use crate::learner::Learner;
use crate::located::Located;
use crate::recipe::narrow;
use crate::stage::Stage;
use crate::teachers::Teachers;
use crate::training_loop;

/// Trains the trunk on people with enough images, and on what teachers say of any face.
///
/// # Errors
/// When there is nothing to learn from, or the training stops.
pub fn run(context: &Context<'_>) -> Result<(), TrainError> {
    let recipe = context.recipe;
    let Some(stage) = &recipe.identities else { return Ok(()) };
    let faces = Faces::collect(&context.sets, recipe, &Located::default());
    let people = people(&faces, stage.least);
    let schedule = &stage.schedule;
    let taught = recipe.distillation.values().any(|one| one.stages.contains(&Stage::Identities));
    if people.is_empty() || !taught && people.iter().map(Vec::len).sum::<usize>() < schedule.batch {
        let why = "no --data folder holds enough cropped faces of people with as many pictures as the recipe asks for"
            .to_owned();
        return Err(TrainError::NoImages { stage: Stage::Identities.to_string(), why });
    }
    tracing::info!("identities: {} people", people.len());
    let net = match &recipe.anet.narrow {
        Some(stage) => narrow(&recipe.nets.anet, stage.width)?,
        None => recipe.nets.anet.clone(),
    };
    let mut modules = AnetModules::new(&net, people.len())?;
    modules.teachers =
        Teachers::of_stage(context, Stage::Identities, net.output()?.channels, modules.head.end())?;
    let mut learner = Learner::new(&modules.list(), schedule, recipe.seed, &context.folder.device);
    let task = Identities::new(recipe, stage, &faces, &modules, people);
    training_loop::run(&task, &mut learner, schedule, &context.folder.around())?;
    context.save(Stage::Identities, &[("trunk", &learner.weights(&modules.trunk))])
}
