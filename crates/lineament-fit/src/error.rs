//! Why an attribute cannot be taught.

use crate::calibration::CalibrationError;
use crate::report::Figures;
use lineament::BundleError;
use lineament::attributes::{AttributeCardError, SvmError};

/// Why an attribute cannot be taught.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// Too few images to say anything.
    #[error(
        "{name}: {with} pictures with it and {without} without are too few: give at least {least} of each in which a face is found"
    )]
    TooFew {
        /// The attribute.
        name: String,
        /// Images with it.
        with: usize,
        /// Images without it.
        without: usize,
        /// The least of each.
        least: usize,
    },
    /// Too few people to leave some out.
    #[error(
        "{name}: {with} people with it and {without} without are too few to leave some out in turn: give pictures of at least \
         {least} of each"
    )]
    TooFewPeople {
        /// The attribute.
        name: String,
        /// People with an image that has it.
        with: usize,
        /// People with an image that does not.
        without: usize,
        /// The least of each.
        least: usize,
    },
    /// One image on both sides.
    #[error("{name}: {yes} and {no} are the same picture, once with and once without it; decide which")]
    Contradiction {
        /// The attribute.
        name: String,
        /// The image that is said to have it.
        yes: String,
        /// The same that is said not to.
        no: String,
    },
    /// Left-out images are not answered better than by chance.
    #[error(
        "{name}: nothing was learned: pictures that were left out were answered with a balanced accuracy of {:.2} (95 % interval by {}: \
         {:.2} to {:.2}), and 0.50 is chance. {}",
        .figures.balanced_accuracy, .figures.by.word(), .figures.interval.low, .figures.interval.high,
        if .figures.interval.low > 0.45 {
            "More pictures may help"
        } else {
            "Check that the pictures are on the right side; the nets may not see what tells them apart"
        }
    )]
    LearnedNothing {
        /// The attribute.
        name: String,
        /// What was measured.
        figures: Box<Figures>,
    },
    /// The vectors come from different nets.
    #[error(
        "{name}: one face has {found} features and another {expected}: look at all of them with one model"
    )]
    Features {
        /// The attribute.
        name: String,
        /// Length of a vector.
        found: usize,
        /// Length of the first one.
        expected: usize,
    },
    /// Too few folds, or shares that are none.
    #[error("{what} is {value}; it must be {needed}")]
    Option {
        /// Which.
        what: &'static str,
        /// What was given.
        value: f64,
        /// What would do.
        needed: &'static str,
    },
    /// The bundle tells that attribute already.
    #[error("the model knows {0} already; choose another name, or say that it is to be replaced (--replace)")]
    Known(String),
    /// The same name twice in one call.
    #[error("{0} is to be taught twice in one call; give every name once")]
    Twice(String),
    /// A name that no attribute can have.
    #[error(transparent)]
    Card(#[from] AttributeCardError),
    /// Scores that cannot be calibrated.
    #[error("{name}: {reason}")]
    Calibration {
        /// The attribute.
        name: String,
        /// Why.
        reason: CalibrationError,
    },
    /// Planes that do not fit the bundle.
    #[error("what was learned does not fit the model: {0}; teach it with the model that it is added to")]
    Svm(#[from] SvmError),
    /// The bundle.
    #[error(transparent)]
    Bundle(#[from] BundleError),
}

impl FitError {
    /// What was measured before it was refused.
    pub fn figures(&self) -> Option<&Figures> {
        match self {
            Self::LearnedNothing { figures, .. } => Some(figures),
            _ => None,
        }
    }
}
