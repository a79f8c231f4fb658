//! What the stages of a run share, and read: recipe, data, folder.

use std::path::{Path, PathBuf};

use lineament::locate::Detector;
use lineament_data::Dataset;
use lineament_net::{NetSpec, Weights};

use crate::error::TrainError;
use crate::folder::Folder;
use crate::options::Base;
use crate::recipe::Recipe;
use crate::stage::Stage;

/// What stages share. They know nothing of each other but the files that earlier ones leave in the folder.
pub struct Context<'a> {
    /// The recipe.
    pub recipe: &'a Recipe,
    /// The data sets, with their attributes in one order.
    pub sets: Vec<Dataset>,
    /// Where they came from: folders and tables.
    pub data: &'a [PathBuf],
    /// The attributes.
    pub attributes: Vec<String>,
    /// Where logs, checkpoints, weights and the bundle are.
    pub folder: Folder<'a>,
    /// What there is of a finished bundle.
    pub base: &'a Base,
    /// The detector in the place of the LNets, and its file.
    pub detector: Option<&'a (Detector, Vec<u8>)>,
}

impl Context<'_> {
    /// Writes the weights of a finished stage, net by net.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn save(&self, stage: Stage, nets: &[(&str, &Weights)]) -> Result<(), TrainError> {
        self.folder.save(stage.name(), nets)
    }

    /// Weights for `stage` that the earlier stage `by` wrote.
    ///
    /// # Errors
    /// When that stage has not run, or its file is damaged.
    pub fn weights(
        &self,
        stage: Stage,
        by: Stage,
        prefix: &str,
        net: Option<&NetSpec>,
    ) -> Result<Weights, TrainError> {
        self.folder.weights(stage.name(), by.name(), prefix, net)
    }

    /// A file that a recipe names: see [`named_file`].
    pub fn file(&self, name: &str) -> PathBuf {
        named_file(self.data, name)
    }

    /// What stage `objects` left for a net; nothing where the recipe has no such stage.
    ///
    /// # Errors
    /// As [`Context::weights`].
    pub fn object_weights(&self, stage: Stage, prefix: &str) -> Result<Option<Weights>, TrainError> {
        let known = || self.weights(stage, Stage::Objects, prefix, None);
        self.recipe.objects.as_ref().map(|_| known()).transpose()
    }
}

/// A file that a recipe names, relative to the working directory or to one of the folders `data`; where it is neither, as it is named.
pub fn named_file(data: &[PathBuf], name: &str) -> PathBuf {
    let below = || data.iter().map(|folder| folder.join(name)).find(|path| path.is_file());
    if Path::new(name).is_file() { PathBuf::from(name) } else { below().unwrap_or_else(|| name.into()) }
}
