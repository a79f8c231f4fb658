//! Recipes: everything that decides what a training gives, in one TOML file.

use std::collections::BTreeMap;

use lineament::attributes::{Patches, Region};
use lineament::input::Preprocess;
use lineament_data::Augment;
use lineament_net::{Layer, NetSpec};
use serde::{Deserialize, Serialize};

use crate::error::TrainError;
use crate::locating::LocatingRecipe;
use crate::stage::Schedule;
use crate::widen::narrow;

/// A recipe as written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Its name; the bundle carries it.
    pub name: String,
    /// Where every random number of a training comes from.
    pub seed: u64,
    /// What is written into the bundle's card under `note`.
    #[serde(default)]
    pub note: String,
    /// Pixels to network input.
    pub preprocess: Preprocess,
    /// Face box or landmarks to the square region that ANet looks at.
    pub region: Region,
    /// How patches are cut from the region at prediction.
    pub patches: Patches,
    /// Where the face stands in the pictures of a data set that was cropped around its faces, by data-set name.
    #[serde(default)]
    pub frames: BTreeMap<String, Frame>,
    /// Attributes that the data has and that are not to be learned.
    #[serde(default)]
    pub without: Vec<String>,
    /// The nets.
    pub nets: Nets,
    /// Stage `objects`: pre-training of the LNets on object classes. Without it they begin at random.
    #[serde(default)]
    pub objects: Option<ObjectStage>,
    /// Stages `lnet_o` and `lnet_s`: localisation from tags.
    pub locating: LocatingRecipe,
    /// Stage `identities`: pre-training of ANet. Without it ANet begins at random.
    #[serde(default)]
    pub identities: Option<IdentityStage>,
    /// Stage `anet`: attribute tags.
    pub anet: AttributeStage,
    /// Stage `svms`: one linear SVM an attribute.
    pub svms: SvmStage,
}

/// The three nets of the cascade. LNet specs end with their last convolution: what training adds behind it is removed afterwards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nets {
    /// Whole photo to response map.
    pub lnet_o: NetSpec,
    /// Head-shoulder region to response map.
    pub lnet_s: NetSpec,
    /// Patch to FC vector.
    pub anet: NetSpec,
}

impl Nets {
    /// Whether both LNets have one structure, as in the paper: what LNet_o has learned then serves LNet_s.
    pub fn one_lnet(&self) -> bool {
        self.lnet_o.layers == self.lnet_s.layers
    }
}

/// Where a face stands in pictures that were cropped around it, as shares of the picture's height.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frame {
    /// Centre of the face region below the top edge; from left to right it is the middle.
    pub centre: f32,
    /// Side of the region.
    pub side: f32,
}

/// Object pre-training (paper section 3.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectStage {
    /// How it learns.
    pub schedule: Schedule,
    /// Crops and colours.
    pub augment: Augment,
    /// Side in pixels of the pictures that the net is shown.
    pub size: usize,
    /// Label smoothing.
    #[serde(default)]
    pub smoothing: f64,
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
    /// Label smoothing.
    #[serde(default)]
    pub smoothing: f64,
}

/// ANet with attribute tags (paper section 3.2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttributeStage {
    /// How it learns.
    pub schedule: Schedule,
    /// Stage `narrow`: a narrower net learns first, and ANet begins as a wider one that computes the same.
    #[serde(default)]
    pub narrow: Option<NarrowStage>,
    /// Crops (these are the multi-view patches) and colours.
    pub augment: Augment,
    /// Labels become `smoothing / 2` and `1 - smoothing / 2`.
    #[serde(default)]
    pub smoothing: f32,
    /// Weight of soft labels (another model's probabilities) where a data set brings them: a second head learns them, which is removed
    /// afterwards. 0 leaves pictures that have nothing else out.
    #[serde(default)]
    pub soft: f32,
    /// Share of FC units dropped at random while learning.
    #[serde(default)]
    pub dropout: f64,
    /// Learn from so many tagged faces only, drawn by the seed: what less data costs (paper Fig. 13).
    #[serde(default)]
    pub pictures: Option<usize>,
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

impl Recipe {
    /// Reads a recipe from TOML text.
    ///
    /// # Errors
    /// When it has an unknown field, or a value with which nothing could be learned.
    pub fn parse(text: &str) -> Result<Self, TrainError> {
        let recipe: Self = toml::from_str(text).map_err(|e| TrainError::Recipe(e.to_string()))?;
        recipe.check()?;
        Ok(recipe)
    }

    /// A recipe that comes with the program.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn named(name: &str) -> Result<Self, TrainError> {
        match name {
            "compact" => Self::parse(include_str!("../../../recipes/compact.toml")),
            "paper" => Self::parse(include_str!("../../../recipes/paper.toml")),
            "lab" => Self::parse(include_str!("../../../recipes/lab.toml")),
            "drawn" => Self::parse(include_str!("../../../recipes/drawn.toml")),
            _ => Err(TrainError::Recipe(format!(
                "there is no recipe named {name:?}; there are compact, paper, lab and drawn, or give the path of a .toml file"
            ))),
        }
    }

    /// The same for so many attributes: LNets that answer with one response for the face and one for each attribute get as many.
    pub fn for_attributes(&self, attributes: usize) -> Self {
        let mut recipe = self.clone();
        if let LocatingRecipe::Pyramid(_) = recipe.locating {
            for net in [&mut recipe.nets.lnet_o, &mut recipe.nets.lnet_s] {
                if let Some(Layer::Conv { filters, .. }) = net.layers.last_mut() {
                    *filters = 1 + attributes;
                }
            }
        }
        recipe
    }

    /// Refuses what could not be learned with.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn check(&self) -> Result<(), TrainError> {
        let refuse = |what: String| Err(TrainError::Recipe(what));
        for net in [&self.nets.lnet_o, &self.nets.lnet_s, &self.nets.anet] {
            net.check()?;
            if net.input.channels != 3 {
                return refuse(format!("net {}: it must take 3 channels", net.name));
            }
        }
        let input = &self.nets.anet.input;
        if input.height != input.width || input.height != self.patches.size as usize {
            return refuse(format!(
                "`patches.size` is {} but net anet takes {} x {}; both must be the same square",
                self.patches.size, input.width, input.height
            ));
        }
        if let Some(objects) = &self.objects {
            objects.schedule.check("objects")?;
        }
        if let Some(identities) = &self.identities {
            identities.schedule.check("identities")?;
        }
        self.anet.schedule.check("anet")?;
        if let Some(stage) = &self.anet.narrow {
            stage.schedule.check("narrow")?;
            narrow(&self.nets.anet, stage.width)?;
        }
        self.locating.check()?;
        if self.svms.costs.is_empty() || self.svms.costs.iter().any(|c| !(*c > 0.0 && c.is_finite())) {
            return refuse("stage svms: `costs` must be a list of positive numbers".to_owned());
        }
        if self.svms.folds < 2 {
            return refuse("stage svms: `folds` must be at least 2".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_recipes_that_come_along_are_sound_and_keep_their_meaning_when_written() {
        for name in ["compact", "paper", "lab", "drawn"] {
            let recipe = Recipe::named(name).unwrap();
            assert_eq!(recipe.name, name);
            assert_eq!(Recipe::parse(&toml::to_string(&recipe).unwrap()).unwrap(), recipe);
        }
    }

    #[test]
    fn lnets_answer_for_any_number_of_attributes() {
        for name in ["compact", "lab", "drawn"] {
            let recipe = Recipe::named(name).unwrap();
            assert_eq!(recipe.for_attributes(40), recipe, "written for forty");
            let nets = recipe.for_attributes(3).nets;
            assert_eq!([nets.lnet_o, nets.lnet_s].map(|net| net.output().unwrap().channels), [4, 4]);
        }
        let paper = Recipe::named("paper").unwrap();
        assert_eq!(paper.for_attributes(3), paper, "its responses are the last convolution's, of any number");
    }

    #[test]
    fn the_paper_recipe_has_the_papers_nets() {
        let nets = Recipe::named("paper").unwrap().nets;
        let count = |net: &NetSpec, kind: fn(&Layer) -> bool| net.layers.iter().filter(|l| kind(l)).count();
        for lnet in [&nets.lnet_o, &nets.lnet_s] {
            assert_eq!(count(lnet, |l| matches!(l, Layer::Conv { .. })), 5);
            assert_eq!(count(lnet, |l| matches!(l, Layer::MaxPool { .. })), 2);
            assert_eq!((lnet.input.height, lnet.input.width), (227, 227));
            // AlexNet's C5.
            assert_eq!(lnet.output().unwrap(), lineament_net::Shape { channels: 256, height: 13, width: 13 });
        }
        assert_eq!(count(&nets.anet, |l| matches!(l, Layer::Conv { .. })), 2);
        assert_eq!(count(&nets.anet, |l| matches!(l, Layer::LocalConv { .. })), 2);
        assert_eq!(count(&nets.anet, |l| matches!(l, Layer::MaxPool { .. })), 3);
        assert_eq!(count(&nets.anet, |l| matches!(l, Layer::Linear { .. })), 1);
    }

    #[test]
    fn wrong_recipes_are_refused_with_the_place() {
        let text = include_str!("../../../recipes/drawn.toml");
        let refused =
            |from: &str, to: &str| Recipe::parse(&text.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(refused("seed = 7", "sead = 7").contains("sead"));
        assert!(refused("size = 40", "size = 41").contains("patches.size"));
        assert!(refused("folds = 4", "folds = 1").contains("folds"));
        assert!(refused("batch = 32", "batch = 30").contains("batch"));
        assert!(refused("grid = [2, 2]", "grid = [3, 2]").contains("conv3"));
    }
}
