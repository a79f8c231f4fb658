//! A net for landmarks, which joins a finished model. It learns from landmarks that come with the data; no LNet sees them.

mod recipe;
mod task;

use std::path::PathBuf;

use lineament::attributes::Region;
use lineament::locate::LandmarkSpec;
use lineament::{Bundle, BundleError};
use lineament_net::Precision;

use crate::error::TrainError;
use crate::folder::Folder;
use crate::learner::Learner;
use crate::module::Module;
use crate::sets::read_sets;
use crate::training_loop;
pub use recipe::LandmarkRecipe;
use task::Landmarks;

/// What a training of landmarks is asked for.
pub struct LandmarkOptions<'a> {
    /// Everything that decides what comes out.
    pub recipe: LandmarkRecipe,
    /// The model that the net joins.
    pub base: Bundle,
    /// Folders and tables with images.
    pub data: Vec<PathBuf>,
    /// Where things go and how they are done.
    pub folder: Folder<'a>,
    /// Go on with a run that is there already.
    pub resume: bool,
}

/// Trains the net and returns the path of the model with it.
///
/// # Errors
/// What stopped it; [`TrainError::Interrupted`] after a checkpoint was written.
pub fn train(options: &LandmarkOptions<'_>) -> Result<PathBuf, TrainError> {
    let LandmarkOptions { recipe, base, data, folder, resume } = options;
    let text = toml::to_string(recipe).map_err(|e| TrainError::Recipe(e.to_string()))?;
    folder.prepare(&text, |kept| Ok(LandmarkRecipe::parse(kept)? == *recipe), *resume, false)?;
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
    let mut learner = Learner::new(&[&module], schedule.optimiser, schedule.average, recipe.seed);
    training_loop::run(&task, &mut learner, schedule, &folder.around())?;
    let weights = learner.weights(&module);

    let (mut card, mut parts) = base.clone().into_parts();
    card.landmarks = Some(recipe.landmarks.clone());
    card.trained_on.retain(|line| !line.starts_with(PREFIX));
    card.trained_on.push(format!("{PREFIX}{training} faces with landmarks that came with the data, {validation} to choose on; no LNet saw them"));
    parts.nets.insert(LandmarkSpec::NET.to_owned(), weights);
    let refused = |e: BundleError| TrainError::Bundle(e.to_string());
    let path = folder.result("svms");
    Bundle::new(&card, &parts, Precision::F16).map_err(refused)?.write(&path).map_err(refused)?;
    Ok(path)
}

/// What begins the card's line on these.
const PREFIX: &str = "Landmarks: ";
