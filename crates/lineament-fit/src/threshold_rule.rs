//! Which scores are a yes: ways to choose thresholds, and which of them serves people best who were not chosen on.

use crate::calibration::{CalibrationError, fit_platt};
use crate::metrics::Tally;
use crate::thresholds::choose_thresholds;
use lineament::attributes::Thresholds;

/// A way to choose an attribute's thresholds from scores and answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThresholdRule {
    /// The cut with most right answers: exact, but restless where few images have the attribute.
    BestCut,
    /// Where the fitted sigmoid crosses one half (accuracy), or the share of positives (balanced accuracy): smooth.
    Sigmoid,
    /// The SVM's own plane (score 0) for accuracy, which is what it was fitted to; the sigmoid's share of positives for balanced accuracy.
    Margin,
}

impl ThresholdRule {
    /// All of them, in the order in which ties are decided.
    pub const ALL: [Self; 3] = [Self::Margin, Self::Sigmoid, Self::BestCut];

    /// The thresholds for scores of images that the scorer did not learn from.
    ///
    /// # Errors
    /// As [`fit_platt`] and [`choose_thresholds`].
    pub fn thresholds(self, scores: &[f32], answers: &[bool]) -> Result<Thresholds, CalibrationError> {
        let cut = choose_thresholds(scores, answers)?;
        let platt = fit_platt(scores, answers)?;
        let share = answers.iter().filter(|yes| **yes).count() as f32 / answers.len() as f32;
        let usable = platt.a < -1e-6 && share > 0.0 && share < 1.0;
        if self == Self::BestCut || !usable {
            return Ok(cut);
        }
        // p = 1 / (1 + exp(a s + b))  <=>  s = (ln(1 / p - 1) - b) / a
        let at = |p: f32| ((1.0 / p - 1.0).ln() - platt.b) / platt.a;
        let accuracy = if self == Self::Margin { 0.0 } else { at(0.5) };
        Ok(Thresholds { accuracy, balanced: at(share) })
    }

    /// Shares of right answers, plain and balanced, that the rule reaches on each fold with thresholds from the others.
    ///
    /// # Errors
    /// As [`Self::thresholds`].
    pub fn left_out(
        self,
        scores: &[f32],
        answers: &[bool],
        folds: &[usize],
    ) -> Result<[f64; 2], CalibrationError> {
        let (mut plain, mut balanced) = (Tally::default(), Tally::default());
        for fold in 0..folds.iter().max().map_or(0, |most| most + 1) {
            let pick = |inside: bool| -> (Vec<f32>, Vec<bool>) {
                let rows = scores.iter().zip(answers).zip(folds);
                rows.filter(|(_, own)| (**own == fold) == inside).map(|((s, yes), _)| (*s, *yes)).unzip()
            };
            let ((seen, seen_answers), (left, left_answers)) = (pick(false), pick(true));
            if seen.is_empty() || left.is_empty() {
                continue;
            }
            let thresholds = self.thresholds(&seen, &seen_answers)?;
            for (score, answer) in left.iter().zip(&left_answers) {
                plain.add(*answer, *score > thresholds.accuracy);
                balanced.add(*answer, *score > thresholds.balanced);
            }
        }
        Ok([plain.accuracy(), balanced.balanced_accuracy()])
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Scores of a logistic world: P(yes) = 1 / (1 + exp(2 - s)).
    fn world() -> (Vec<f32>, Vec<bool>, Vec<usize>) {
        let scores: Vec<f32> = (0..600).map(|i| (i % 60) as f32 / 10.0 - 1.0).collect();
        let answers = (0..600).map(|i| {
            let p = 1.0 / (1.0 + f64::from(2.0 - scores[i]).exp());
            // Ten images a score, the share p of them positive.
            ((i / 60) as f64 + 0.5) / 10.0 < p
        });
        (scores.clone(), answers.collect(), (0..600).map(|i| i % 5).collect())
    }

    #[test]
    fn the_sigmoid_rule_finds_the_closed_form() {
        let (scores, answers, _) = world();
        let found = ThresholdRule::Sigmoid.thresholds(&scores, &answers).unwrap();
        assert!((found.accuracy - 2.0).abs() < 0.15, "{found:?}");
        let share = answers.iter().filter(|a| **a).count() as f32 / 600.0;
        let expected = 2.0 - (1.0 / share - 1.0).ln();
        assert!((found.balanced - expected).abs() < 0.2, "{found:?}, {expected}");
    }

    #[test]
    fn both_rules_come_close_to_the_best_cut_on_who_is_left_out() {
        let (scores, answers, folds) = world();
        let positives = answers.iter().filter(|yes| **yes).count() as f64;
        let negatives = answers.len() as f64 - positives;
        // What any cut reaches, plain and balanced, when it may look at all answers.
        let best = scores.iter().map(|cut| {
            let right = |kind| {
                scores.iter().zip(&answers).filter(|(s, a)| **a == kind && (*s > cut) == kind).count() as f64
            };
            let (hits, rejections) = (right(true), right(false));
            [(hits + rejections) / (positives + negatives), (hits / positives + rejections / negatives) / 2.0]
        });
        let best = best.fold([0.0_f64; 2], |most, one| [most[0].max(one[0]), most[1].max(one[1])]);
        // These scores are no SVM's: their plane is not at 0.
        for rule in [ThresholdRule::Sigmoid, ThresholdRule::BestCut] {
            let found = rule.left_out(&scores, &answers, &folds).unwrap();
            for (found, best) in found.into_iter().zip(best) {
                assert!(found > best - 0.02 && found <= best + 1e-9, "{rule:?}: {found} of {best}");
            }
        }
    }

    #[test]
    fn the_margin_rule_keeps_the_svms_own_plane() {
        let (scores, answers, _) = world();
        let found = ThresholdRule::Margin.thresholds(&scores, &answers).unwrap();
        assert_eq!(found.accuracy, 0.0);
        assert_eq!(found.balanced, ThresholdRule::Sigmoid.thresholds(&scores, &answers).unwrap().balanced);
    }

    #[test]
    fn an_attribute_that_nobody_has_is_never_predicted() {
        let scores = [0.1, 0.5, 0.9];
        for rule in ThresholdRule::ALL {
            let found = rule.thresholds(&scores, &[false; 3]).unwrap();
            assert!(scores.iter().all(|s| *s <= found.accuracy), "{rule:?}: {found:?}");
        }
    }
}
