//! How the LNets learn to locate.

use lineament::locate::PaperParameters;
use lineament_data::Augment;
use lineament_net::NetSpec;
use serde::{Deserialize, Deserializer, Serialize};

use super::pyramid::{PyramidRecipe, without_responses};
use super::schedule::Schedule;
use super::section::Section;
use super::stages::check_augment;
use super::tagged::Tagged;
use crate::error::TrainError;

/// How the LNets learn to locate.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "there is one in a recipe, and no list of them")]
pub enum LocatingRecipe {
    /// Whole photos and their tags; EdgeBoxes windows on averaged response maps.
    Paper(PaperRecipe),
    /// Window classifiers on a pyramid.
    Pyramid(PyramidRecipe),
}

impl<'de> Deserialize<'de> for LocatingRecipe {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let table = Tagged::read(deserializer)?;
        match table.kind() {
            "paper" => table.rest().map(Self::Paper),
            "pyramid" => table.rest().map(Self::Pyramid),
            _ => Err(table.unknown("paper, pyramid")),
        }
    }
}

impl LocatingRecipe {
    /// Refuses what could not be learned with.
    ///
    /// # Errors
    /// [`TrainError::Recipe`] with the stage and field.
    pub fn check(&self) -> Result<(), TrainError> {
        match self {
            Self::Paper(recipe) => recipe.check(),
            Self::Pyramid(recipe) => recipe.check(),
        }
    }

    /// Data sets of photos with a face, of which nothing else is known.
    pub fn photos(&self) -> &[String] {
        match self {
            Self::Paper(recipe) => &recipe.photos,
            Self::Pyramid(recipe) => &recipe.photos,
        }
    }

    /// The part of an LNet that learns from objects.
    ///
    /// # Errors
    /// When the net has not the form that this way of locating needs.
    pub fn object_trunk(&self, lnet: &NetSpec, attributes: usize) -> Result<NetSpec, TrainError> {
        match self {
            Self::Paper(_) => Ok(lnet.clone()),
            Self::Pyramid(_) => without_responses(lnet, attributes),
        }
    }
}

/// How the paper's LNets learn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaperRecipe {
    /// Constants of the localizer. Where the data allows, stage `lnet_s` chooses `head_shoulder_size_power` before LNet_s learns from the regions, and the
    /// thresholds, `size_power` and `face_enlarge` at its end.
    pub localisation: PaperParameters,
    /// Data sets of photos with a face, of which nothing else is known: flat folders, by data-set name. Without tags they are not learned from, but must
    /// not be taken for images without a face.
    #[serde(default)]
    pub photos: Vec<String>,
    /// Stage `lnet_o`.
    pub lnet_o: PhotoStage,
    /// Stage `lnet_s`.
    pub lnet_s: PhotoStage,
}

impl PaperRecipe {
    /// Refuses what could not be learned with.
    ///
    /// # Errors
    /// [`TrainError::Recipe`] with the stage and field.
    pub fn check(&self) -> Result<(), TrainError> {
        let Self { localisation, photos, lnet_o, lnet_s } = self;
        localisation.check().map_err(|e| TrainError::Recipe(e.to_string()))?;
        photos.iter().try_for_each(|set| Section::table("locating").line("photos", set, 100))?;
        lnet_o.check("lnet_o")?;
        lnet_s.check("lnet_s")
    }
}

/// How an LNet learns from full images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhotoStage {
    /// How it learns; a batch counts images with a face.
    pub schedule: Schedule,
    /// Weights to begin from, in the place of what stage `objects` (for LNet_s: LNet_o) learned: a safetensors file, relative to the working directory or
    /// to a data folder, with the names of the net's own parameters (`conv1.weight`). They must come from labels of whole images alone. Without epochs
    /// they are taken as they are.
    #[serde(default)]
    pub weights: Option<String>,
    /// How images are changed.
    pub augment: Augment,
    /// Images without a face for each one with.
    pub negatives: f64,
}

impl PhotoStage {
    fn check(&self, name: &str) -> Result<(), TrainError> {
        let Self { schedule, weights, augment, negatives } = self;
        let section = Section::stage(name);
        schedule.check_unjudged(name, u64::from(weights.is_none()))?;
        weights.as_ref().map_or(Ok(()), |file| section.line("weights", file, 1000))?;
        check_augment(name, augment)?;
        section.within("negatives", *negatives, 0.0..=100.0)
    }
}
