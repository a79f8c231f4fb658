//! Stage `identities`: ANet, or the narrow one, learns to tell people apart.

use crate::anet::{AnetModules, Identities, people};
use crate::context::Context;
use crate::error::TrainError;
use crate::faces::Faces;
use crate::learner::Learner;
use crate::located::Located;
use crate::recipe::narrow;
use crate::stage::Stage;
use crate::training_loop;

/// Trains the trunk on people with two images or more.
///
/// # Errors
/// When there is nothing to learn from, or the training stops.
pub fn run(context: &Context<'_>) -> Result<(), TrainError> {
    let recipe = context.recipe;
    let Some(stage) = &recipe.identities else { return Ok(()) };
    let faces = Faces::collect(&context.sets, recipe, &Located::default());
    let people = people(&faces);
    let schedule = &stage.schedule;
    if people.iter().map(Vec::len).sum::<usize>() < schedule.batch {
        let why = "no --data folder holds cropped faces of people with two pictures or more".to_owned();
        return Err(TrainError::NoImages { stage: Stage::Identities.to_string(), why });
    }
    tracing::info!("identities: {} people", people.len());
    let net = match &recipe.anet.narrow {
        Some(stage) => narrow(&recipe.nets.anet, stage.width)?,
        None => recipe.nets.anet.clone(),
    };
    let modules = AnetModules::new(&net, people.len())?;
    let mut learner = Learner::new(&modules.list(), schedule.optimiser, schedule.average, recipe.seed);
    let task = Identities::new(recipe, stage, &faces, &modules, people);
    training_loop::run(&task, &mut learner, schedule, &context.folder.around())?;
    context.save(Stage::Identities, &[("trunk", &learner.weights(&modules.trunk))])
}
