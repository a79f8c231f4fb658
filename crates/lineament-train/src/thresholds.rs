//! Which scores are a yes: two ways to choose thresholds, and which of them serves people better who were not chosen on.

use lineament::attributes::{CalibrationError, Platt, Thresholds};

/// A way to choose an attribute's thresholds from scores and answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The cut with most right answers: exact, but restless where few pictures have the attribute.
    BestCut,
    /// Where the fitted sigmoid crosses one half (accuracy), or the share of positives (balanced accuracy): smooth.
    Sigmoid,
}

/// Both, in the order in which ties are decided.
pub const RULES: [Rule; 2] = [Rule::Sigmoid, Rule::BestCut];

impl Rule {
    /// The thresholds for scores of pictures that the scorer did not learn from.
    ///
    /// # Errors
    /// As [`Platt::fit`] and [`Thresholds::choose`].
    pub fn thresholds(self, scores: &[f32], answers: &[bool]) -> Result<Thresholds, CalibrationError> {
        let cut = Thresholds::choose(scores, answers)?;
        let platt = Platt::fit(scores, answers)?;
        let share = answers.iter().filter(|yes| **yes).count() as f32 / answers.len() as f32;
        let usable = platt.a < -1e-6 && share > 0.0 && share < 1.0;
        if self == Self::BestCut || !usable {
            return Ok(cut);
        }
        // p = 1 / (1 + exp(a s + b))  <=>  s = (ln(1 / p - 1) - b) / a
        let at = |p: f32| ((1.0 / p - 1.0).ln() - platt.b) / platt.a;
        Ok(Thresholds { accuracy: at(0.5), balanced: at(share) })
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
        count: usize,
    ) -> Result<[f64; 2], CalibrationError> {
        // [answer][told right], for both thresholds.
        let mut told = [[[0.0_f64; 2]; 2]; 2];
        for fold in 0..count {
            let pick = |inside: bool| -> (Vec<f32>, Vec<bool>) {
                let rows = (0..scores.len()).filter(|row| (folds[*row] == fold) == inside);
                rows.map(|row| (scores[row], answers[row])).unzip()
            };
            let ((seen, seen_answers), (left, left_answers)) = (pick(false), pick(true));
            if seen.is_empty() || left.is_empty() {
                continue;
            }
            let thresholds = self.thresholds(&seen, &seen_answers)?;
            for (score, answer) in left.iter().zip(&left_answers) {
                for (place, threshold) in [thresholds.accuracy, thresholds.balanced].into_iter().enumerate() {
                    let right = (*score > threshold) == *answer;
                    told[place][usize::from(*answer)][usize::from(right)] += 1.0;
                }
            }
        }
        let [accuracy, balanced] = told;
        let rate = |[wrong, right]: [f64; 2]| if wrong + right > 0.0 { right / (wrong + right) } else { 1.0 };
        let plain = rate([accuracy[0][0] + accuracy[1][0], accuracy[0][1] + accuracy[1][1]]);
        Ok([plain, (rate(balanced[0]) + rate(balanced[1])) / 2.0])
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
            // Ten pictures a score, the share p of them positive.
            ((i / 60) as f64 + 0.5) / 10.0 < p
        });
        (scores.clone(), answers.collect(), (0..600).map(|i| i % 5).collect())
    }

    #[test]
    fn the_sigmoid_rule_finds_the_closed_form() {
        let (scores, answers, _) = world();
        let found = Rule::Sigmoid.thresholds(&scores, &answers).unwrap();
        assert!((found.accuracy - 2.0).abs() < 0.15, "{found:?}");
        let share = answers.iter().filter(|a| **a).count() as f32 / 600.0;
        let expected = 2.0 - (1.0 / share - 1.0).ln();
        assert!((found.balanced - expected).abs() < 0.2, "{found:?}, {expected}");
    }

    #[test]
    fn both_rules_do_about_as_well_on_who_is_left_out() {
        let (scores, answers, folds) = world();
        for rule in RULES {
            let [plain, balanced] = rule.left_out(&scores, &answers, &folds, 5).unwrap();
            assert!(plain > 0.78 && balanced > 0.75, "{rule:?}: {plain} {balanced}");
        }
    }

    #[test]
    fn an_attribute_that_nobody_has_is_never_told() {
        let scores = [0.1, 0.5, 0.9];
        for rule in RULES {
            let found = rule.thresholds(&scores, &[false; 3]).unwrap();
            assert!(scores.iter().all(|s| *s <= found.accuracy), "{rule:?}: {found:?}");
        }
    }
}
