//! A net for landmarks, which joins a finished model. It learns from landmarks that come with the data; no LNet sees them.

mod recipe;
mod task;

use std::path::PathBuf;

use lineament::attributes::Region;
use lineament::locate::LandmarkSpec;

use crate::additions::AdditionOptions;
use crate::error::TrainError;
use crate::learner::Learner;
use crate::module::Module;
use crate::sets::read_sets;
use crate::training_loop;
pub use recipe::LandmarkRecipe;
use task::Landmarks;

/// Trains the net and returns the path of the model with it.
///
/// # Errors
/// What stopped it; [`TrainError::Interrupted`] after a checkpoint was written.
pub fn train(recipe: &LandmarkRecipe, options: &AdditionOptions<'_>) -> Result<PathBuf, TrainError> {
    let AdditionOptions { base, data, folder, .. } = options;
    options.prepare(recipe, LandmarkRecipe::parse)?;
    let sets = read_sets(data, &[])?;
    let module = Module::new(&recipe.landmarks.net, 0)?;
    let card = base.card();
    let region = card.anet().map_or_else(Region::default, |anet| anet.region);
    let task = Landmarks::new(recipe, &module, card.preprocess, region, &sets);
    let (training, validation) = task.counts();
    let schedule = &recipe.schedule;
    if training < schedule.batch || validation == 0 {
        let why = format!(
            "there are {training} training images with landmarks and {validation} validation images, and {} and 1 are needed",
            schedule.batch
        );
        return Err(TrainError::NoImages { stage: LandmarkRecipe::NAME.to_owned(), why });
    }
    tracing::info!("landmarks: {training} faces to train on, {validation} to choose on");
    let mut learner = Learner::new(&[&module], schedule, recipe.seed, &folder.device);
    training_loop::run(&task, &mut learner, schedule, &folder.around())?;
    let weights = learner.weights(&module);

    let how = format!(
        "{training} faces with landmarks that came with the data, {validation} to choose on; no LNet saw them"
    );
    options.joined("Landmarks", &how, |card, parts| {
        card.landmarks = Some(recipe.landmarks.clone());
        parts.nets.insert(LandmarkSpec::NET.to_owned(), weights);
    })
}
