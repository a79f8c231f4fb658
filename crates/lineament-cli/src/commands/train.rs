//! `lineament train`: the whole training, or a sentence on how to get it.

use anyhow::Result;

use super::Outcome;
use crate::arguments::TrainArguments;

/// Says how to get training.
#[cfg(not(feature = "train"))]
pub fn run(_: TrainArguments) -> Result<Outcome> {
    super::training::missing("train")
}

/// Trains; Ctrl-C stops at a checkpoint, a second one at once.
#[cfg(feature = "train")]
pub fn run(arguments: TrainArguments) -> Result<Outcome> {
    use std::io::{self, IsTerminal};

    use lineament_train::from::{self, From};
    use lineament_train::{TrainError, TrainOptions, train};

    let stop = super::training::begin();
    let from = match &arguments.from {
        Some(path) => Some(From { bundle: bundle(path)?, region: look(arguments.region) }),
        None => None,
    };
    let named = arguments.recipe.as_deref().map(recipe).transpose()?;
    let mut recipe = match (&from, named) {
        (Some(from), named) => from::recipe(&from.bundle, named)?,
        (None, Some(named)) => named,
        (None, None) => {
            anyhow::bail!("say how to learn with --recipe NAME, or what to begin from with --from BUNDLE")
        }
    };
    recipe.without.extend(arguments.without);
    let options = TrainOptions {
        recipe,
        from,
        data: arguments.data,
        output: arguments.output,
        resume: arguments.resume,
        stage: arguments.stage,
        progress: io::stderr().is_terminal(),
        stop,
        step_limit: None,
    };
    let pool = crate::model::pool(&arguments.threads)?;
    match pool.install(|| train(&options)) {
        Ok(written) => {
            crate::notes::note(format!("written: {}", written.display()));
            Ok(Outcome::AllRead)
        }
        Err(stopped @ TrainError::Interrupted { .. }) => {
            crate::notes::note(stopped);
            Ok(Outcome::Interrupted)
        }
        Err(error) => Err(error.into()),
    }
}

/// A file where there is one, else one of the recipes in the program.
#[cfg(feature = "train")]
pub fn recipe(name: &str) -> Result<lineament_train::Recipe> {
    let path = std::path::Path::new(name);
    let is_file = path.is_file() || path.extension().is_some_and(|extension| extension == "toml");
    let recipe =
        if is_file { lineament_train::Recipe::open(path)? } else { lineament_train::Recipe::named(name)? };
    Ok(recipe)
}

/// A model's file, or the one in the program.
#[cfg(feature = "train")]
fn bundle(path: &std::path::Path) -> Result<lineament::Bundle> {
    let embedded = path.as_os_str() == "default" && !path.exists();
    Ok(if embedded { lineament::Bundle::embedded()? } else { lineament::Bundle::open(path)? })
}

#[cfg(feature = "train")]
fn look(name: crate::arguments::LookName) -> lineament_train::from::Look {
    use crate::arguments::LookName;
    use lineament_train::from::Look;

    match name {
        LookName::Auto => Look::Auto,
        LookName::Located => Look::Located,
        LookName::Whole => Look::Whole,
    }
}
