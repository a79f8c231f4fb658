//! How window classifiers learn to locate.

use std::collections::BTreeMap;

use lineament::locate::PyramidParameters;
use lineament::locate::pyramid::Response;
use lineament_data::Augment;
use lineament_net::{Layer, NetSpec};
use serde::{Deserialize, Serialize};

use super::frame::Frame;
use super::schedule::Schedule;
use super::section::Section;
use super::stages::check_augment;
use crate::error::TrainError;

/// What a window classifier answers beside the tags: whether the window is a face's, and its offsets (right, down, size,
/// sine and cosine of the roll).
pub const WINDOW_RESPONSES: usize = Response::CHANNELS;

/// Rounds of a stage at most; each has a log and a checkpoint of its own name.
pub const MOST_ROUNDS: usize = 4;

/// How window classifiers learn to locate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PyramidRecipe {
    /// Constants of the localizer; `candidate_threshold`, `second_look`, `threshold` and `face` are chosen again at the end of stage `lnet_s`, where the data
    /// allows.
    pub localisation: PyramidParameters,
    /// False alarms an image that the threshold is to let pass.
    pub false_alarms: f64,
    /// Share of validation faces that each threshold before the last may lose, to spare LNet_s what LNet_o makes little of and a second look what LNet_s
    /// does. Without, the recipe's thresholds stand.
    #[serde(default)]
    pub candidates_lost: Option<f64>,
    /// Where the window of a face stands in the images of a data set that was cropped around its faces, by data-set name.
    pub frames: BTreeMap<String, Frame>,
    /// Data sets of photos of which is known that there is a face and nothing else: flat folders, by data-set name. All of their images train.
    #[serde(default)]
    pub photos: Vec<String>,
    /// Object classes whose images often show people: none of them is taken for an image without a face.
    #[serde(default)]
    pub people: Vec<String>,
    /// Windows that a teacher found.
    #[serde(default)]
    pub windows: Option<TaughtWindows>,
    /// Least response of an LNet's own window in a photo for LNet_s to learn from it.
    pub confident: f32,
    /// Windows without a face that are taken for one most, kept for the next round.
    pub hard: usize,
    /// Stage `lnet_o`.
    pub lnet_o: WindowStage,
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
            photos,
            people,
            windows,
            confident,
            hard,
            lnet_o,
            lnet_s,
        } = self;
        let section = Section::table("locating");
        localisation.check().map_err(|e| TrainError::Recipe(e.to_string()))?;
        section.within("false_alarms", *false_alarms, 0.0..=10.0)?;
        section.within("candidates_lost", candidates_lost.unwrap_or(0.0), 0.0..=0.5)?;
        Frame::check_all("locating.frames", frames)?;
        photos.iter().try_for_each(|set| section.line("photos", set, 100))?;
        people.iter().try_for_each(|class| section.line("people", class, 100))?;
        windows.as_ref().map_or(Ok(()), TaughtWindows::check)?;
        section.within("confident", *confident, -1e30..=1e30)?;
        section.within("hard", *hard, 0.0..=1e7)?;
        lnet_o.check("lnet_o")?;
        lnet_s.check("lnet_s")
    }
}

/// Windows that a teacher found in images ([`lineament_data::windows`]).
///
/// The teacher must have learned from image-level tags alone, as the LNets do: what it knows of boxes or landmarks, they
/// would know too, and no longer be LNets that learned from tags.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaughtWindows {
    /// A CSV file, relative to the working directory or to a data folder.
    pub table: String,
}

impl TaughtWindows {
    fn check(&self) -> Result<(), TrainError> {
        let Self { table } = self;
        Section::table("locating.windows").line("table", table, 1000)
    }
}

/// The part of an LNet that learns from objects: all but its last convolution, whose channels are responses.
///
/// # Errors
/// When the net does not end with a convolution of [`WINDOW_RESPONSES`] + `attributes` channels.
pub fn without_responses(lnet: &NetSpec, attributes: usize) -> Result<NetSpec, TrainError> {
    let filters = WINDOW_RESPONSES + attributes;
    match lnet.layers.split_last() {
        Some((Layer::Conv { filters: found, .. }, layers)) if *found == filters => {
            Ok(NetSpec { layers: layers.to_vec(), ..lnet.clone() })
        }
        _ => Err(TrainError::Recipe(format!(
            "net {}: its last layer must be a convolution with {filters} filters: one response for the face, five for \
             its place, size and roll, and one for each of the {attributes} attributes",
            lnet.name,
        ))),
    }
}

/// How one window classifier learns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowStage {
    /// How it learns in each round; a batch counts windows with a face.
    pub schedule: Schedule,
    /// Rounds: after each but the last, windows are searched in all images for the next one to learn from. With 0, `weights` stay as they are.
    #[serde(default = "one")]
    pub rounds: usize,
    /// Weights to begin from, in the place of what stage `objects` learned: a safetensors file, relative to the working directory or to a data folder, with
    /// the names of the net's own parameters (`conv1.weight`). They must come from tags alone.
    #[serde(default)]
    pub weights: Option<String>,
    /// How windows with a face are changed.
    pub augment: Augment,
    /// How windows without a face are changed.
    pub negative_augment: Augment,
    /// Windows without a face for each one with.
    pub negatives: f64,
    /// Share of those that are taken from the hard ones, where there are any.
    #[serde(default)]
    pub hard: f64,
    /// Windows of parts of faces and beside faces for each one with a face; they too have none of their size in the middle.
    #[serde(default)]
    pub parts: f64,
    /// Weight of the attribute tags beside the tag "face".
    pub tags: f64,
    /// Weight of the offsets beside the tag "face": how far the window was moved, resized and rotated.
    pub offsets: f64,
}

fn one() -> usize {
    1
}

impl WindowStage {
    fn check(&self, name: &str) -> Result<(), TrainError> {
        let Self {
            schedule,
            rounds,
            weights,
            augment,
            negative_augment,
            negatives,
            hard,
            parts,
            tags,
            offsets,
        } = self;
        let section = Section::stage(name);
        schedule.check_unjudged(name, 1)?;
        // A net that was learned elsewhere needs no round.
        let least = if weights.is_some() { 0.0 } else { 1.0 };
        section.within("rounds", *rounds, least..=MOST_ROUNDS as f64)?;
        weights.as_ref().map_or(Ok(()), |file| section.line("weights", file, 1000))?;
        check_augment(name, augment)?;
        negative_augment.check().map_err(|e| section.refused(format!("negative_augment: {e}")))?;
        section.within("negatives", *negatives, 0.0..=100.0)?;
        section.within("hard", *hard, 0.0..=1.0)?;
        section.within("parts", *parts, 0.0..=100.0)?;
        section.within("tags", *tags, 0.0..=1000.0)?;
        section.within("offsets", *offsets, 0.0..=1000.0)
    }
}
