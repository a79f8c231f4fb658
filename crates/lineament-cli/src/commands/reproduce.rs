//! `lineament reproduce`: the paper's experiments, and the page of their results.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::Outcome;
use crate::arguments::{DeviceArguments, ThreadArguments};

/// What was typed.
#[derive(Debug, Args)]
#[cfg_attr(not(feature = "train"), allow(dead_code, reason = "read by builds with the feature `train`"))]
pub struct ReproduceArguments {
    /// The folder that holds the data sets: celeba, tiny-imagenet-200, background, wider, lfw
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// The page; figures are kept as CSVs in the folder that is called like it
    #[arg(long, short, value_name = "FILE")]
    pub output: PathBuf,
    /// Only these experiments (systems, localization, maps, identities, transfer, amount), separated by commas
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Run experiments again whose figures are there
    #[arg(long, conflicts_with = "page")]
    pub again: bool,
    /// Only write the page again, from the figures that are there
    #[arg(long)]
    pub page: bool,
    /// Where trainings and checkpoints lie; the same command goes on from them after a stop
    #[arg(long, value_name = "DIR", default_value = "target/reproduce")]
    pub work: PathBuf,
    /// The recipe that the experiments vary, by name or file
    #[arg(long, value_name = "NAME|FILE", default_value = "lab")]
    pub recipe: String,
    #[command(flatten)]
    pub device: DeviceArguments,
    #[command(flatten)]
    pub threads: ThreadArguments,
}

/// Says how to get training.
#[cfg(not(feature = "train"))]
pub fn run(_: ReproduceArguments) -> Result<Outcome> {
    super::training::missing("reproduce")
}

/// Runs experiments; Ctrl-C stops at a checkpoint.
#[cfg(feature = "train")]
pub fn run(arguments: ReproduceArguments) -> Result<Outcome> {
    use std::io::{self, IsTerminal};

    use lineament_reproduce::baselines::train::{AnyRecipe, BaselineRecipe};
    use lineament_reproduce::{Options, ReproduceError, reproduce};
    use lineament_train::Recipe;

    let AnyRecipe::Cascade(recipe) = super::train::recipe(&arguments.recipe)? else {
        anyhow::bail!("experiments vary a recipe of LNets and ANet, and {} is none", arguments.recipe)
    };
    let options = Options {
        recipe: *recipe,
        paper: Recipe::named("paper")?,
        facetracer: BaselineRecipe::facetracer()?,
        panda: BaselineRecipe::panda()?,
        data: arguments.data,
        output: arguments.output,
        work: arguments.work,
        only: arguments.only,
        again: arguments.again,
        page_only: arguments.page,
        command: format!("lineament {}", std::env::args().skip(1).collect::<Vec<_>>().join(" ")),
        stop: super::training::begin(),
        device: arguments.device.open()?,
        progress: io::stderr().is_terminal(),
    };
    let threads = crate::model::training_threads(&arguments.threads)?;
    match threads.install(|| reproduce(&options)) {
        Ok(()) => {
            crate::notes::note(format!("written: {}", options.output.display()));
            Ok(Outcome::AllRead)
        }
        Err(stopped @ ReproduceError::Interrupted) => {
            crate::notes::note(stopped);
            Ok(Outcome::Interrupted)
        }
        Err(error) => Err(error.into()),
    }
}
