//! How each stage learns.

use lineament_data::Augment;
use lineament_net::NetSpec;
use serde::{Deserialize, Serialize};

use super::narrow::narrow;
use super::schedule::Schedule;
use super::section::{Section, above_zero};
use crate::error::TrainError;

/// Object pre-training (paper section 3.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectStage {
    /// How it learns.
    pub schedule: Schedule,
    /// A safetensors file with weights to begin from, relative to the working directory or to a data folder, with the names of the LNets' own parameters.
    /// What of a net is not in it, or of another shape, begins at random. Without epochs they are taken as they are.
    #[serde(default)]
    pub weights: Option<String>,
    /// Crops and colours.
    pub augment: Augment,
    /// Side in pixels of the images that the net is shown.
    pub size: usize,
    /// Label smoothing.
    #[serde(default)]
    pub smoothing: f64,
}

impl ObjectStage {
    /// Refuses what could not be learned with.
    ///
    /// # Errors
    /// [`TrainError::Recipe`] that names the field.
    pub fn check(&self) -> Result<(), TrainError> {
        let (name, Self { schedule, weights, augment, size, smoothing }) = ("objects", self);
        schedule.check_unjudged(name, u64::from(weights.is_none()))?;
        weights.as_ref().map_or(Ok(()), |file| Section::stage(name).line("weights", file, 1000))?;
        check_augment(name, augment)?;
        Section::stage(name).within("size", *size, 8.0..=1024.0)?;
        Section::stage(name).within("smoothing", *smoothing, 0.0..1.0)
    }
}

/// Identity pre-training of ANet (paper section 3.2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityStage {
    /// How it learns.
    pub schedule: Schedule,
    /// Crops and colours.
    pub augment: Augment,
    /// Weight of the similarity loss beside the softmax.
    pub similarity: f64,
    /// Images that a person must have to be told apart; the paper's had twenty.
    #[serde(default = "two")]
    pub least: usize,
    /// Label smoothing.
    #[serde(default)]
    pub smoothing: f64,
}

impl IdentityStage {
    /// Refuses what could not be learned with.
    ///
    /// # Errors
    /// [`TrainError::Recipe`] that names the field.
    pub fn check(&self) -> Result<(), TrainError> {
        let (name, Self { schedule, augment, similarity, least, smoothing }) = ("identities", self);
        schedule.check_unjudged(name, 1)?;
        check_augment(name, augment)?;
        Section::stage(name).within("similarity", *similarity, 0.0..=1000.0)?;
        Section::stage(name).within("least", *least, 2.0..=1e9)?;
        Section::stage(name).within("smoothing", *smoothing, 0.0..1.0)
    }
}

fn two() -> usize {
    2
}

/// ANet with attribute tags (paper section 3.2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttributeStage {
    /// How it learns.
    pub schedule: Schedule,
    /// A safetensors file with weights to begin from, relative to the working directory or to a data folder: `trunk.` and the names of ANet's own
    /// parameters, `head.head.weight` and `head.head.bias`. Stage `narrow` is left out then, and without epochs they are taken as they are.
    #[serde(default)]
    pub weights: Option<String>,
    /// Stage `narrow`: a narrower net learns first, and ANet begins as a wider one that computes the same.
    #[serde(default)]
    pub narrow: Option<NarrowStage>,
    /// Crops (these are the multi-view patches) and colours.
    pub augment: Augment,
    /// Labels become `smoothing / 2` and `1 - smoothing / 2`.
    #[serde(default)]
    pub smoothing: f32,
    /// Weight of a teacher's probabilities (those of another model) where a data set brings them: a second head learns them, which is removed
    /// afterwards. 0 leaves images that have nothing else out.
    #[serde(default, alias = "soft")]
    pub distillation: f32,
    /// Share of FC units dropped at random while learning.
    #[serde(default)]
    pub dropout: f64,
    /// Learn from so many tagged faces only, drawn by the seed: what less data costs (paper Fig. 13).
    #[serde(default)]
    #[serde(rename = "pictures")]
    pub images: Option<usize>,
}

impl AttributeStage {
    /// Refuses what could not be learned with.
    ///
    /// # Errors
    /// [`TrainError::Recipe`] that names the field.
    pub fn check(&self, anet: &NetSpec) -> Result<(), TrainError> {
        let name = "anet";
        let Self { schedule, weights, narrow: slim, augment, smoothing, distillation, dropout, images } =
            self;
        let section = Section::stage(name);
        schedule.check_from(name, u64::from(weights.is_none()))?;
        if let Some(file) = weights {
            section.line("weights", file, 1000)?;
        }
        if let Some(NarrowStage { width, schedule }) = slim {
            schedule.check("narrow")?;
            narrow(anet, *width)?;
        }
        check_augment(name, augment)?;
        section.within("smoothing", *smoothing, 0.0..1.0)?;
        section.within("distillation", *distillation, 0.0..=100.0)?;
        section.within("dropout", *dropout, 0.0..1.0)?;
        images.map_or(Ok(()), |images| section.within("pictures", images, 1.0..=1e9))
    }
}

/// A narrower ANet that learns the same before it is widened ([`crate::widen`]).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NarrowStage {
    /// `[2, 3]`: two thirds of the filters of every convolution.
    pub width: [usize; 2],
    /// How it learns.
    pub schedule: Schedule,
}

/// The linear SVMs (paper section 3.3).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SvmStage {
    /// Costs to choose from, one for all attributes, by cross-validation over people.
    pub costs: Vec<f64>,
    /// Folds.
    pub folds: usize,
    /// Whether the net's own score for the attribute joins the FC vector, so that little data bends what the net has learned instead of
    /// starting anew.
    pub with_scores: bool,
}

impl SvmStage {
    /// Refuses what could not be learned with.
    ///
    /// # Errors
    /// [`TrainError::Recipe`] that names the field.
    pub fn check(&self) -> Result<(), TrainError> {
        let Self { costs, folds, with_scores: _ } = self;
        let section = Section::stage("svms");
        section.all_within("costs", costs, above_zero(1e9))?;
        section.within("folds", *folds, 2.0..=1000.0)
    }
}

/// Refuses changes of images that are none.
///
/// # Errors
/// [`TrainError::Recipe`] that names the setting of `stage`.
pub fn check_augment(stage: &str, augment: &Augment) -> Result<(), TrainError> {
    augment.check().map_err(|e| Section::stage(stage).refused(format!("augment: {e}")))
}
