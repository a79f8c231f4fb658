//! What a taught attribute is worth, on examples that were left out.

use serde::{Deserialize, Serialize};

use crate::bootstrap::Interval;
use lineament::attributes::Group;

/// The figures of one attribute. Rates are fractions between 0 and 1; all of them come from examples that were left out in turn, cost, calibration and
/// thresholds chosen anew without them every time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Examples that have it.
    pub with: usize,
    /// Examples that do not.
    pub without: usize,
    /// What was left out together, and drawn again for intervals.
    pub by: Group,
    /// How many people, or images, there are.
    pub groups: usize,
    /// Parts that were left out in turn.
    pub folds: usize,
    /// The cost of the SVM that was fitted to all examples in the end.
    pub cost: f64,
    /// The share of right answers, at the operating point for accuracy.
    pub accuracy: f64,
    /// What always giving the more frequent answer would reach.
    pub majority_accuracy: f64,
    /// The mean of the shares of right answers among examples with and without it, at the balanced operating point; 0.5 is chance.
    pub balanced_accuracy: f64,
    /// 95 % interval of the balanced accuracy.
    pub interval: Interval,
    /// Over the probabilities, scikit-learn's definition; chance is the share of examples that have it.
    pub average_precision: f64,
    /// The area under the ROC curve, over the probabilities.
    pub roc_auc: f64,
    /// The balanced accuracy with fewer examples, and with all.
    pub curve: Vec<CurvePoint>,
    /// How much balanced accuracy rose from half of the examples to all, and its 95 % interval.
    pub gain: f64,
    /// See `gain`.
    pub gain_interval: Interval,
    /// What the curve says.
    pub advice: Advice,
}

/// One point of the learning curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// The share of the examples to learn from, 0 to 1.
    pub share: f64,
    /// The balanced accuracy on left-out examples, the mean over several draws.
    pub balanced_accuracy: f64,
}

/// What the learning curve says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Advice {
    /// From half of the examples to all it rose plainly: as many again may well raise it further.
    #[serde(rename = "more_pictures_help")]
    MoreImagesHelp,
    /// It hardly rose: as many again would do little.
    Enough,
    /// The rise is within what chance does with so few examples.
    Unclear,
}

impl Advice {
    /// A rise of less than this is nothing to collect images for.
    const LITTLE: f64 = 0.02;

    /// From the interval of the rise.
    pub(super) fn of(rise: Interval) -> Self {
        if rise.low > 0.0 {
            Self::MoreImagesHelp
        } else if rise.high < Self::LITTLE {
            Self::Enough
        } else {
            Self::Unclear
        }
    }

    /// The advice as a sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::MoreImagesHelp => "more pictures would help: the curve still rises",
            Self::Enough => "more pictures would help little: the curve is flat",
            Self::Unclear => "whether more pictures would help cannot be told from so few",
        }
    }
}
