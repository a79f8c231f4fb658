//! The recipe of a net for landmarks.

use lineament::locate::LandmarkSpec;
use lineament_data::Augment;
use serde::{Deserialize, Serialize};

use crate::error::TrainError;
use crate::recipe::{Schedule, Section, check_augment, check_texts, checked};

/// How a net for landmarks looks and learns. It joins a finished model, whose preprocessing and name it takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LandmarkRecipe {
    /// Its name.
    pub name: String,
    /// Where every random number of a training comes from.
    pub seed: u64,
    /// The net, and the square that it sees.
    pub landmarks: LandmarkSpec,
    /// How it learns.
    pub schedule: Schedule,
    /// How faces are moved and colored. `shift`, `scale` and `rotation` also stand for the errors of whatever finds them.
    pub augment: Augment,
}

impl LandmarkRecipe {
    /// The recipe of this name that comes with the program.
    pub const NAME: &'static str = "landmarks";

    /// Reads a recipe from TOML text.
    ///
    /// # Errors
    /// When it has an unknown field, or a value with which nothing could be learned.
    pub fn parse(text: &str) -> Result<Self, TrainError> {
        checked(text, Self::check)
    }

    /// Refuses what could not be learned with.
    ///
    /// # Errors
    /// [`TrainError::Recipe`] that names the field.
    pub fn check(&self) -> Result<(), TrainError> {
        let Self { name, seed: _, landmarks, schedule, augment } = self;
        check_texts(name, "", &[])?;
        let section = Section::table("landmarks");
        landmarks.net.check().map_err(|e| Section::table("landmarks.net").refused(e))?;
        section.within("enlarge", landmarks.enlarge, 0.5..=4.0)?;
        landmarks.check().map_err(|e| section.refused(e))?;
        schedule.check(Self::NAME)?;
        check_augment(Self::NAME, augment)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::recipe::every_field::every_field_is_checked;

    #[test]
    fn every_field_of_the_recipe_is_checked() {
        let text = lineament_recipes::text(LandmarkRecipe::NAME).unwrap();
        every_field_is_checked(text, &|text| {
            LandmarkRecipe::parse(text).map(|_| ()).map_err(|refused| refused.to_string())
        });
    }
}
