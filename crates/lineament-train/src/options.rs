//! What a training is asked for.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use lineament::Bundle;
use lineament::locate::Detector;

use crate::device::TrainingDevice;
use crate::folder::Folder;
use crate::recipe::Recipe;
use crate::stage::Stage;

/// What `lineament train` was asked for.
pub struct TrainOptions<'a> {
    /// Everything that decides what comes out.
    pub recipe: Recipe,
    /// Folders and tables with images; a folder of such folders stands for all of them.
    pub data: Vec<PathBuf>,
    /// Where logs, checkpoints, weights and the bundle go.
    pub output: PathBuf,
    /// Resume a run that is there already.
    pub resume: bool,
    /// Only this stage.
    pub stage: Option<Stage>,
    /// What is there already.
    pub base: Base,
    /// A detector in the place of the LNets, which are then not trained.
    pub detector: Option<(Detector, Vec<u8>)>,
    /// What is computed on.
    pub device: TrainingDevice,
    /// Draw progress bars.
    pub progress: bool,
    /// Set from outside to stop at the next step with a checkpoint.
    pub stop: &'a AtomicBool,
    /// Stop after so many steps in all; for tests of resuming.
    pub step_limit: Option<u64>,
}

impl TrainOptions<'_> {
    /// The run's folder.
    pub fn folder(&self) -> Folder<'_> {
        Folder {
            path: &self.output,
            device: self.device.clone(),
            progress: self.progress,
            stop: self.stop,
            step_limit: self.step_limit,
        }
    }
}

/// What a training has of a finished bundle.
#[derive(Debug, Clone, Default)]
pub enum Base {
    /// Nothing: all is learned by the recipe.
    #[default]
    Nothing,
    /// Nets to begin from; the recipe is then one that [`fine_tune::recipe`](crate::fine_tune::recipe) made for them.
    Nets(FineTune),
    /// ANet and attributes: the LNets alone are trained.
    Attributes(Bundle),
    /// LNets and localization: ANet and attributes alone are trained. The recipe is one that [`faces_of::recipe`](crate::faces_of::recipe) made for them.
    Faces(Bundle),
}

/// What a fine-tuning begins from.
#[derive(Debug, Clone)]
pub struct FineTune {
    /// The bundle.
    pub bundle: Bundle,
    /// Where ANet looks.
    pub crop: Crop,
}

/// Where ANet looks in an image that was not cropped around a face.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Crop {
    /// At the face, if the bundle finds one in at least half of the images; else at the full image.
    #[default]
    Auto,
    /// At the face that the bundle finds.
    Located,
    /// At the full image.
    Full,
}
