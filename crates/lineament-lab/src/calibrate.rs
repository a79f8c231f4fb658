//! A model's sigmoids and thresholds, fitted anew to labelled images of one's own.

use lineament::attributes::{AttributeCard, OperatingPoint};
use lineament_fit::CalibrationError;
use lineament_fit::recalibrate::{Change, LabelledScores, Recalibration, Scale, Worth, recalibrate};
use serde::Serialize;

use crate::audit::calibration::{curve, expected_error};
use crate::audit::person;
use crate::bootstrap::{Interval, People, RESAMPLES, SEED};
use crate::metrics::mean;
use crate::observe::Observations;

/// The operating points, as they are counted.
const POINTS: [OperatingPoint; 2] = [OperatingPoint::Accuracy, OperatingPoint::Balanced];

/// People before and after, at each operating point.
type Sides = [[People; 2]; 2];

/// What was fitted, and what it is worth on people who were left out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calibrated {
    /// Images in which a face was read.
    #[serde(rename = "pictures")]
    pub images: usize,
    /// Images without a face, left out.
    pub without_face: usize,
    /// People on them.
    pub people: usize,
    /// Means over attributes, before and after.
    pub before: Worth,
    /// The same with scales that were fitted to other people.
    pub after: Worth,
    /// How far probabilities are from shares: the mean expected calibration error, before and after.
    pub expected_error: [f64; 2],
    /// By how much the mean accuracy and the mean balanced accuracy rise, each at its operating point and with its 95 % interval over people; absent with fewer than two people.
    pub rise: Option<[Rise; 2]>,
    /// A row for each attribute of the model that is labelled.
    pub attributes: Vec<CalibratedAttribute>,
    /// Attributes that the data does not label; they stay as they are.
    pub unlabelled: Vec<String>,
}

/// A difference with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Rise {
    /// A fraction.
    pub mean: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// What became of an attribute.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CalibratedAttribute {
    /// Its name.
    pub name: String,
    /// Whether it was changed.
    pub change: Change,
    /// Images with it.
    pub with: usize,
    /// Images without it.
    pub without: usize,
    /// Thresholds of the score before: for accuracy, and balanced.
    pub thresholds_before: [f32; 2],
    /// The same from now on.
    pub thresholds: [f32; 2],
    /// What it was worth.
    pub before: Worth,
    /// What it is worth on people who were left out.
    pub after: Worth,
    /// Expected calibration error before, and on people who were left out.
    pub expected_error: [f64; 2],
}

/// The labels and scores of an attribute, and what was fitted to them.
struct Fitted {
    labelled: LabelledScores,
    own: Scale,
    found: Recalibration,
}

/// Fits every labelled attribute anew; the cards are those of the model from now on.
///
/// # Errors
/// A score that is not finite.
pub fn calibrate(
    observations: &Observations<'_>,
) -> Result<(Calibrated, Vec<AttributeCard>), CalibrationError> {
    let mut cards = observations.tagger.card().attributes.clone();
    let (mut rows, mut unlabelled) = (Vec::new(), Vec::new());
    // Before and after, at each operating point.
    let mut sides = POINTS.map(|_| [People::new(cards.len()), People::new(cards.len())]);
    for (index, card) in cards.iter_mut().enumerate() {
        let labelled = labelled(observations, index);
        if labelled.scores.is_empty() {
            unlabelled.push(card.name.clone());
            continue;
        }
        let own = Scale { platt: card.platt, thresholds: card.thresholds };
        let found = recalibrate(&labelled, own)?;
        (card.platt, card.thresholds) = (found.scale.platt, found.scale.thresholds);
        let fitted = Fitted { labelled, own, found };
        fitted.count(index, &mut sides);
        rows.push(fitted.row(&card.name));
    }
    let with_face = observations.seen.iter().filter(|seen| seen.scores.is_some()).count();
    let average = |worth: fn(&CalibratedAttribute) -> Worth| Worth {
        accuracy: mean(rows.iter().map(|row| worth(row).accuracy)),
        balanced_accuracy: mean(rows.iter().map(|row| worth(row).balanced_accuracy)),
        log_loss: mean(rows.iter().map(|row| worth(row).log_loss)),
    };
    let error = |side: fn(&CalibratedAttribute) -> f64| mean(rows.iter().map(side));
    let found = Calibrated {
        images: with_face,
        without_face: observations.seen.len() - with_face,
        people: sides[0][0].len(),
        before: average(|row| row.before),
        after: average(|row| row.after),
        expected_error: [error(|row| row.expected_error[0]), error(|row| row.expected_error[1])],
        rise: rise(&sides),
        attributes: rows,
        unlabelled,
    };
    Ok((found, cards))
}

fn labelled(observations: &Observations<'_>, attribute: usize) -> LabelledScores {
    let mut labelled = LabelledScores::default();
    for (place, (sample, seen)) in observations.samples.iter().zip(&observations.seen).enumerate() {
        let score = seen.scores.as_ref().and_then(|scores| scores.get(attribute));
        if let (Some(&score), Some(answer)) = (score, sample.tags.get(attribute).copied().flatten()) {
            labelled.scores.push(score);
            labelled.answers.push(answer);
            labelled.people.push(person(sample, place));
        }
    }
    labelled
}

impl Fitted {
    /// Score, answer, person and the scale that did not see the person, of each image.
    fn images(&self) -> impl Iterator<Item = (f32, bool, u64, Scale)> {
        let LabelledScores { scores, answers, people } = &self.labelled;
        let rows = scores.iter().zip(answers).zip(people).zip(&self.found.left_out);
        rows.map(|(((score, answer), person), scale)| (*score, *answer, *person, *scale))
    }

    /// Counts answers person by person.
    fn count(&self, attribute: usize, sides: &mut Sides) {
        for (score, answer, person, left_out) in self.images() {
            for (point, [before, after]) in POINTS.into_iter().zip(&mut *sides) {
                for (people, scale) in [(before, self.own), (after, left_out)] {
                    if let Some(tally) = people.person(person).get_mut(attribute) {
                        tally.add(answer, scale.read(score, point).present);
                    }
                }
            }
        }
    }

    fn row(&self, name: &str) -> CalibratedAttribute {
        let error = |scale: &dyn Fn(Scale) -> Scale| {
            expected_error(&curve(
                self.images()
                    .map(|(score, answer, _, left_out)| (scale(left_out).platt.probability(score), answer)),
            ))
        };
        let both = |scale: Scale| [scale.thresholds.accuracy, scale.thresholds.balanced];
        CalibratedAttribute {
            name: name.to_owned(),
            change: self.found.change,
            with: self.found.kinds[0],
            without: self.found.kinds[1],
            thresholds_before: both(self.own),
            thresholds: both(self.found.scale),
            before: self.found.before,
            after: self.found.after,
            expected_error: [error(&|_| self.own), error(&|left_out| left_out)],
        }
    }
}

fn rise([plain, balanced]: &Sides) -> Option<[Rise; 2]> {
    let ahead = |[before, after]: &[People; 2]| after.ahead_of(before, RESAMPLES, SEED);
    let (plain, balanced) = (ahead(plain)?, ahead(balanced)?);
    let of = |mean, interval: Interval| Rise { mean, low: interval.low, high: interval.high };
    Some([
        of(plain.accuracy, plain.intervals.accuracy),
        of(balanced.balanced_accuracy, balanced.intervals.balanced_accuracy),
    ])
}
