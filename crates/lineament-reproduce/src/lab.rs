//! What experiments share: the data, the recipe that they vary, and trainings that are made once.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use lineament::engine::Engine;
use lineament::locate::Localizer;
use lineament::{Bundle, Tagger};
use lineament_data::{Dataset, Split, celeba, folder};
use lineament_lab::Provenance;
use lineament_train::device::TrainingDevice;
use lineament_train::folder::{Folder, result};
use lineament_train::{Base, Recipe, Stage, TrainOptions, detector, train, trained_lnets};

use crate::baselines;
use crate::baselines::train::{AnyRecipe, BaselineOptions, BaselineRecipe};
use crate::error::ReproduceError;
use crate::results::{Origin, Results, Store};

/// What `lineament reproduce` was asked for.
#[derive(Debug)]
pub struct Options<'a> {
    /// The folder of the data sets: `celeba`, and beside it `tiny-imagenet-200`, `background`, `wider`, `lfw`.
    pub data: PathBuf,
    /// The page; CSVs stand in the folder that is called like it.
    pub output: PathBuf,
    /// Where trainings lie. They are large, and can be made again.
    pub work: PathBuf,
    /// The experiments; all where none is named.
    pub only: Vec<String>,
    /// Run those that are done again.
    pub again: bool,
    /// Only write the page again.
    pub page_only: bool,
    /// The recipe that is varied.
    pub recipe: Recipe,
    /// The published recipe.
    pub paper: Recipe,
    /// FaceTracer's recipe.
    pub facetracer: BaselineRecipe,
    /// PANDA's recipe.
    pub panda: BaselineRecipe,
    /// The command, as it stands under the figures.
    pub command: String,
    /// What is computed on.
    pub device: TrainingDevice,
    /// Draw progress bars.
    pub progress: bool,
    /// Set from outside to stop at the next checkpoint.
    pub stop: &'a AtomicBool,
}

/// Data, recipe and trainings.
pub struct Lab<'a> {
    options: &'a Options<'a>,
    /// CelebA: the attributes.
    pub celeba: Dataset,
    /// Where figures are kept.
    pub store: Store,
    origin: Origin,
}

/// The run of the LNets of the recipe that is varied.
pub const LNETS: &str = "lnets";

/// The run of the recipe without object pre-training.
pub const NO_OBJECTS: &str = "no_objects";

/// The recipe whose LNets begin at random.
pub fn without_objects(recipe: &Recipe) -> Recipe {
    Recipe { objects: None, ..recipe.clone() }
}

/// What the stages that train LNets leave in a run's folder, beside logs and checkpoints and the weights of each.
const FOUND: [&str; 2] = ["localisation.json", "located.csv"];

/// The files that the LNets of a run are.
fn lnet_files() -> impl Iterator<Item = PathBuf> {
    let stages = Stage::ALL.iter().filter(|stage| stage.localizes());
    let parts = stages.flat_map(|stage| stage.parts()).map(|part| result(Path::new(""), part));
    parts.chain(FOUND.map(PathBuf::from))
}

/// The model that the program carries.
///
/// # Errors
/// A damaged model.
pub fn embedded() -> Result<Bundle, ReproduceError> {
    Bundle::embedded().map_err(|e| ReproduceError::model("the default bundle", e))
}

impl<'a> Lab<'a> {
    /// Reads the data.
    ///
    /// # Errors
    /// When CelebA is not there or damaged.
    pub fn open(options: &'a Options<'a>, store: Store) -> Result<Self, ReproduceError> {
        let celeba = celeba::read(&options.data.join("celeba"))?;
        // The results belong to the checkout that they are written into.
        let checkout = options.output.parent().filter(|parent| !parent.as_os_str().is_empty());
        let checkout = checkout.unwrap_or(Path::new("."));
        let provenance = Provenance::of(&options.command, checkout, rayon::current_num_threads());
        let origin = Origin::of(&provenance, options.recipe.seed);
        Ok(Self { options, celeba, store, origin })
    }

    /// The recipe that is varied.
    pub fn recipe(&self) -> &Recipe {
        &self.options.recipe
    }

    /// The published recipe.
    pub fn paper(&self) -> &Recipe {
        &self.options.paper
    }

    /// FaceTracer's recipe.
    pub fn facetracer(&self) -> &BaselineRecipe {
        &self.options.facetracer
    }

    /// PANDA's recipe.
    pub fn panda(&self) -> &BaselineRecipe {
        &self.options.panda
    }

    /// A table of figures without rows.
    pub fn results(&self, columns: &[&str]) -> Results {
        Results::new(columns, self.origin.clone())
    }

    /// A folder beside CelebA's.
    ///
    /// # Errors
    /// When it is not there.
    pub fn folder(&self, name: &str, needs: &str) -> Result<PathBuf, ReproduceError> {
        let folder = self.options.data.join(name);
        if folder.is_dir() {
            Ok(folder)
        } else {
            Err(ReproduceError::Data { folder, needs: needs.to_owned() })
        }
    }

    /// Images without a face that nothing was chosen on.
    ///
    /// # Errors
    /// When there are none.
    pub fn backgrounds(&self) -> Result<Dataset, ReproduceError> {
        let needs = "a flat folder of pictures without a face, to count false alarms in";
        Ok(folder::read(&self.folder("background", needs)?)?.split(Split::Test))
    }

    /// A place for files of an experiment.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn work(&self, name: &str) -> Result<PathBuf, ReproduceError> {
        let folder = self.options.work.join(name);
        std::fs::create_dir_all(&folder).map_err(|e| ReproduceError::file(&folder, e))?;
        Ok(folder)
    }

    /// The LNets of a recipe, trained where they are not there yet; nothing passes unseen: any response counts as a face, however weak.
    ///
    /// # Errors
    /// What stopped the training.
    pub fn lnets(&self, name: &str, recipe: &Recipe) -> Result<Box<dyn Localizer>, ReproduceError> {
        let folder = self.work(name)?;
        self.claim(&folder, &recipe.clone().into())?;
        self.share_objects(&folder, recipe)?;
        for stage in Stage::ALL.iter().copied().filter(|stage| stage.localizes() && stage.is_in(recipe)) {
            if !result(&folder, stage.name()).exists() {
                tracing::info!("{name}: stage {stage}");
                train(&TrainOptions { stage: Some(stage), ..self.training(&folder, recipe) })?;
            }
        }
        let attributes = self.celeba.attributes.len() - recipe.without.len();
        Ok(trained_lnets::open(&folder, &recipe.for_attributes(attributes))?)
    }

    /// The whole system of a recipe, trained where it is not there yet; a detector's file stands in the place of the LNets, or tells landmarks.
    ///
    /// # Errors
    /// What stopped the training.
    pub fn system(
        &self,
        name: &str,
        recipe: &AnyRecipe,
        detector: Option<&Path>,
    ) -> Result<Tagger, ReproduceError> {
        let folder = self.work(name)?;
        self.claim(&folder, recipe)?;
        let model = folder.join("model.lineament");
        if !model.exists() {
            tracing::info!("{name}: training");
            let detector = detector.map(detector::open).transpose()?;
            match recipe {
                AnyRecipe::Cascade(recipe) => {
                    self.share_objects(&folder, recipe)?;
                    train(&TrainOptions { detector, ..self.training(&folder, recipe) })?;
                }
                AnyRecipe::Baseline(recipe) => {
                    let (progress, stop) = (self.options.progress, self.options.stop);
                    baselines::train::train(&BaselineOptions {
                        recipe: (**recipe).clone(),
                        detector,
                        data: vec![self.options.data.clone()],
                        folder: Folder {
                            device: self.options.device.clone(),
                            progress,
                            ..Folder::new(&folder, stop)
                        },
                        resume: true,
                        stage: None,
                    })?;
                }
            }
        }
        let bundle = Bundle::open(&model).map_err(|e| ReproduceError::model(name, e))?;
        let tagger =
            baselines::builder(bundle, Engine::Native).map_err(|e| ReproduceError::model(name, e))?;
        tagger.build().map_err(|e| ReproduceError::model(name, e))
    }

    /// LNets and ANet of a recipe, trained where they are not there yet.
    ///
    /// # Errors
    /// As [`Lab::system`].
    pub fn tagger(&self, name: &str, recipe: &Recipe) -> Result<Tagger, ReproduceError> {
        self.system(name, &recipe.clone().into(), None)
    }

    /// Gives a run what LNets learned of objects, which has nothing to do with attributes: every recipe with the same stage and seed would learn it again.
    fn share_objects(&self, to: &Path, recipe: &Recipe) -> Result<(), ReproduceError> {
        let own = self.recipe();
        let same = recipe.objects.is_some()
            && recipe.objects == own.objects
            && recipe.seed == own.seed
            && [&recipe.nets.lnet_o, &recipe.nets.lnet_s] == [&own.nets.lnet_o, &own.nets.lnet_s];
        let (there, here) =
            (result(&self.work(LNETS)?, Stage::Objects.name()), result(to, Stage::Objects.name()));
        if same && there.exists() && !here.exists() {
            std::fs::copy(&there, &here).map_err(|e| ReproduceError::file(&here, e))?;
        }
        Ok(())
    }

    /// Gives a run the LNets of the recipe that is varied, which the same stages and seed would give it anyway: minutes instead of an hour for a row of ANets.
    ///
    /// # Errors
    /// What stopped their training, or a file that cannot be copied.
    pub fn share_lnets(&self, to: &str) -> Result<(), ReproduceError> {
        self.lnets(LNETS, self.recipe())?;
        self.share(LNETS, to)
    }

    /// Gives a run the LNets of another, and the places of faces that these found in training photos.
    ///
    /// # Errors
    /// A file that cannot be copied.
    pub fn share(&self, from: &str, to: &str) -> Result<(), ReproduceError> {
        let (from, to) = (self.work(from)?, self.work(to)?);
        for name in lnet_files() {
            let (there, here) = (from.join(&name), to.join(&name));
            if there.exists() && !here.exists() {
                std::fs::copy(&there, &here).map_err(|e| ReproduceError::file(&here, e))?;
            }
        }
        Ok(())
    }

    /// Refuses a folder in which something else was trained.
    fn claim(&self, folder: &Path, recipe: &AnyRecipe) -> Result<(), ReproduceError> {
        let kept = folder.join("recipe.toml");
        if kept.exists() && AnyRecipe::open(&kept)? != *recipe {
            return Err(ReproduceError::OtherRun(folder.to_owned()));
        }
        Ok(())
    }

    /// Goes on with the training of a recipe in a folder.
    fn training(&self, folder: &Path, recipe: &Recipe) -> TrainOptions<'a> {
        TrainOptions {
            recipe: recipe.clone(),
            data: vec![self.options.data.clone()],
            output: folder.to_owned(),
            resume: true,
            stage: None,
            base: Base::Nothing,
            detector: None,
            device: self.options.device.clone(),
            progress: self.options.progress,
            stop: self.options.stop,
            step_limit: None,
        }
    }
}
