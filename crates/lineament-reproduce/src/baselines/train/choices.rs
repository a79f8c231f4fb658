//! The settings that baselines are tried with.

use std::fmt;

use serde::{Deserialize, Serialize};

use lineament_train::TrainError;
use lineament_train::recipe::{Section, above_zero};

/// What is tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChoiceStage {
    /// Costs of the SVMs.
    pub costs: Vec<f32>,
    /// Every number of a vector becomes its power.
    pub powers: Vec<f32>,
    /// Length of a part's colours beside its gradients; FaceTracer only.
    #[serde(default = "one")]
    pub colour_weights: Vec<f32>,
    /// How features are made comparable.
    pub scalings: Vec<Scaling>,
    /// Whom the SVMs learn from.
    pub learn_from: Vec<LearnFrom>,
    /// Folds of validation people.
    pub folds: usize,
}

fn one() -> Vec<f32> {
    vec![1.0]
}

/// How features are made comparable; the planes are written for the features as they were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scaling {
    /// Their means taken off, one factor for all.
    Together,
    /// Their means taken off, each divided by its deviation.
    Each,
}

/// Whom the SVMs learn from. Scores to choose on are always those of validation people whom the SVM did not see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LearnFrom {
    /// The training part, which the nets of the extractor saw too.
    Training,
    /// The validation part, as the paper's ANet has it.
    Validation,
    /// Both.
    Both,
}

/// One setting of everything.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// Cost.
    pub cost: f32,
    /// Power.
    pub power: f32,
    /// Weight of colours.
    pub colour_weight: f32,
    /// How features are made comparable.
    pub scaling: Scaling,
    /// Whom the SVMs learn from.
    pub learn_from: LearnFrom,
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cost, power, colour_weight, scaling, learn_from } = self;
        write!(f, "cost {cost} power {power} colours {colour_weight} scaling {scaling:?} from {learn_from:?}")
    }
}

impl ChoiceStage {
    /// Refuses lists with nothing in them, and values that no SVM can have.
    ///
    /// # Errors
    /// [`TrainError::Recipe`] that names the list.
    pub fn check(&self) -> Result<(), TrainError> {
        let Self { costs, powers, colour_weights, scalings, learn_from, folds } = self;
        let section = Section::stage("svms");
        section.all_within("costs", costs, above_zero(1e9))?;
        // Those of the extractors that they are chosen for.
        section.all_within("powers", powers, 0.05..=1.0)?;
        section.all_within("colour_weights", colour_weights, above_zero(100.0))?;
        if scalings.is_empty() || learn_from.is_empty() {
            return Err(section.refused("`scalings` and `learn_from` must not be empty"));
        }
        section.within("folds", *folds, 2.0..=1000.0)
    }

    /// Where the search begins: the first of each list, and the middle one of the costs.
    pub fn first(&self) -> Option<Choice> {
        Some(Choice {
            cost: *self.costs.get(self.costs.len() / 2)?,
            power: *self.powers.first()?,
            colour_weight: *self.colour_weights.first()?,
            scaling: *self.scalings.first()?,
            learn_from: *self.learn_from.first()?,
        })
    }

    /// The lists one after the other, all else as in `best`; costs last, which the others shift.
    pub fn round(&self, list: usize, best: Choice) -> Vec<Choice> {
        match list {
            0 => self.powers.iter().map(|power| Choice { power: *power, ..best }).collect(),
            1 => self.colour_weights.iter().map(|weight| Choice { colour_weight: *weight, ..best }).collect(),
            2 => self.scalings.iter().map(|scaling| Choice { scaling: *scaling, ..best }).collect(),
            3 => {
                self.learn_from.iter().map(|learn_from| Choice { learn_from: *learn_from, ..best }).collect()
            }
            4 => self.costs.iter().map(|cost| Choice { cost: *cost, ..best }).collect(),
            _ => Vec::new(),
        }
    }
}
