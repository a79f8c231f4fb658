//! Other models to learn from: tables of what they say of images.

use serde::{Deserialize, Serialize};

use super::section::{Section, above_zero};
use crate::error::TrainError;
use crate::stage::Stage;

/// A table of another model's probabilities or vectors ([`lineament_data::teacher`]), learned by a head of its own that is removed afterwards. It must
/// not have been made with the help of validation or test images, and what an LNet learns from not with the help of boxes or landmarks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Distillation {
    /// The table, relative to the working directory or to a data folder.
    pub table: String,
    /// Stages that learn from it: any but `svms`.
    pub stages: Vec<Stage>,
    /// Weight beside the stage's own loss. Probabilities count with their binary cross-entropy, summed over attributes; vectors with one minus the cosine
    /// of the angle to what the head says.
    pub weight: f64,
}

impl Distillation {
    /// Refuses what could not be learned with; `name` is the table's in the recipe.
    ///
    /// # Errors
    /// [`TrainError::Recipe`] that names the field.
    pub fn check(&self, name: &str) -> Result<(), TrainError> {
        let Self { table, stages, weight } = self;
        let title = format!("distillation.{name}");
        let section = Section::table(&title);
        section.line("distillation", name, 100)?;
        section.line("table", table, 1000)?;
        if stages.is_empty() || stages.contains(&Stage::Svms) {
            let which = Stage::names(&Stage::ALL[..Stage::ALL.len() - 1]);
            return Err(section.refused(format!("`stages` must list at least one of {which}")));
        }
        section.within("weight", *weight, above_zero(1e6))
    }
}
