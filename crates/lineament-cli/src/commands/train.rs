//! `lineament train`: the whole training, or a sentence on how to get it.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};

use super::Outcome;
use crate::arguments::{DeviceArguments, ThreadArguments};
#[cfg(feature = "train")]
use crate::training_start::TrainingStart;

#[derive(Debug, Args)]
#[cfg_attr(not(feature = "train"), allow(dead_code, reason = "read by builds with the feature `train`"))]
pub struct TrainArguments {
    /// A recipe by name (compact, paper, paper_objects, lab, drawn, facetracer, panda, landmarks) or its file; with --from it says how ANet and the SVMs learn
    #[arg(long, value_name = "NAME|FILE", required_unless_present = "from")]
    pub recipe: Option<String>,
    /// Begin from the nets of a finished model, and fine-tune them: its file, or `default` for the one this program carries
    ///
    /// The data may hold any attributes, of faces or of other things.
    #[arg(long, value_name = "BUNDLE")]
    pub from: Option<PathBuf>,
    /// Where to look in images that were not cropped around a face
    #[arg(long, value_enum, default_value = "auto", requires = "from")]
    pub region: CropName,
    /// Learn to find faces alone, by the recipe, and keep the attributes of a finished model: its file, or `default`
    #[arg(long, value_name = "BUNDLE", conflicts_with_all = ["from", "detector"])]
    pub attributes_of: Option<PathBuf>,
    /// Learn attributes alone, by the recipe, and keep how a finished model finds faces: its file, or `default`
    #[arg(long, value_name = "BUNDLE", conflicts_with_all = ["from", "detector", "attributes_of"])]
    pub faces_of: Option<PathBuf>,
    /// Find faces with a detector of others, YuNet or UltraFace as an ONNX file, instead of learning to; it becomes part of the model
    #[arg(long, value_name = "FILE", conflicts_with = "from")]
    pub detector: Option<PathBuf>,
    /// Attributes that are not to be learned, separated by commas
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub without: Vec<String>,
    /// Images to learn from; give it once for each folder or table
    #[arg(long, value_name = "DIR", required = true, num_args = 1..)]
    pub data: Vec<PathBuf>,
    /// The folder for logs, checkpoints and the finished model
    #[arg(long, short, value_name = "RUN")]
    pub output: PathBuf,
    /// What the finished model is called [default: as the recipe, or as the model that it begins from]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Resume a run that was stopped
    #[arg(long)]
    pub resume: bool,
    /// Only this stage
    #[arg(long, value_name = "NAME")]
    pub stage: Option<String>,
    #[command(flatten)]
    pub device: DeviceArguments,
    #[command(flatten)]
    pub threads: ThreadArguments,
}

/// Where ANet looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CropName {
    /// At the face, if the model finds one in at least half of the images; else at the full image
    Auto,
    /// At the face that the model finds
    Located,
    /// At the full image, whatever is on it
    Whole,
}

/// Says how to get training.
#[cfg(not(feature = "train"))]
pub fn run(_: TrainArguments) -> Result<Outcome> {
    super::training::missing("train")
}

/// Trains; Ctrl-C stops at a checkpoint, a second one at once.
#[cfg(feature = "train")]
pub fn run(arguments: TrainArguments) -> Result<Outcome> {
    use std::io::{self, IsTerminal};

    use lineament_reproduce::baselines::train::{self as baselines, AnyRecipe, BaselineOptions};
    use lineament_train::folder::Folder;
    use lineament_train::{Base, FineTune, TrainOptions, detector, faces_of, fine_tune, train};

    let stop = super::training::begin();
    let begun = TrainingStart::of(&arguments.output);
    let base = match (&arguments.from, &arguments.attributes_of, &arguments.faces_of) {
        (Some(path), ..) => Base::Nets(FineTune { bundle: bundle(path)?, crop: crop(arguments.region) }),
        (_, Some(path), _) => Base::Attributes(bundle(path)?),
        (_, _, Some(path)) => Base::Faces(bundle(path)?),
        (None, None, None) => Base::Nothing,
    };
    if let Some(addition) = arguments.recipe.as_deref().map(addition).transpose()?.flatten() {
        return add(&addition, base, arguments, begun, stop);
    }
    let detector = arguments.detector.as_deref().map(detector::open).transpose()?;
    let threads = crate::model::training_threads(&arguments.threads)?;
    let device = arguments.device.open()?;
    let progress = io::stderr().is_terminal();
    let named = match arguments.recipe.as_deref().map(recipe).transpose()? {
        Some(AnyRecipe::Baseline(mut recipe)) => {
            if !matches!(base, Base::Nothing) {
                anyhow::bail!(
                    "the recipe {} begins from nothing: leave out --from, --attributes-of and --faces-of",
                    recipe.name
                );
            }
            recipe.without.extend(arguments.without);
            let folder = Folder { device, progress, ..Folder::new(&arguments.output, stop) };
            let (resume, stage) = (arguments.resume, arguments.stage);
            let options =
                BaselineOptions { recipe: *recipe, detector, data: arguments.data, folder, resume, stage };
            return finished(
                threads.install(|| baselines::train(&options)),
                begun,
                arguments.name.as_deref(),
            );
        }
        Some(AnyRecipe::Cascade(recipe)) => Some(*recipe),
        None => None,
    };
    let mut recipe = match (&base, named) {
        (Base::Nets(start), named) => fine_tune::recipe(&start.bundle, named)?,
        (Base::Faces(bundle), Some(named)) => faces_of::recipe(bundle, named)?,
        (_, Some(named)) => named,
        (_, None) => {
            anyhow::bail!("say how to learn with --recipe NAME, or what to begin from with --from BUNDLE")
        }
    };
    recipe.without.extend(arguments.without);
    let options = TrainOptions {
        recipe,
        base,
        data: arguments.data,
        output: arguments.output,
        resume: arguments.resume,
        stage: arguments.stage.as_deref().map(str::parse).transpose()?,
        detector,
        device,
        progress,
        stop,
        step_limit: None,
    };
    finished(threads.install(|| train(&options)), begun, arguments.name.as_deref())
}

/// Learns what joins the model of `--from`.
#[cfg(feature = "train")]
fn add(
    addition: &lineament_train::additions::Addition,
    base: lineament_train::Base,
    arguments: TrainArguments,
    begun: TrainingStart,
    stop: &'static std::sync::atomic::AtomicBool,
) -> Result<Outcome> {
    use std::io::{self, IsTerminal};

    use lineament_train::additions::AdditionOptions;
    use lineament_train::folder::Folder;
    use lineament_train::{Base, FineTune};

    let Base::Nets(FineTune { bundle: base, .. }) = base else {
        anyhow::bail!(
            "the recipe {} adds to a finished model: say which with --from FILE, or `--from default`",
            addition.name()
        );
    };
    if arguments.detector.is_some() || arguments.stage.is_some() || !arguments.without.is_empty() {
        anyhow::bail!(
            "the recipe {} has one stage, and all attributes stay: leave out --detector, --stage and --without",
            addition.name()
        );
    }
    let threads = crate::model::training_threads(&arguments.threads)?;
    let progress = io::stderr().is_terminal();
    let device = arguments.device.open()?;
    let folder = Folder { device, progress, ..Folder::new(&arguments.output, stop) };
    let options = AdditionOptions { base, data: arguments.data, folder, resume: arguments.resume };
    finished(threads.install(|| addition.train(&options)), begun, arguments.name.as_deref())
}

/// The recipe of that name or file, if it is one of what joins a finished model.
#[cfg(feature = "train")]
fn addition(name: &str) -> Result<Option<lineament_train::additions::Addition>> {
    use anyhow::Context;
    use lineament_train::additions::Addition;

    let path = std::path::Path::new(name);
    let file;
    let text = match path.is_file() && path.extension().is_some_and(|ending| ending == "toml") {
        true => {
            file = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
            Some(file.as_str())
        }
        false => lineament_recipes::text(name),
    };
    text.map_or(Ok(None), |text| Addition::parse(text).with_context(|| name.to_owned()))
}

/// Says what was written, or that it was stopped; a start that failed leaves nothing.
#[cfg(feature = "train")]
fn finished(
    result: Result<std::path::PathBuf, lineament_train::TrainError>,
    begun: TrainingStart,
    name: Option<&str>,
) -> Result<Outcome> {
    use lineament_train::TrainError;

    match result {
        Ok(written) => {
            // One stage alone writes weights, which have no name.
            if name.is_some() && written.extension().is_some_and(|ending| ending == "lineament") {
                crate::model::renamed(lineament::Bundle::open(&written)?, name)?.write(&written)?;
            }
            crate::notes::note(format!("written: {}", written.display()));
            Ok(Outcome::AllRead)
        }
        Err(stopped @ TrainError::Interrupted { .. }) => {
            crate::notes::note(stopped);
            Ok(Outcome::Interrupted)
        }
        Err(error) => {
            // The reason why it failed is what counts.
            let _ = begun.undo();
            Err(error.into())
        }
    }
}

/// A file where there is one, else one of the recipes in the program.
#[cfg(feature = "train")]
pub fn recipe(name: &str) -> Result<lineament_reproduce::baselines::train::AnyRecipe> {
    use lineament_reproduce::baselines::train::AnyRecipe;

    let path = std::path::Path::new(name);
    if path
        .extension()
        .is_some_and(|ending| ["lineament", "safetensors"].iter().any(|model| ending == *model))
    {
        anyhow::bail!("{name} is a model, and --recipe says how to learn; begin from it with --from {name}");
    }
    if name == "default" && !path.exists() {
        anyhow::bail!(
            "default is the model in this program; begin from it with --from default, or learn anew with --recipe compact"
        );
    }
    let is_file = path.is_file() || path.extension().is_some_and(|extension| extension == "toml");
    Ok(if is_file { AnyRecipe::open(path)? } else { AnyRecipe::named(name)? })
}

/// A model's file, or the one in the program.
#[cfg(feature = "train")]
fn bundle(path: &std::path::Path) -> Result<lineament::Bundle> {
    let embedded = path.as_os_str() == "default" && !path.exists();
    Ok(if embedded { lineament::Bundle::embedded()? } else { lineament::Bundle::open(path)? })
}

#[cfg(feature = "train")]
fn crop(name: CropName) -> lineament_train::Crop {
    use lineament_train::Crop;

    match name {
        CropName::Auto => Crop::Auto,
        CropName::Located => Crop::Located,
        CropName::Whole => Crop::Full,
    }
}
