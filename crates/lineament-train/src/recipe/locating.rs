//! How the LNets learn to locate.

use std::collections::BTreeMap;

use lineament::locate::{PaperParameters, PyramidParameters};
use lineament_data::Augment;
use lineament_net::{Layer, NetSpec};
use serde::{Deserialize, Deserializer, Serialize};

use super::frame::Frame;
use super::schedule::Schedule;
use super::section::Section;
use super::stages::check_augment;
use super::tagged::Tagged;
use crate::error::TrainError;

/// How the LNets learn to locate.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
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
        let Self { localisation, lnet_o, lnet_s } = self;
        localisation.check().map_err(|e| TrainError::Recipe(e.to_string()))?;
        lnet_o.check("lnet_o")?;
        lnet_s.check("lnet_s")
    }
}

/// How window classifiers learn to locate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PyramidRecipe {
    /// Constants of the localizer; `candidate_threshold`, `threshold` and `face` are chosen again at the end of stage `lnet_s`, where the data allows.
    pub localisation: PyramidParameters,
    /// False alarms an image that the threshold is to let pass.
    pub false_alarms: f64,
    /// Share of validation faces that LNet_s may never be asked about, to spare it what LNet_o makes little of: `candidate_threshold` is chosen so. Without,
    /// the recipe's stands.
    #[serde(default)]
    pub candidates_lost: Option<f64>,
    /// Where the window of a face stands in the images of a data set that was cropped around its faces, by data-set name.
    pub frames: BTreeMap<String, Frame>,
    /// Least response of LNet_o's own window in a photo for LNet_s to learn from it.
    pub confident: f32,
    /// Windows without a face that are taken for one most, kept for LNet_s.
    pub hard: usize,
    /// Stage `lnet_o`.
    pub lnet_o: WindowStage,
    /// The first round of stage `lnet_s`, where LNet_s has a structure of its own: it learns as LNet_o does, and then finds the windows that the second round
    /// learns from.
    #[serde(default)]
    pub lnet_s_first: Option<Box<WindowStage>>,
    /// Stage `lnet_s`.
    pub lnet_s: WindowStage,
}

impl PyramidRecipe {
    /// Refuses what could not be learned with.
    ///
    /// # Errors
    /// [`TrainError::Recipe`] with the stage and field.
    pub fn check(&self) -> Result<(), TrainError> {
        let Self {
            localisation,
            false_alarms,
            candidates_lost,
            frames,
            confident,
            hard,
            lnet_o,
            lnet_s_first,
            lnet_s,
        } = self;
        let section = Section::table("locating");
        localisation.check().map_err(|e| TrainError::Recipe(e.to_string()))?;
        section.within("false_alarms", *false_alarms, 0.0..=10.0)?;
        section.within("candidates_lost", candidates_lost.unwrap_or(0.0), 0.0..=0.5)?;
        Frame::check_all("locating.frames", frames)?;
        section.within("confident", *confident, -1e30..=1e30)?;
        section.within("hard", *hard, 0.0..=1e7)?;
        lnet_o.check("lnet_o")?;
        lnet_s_first.as_ref().map_or(Ok(()), |first| first.check("lnet_s_first"))?;
        lnet_s.check("lnet_s")
    }
}

/// The part of an LNet that learns from objects: all but its last convolution, whose channels are responses.
///
/// # Errors
/// When the net does not end with a convolution of 1 + `attributes` channels.
pub fn without_responses(lnet: &NetSpec, attributes: usize) -> Result<NetSpec, TrainError> {
    match lnet.layers.split_last() {
        Some((Layer::Conv { filters, .. }, layers)) if *filters == 1 + attributes => {
            Ok(NetSpec { layers: layers.to_vec(), ..lnet.clone() })
        }
        _ => Err(TrainError::Recipe(format!(
            "net {}: its last layer must be a convolution with {} filters: one response for the face, one for each of \
             the {attributes} attributes",
            lnet.name,
            1 + attributes
        ))),
    }
}

/// How an LNet learns from full images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhotoStage {
    /// How it learns; a batch counts images with a face.
    pub schedule: Schedule,
    /// How images are changed.
    pub augment: Augment,
    /// Images without a face for each one with.
    pub negatives: f64,
}

impl PhotoStage {
    fn check(&self, name: &str) -> Result<(), TrainError> {
        let Self { schedule, augment, negatives } = self;
        schedule.check(name)?;
        check_augment(name, augment)?;
        Section::stage(name).within("negatives", *negatives, 0.0..=100.0)
    }
}

/// How one window classifier learns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowStage {
    /// How it learns; a batch counts windows with a face.
    pub schedule: Schedule,
    /// How windows with a face are changed.
    pub augment: Augment,
    /// How windows without a face are changed.
    pub negative_augment: Augment,
    /// Windows without a face for each one with.
    pub negatives: f64,
    /// Share of those that are taken from the hard ones, where there are any.
    #[serde(default)]
    pub hard: f64,
    /// Weight of the attribute tags beside the tag "face".
    pub tags: f64,
}

impl WindowStage {
    fn check(&self, name: &str) -> Result<(), TrainError> {
        let Self { schedule, augment, negative_augment, negatives, hard, tags } = self;
        let section = Section::stage(name);
        schedule.check(name)?;
        check_augment(name, augment)?;
        negative_augment.check().map_err(|e| section.refused(format!("negative_augment: {e}")))?;
        section.within("negatives", *negatives, 0.0..=100.0)?;
        section.within("hard", *hard, 0.0..=1.0)?;
        section.within("tags", *tags, 0.0..=1000.0)
    }
}
