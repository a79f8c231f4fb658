//! Sigmoid and thresholds of a finished attribute, fitted anew to somebody's own labels, and what that is worth on people who were not fitted to.

use lineament::attributes::{OperatingPoint, Platt, Reading, Thresholds};
use serde::Serialize;

use crate::calibration::{CalibrationError, fit_platt};
use crate::folds::assign_folds;
use crate::metrics::Tally;
use crate::threshold_rule::ThresholdRule;

/// Images of each kind below which an attribute stays as it is.
pub const LEAST: usize = 20;

/// People are left out in so many parts: of all, and of those who decide whether an attribute is changed.
const OUTER: usize = 10;
const INNER: usize = 5;

/// How a score becomes a probability and an answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// Score to probability.
    pub platt: Platt,
    /// Score to answer.
    pub thresholds: Thresholds,
}

impl Scale {
    /// What a score says at an operating point.
    pub fn read(&self, score: f32, point: OperatingPoint) -> Reading {
        Reading { probability: self.platt.probability(score), present: score > self.thresholds.at(point) }
    }

    /// Fitted to scores and answers: thresholds lie where the sigmoid crosses one half, and the share of positives.
    fn fitted(scores: &[f32], answers: &[bool]) -> Result<Self, CalibrationError> {
        let thresholds = ThresholdRule::Sigmoid.thresholds(scores, answers)?;
        Ok(Self { platt: fit_platt(scores, answers)?, thresholds })
    }
}

/// Scores of one attribute, with the answers that are known and the person in each image.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LabelledScores {
    /// The model's scores.
    pub scores: Vec<f32>,
    /// What is so.
    pub answers: Vec<bool>,
    /// Who is on the image.
    pub people: Vec<u64>,
}

/// What became of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It has a new sigmoid, or a new threshold.
    Fitted,
    /// There are fewer than [`LEAST`] images of a kind.
    TooFew,
    /// On people who were left out, neither a new sigmoid nor new thresholds are better than the old ones.
    NoBetter,
}

/// What answers are worth, all on images whose people were left out of the fit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Worth {
    /// Share of right answers at the operating point for accuracy.
    pub accuracy: f64,
    /// Mean of the shares among images with and without it, at the balanced operating point.
    pub balanced_accuracy: f64,
    /// Mean of minus the logarithm of the probability of what is so.
    pub log_loss: f64,
}

/// An attribute, fitted anew.
#[derive(Debug, Clone, PartialEq)]
pub struct Recalibration {
    /// What became of it.
    pub change: Change,
    /// Its scale from now on: the old one where it was left as it is.
    pub scale: Scale,
    /// Images that have it, and that do not.
    pub kinds: [usize; 2],
    /// What the old scale is worth.
    pub before: Worth,
    /// What this way of fitting is worth: on each part of people, with all decisions made on the others. By no figure is it worse than before: a
    /// sigmoid or threshold for which it would be stays as it was.
    pub after: Worth,
    /// For each image the scale that was fitted without its person.
    pub left_out: Vec<Scale>,
}

impl LabelledScores {
    fn kinds(&self) -> [usize; 2] {
        let with = self.answers.iter().filter(|yes| **yes).count();
        [with, self.answers.len() - with]
    }

    /// The images in, or not in, a fold.
    fn part(&self, folds: &[usize], keep: impl Fn(usize) -> bool) -> Self {
        let mut part = Self::default();
        let rows = self.scores.iter().zip(&self.answers).zip(&self.people).zip(folds);
        for (((score, answer), person), _) in rows.filter(|(_, fold)| keep(**fold)) {
            part.scores.push(*score);
            part.answers.push(*answer);
            part.people.push(*person);
        }
        part
    }
}

fn loss(scale: &Scale, score: f32, answer: bool) -> f64 {
    let probability = f64::from(scale.platt.probability(score)).clamp(1e-6, 1.0 - 1e-6);
    -(if answer { probability } else { 1.0 - probability }).ln()
}

/// Fits an attribute's sigmoid and each of its thresholds anew where that makes answers better on people who are left out; `own` is its scale so far.
///
/// # Errors
/// A score that is not finite, or lists of different lengths.
pub fn recalibrate(labelled: &LabelledScores, own: Scale) -> Result<Recalibration, CalibrationError> {
    let count = labelled.scores.len();
    if labelled.answers.len() != count || labelled.people.len() != count {
        return Err(CalibrationError::Lengths { scores: count, answers: labelled.answers.len() });
    }
    let (mut scale, mut change) = decide(labelled, own)?;
    let folds = assign_folds(labelled.people.iter().copied(), OUTER);
    let mut left_out = vec![own; count];
    for fold in 0..OUTER {
        if !folds.contains(&fold) {
            continue;
        }
        let (chosen, _) = decide(&labelled.part(&folds, |other| other != fold), own)?;
        left_out
            .iter_mut()
            .zip(&folds)
            .filter(|(_, own)| **own == fold)
            .for_each(|(scale, _)| *scale = chosen);
    }
    let before = worth(labelled, &vec![own; count]);
    let tried = worth(labelled, &left_out);
    // What is better where it was decided may be worse on the people who were left out there: then it is not done. What is not done to the attribute
    // is not measured either.
    let stays = [
        scale.platt == own.platt || tried.log_loss >= before.log_loss,
        scale.thresholds.accuracy == own.thresholds.accuracy || tried.accuracy <= before.accuracy,
        scale.thresholds.balanced == own.thresholds.balanced
            || tried.balanced_accuracy <= before.balanced_accuracy,
    ];
    for scale in left_out.iter_mut().chain([&mut scale]) {
        let [platt, accuracy, balanced] = stays;
        scale.platt = if platt { own.platt } else { scale.platt };
        let new = scale.thresholds;
        scale.thresholds.accuracy = if accuracy { own.thresholds.accuracy } else { new.accuracy };
        scale.thresholds.balanced = if balanced { own.thresholds.balanced } else { new.balanced };
    }
    if scale == own && change == Change::Fitted {
        change = Change::NoBetter;
    }
    let after = worth(labelled, &left_out);
    Ok(Recalibration { change, scale, kinds: labelled.kinds(), before, after, left_out })
}

/// Of the sigmoid and of each threshold the new one, where it is better on people who are left out, else the old one.
fn decide(labelled: &LabelledScores, own: Scale) -> Result<(Scale, Change), CalibrationError> {
    if labelled.kinds().into_iter().any(|count| count < LEAST) {
        return Ok((own, Change::TooFew));
    }
    let folds = assign_folds(labelled.people.iter().copied(), INNER);
    let mut scales = vec![own; labelled.scores.len()];
    for fold in 0..INNER {
        let others = labelled.part(&folds, |other| other != fold);
        // Few people may hold all of a kind.
        if !others.kinds().contains(&0) {
            let fitted = Scale::fitted(&others.scores, &others.answers)?;
            scales
                .iter_mut()
                .zip(&folds)
                .filter(|(_, own)| **own == fold)
                .for_each(|(scale, _)| *scale = fitted);
        }
    }
    let (old, new) = (worth(labelled, &vec![own; labelled.scores.len()]), worth(labelled, &scales));
    let fitted = Scale::fitted(&labelled.scores, &labelled.answers)?;
    let usable = fitted.platt.a < 0.0;
    let mut chosen = own;
    if usable && new.log_loss < old.log_loss {
        chosen.platt = fitted.platt;
    }
    if usable && new.accuracy > old.accuracy {
        chosen.thresholds.accuracy = fitted.thresholds.accuracy;
    }
    if usable && new.balanced_accuracy > old.balanced_accuracy {
        chosen.thresholds.balanced = fitted.thresholds.balanced;
    }
    Ok((chosen, if chosen == own { Change::NoBetter } else { Change::Fitted }))
}

fn worth(labelled: &LabelledScores, scales: &[Scale]) -> Worth {
    let (mut plain, mut balanced, mut sum) = (Tally::default(), Tally::default(), 0.0);
    for ((score, answer), scale) in labelled.scores.iter().zip(&labelled.answers).zip(scales) {
        plain.add(*answer, scale.read(*score, OperatingPoint::Accuracy).present);
        balanced.add(*answer, scale.read(*score, OperatingPoint::Balanced).present);
        sum += loss(scale, *score, *answer);
    }
    Worth {
        accuracy: plain.accuracy(),
        balanced_accuracy: balanced.balanced_accuracy(),
        log_loss: sum / labelled.scores.len().max(1) as f64,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    const OWN: Scale =
        Scale { platt: Platt { a: -2.0, b: 0.0 }, thresholds: Thresholds { accuracy: 0.0, balanced: 0.0 } };

    /// Scores whose odds are `exp(slope score + offset)`, three images a person.
    fn drawn(count: usize, slope: f32, offset: f32) -> LabelledScores {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        let mut labelled = LabelledScores::default();
        for image in 0..count {
            let score = random.random_range(-2.0..2.0_f32);
            let probability = 1.0 / (1.0 + (-(slope * score + offset)).exp());
            labelled.scores.push(score);
            labelled.answers.push(random.random_range(0.0..1.0_f32) < probability);
            labelled.people.push(image as u64 / 3);
        }
        labelled
    }

    #[test]
    fn a_scale_that_is_off_is_put_right() {
        let found = recalibrate(&drawn(1500, 2.0, -2.0), OWN).unwrap();
        assert_eq!(found.change, Change::Fitted);
        // Half of them have it at a score of 1.
        assert!((found.scale.thresholds.accuracy - 1.0).abs() < 0.2, "{:?}", found.scale);
        assert!(found.after.accuracy > found.before.accuracy + 0.05, "{found:?}");
        assert!(found.after.log_loss < found.before.log_loss - 0.1);
        assert_eq!(found.left_out.len(), 1500);
    }

    #[test]
    fn a_scale_that_is_right_stays() {
        let found = recalibrate(&drawn(1500, 2.0, 0.0), OWN).unwrap();
        if found.change == Change::NoBetter {
            assert_eq!(found.scale, OWN);
        }
        assert!(
            (found.after.log_loss - found.before.log_loss).abs() < 0.005,
            "{:?}",
            (found.before, found.after)
        );
    }

    #[test]
    fn by_no_figure_is_anything_worse_than_before() {
        for (count, slope, offset) in [(60, 2.0, 0.2), (200, 2.0, 0.0), (400, 0.3, 0.1), (90, 1.0, -1.5)] {
            let found = recalibrate(&drawn(count, slope, offset), OWN).unwrap();
            let (before, after) = (found.before, found.after);
            assert!(after.log_loss <= before.log_loss && after.accuracy >= before.accuracy, "{found:?}");
            assert!(after.balanced_accuracy >= before.balanced_accuracy, "{found:?}");
            assert_eq!(found.change == Change::Fitted, found.scale != OWN, "{found:?}");
            if found.change == Change::NoBetter {
                assert_eq!(before, after);
            }
        }
    }

    #[test]
    fn labels_that_have_nothing_to_do_with_scores_promise_nothing() {
        let mut labelled = drawn(600, 2.0, 0.0);
        let mut random = ChaCha8Rng::seed_from_u64(8);
        labelled.answers.iter_mut().for_each(|answer| *answer = random.random_range(0..2) == 0);
        let found = recalibrate(&labelled, OWN).unwrap();
        assert!((found.after.balanced_accuracy - 0.5).abs() < 0.06, "{:?}", found.after);
    }

    #[test]
    fn too_few_change_nothing() {
        let labelled = drawn(30, 2.0, -2.0);
        let found = recalibrate(&labelled, OWN).unwrap();
        assert_eq!((found.change, found.scale, found.before), (Change::TooFew, OWN, found.after));
        let broken = LabelledScores { people: Vec::new(), ..labelled };
        assert!(recalibrate(&broken, OWN).is_err());
    }
}
