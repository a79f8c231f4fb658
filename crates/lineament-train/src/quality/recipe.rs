//! The recipe of the quality of faces.

use lineament_data::Augment;
use serde::{Deserialize, Serialize};

use crate::error::TrainError;
use crate::recipe::{Section, check_augment, check_texts, checked};

/// How the quality of faces is learned. It joins a finished model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QualityRecipe {
    /// Its name.
    pub name: String,
    /// Where every random number comes from.
    pub seed: u64,
    /// What is made of each face.
    pub quality: QualitySettings,
    /// How faces are spoiled. `shift`, `scale` and `rotation` also stand for the errors of whatever finds them.
    pub augment: Augment,
}

/// What is made of each face, and how its quality is fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QualitySettings {
    /// Spoiled copies of each face, beside the face as it is.
    pub copies: usize,
    /// Least and largest height of the face in a copy, in pixels, drawn evenly in its logarithm.
    pub face_height: [f32; 2],
    /// How strongly weights are held back: the best of these on people who are left out.
    pub strengths: Vec<f64>,
}

impl QualityRecipe {
    /// The recipe of this name that comes with the program.
    pub const NAME: &'static str = "quality";

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
        let Self { name, seed: _, quality, augment } = self;
        check_texts(name, "", &[])?;
        let section = Section::table("quality");
        let QualitySettings { copies, face_height: [least, most], strengths } = quality;
        section.within("copies", *copies, 1.0..=100.0)?;
        section.within("face_height", *least, 4.0..=1024.0)?;
        section.within("face_height", *most, f64::from(*least)..=1024.0)?;
        section.all_within("strengths", strengths, 1e-9..=1e9)?;
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
        let text = lineament_recipes::text(QualityRecipe::NAME).unwrap();
        every_field_is_checked(text, &|text| {
            QualityRecipe::parse(text).map(|_| ()).map_err(|refused| refused.to_string())
        });
    }
}
