//! Recipes: everything that decides what a training gives, in one TOML file.

mod distillation;
mod frame;
mod locating;
mod narrow;
mod pyramid;
mod schedule;
mod section;
mod stages;
mod tagged;

pub use distillation::Distillation;
pub use frame::Frame;
pub use locating::{LocatingRecipe, PaperRecipe, PhotoStage};
pub use narrow::narrow;
pub use pyramid::{
    MOST_ROUNDS, PyramidRecipe, TaughtWindows, WINDOW_RESPONSES, WindowStage, without_responses,
};
pub use schedule::{Again, NO_FIGURE, OptimiserSpec, Schedule};
pub use section::{Section, above_zero};
pub use stages::{AttributeStage, IdentityStage, NarrowStage, ObjectStage, SvmStage, check_augment};
pub use tagged::Tagged;

use std::collections::BTreeMap;

use lineament::attributes::{Patches, PatchesError, Region};
use lineament::input::Preprocess;
use lineament_net::{Layer, NetSpec};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::TrainError;

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
    /// Where the face stands in the images of a data set that was cropped around its faces, by data-set name.
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
    /// Stages `lnet_o` and `lnet_s`: localization from tags.
    pub locating: LocatingRecipe,
    /// Stage `identities`: pre-training of ANet. Without it ANet begins at random.
    #[serde(default)]
    pub identities: Option<IdentityStage>,
    /// Stage `anet`: attribute tags.
    pub anet: AttributeStage,
    /// Stage `svms`: one linear SVM an attribute.
    pub svms: SvmStage,
    /// Other models to learn from, by a name of one's own.
    #[serde(default)]
    pub distillation: BTreeMap<String, Distillation>,
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
    /// Refuses nets that cannot be run, or do not take photos.
    ///
    /// # Errors
    /// [`TrainError::Recipe`] that names the net.
    pub fn check(&self) -> Result<(), TrainError> {
        let Self { lnet_o, lnet_s, anet } = self;
        for (name, net) in [("lnet_o", lnet_o), ("lnet_s", lnet_s), ("anet", anet)] {
            let title = format!("nets.{name}");
            net.check().map_err(|e| Section::table(&title).refused(e))?;
            if net.input.channels != 3 {
                return Err(Section::table(&title).refused("it must take 3 channels"));
            }
        }
        Ok(())
    }

    /// Whether both LNets have one structure, as in the paper: what LNet_o has learned then serves LNet_s.
    pub fn one_lnet(&self) -> bool {
        self.lnet_o.layers == self.lnet_s.layers
    }
}

impl Recipe {
    /// Reads a recipe from TOML text.
    ///
    /// # Errors
    /// When it has an unknown field, or a value with which nothing could be learned.
    pub fn parse(text: &str) -> Result<Self, TrainError> {
        checked(text, Self::check)
    }

    /// A recipe that comes with the program.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn named(name: &str) -> Result<Self, TrainError> {
        match lineament_recipes::text(name).filter(|_| lineament_recipes::CASCADES.contains(&name)) {
            Some(text) => Self::parse(text),
            None => Err(TrainError::Recipe(format!(
                "there is no recipe named {name:?}; there are {}, or give the path of a .toml file",
                lineament_recipes::names()
            ))),
        }
    }

    /// How a finished model is fine-tuned where nothing else is said: `recipes/tune.toml` on the nets of `compact`.
    ///
    /// # Errors
    /// None, as long as its file is sound.
    pub fn tuning() -> Result<Self, TrainError> {
        Self::named("compact")?.tuned(lineament_recipes::TUNE)
    }

    /// The same with stages `anet` and `svms` of another TOML text, which holds nothing else.
    fn tuned(self, text: &str) -> Result<Self, TrainError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Tuning {
            anet: AttributeStage,
            svms: SvmStage,
        }
        let Tuning { anet, svms } = toml::from_str(text).map_err(|e| TrainError::Recipe(e.to_string()))?;
        let recipe = Self { anet, svms, ..self };
        recipe.check()?;
        Ok(recipe)
    }

    /// The same for so many attributes: window classifiers, which answer for each attribute beside the face and its offsets, get as many
    /// responses.
    pub fn for_attributes(&self, attributes: usize) -> Self {
        let mut recipe = self.clone();
        if let LocatingRecipe::Pyramid(_) = recipe.locating {
            for net in [&mut recipe.nets.lnet_o, &mut recipe.nets.lnet_s] {
                if let Some(Layer::Conv { filters, .. }) = net.layers.last_mut() {
                    *filters = WINDOW_RESPONSES + attributes;
                }
            }
        }
        recipe
    }

    /// The tables that it names beside the data.
    pub fn tables(&self) -> impl Iterator<Item = &str> {
        let windows = match &self.locating {
            LocatingRecipe::Pyramid(pyramid) => {
                pyramid.windows.as_ref().map(|windows| windows.table.as_str())
            }
            LocatingRecipe::Paper(_) => None,
        };
        self.distillation.values().map(|one| one.table.as_str()).chain(windows)
    }

    /// Refuses what could not be learned with.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn check(&self) -> Result<(), TrainError> {
        let Self {
            name,
            seed: _,
            note,
            preprocess,
            region,
            patches,
            frames,
            without,
            nets,
            objects,
            locating,
            identities,
            anet,
            svms,
            distillation,
        } = self;
        let top = Section::table("recipe");
        check_texts(name, note, without)?;
        check_preprocess(preprocess)?;
        region.check().map_err(|e| TrainError::Recipe(e.to_string()))?;
        Frame::check_all("frames", frames)?;
        nets.check()?;
        let input = &nets.anet.input;
        if input.height != input.width || input.height != patches.size as usize {
            return Err(top.refused(format!(
                "`patches.size` is {} but net anet takes {} x {}; both must be the same square",
                patches.size, input.width, input.height
            )));
        }
        check_patches(patches)?;
        objects.as_ref().map_or(Ok(()), ObjectStage::check)?;
        locating.check()?;
        identities.as_ref().map_or(Ok(()), IdentityStage::check)?;
        anet.check(&nets.anet)?;
        svms.check()?;
        distillation.iter().try_for_each(|(name, one)| one.check(name))
    }
}

/// Refuses texts that a bundle's card could not hold.
///
/// # Errors
/// [`TrainError::Recipe`] that names the field.
pub fn check_texts(name: &str, note: &str, without: &[String]) -> Result<(), TrainError> {
    let top = Section::table("recipe");
    top.line("name", name, 100)?;
    if note.chars().count() > 10_000 || note.contains(|c: char| c.is_control() && c != '\n') {
        return Err(top.refused("`note` must have at most 10000 characters, and no control characters"));
    }
    without.iter().try_for_each(|attribute| top.line("without", attribute, 100))
}

/// A recipe of any kind from TOML text, checked.
///
/// # Errors
/// Text that is no such recipe, or what `check` refuses.
pub fn checked<R: DeserializeOwned>(
    text: &str,
    check: impl Fn(&R) -> Result<(), TrainError>,
) -> Result<R, TrainError> {
    let recipe = toml::from_str(text).map_err(|e| TrainError::Recipe(e.to_string()))?;
    check(&recipe)?;
    Ok(recipe)
}

/// Refuses numbers that no image can be prepared with.
///
/// # Errors
/// [`TrainError::Recipe`] that names the field.
pub fn check_preprocess(preprocess: &Preprocess) -> Result<(), TrainError> {
    let (section, Preprocess { mean, std }) = (Section::table("preprocess"), preprocess);
    section.all_within("mean", mean, -10.0..=10.0)?;
    section.all_within("std", std, above_zero(1000.0))?;
    preprocess.check().map_err(|e| section.refused(e))
}

fn check_patches(patches: &Patches) -> Result<(), TrainError> {
    patches.check().map_err(|e| match e {
        PatchesError::Side { .. } => TrainError::Recipe(format!("patches: {e}")),
        _ => TrainError::Recipe(format!("patches: `offsets`: {e}")),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
pub(crate) mod every_field;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
