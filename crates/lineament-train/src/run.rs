//! A whole training: the stages in their order of need, each resumable, in one folder.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use lineament::attributes::Region;
use lineament::locate::{Detector, Localisation};
use lineament_data::Dataset;
use lineament_net::{NetSpec, Weights};

use crate::anet::{AnetModules, Attributes, Identities, head_spec, people};
use crate::detecting;
use crate::error::TrainError;
use crate::faces::Faces;
use crate::finish;
use crate::folder::Folder;
use crate::from::{self, From};
use crate::learner::Learner;
use crate::located::Located;
use crate::locating;
use crate::locating::pyramid::FIRST_ROUND;
use crate::module::Module;
use crate::objects::{Object, ObjectModules, Objects, objects};
use crate::batches::SHARDS;
use crate::recipe::{ObjectStage, Recipe, Schedule, narrow};
use crate::sets::{one_order, read_sets};
use crate::stage::{self, Surroundings, checkpoint_path};
use crate::widen::widen;

/// The stages, in the order in which they need each other.
pub const STAGES: [&str; 7] = ["objects", "lnet_o", "lnet_s", "identities", "narrow", "anet", "svms"];

/// What LNet_s's part of stage `objects` is called, where it has a structure of its own.
const SECOND_OBJECTS: &str = "objects_s";

/// What `lineament train` was asked for.
pub struct TrainOptions<'a> {
    /// Everything that decides what comes out.
    pub recipe: Recipe,
    /// Folders and tables with pictures; a folder of such folders stands for all of them.
    pub data: Vec<PathBuf>,
    /// Where logs, checkpoints, weights and the bundle go.
    pub output: PathBuf,
    /// Go on with a run that is there already.
    pub resume: bool,
    /// Only this stage.
    pub stage: Option<String>,
    /// A bundle to begin from; the recipe is then one that [`from::recipe`] made for it.
    pub from: Option<From>,
    /// A detector in the place of the LNets, which are then not learned.
    pub detector: Option<(Detector, Vec<u8>)>,
    /// Draw progress bars.
    pub progress: bool,
    /// Set from outside to stop at the next step with a checkpoint.
    pub stop: &'a AtomicBool,
    /// Stop after so many steps in all; for tests of resuming.
    pub step_limit: Option<u64>,
}

impl TrainOptions<'_> {
    fn files(&self) -> Folder<'_> {
        Folder { path: &self.output, progress: self.progress, stop: self.stop, step_limit: self.step_limit }
    }
}

/// What the stages share.
pub struct Run<'a> {
    /// The recipe.
    pub recipe: &'a Recipe,
    /// The data sets, with their attributes in one order.
    pub sets: Vec<Dataset>,
    /// The attributes.
    pub attributes: Vec<String>,
    options: &'a TrainOptions<'a>,
}

/// Trains everything that is not there yet and returns the path of the bundle (or of the one stage's weights).
///
/// # Errors
/// What stopped it; [`TrainError::Interrupted`] after a checkpoint was written.
pub fn train(options: &TrainOptions<'_>) -> Result<PathBuf, TrainError> {
    let stages: &[&str] = if options.from.is_some() { &from::STAGES } else { &STAGES };
    if let Some(name) = options.stage.as_deref().filter(|name| !stages.contains(name)) {
        return Err(TrainError::NoStage(name.to_owned(), stages.join(", ")));
    }
    let text = toml::to_string(&options.recipe).map_err(|e| TrainError::Recipe(e.to_string()))?;
    let same = |kept: &str| Ok(Recipe::parse(kept)? == options.recipe);
    options.files().prepare(&text, same, options.resume, options.stage.is_some())?;
    let mut sets = read_sets(&options.data)?;
    if options.from.is_some() {
        sets.iter_mut().try_for_each(from::share_out)?;
    }
    let (sets, attributes) = one_order(sets, &options.recipe.without)?;
    let recipe = match &options.from {
        // The bundle's LNets are not learned anew.
        Some(_) => options.recipe.clone(),
        None => options.recipe.for_attributes(attributes.len()),
    };
    let run = Run { recipe: &recipe, sets, attributes, options };
    if let Some(from) = &options.from {
        from::furnish(&run, from)?;
    }
    for name in STAGES {
        if options.from.is_some() && !from::STAGES.contains(&name) {
            continue;
        }
        if options.detector.is_some() && ["objects", "lnet_o", "lnet_s"].contains(&name) {
            tracing::info!("{name}: the detector takes its place");
            continue;
        }
        let asked = options.stage.as_deref();
        if asked.is_some_and(|asked| asked != name) {
            continue;
        }
        let there = match name {
            "objects" => recipe.objects.is_some(),
            "identities" => recipe.identities.is_some(),
            "narrow" => recipe.anet.narrow.is_some(),
            _ => true,
        };
        if !there {
            tracing::info!("{name}: the recipe has no such stage");
            continue;
        }
        if run.result(name).exists() && asked.is_none() {
            tracing::info!("{name}: done already");
            continue;
        }
        if asked.is_some() && !options.resume {
            let parts: &[&str] = match name {
                "objects" => &[name, SECOND_OBJECTS],
                "lnet_s" => &[FIRST_ROUND, name],
                _ => &[name],
            };
            for part in parts {
                forget(&checkpoint_path(&options.output, part))?;
            }
        }
        tracing::info!("{name}: begins");
        match name {
            "objects" => run.objects()?,
            "lnet_o" => locating::lnet_o(&run)?,
            "lnet_s" => locating::lnet_s(&run)?,
            "identities" => run.identities()?,
            "narrow" => run.narrow()?,
            "anet" => run.anet()?,
            _ => finish::svms(&run)?,
        }
    }
    Ok(run.result(options.stage.as_deref().unwrap_or("svms")))
}

impl Run<'_> {
    /// The bundle that the training began from.
    pub fn from(&self) -> Option<&From> {
        self.options.from.as_ref()
    }

    /// The detector in the place of the LNets.
    pub fn detector(&self) -> Option<&(Detector, Vec<u8>)> {
        self.options.detector.as_ref()
    }

    /// How a box or landmarks become the square that ANet sees: the recipe's way, or what fits a detector's boxes better.
    ///
    /// # Errors
    /// When what was fitted can't be read.
    pub fn region(&self) -> Result<Region, TrainError> {
        match self.detector() {
            Some(_) => detecting::region(self),
            None => Ok(self.recipe.region),
        }
    }

    /// The run's folder.
    pub fn folder(&self) -> &Path {
        &self.options.output
    }

    /// What a stage writes when it is done.
    pub fn result(&self, stage: &str) -> PathBuf {
        self.files().result(stage)
    }

    /// What a stage is told from outside.
    pub fn around(&self) -> Surroundings<'_> {
        self.files().around()
    }

    /// Writes the weights of a finished stage, net by net.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn save(&self, stage: &str, nets: &[(&str, &Weights)]) -> Result<(), TrainError> {
        self.files().save(stage, nets)
    }

    /// Weights that an earlier stage wrote.
    ///
    /// # Errors
    /// When that stage has not run, or its file is damaged.
    pub fn weights(
        &self,
        stage: &'static str,
        by: &str,
        prefix: &str,
        net: Option<&NetSpec>,
    ) -> Result<Weights, TrainError> {
        self.files().weights(stage, by, prefix, net)
    }

    /// What stage `objects` left for a net; nothing where the recipe has no such stage.
    ///
    /// # Errors
    /// As [`Run::weights`].
    pub fn objects_known(&self, stage: &'static str, prefix: &str) -> Result<Option<Weights>, TrainError> {
        let known = || self.weights(stage, "objects", prefix, None);
        self.recipe.objects.as_ref().map(|_| known()).transpose()
    }

    fn files(&self) -> Folder<'_> {
        self.options.files()
    }

    fn objects(&self) -> Result<(), TrainError> {
        let Some(stage) = &self.recipe.objects else { return Ok(()) };
        let (pictures, classes) = objects(&self.sets, lineament_data::Split::Train);
        if pictures.len() < stage.schedule.batch || classes < 2 {
            let why =
                "no --data folder holds pictures of at least two object classes (train/CLASS/...)".to_owned();
            return Err(TrainError::NoPictures { stage: "objects".to_owned(), why });
        }
        let lnets = &self.recipe.nets;
        let trunk = self.learn_objects("objects", stage, &lnets.lnet_o, pictures.clone(), classes)?;
        if lnets.one_lnet() {
            return self.save("objects", &[("trunk", &trunk)]);
        }
        let second = self.learn_objects(SECOND_OBJECTS, stage, &lnets.lnet_s, pictures, classes)?;
        self.save("objects", &[("trunk", &trunk), ("lnet_s", &second)])
    }

    fn learn_objects(
        &self,
        name: &'static str,
        stage: &ObjectStage,
        lnet: &NetSpec,
        pictures: Vec<Object>,
        classes: usize,
    ) -> Result<Weights, TrainError> {
        let trunk = self.recipe.locating.object_trunk(lnet, self.attributes.len())?;
        let modules = ObjectModules::new(&trunk, classes)?;
        let schedule = &stage.schedule;
        let list: [&Module; 2] = [&modules.trunk, &modules.head];
        let mut learner = Learner::new(&list, schedule.optimiser, schedule.average, self.recipe.seed);
        let task = Objects::new(name, self.recipe, stage, &modules, pictures);
        stage::run(&task, &mut learner, schedule, &self.around())?;
        Ok(learner.weights(&modules.trunk))
    }

    fn identities(&self) -> Result<(), TrainError> {
        let Some(stage) = &self.recipe.identities else { return Ok(()) };
        let faces = Faces::collect(&self.sets, self.recipe, &Located::default());
        let people = people(&faces);
        let schedule = &stage.schedule;
        if people.iter().map(Vec::len).sum::<usize>() < schedule.batch {
            let why = "no --data folder holds cropped faces of people with two pictures or more".to_owned();
            return Err(TrainError::NoPictures { stage: "identities".to_owned(), why });
        }
        tracing::info!("identities: {} people", people.len());
        let net = match &self.recipe.anet.narrow {
            Some(stage) => narrow(&self.recipe.nets.anet, stage.width)?,
            None => self.recipe.nets.anet.clone(),
        };
        let modules = AnetModules::new(&net, people.len())?;
        let mut learner =
            Learner::new(&modules.list(), schedule.optimiser, schedule.average, self.recipe.seed);
        let task = Identities::new(self.recipe, stage, &faces, &modules, people);
        stage::run(&task, &mut learner, schedule, &self.around())?;
        self.save("identities", &[("trunk", &learner.weights(&modules.trunk))])
    }

    fn narrow(&self) -> Result<(), TrainError> {
        let Some(stage) = &self.recipe.anet.narrow else { return Ok(()) };
        let net = narrow(&self.recipe.nets.anet, stage.width)?;
        self.attributes("narrow", &net, &stage.schedule, |run, modules, learner| {
            run.know_people(modules, learner, &net)
        })
    }

    fn anet(&self) -> Result<(), TrainError> {
        let (net, attributes) = (&self.recipe.nets.anet, self.attributes.len());
        self.attributes("anet", net, &self.recipe.anet.schedule, |run, modules, learner| {
            if run.from().is_some() {
                learner.adopt(&modules.trunk, &run.weights("anet", "start", "trunk", Some(net))?);
                return Ok(());
            }
            let Some(stage) = &run.recipe.anet.narrow else { return run.know_people(modules, learner, net) };
            let slim = narrow(net, stage.width)?;
            let (slim_head, head) = (head_spec(&slim, attributes)?, head_spec(net, attributes)?);
            let trunk = run.weights("anet", "narrow", "trunk", Some(&slim))?;
            learner.adopt(&modules.trunk, &widen(&slim, net, &trunk, run.recipe.seed)?);
            let known = run.weights("anet", "narrow", "head", Some(&slim_head))?;
            learner.adopt(&modules.head, &widen(&slim_head, &head, &known, run.recipe.seed)?);
            Ok(())
        })
    }

    /// Starts from what stage `identities` learned, where the recipe has one.
    fn know_people(
        &self,
        modules: &AnetModules,
        learner: &mut Learner,
        net: &NetSpec,
    ) -> Result<(), TrainError> {
        if self.recipe.identities.is_some() {
            let known = self.weights("anet", "identities", "trunk", Some(net))?;
            learner.adopt(&modules.trunk, &known);
        }
        Ok(())
    }

    /// Trains `net` on tags, from where `start` puts it.
    fn attributes(
        &self,
        name: &'static str,
        net: &NetSpec,
        schedule: &Schedule,
        start: impl FnOnce(&Self, &AnetModules, &mut Learner) -> Result<(), TrainError>,
    ) -> Result<(), TrainError> {
        let faces = self.faces()?;
        let outputs = self.attributes.len();
        let taught = self.recipe.anet.soft > 0.0 && faces.faces.iter().any(|face| face.soft.is_some());
        let modules =
            if taught { AnetModules::with_teacher(net, outputs)? } else { AnetModules::new(net, outputs)? };
        let mut learner =
            Learner::new(&modules.list(), schedule.optimiser, schedule.average, self.recipe.seed);
        start(self, &modules, &mut learner)?;
        let mut schedule = schedule.clone();
        let mut task = Attributes::new(name, self.recipe, &faces, &modules, schedule.batch);
        if self.from().is_some() {
            // A few dozen pictures are less than a batch, and may still be all that somebody has.
            let most = stage::Task::pictures(&task) / (2 * SHARDS) * 2 * SHARDS;
            schedule.batch = schedule.batch.min(most).max(2 * SHARDS);
            task = Attributes::new(name, self.recipe, &faces, &modules, schedule.batch);
        }
        if stage::Task::pictures(&task) < schedule.batch {
            let why = "no --data folder holds tagged pictures with a face (the LNets may have found none)"
                .to_owned();
            return Err(TrainError::NoPictures { stage: name.to_owned(), why });
        }
        tracing::info!("{name}: {} faces", stage::Task::pictures(&task));
        stage::run(&task, &mut learner, &schedule, &self.around())?;
        let (trunk, head) = (learner.weights(&modules.trunk), learner.weights(&modules.head));
        self.save(name, &[("trunk", &trunk), ("head", &head)])
    }

    /// Faces of cropped pictures and of photos in which the LNets find one; the latter are looked for once and kept in `located.csv`.
    ///
    /// # Errors
    /// When the LNets are not there yet or a picture can't be read.
    pub fn faces(&self) -> Result<Faces, TrainError> {
        let path = self.folder().join("located.csv");
        let located = if path.exists() {
            let whole = self.detector().is_none() && locating::parts(self)?.2 == Localisation::Whole;
            Located::open(&path)?.of_whole_pictures(whole)
        } else if let Some((detector, onnx)) = self.detector() {
            let located = detecting::find_faces(self, detector, onnx)?;
            detecting::fit_region(self, &located)?;
            located.save(&path)?;
            located
        } else {
            let located = locating::find_faces(self)?;
            located.save(&path)?;
            located
        };
        let recipe = Recipe { region: self.region()?, ..self.recipe.clone() };
        Ok(Faces::collect(&self.sets, &recipe, &located))
    }
}

pub(crate) fn forget(path: &Path) -> Result<(), TrainError> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(TrainError::io(path, e)),
        _ => Ok(()),
    }
}
