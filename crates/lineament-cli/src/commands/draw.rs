//! `lineament draw`: a small data set of drawn faces, to try training on.

use std::fs;
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use lineament_data::{DrawnOptions, write_backgrounds, write_celeba, write_objects};

use super::Outcome;
use crate::{files, notes};

/// Images of each class of objects, and their side in pixels.
const OBJECTS: (u32, u32) = (60, 64);

#[derive(Debug, Args)]
pub struct DrawArguments {
    /// The folder to draw into
    #[arg(long, short, value_name = "DIR")]
    pub output: PathBuf,
    /// How many people are drawn
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(3..=100_000))]
    pub people: u32,
    /// Images of each of them
    #[arg(long = "pictures", value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub images: u32,
    /// Another seed draws other people
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}

pub fn run(arguments: DrawArguments) -> Result<Outcome> {
    let options = DrawnOptions {
        people: arguments.people,
        images_each: arguments.images,
        seed: arguments.seed,
        ..DrawnOptions::default()
    };
    options.check()?;
    let folder = arguments.output;
    if fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some()) {
        bail!("{} is not empty; give a new folder, so that nothing in it is mixed up", folder.display());
    }
    files::make_folder(&folder)?;
    let faces = write_celeba(&folder.join("celeba"), &options)?;
    let (each, side) = OBJECTS;
    let objects = write_objects(&folder.join("objects"), each, side, options.seed)?;
    // Half as many images without a face as with one.
    let count = (arguments.people.saturating_mul(arguments.images) / 2).max(1);
    let backgrounds = write_backgrounds(&folder.join("backgrounds"), count, &options)?;
    notes::note(format!(
        "{faces} pictures of faces, {objects} of objects and {backgrounds} of neither are in {}",
        folder.display()
    ));
    Ok(Outcome::AllRead)
}
