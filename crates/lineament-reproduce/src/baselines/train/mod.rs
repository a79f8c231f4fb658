//! The systems that the paper compares itself with, trained like the default one: FaceTracer and PANDA.
//!
//! Both place what they look at by landmarks. FaceTracer's descriptor is counted, not learned, so that its only stage is `svms`. PANDA learns
//! from objects (stage `objects`, for the nets of the whole), then a net for each part (stages `part_NAME`), then `svms`.

pub mod choices;
pub mod choose;
pub mod faces;
pub mod part;
pub mod recipe;

#[cfg(test)]
#[path = "../../../../lineament-train/src/recipe/every_field.rs"]
#[allow(clippy::unwrap_used, clippy::panic)]
mod every_field;

use std::collections::BTreeMap;
use std::path::PathBuf;

use lineament::attributes::Extractor;
use lineament::bundle::{Bundle, Card, Parts as BundleParts};
use lineament::engine::Engine;
use lineament::locate::{Detector, LocalizerSpec};
use lineament_data::Split;
use lineament_net::{Precision, Weights};
use rayon::prelude::*;

use super::panda::PandaNets;
use super::{Baseline, FaceTracer, Panda};
use choices::Choice;
use choose::{Search, Vectors, choose};
use faces::MarkedFaces;
use lineament_train::TrainError;
use lineament_train::folder::{Folder, forget};
use lineament_train::heads::Heads;
use lineament_train::learner::Learner;
use lineament_train::objects::{ObjectModules, Objects, objects};
use lineament_train::provenance::{LICENCE, trained_on};
use lineament_train::recipe::Recipe;
use lineament_train::sets::{one_order, read_sets};
use lineament_train::training_loop::{self, checkpoint_path};
use part::{PartModules, Parts};
pub use recipe::{AnyRecipe, BaselineRecipe, PandaStages, System};

/// What `lineament train` was asked for, with a baseline's recipe.
pub struct BaselineOptions<'a> {
    /// Everything that decides what comes out.
    pub recipe: BaselineRecipe,
    /// Finds faces and their landmarks, in images without any and in the finished bundle; without one the landmarks are to be given.
    pub detector: Option<(Detector, Vec<u8>)>,
    /// Folders and tables with images.
    pub data: Vec<PathBuf>,
    /// Where things go and how they are done.
    pub folder: Folder<'a>,
    /// Go on with a run that is there already.
    pub resume: bool,
    /// Only this stage.
    pub stage: Option<String>,
}

const OBJECTS: &str = "objects";
const SVMS: &str = "svms";
/// What the settings that were tried reached.
const CHOICES: &str = "choices.csv";

/// Trains everything that is not there yet and returns the path of the bundle (or of the one stage's weights).
///
/// # Errors
/// What stopped it; [`TrainError::Interrupted`] after a checkpoint was written.
pub fn train(options: &BaselineOptions<'_>) -> Result<PathBuf, TrainError> {
    let (recipe, folder) = (&options.recipe, &options.folder);
    let stages = stages(recipe);
    let asked = options.stage.as_deref();
    if let Some(name) = asked.filter(|asked| !stages.iter().any(|stage| stage == asked)) {
        return Err(TrainError::NoStage(name.to_owned(), stages.join(", ")));
    }
    let text = toml::to_string(recipe).map_err(|e| TrainError::Recipe(e.to_string()))?;
    folder.prepare(
        &text,
        |kept| Ok(BaselineRecipe::parse(kept)? == *recipe),
        options.resume,
        asked.is_some(),
    )?;
    let sets = read_sets(&options.data, &[])?;
    let imaged = objects(&sets, Split::Train);
    let (sets, attributes) = one_order(sets, &recipe.without)?;
    let spec = match &options.detector {
        Some((detector, _)) => LocalizerSpec::Detector(detector.clone()),
        None => LocalizerSpec::Given,
    };
    let onnx = options.detector.as_ref().map(|(_, onnx)| onnx.as_slice());
    let localizer = match &spec {
        LocalizerSpec::Detector(detector) => {
            let made = detector.localizer(onnx.unwrap_or_default());
            Some(made.map_err(|e| TrainError::Net(e.to_string()))?)
        }
        _ => None,
    };
    let mut faces = MarkedFaces::collect(&sets, localizer.as_deref())?;
    if let Some(images) = recipe.images {
        faces.learn_from(images, recipe.seed);
    }
    for name in &stages {
        if asked.is_some_and(|asked| asked != name) {
            continue;
        }
        if folder.result(name).exists() && asked.is_none() {
            tracing::info!("{name}: done already");
            continue;
        }
        if asked.is_some() && !options.resume {
            forget(&checkpoint_path(folder.path, name))?;
            forget(&folder.path.join(CHOICES))?;
        }
        tracing::info!("{name}: begins");
        match (&recipe.system, name.as_str()) {
            (System::Panda(panda), OBJECTS) => learn_objects(options, panda, &imaged)?,
            (System::Panda(panda), name) if name != SVMS => {
                learn_part(options, panda, name, &faces, attributes.len())?;
            }
            _ => {
                let nets = nets(options)?;
                let (choice, heads) = learn_svms(options, &faces, &attributes, &nets)?;
                let baseline = match recipe.baseline() {
                    Baseline::Facetracer(tracer) => Baseline::Facetracer(chosen(&tracer, &choice)),
                    Baseline::Panda(panda) => Baseline::Panda(Panda { power: choice.power, ..panda }),
                };
                let described = baseline.to_card().map_err(|e| TrainError::Bundle(e.to_string()))?;
                let card = Card {
                    format: Card::FORMAT,
                    name: recipe.name.clone(),
                    version: env!("CARGO_PKG_VERSION").to_owned(),
                    created: None,
                    localizer: spec.clone(),
                    extractor: Extractor::Custom(described),
                    landmarks: None,
                    quality: None,
                    preprocess: recipe.preprocess,
                    attributes: heads.cards,
                    trained_on: trained_on(&sets),
                    scores: heads.scores,
                    licence: LICENCE.to_owned(),
                    note: format!("{} SVMs: {choice}.", recipe.note.trim()).trim().to_owned(),
                };
                let parts = BundleParts { nets, detector: onnx.map(<[u8]>::to_vec), svms: heads.svms };
                let refused = |e: lineament::BundleError| TrainError::Bundle(e.to_string());
                let bundle = Bundle::new(&card, &parts, Precision::F16).map_err(refused)?;
                bundle.write(&folder.result(SVMS)).map_err(refused)?;
            }
        }
    }
    Ok(folder.result(asked.unwrap_or(SVMS)))
}

/// The stages of a recipe, in their order of need.
fn stages(recipe: &BaselineRecipe) -> Vec<String> {
    let mut stages = Vec::new();
    if let System::Panda(panda) = &recipe.system {
        if !panda.panda.holistic.is_empty() {
            stages.push(OBJECTS.to_owned());
        }
        stages.extend(panda.panda.parts.iter().map(|part| format!("part_{}", part.name)));
    }
    stages.push(SVMS.to_owned());
    stages
}

fn learn_objects(
    options: &BaselineOptions<'_>,
    panda: &PandaStages,
    (images, classes): &(Vec<lineament_train::objects::Object>, usize),
) -> Result<(), TrainError> {
    let Some(stage) = &panda.objects else { return Ok(()) };
    if images.len() < stage.schedule.batch || *classes < 2 {
        let why =
            "no --data folder holds pictures of at least two object classes (train/CLASS/...)".to_owned();
        return Err(TrainError::NoImages { stage: OBJECTS.to_owned(), why });
    }
    // The stage is the same as that of the LNets, and reads nothing else of their recipe.
    let recipe = Recipe {
        seed: options.recipe.seed,
        preprocess: options.recipe.preprocess,
        objects: Some(stage.clone()),
        ..Recipe::named("compact")?
    };
    let mut learned = Vec::new();
    for (whole, name) in panda.panda.holistic.iter().zip(["objects", "objects_b", "objects_c", "objects_d"]) {
        let modules = ObjectModules::new(&whole.net, *classes)?;
        let schedule = &stage.schedule;
        let mut learner = Learner::new(&modules.list(), schedule, recipe.seed, &options.folder.device);
        let task = Objects::new(name, &recipe, stage, &modules, images.clone());
        training_loop::run(&task, &mut learner, schedule, &options.folder.around())?;
        learned.push((format!("whole_{}", whole.part.name), learner.weights(&modules.trunk)));
    }
    let nets: Vec<(&str, &Weights)> =
        learned.iter().map(|(name, weights)| (name.as_str(), weights)).collect();
    options.folder.save(OBJECTS, &nets)
}

fn learn_part(
    options: &BaselineOptions<'_>,
    panda: &PandaStages,
    name: &str,
    faces: &MarkedFaces,
    attributes: usize,
) -> Result<(), TrainError> {
    let (recipe, stage) = (&options.recipe, &panda.parts);
    let part = panda.panda.parts.iter().find(|part| format!("part_{}", part.name) == name);
    let Some(part) = part else { return Ok(()) };
    let modules = PartModules::new(&panda.panda.net, attributes, stage.hidden)?;
    let schedule = &stage.schedule;
    let list = [&modules.trunk, &modules.head];
    let mut learner = Learner::new(&list, schedule, recipe.seed, &options.folder.device);
    let task = Parts::new(part, stage, faces, &modules, (recipe.preprocess, attributes, recipe.seed));
    if training_loop::Task::images(&task) < schedule.batch {
        let why = format!("there are fewer than {} tagged faces with landmarks", schedule.batch);
        return Err(TrainError::NoImages { stage: name.to_owned(), why });
    }
    training_loop::run(&task, &mut learner, schedule, &options.folder.around())?;
    options.folder.save(name, &[(name, &learner.weights(&modules.trunk))])
}

/// The weights of all nets that the extractor has, from the files of their stages.
fn nets(options: &BaselineOptions<'_>) -> Result<BTreeMap<String, Weights>, TrainError> {
    let System::Panda(panda) = &options.recipe.system else { return Ok(BTreeMap::new()) };
    let read = |(name, net): (String, &lineament_net::NetSpec)| {
        let by = if name.starts_with("whole_") { OBJECTS } else { name.as_str() };
        let weights = options.folder.weights(SVMS, by, &name, Some(net))?;
        Ok((name, weights))
    };
    panda.panda.nets().into_iter().map(read).collect()
}

/// FaceTracer with the chosen constants.
fn chosen(tracer: &FaceTracer, choice: &Choice) -> FaceTracer {
    FaceTracer { power: choice.power, colour_weight: choice.colour_weight, ..tracer.clone() }
}

fn learn_svms(
    options: &BaselineOptions<'_>,
    faces: &MarkedFaces,
    names: &[String],
    nets: &BTreeMap<String, Weights>,
) -> Result<(Choice, Heads), TrainError> {
    let recipe = &options.recipe;
    let failed = |e: &dyn std::fmt::Display| TrainError::Net(e.to_string());
    let describe: Box<dyn Fn(u32) -> Result<Vec<f32>, TrainError> + Sync> = match &recipe.system {
        System::Facetracer(tracer) => Box::new(|place| {
            let (photo, landmarks) = faces.photo(place)?;
            tracer.count(&photo, &landmarks).map_err(|e| failed(&e))
        }),
        System::Panda(panda) => {
            let runner = |(name, net): (String, &lineament_net::NetSpec)| {
                let weights =
                    nets.get(&name).ok_or_else(|| TrainError::Net(format!("net {name} is not there")))?;
                Engine::Native.runner(net, weights).map_err(|e| failed(&e))
            };
            let runners = panda.panda.nets().into_iter().map(runner).collect::<Result<_, _>>()?;
            let ready =
                PandaNets::new(panda.panda.clone(), runners, recipe.preprocess).map_err(|e| failed(&e))?;
            Box::new(move |place| {
                let (photo, landmarks) = faces.photo(place)?;
                ready.outputs(&photo, &landmarks.into()).map_err(|e| failed(&e))
            })
        }
    };
    let vectors = |split| faces.of(split).into_par_iter().map(&describe).collect::<Result<Vec<_>, _>>();
    let vectors = Vectors { training: vectors(Split::Train)?, validation: vectors(Split::Validation)? };
    tracing::info!("svms: vectors of {} numbers", vectors.validation.first().map_or(0, Vec::len));
    let finish = |choice: &Choice, vector: &mut [f32]| match &recipe.system {
        System::Facetracer(tracer) => chosen(tracer, choice).finish(vector),
        System::Panda(panda) => {
            Panda { power: choice.power, ..panda.panda.clone() }.finish(vector);
        }
    };
    let search = Search { faces, vectors, names, stage: &recipe.svms, finish: &finish };
    choose(&search, &options.folder.path.join(CHOICES))
}
