//! Recipes of the baselines.

use std::path::Path;

use lineament::input::Preprocess;
use lineament_data::Augment;
use serde::{Deserialize, Deserializer, Serialize};

use super::super::{Baseline, FaceTracer, Panda};
use super::choices::ChoiceStage;
use lineament_train::TrainError;
use lineament_train::recipe::{
    ObjectStage, Recipe, Schedule, Section, Tagged, check_augment, check_preprocess, check_texts, checked,
};

/// A recipe of any kind of system.
#[derive(Debug, Clone, PartialEq)]
pub enum AnyRecipe {
    /// LNets and ANet.
    Cascade(Box<Recipe>),
    /// FaceTracer or PANDA.
    Baseline(Box<BaselineRecipe>),
}

/// FaceTracer or PANDA, as written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaselineRecipe {
    /// Its name; the bundle carries it.
    pub name: String,
    /// Where every random number of a training comes from.
    pub seed: u64,
    /// What is written into the bundle's card under `note`.
    #[serde(default)]
    pub note: String,
    /// Pixels to network input.
    #[serde(default)]
    pub preprocess: Preprocess,
    /// Attributes that the data has and that are not to be learned.
    #[serde(default)]
    pub without: Vec<String>,
    /// Learn from so many training faces only, drawn by the seed: what less data costs (paper Fig. 13). Validation faces stay.
    #[serde(default)]
    #[serde(rename = "pictures")]
    pub images: Option<usize>,
    /// Which system, and what it looks at. Its `kind` tells such a recipe from one of LNets and ANet.
    pub system: System,
    /// Stage `svms`.
    pub svms: ChoiceStage,
}

/// A baseline, and how what it has nets for is learned.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "there is one in a recipe, and no list of them")]
pub enum System {
    /// Histograms in parts of the face: nothing to learn but the SVMs.
    Facetracer(FaceTracer),
    /// A net for each part of the face.
    Panda(PandaStages),
}

/// PANDA and the stages before its SVMs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PandaStages {
    /// Parts and nets.
    pub panda: Panda,
    /// Stage `objects`: what the nets of the whole learn; they are used as they come out of it.
    #[serde(default)]
    pub objects: Option<ObjectStage>,
    /// Stages `part_NAME`.
    pub parts: PartStage,
}

/// How a part's net learns attribute tags.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartStage {
    /// How it learns.
    pub schedule: Schedule,
    /// How parts are moved and coloured.
    pub augment: Augment,
    /// Hidden units an attribute between the net and its answer, as PANDA's head has; 0 leaves them out.
    #[serde(default)]
    pub hidden: usize,
    /// Labels become `smoothing / 2` and `1 - smoothing / 2`.
    #[serde(default)]
    pub smoothing: f32,
}

impl<'de> Deserialize<'de> for System {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let table = Tagged::read(deserializer)?;
        match table.kind() {
            "facetracer" => table.rest().map(Self::Facetracer),
            "panda" => table.rest().map(Self::Panda),
            _ => Err(table.unknown("facetracer, panda")),
        }
    }
}

impl PandaStages {
    fn check(&self) -> Result<(), TrainError> {
        let Self { panda, objects, parts: PartStage { schedule, augment, hidden, smoothing } } = self;
        for (name, net) in panda.nets() {
            let section = Section::table(&name);
            net.check().map_err(|e| section.refused(e))?;
            if net.output()?.elements() == 0 {
                return Err(section.refused("the net gives nothing"));
            }
        }
        if panda.parts.iter().any(|part| part.pixels[0] != part.pixels[1]) {
            return Err(TrainError::Recipe(
                "the parts of panda must be square pictures: `pixels`".to_owned(),
            ));
        }
        let section = Section::stage("part");
        schedule.check("part")?;
        check_augment("part", augment)?;
        section.within("hidden", *hidden, 0.0..=4096.0)?;
        section.within("smoothing", *smoothing, 0.0..1.0)?;
        match objects {
            Some(objects) if objects.weights.is_some() => {
                Err(Section::stage("objects").refused("`weights` are for LNets: leave them out of panda's"))
            }
            Some(objects) => objects.check(),
            None if panda.holistic.is_empty() => Ok(()),
            None => Err(TrainError::Recipe(
                "nets of the whole learn from objects: add [system.objects]".to_owned(),
            )),
        }
    }
}

impl From<Recipe> for AnyRecipe {
    fn from(recipe: Recipe) -> Self {
        Self::Cascade(Box::new(recipe))
    }
}

impl From<BaselineRecipe> for AnyRecipe {
    fn from(recipe: BaselineRecipe) -> Self {
        Self::Baseline(Box::new(recipe))
    }
}

impl AnyRecipe {
    /// Reads a recipe file.
    ///
    /// # Errors
    /// When it can't be read, has an unknown field, or a value with which nothing could be learned.
    pub fn open(path: &Path) -> Result<Self, TrainError> {
        let text = std::fs::read_to_string(path).map_err(|e| TrainError::io(path, e))?;
        Self::parse(&text).map_err(|e| match e {
            TrainError::Recipe(why) => TrainError::Recipe(format!("{}: {why}", path.display())),
            other => other,
        })
    }

    /// Reads a recipe from TOML text.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn parse(text: &str) -> Result<Self, TrainError> {
        let table: toml::Table = toml::from_str(text).map_err(|e| TrainError::Recipe(e.to_string()))?;
        if table.contains_key("system") {
            return Ok(BaselineRecipe::parse(text)?.into());
        }
        Ok(Recipe::parse(text)?.into())
    }

    /// A recipe that comes with the program.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn named(name: &str) -> Result<Self, TrainError> {
        match lineament_recipes::text(name) {
            Some(text) => Self::parse(text),
            // Says which there are.
            None => Ok(Recipe::named(name)?.into()),
        }
    }
}

impl BaselineRecipe {
    /// FaceTracer as it comes with the program.
    ///
    /// # Errors
    /// None, as long as its file is sound.
    pub fn facetracer() -> Result<Self, TrainError> {
        Self::own("facetracer")
    }

    /// PANDA as it comes with the program.
    ///
    /// # Errors
    /// None, as long as its file is sound.
    pub fn panda() -> Result<Self, TrainError> {
        Self::own("panda")
    }

    fn own(name: &str) -> Result<Self, TrainError> {
        Self::parse(lineament_recipes::text(name).unwrap_or_default())
    }

    /// Reads a baseline's recipe from TOML text.
    ///
    /// # Errors
    /// As [`AnyRecipe::open`].
    pub fn parse(text: &str) -> Result<Self, TrainError> {
        checked(text, Self::check)
    }

    /// Refuses what could not be learned with.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn check(&self) -> Result<(), TrainError> {
        let Self { name, seed: _, note, preprocess, without, images, system, svms } = self;
        check_texts(name, note, without)?;
        check_preprocess(preprocess)?;
        images.map_or(Ok(()), |many| Section::table("recipe").within("pictures", many, 1.0..=1e9))?;
        self.baseline().check().map_err(|e| TrainError::Recipe(e.to_string()))?;
        svms.check()?;
        match system {
            System::Facetracer(_) => Ok(()),
            System::Panda(stages) => stages.check(),
        }
    }

    /// The extractor, before powers and weights are chosen.
    pub fn baseline(&self) -> Baseline {
        match &self.system {
            System::Facetracer(tracer) => Baseline::Facetracer(tracer.clone()),
            System::Panda(stages) => Baseline::Panda(stages.panda.clone()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::super::every_field::every_field_is_checked;
    use super::*;

    #[test]
    fn every_field_is_checked_in_both_recipes() {
        for recipe in [BaselineRecipe::facetracer().unwrap(), BaselineRecipe::panda().unwrap()] {
            let mut recipe = recipe;
            (recipe.images, recipe.without) = (Some(1000), vec!["Blurry".to_owned()]);
            if let System::Panda(stages) = &mut recipe.system {
                let again = Some(lineament_train::recipe::Again { epochs: 1, rate: 1e-3 });
                stages.parts.schedule.again = again;
                stages.parts.schedule.patience = Some(2);
                stages.objects.as_mut().unwrap().schedule.again = again;
            }
            // What a part's nets cannot begin from is refused below, and objects have no figure to wait for.
            let fields = format!("{recipe:?}").replace("weights: None", "").replace("patience: None", "");
            assert!(!fields.contains("None"), "{fields}");
            let text = toml::to_string(&recipe).unwrap();
            every_field_is_checked(&text, &|text| {
                BaselineRecipe::parse(text).map(drop).map_err(|e| e.to_string())
            });
        }
        let mut panda = BaselineRecipe::panda().unwrap();
        let System::Panda(stages) = &mut panda.system else { panic!("panda is panda") };
        stages.objects.as_mut().unwrap().weights = Some("objects.safetensors".to_owned());
        let refused = panda.check().unwrap_err().to_string();
        assert!(refused.contains("`weights` are for LNets"), "{refused}");
    }
}
