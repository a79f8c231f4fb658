//! From scores to attributes: a probability and an answer.

use super::calibration::{Platt, SigmoidError};
use super::patches::PatchesError;
use super::region::RegionError;
use super::svm::SvmError;
use super::thresholds::{OperatingPoint, Thresholds};
use crate::geometry::Rect;
use serde::{Deserialize, Serialize};

/// What a score says of an attribute; [`crate::prediction::Attribute`] is the same with its name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// How likely the face has it, 0 to 1.
    pub probability: f32,
    /// Whether its score exceeds the threshold of the operating point.
    pub present: bool,
}

/// What a bundle knows of one attribute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttributeCard {
    /// Its name, unique in the bundle.
    pub name: String,
    /// Score to probability.
    pub platt: Platt,
    /// Score to answer.
    pub thresholds: Thresholds,
    /// The share of training images that have it, 0 to 1; the majority's answer is yes above 0.5.
    #[serde(rename = "positives")]
    pub prevalence: f32,
    /// Where it comes from, if it was added to a finished bundle.
    #[serde(rename = "taught", default, skip_serializing_if = "Option::is_none")]
    pub provenance: Option<Provenance>,
}

/// How an attribute was added to a finished bundle whose nets stayed as they were, and what it is worth: figures on images that were left out in
/// turn (cross-validation).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Images that have it.
    pub with: u32,
    /// Images that do not.
    pub without: u32,
    /// What was left out together: images one by one, or people with all of theirs.
    pub by: Group,
    /// The mean of the shares of right answers among images with and without it.
    pub balanced_accuracy: f64,
    /// The lower end of the 95 % interval of the balanced accuracy.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// Over the probabilities.
    pub average_precision: f64,
    /// SHA-256 of the bundle that it was added to.
    pub base: String,
}

/// What belongs together when images are left out or drawn again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// Every image stands for itself.
    #[default]
    #[serde(rename = "picture")]
    Image,
    /// All images of a person.
    Person,
}

impl Group {
    /// "image" or "person".
    pub fn word(self) -> &'static str {
        match self {
            Self::Image => "picture",
            Self::Person => "person",
        }
    }

    /// "images" or "people".
    pub fn plural(self) -> &'static str {
        match self {
            Self::Image => "pictures",
            Self::Person => "people",
        }
    }
}

/// Why an attribute's card cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum AttributeCardError {
    /// A name that cannot be shown or typed.
    #[error(
        "an attribute is called {0:?}; a name has 1 to 100 characters, none of them a control character or a comma"
    )]
    Name(String),
    /// The sigmoid is not finite.
    #[error("attribute \"{name}\": {reason}")]
    Platt {
        /// The attribute.
        name: String,
        /// What is wrong.
        reason: SigmoidError,
    },
    /// A threshold is not finite.
    #[error("attribute \"{0}\": a threshold is not finite; choose the thresholds again")]
    Thresholds(String),
    /// The share of positives is no share.
    #[error("attribute \"{name}\": the share of positives is {prevalence}; it must be between 0 and 1")]
    Prevalence {
        /// The attribute.
        name: String,
        /// The share given.
        prevalence: f32,
    },
    /// Figures that are no shares, or a hash that is none.
    #[error("attribute \"{0}\": what is said of how it was taught cannot be right; teach it again")]
    Provenance(String),
}

impl AttributeCard {
    /// Refuses names and numbers that cannot be used.
    ///
    /// # Errors
    /// What is wrong, with the attribute's name.
    pub fn check(&self) -> Result<(), AttributeCardError> {
        let name = &self.name;
        // A comma would part the name in two in `--attributes A,B`.
        let odd = |c: char| c.is_control() || c == ',';
        if name.trim().is_empty() || name.chars().count() > 100 || name.contains(odd) {
            return Err(AttributeCardError::Name(name.chars().take(100).collect()));
        }
        self.platt.check().map_err(|reason| AttributeCardError::Platt { name: name.clone(), reason })?;
        if !self.thresholds.is_finite() {
            return Err(AttributeCardError::Thresholds(name.clone()));
        }
        if !(0.0..=1.0).contains(&self.prevalence) {
            return Err(AttributeCardError::Prevalence { name: name.clone(), prevalence: self.prevalence });
        }
        let shares = |t: &Provenance| {
            [t.balanced_accuracy, t.low, t.high, t.average_precision].map(|s| (0.0..=1.0).contains(&s))
        };
        let hash = |t: &Provenance| t.base.len() == 64 && t.base.bytes().all(|b| b.is_ascii_hexdigit());
        match &self.provenance {
            Some(known) if shares(known).contains(&false) || !hash(known) => {
                Err(AttributeCardError::Provenance(name.clone()))
            }
            _ => Ok(()),
        }
    }

    /// The answer of the majority of the training images.
    pub fn majority(&self) -> bool {
        self.prevalence > 0.5
    }

    /// Reads a score at the model's own threshold.
    pub fn read(&self, score: f32, point: OperatingPoint) -> Reading {
        Reading { probability: self.platt.probability(score), present: score > self.thresholds.at(point) }
    }
}

/// Why a face cannot be described.
#[derive(Debug, thiserror::Error)]
pub enum DescribeError {
    /// A region without an inside.
    #[error("the face region {0:?} has no inside; give a square with a side above 0, in pixels of the photo")]
    Region(Rect),
    /// A box where landmarks are needed.
    #[error(
        "this model places the parts that it looks at by landmarks: a box or region is not enough, give the eyes, nose and corners of the \
         mouth, or use a detector that tells them (yunet)"
    )]
    NeedsLandmarks,
    /// Landmarks where a region is needed.
    #[error(
        "this model looks at a square region: make one of the landmarks first (`Tagger::region_of_landmarks`)"
    )]
    NeedsRegion,
    /// Landmarks that are no face.
    #[error(transparent)]
    Landmarks(#[from] RegionError),
    /// The patches cannot be cut.
    #[error(transparent)]
    Patches(#[from] PatchesError),
    /// The net refused its input.
    #[error("the net on the face: {0}")]
    Net(#[from] crate::engine::EngineError),
    /// The interweaved net refused its region.
    #[error("ANet: {0}")]
    Woven(#[from] Box<lineament_net::InterweaveError>),
    /// Weights so large that numbers overflow.
    #[error(
        "the model's score of attribute {0} is not finite: its weights are damaged, fetch or export the bundle again"
    )]
    NotFinite(usize),
    /// The SVMs refused the net's output.
    #[error(transparent)]
    Svm(#[from] SvmError),
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn card() -> AttributeCard {
        AttributeCard {
            name: "Bald".to_owned(),
            platt: Platt { a: -2.0, b: 0.0 },
            thresholds: Thresholds { accuracy: 0.25, balanced: -0.5 },
            prevalence: 0.02,
            provenance: None,
        }
    }

    #[test]
    fn the_operating_point_moves_the_value_and_not_the_probability() {
        let careful = card().read(0.0, OperatingPoint::Accuracy);
        let balanced = card().read(0.0, OperatingPoint::Balanced);
        assert_eq!(careful, Reading { probability: 0.5, present: false });
        assert_eq!(balanced, Reading { probability: 0.5, present: true });
        assert!(!card().read(0.25, OperatingPoint::Accuracy).present);
        assert!(!card().majority());
    }

    #[test]
    fn cards_out_of_range_are_refused_by_name() {
        assert_eq!(card().check(), Ok(()));
        let edited = |edit: fn(&mut AttributeCard)| {
            let mut card = card();
            edit(&mut card);
            card.check().unwrap_err().to_string()
        };
        assert!(edited(|card| card.prevalence = 1.5).contains("Bald"));
        assert!(edited(|card| card.prevalence = f32::NAN).contains("Bald"));
        assert!(edited(|card| card.platt.a = f32::NAN).contains("Bald"));
        assert!(edited(|card| card.thresholds.balanced = f32::INFINITY).contains("Bald"));
        for name in ["", "  ", "A,B", "a\nb"] {
            assert!(AttributeCard { name: name.to_owned(), ..card() }.check().is_err(), "{name:?}");
        }
        assert!(AttributeCard { name: "é".repeat(101), ..card() }.check().is_err());
    }
}
