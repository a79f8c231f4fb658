//! What an answer is worth: accuracy, balanced accuracy, F1, average precision, ROC AUC, and the majority answer
//! they all have to beat.
//!
//! Every function answers a finite number, so that a report never holds a NaN. Where a metric is undefined the
//! convention is stated at the function; it is scikit-learn's where scikit-learn has one. Unknown labels never get
//! here: the caller leaves them out, attribute by attribute.

use serde::{Deserialize, Serialize};

/// The four counts of one attribute: truth against answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Present, and said to be.
    pub true_positives: u64,
    /// Absent, but said to be present.
    pub false_positives: u64,
    /// Absent, and said to be.
    pub true_negatives: u64,
    /// Present, but said to be absent.
    pub false_negatives: u64,
}

impl Tally {
    /// Counts one answer.
    pub fn add(&mut self, truth: bool, answer: bool) {
        match (truth, answer) {
            (true, true) => self.true_positives += 1,
            (false, true) => self.false_positives += 1,
            (false, false) => self.true_negatives += 1,
            (true, false) => self.false_negatives += 1,
        }
    }

    /// Adds the counts of another tally.
    pub fn merge(&mut self, other: &Self) {
        self.true_positives += other.true_positives;
        self.false_positives += other.false_positives;
        self.true_negatives += other.true_negatives;
        self.false_negatives += other.false_negatives;
    }

    /// How many labels were known.
    pub fn known(&self) -> u64 {
        self.present() + self.absent()
    }

    fn present(&self) -> u64 {
        self.true_positives + self.false_negatives
    }

    fn absent(&self) -> u64 {
        self.true_negatives + self.false_positives
    }

    /// The share of known labels that are positive; 0 when no label is known.
    pub fn positives(&self) -> f64 {
        share(self.present(), self.known())
    }

    /// The share of right answers; 0 when no label is known.
    pub fn accuracy(&self) -> f64 {
        share(self.true_positives + self.true_negatives, self.known())
    }

    /// The mean of the true positive and the true negative rate. With one class only it is the rate of that class,
    /// as in scikit-learn's `balanced_accuracy_score`; 0 when no label is known.
    pub fn balanced_accuracy(&self) -> f64 {
        match (self.present(), self.absent()) {
            (0, _) => share(self.true_negatives, self.absent()),
            (_, 0) => share(self.true_positives, self.present()),
            (present, absent) => {
                (share(self.true_positives, present) + share(self.true_negatives, absent)) / 2.0
            }
        }
    }

    /// The harmonic mean of precision and recall; 0 when nothing is positive, neither in truth nor in the answers.
    pub fn f1(&self) -> f64 {
        share(2 * self.true_positives, 2 * self.true_positives + self.false_positives + self.false_negatives)
    }

    /// The majority answer: present when more than half of the known labels are.
    pub fn majority(&self) -> bool {
        self.present() > self.absent()
    }

    /// The accuracy of always giving the majority answer; 0 when no label is known.
    pub fn majority_accuracy(&self) -> f64 {
        share(self.present().max(self.absent()), self.known())
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// The mean of some numbers; 0 of none.
pub fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let (sum, count) = values.into_iter().fold((0.0, 0_u64), |(sum, count), value| (sum + value, count + 1));
    if count == 0 { 0.0 } else { sum / count as f64 }
}

/// One ranked answer: how strongly presence was believed, and the truth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// Higher says "present" more strongly; a NaN ranks below everything.
    pub score: f32,
    /// Whether the attribute is there.
    pub truth: bool,
}

/// Average precision as scikit-learn defines it: the sum over distinct scores, from the highest down, of
/// `(recall - recall before) x precision`. Equal scores are one step, and nothing is interpolated. Without a
/// positive it is 0 (scikit-learn's answer, too); with positives only, 1.
pub fn average_precision(ranking: &[Scored]) -> f64 {
    let total = ranking.iter().filter(|item| item.truth).count() as f64;
    if total == 0.0 {
        return 0.0;
    }
    let (mut sum, mut found, mut seen) = (0.0, 0.0, 0.0);
    for (positives, negatives) in steps(ranking) {
        found += positives as f64;
        seen += (positives + negatives) as f64;
        sum += positives as f64 / total * (found / seen);
    }
    sum
}

/// The area under the ROC curve: the chance that a positive outranks a negative, ties counting half. With one class
/// only it is undefined; 0.5, the value of a coin, stands in its place.
pub fn roc_auc(ranking: &[Scored]) -> f64 {
    let present = ranking.iter().filter(|item| item.truth).count() as f64;
    let absent = ranking.len() as f64 - present;
    if present == 0.0 || absent == 0.0 {
        return 0.5;
    }
    let (mut won, mut negatives_above) = (0.0, 0.0);
    for (positives, negatives) in steps(ranking) {
        let (positives, negatives) = (positives as f64, negatives as f64);
        won += positives * (absent - negatives_above - negatives / 2.0);
        negatives_above += negatives;
    }
    won / (present * absent)
}

/// Positives and negatives at every distinct score, highest first.
fn steps(ranking: &[Scored]) -> Vec<(usize, usize)> {
    let mut order: Vec<Scored> = ranking
        .iter()
        .map(|item| Scored {
            score: if item.score.is_nan() { f32::NEG_INFINITY } else { item.score },
            ..*item
        })
        .collect();
    order.sort_by(|a, b| b.score.total_cmp(&a.score));
    order
        .chunk_by(|a, b| a.score == b.score)
        .map(|tied| {
            let positives = tied.iter().filter(|item| item.truth).count();
            (positives, tied.len() - positives)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    fn tally(truth: &[bool], answers: &[bool]) -> Tally {
        let mut tally = Tally::default();
        for (&truth, &answer) in truth.iter().zip(answers) {
            tally.add(truth, answer);
        }
        tally
    }

    fn ranking(truth: &[u8], scores: &[f32]) -> Vec<Scored> {
        truth.iter().zip(scores).map(|(&truth, &score)| Scored { score, truth: truth == 1 }).collect()
    }

    fn close(left: f64, right: f64) {
        assert!((left - right).abs() < 1e-12, "{left} is not {right}");
    }

    #[test]
    fn counts_by_hand() {
        // 3 present (2 found), 5 absent (4 left alone): 6 of 8 right, rates 2/3 and 4/5, precision 2/3.
        let tally = Tally { true_positives: 2, false_negatives: 1, true_negatives: 4, false_positives: 1 };
        close(tally.accuracy(), 0.75);
        close(tally.balanced_accuracy(), (2.0 / 3.0 + 4.0 / 5.0) / 2.0);
        close(tally.f1(), 2.0 / 3.0);
        close(tally.positives(), 3.0 / 8.0);
        close(tally.majority_accuracy(), 5.0 / 8.0);
        assert!(!tally.majority());
    }

    #[test]
    fn one_class_and_no_label_have_stated_values() {
        let all_present = tally(&[true; 3], &[true, false, true]);
        close(all_present.balanced_accuracy(), 2.0 / 3.0);
        let all_absent = tally(&[false; 2], &[false; 2]);
        close(all_absent.balanced_accuracy(), 1.0);
        close(all_absent.f1(), 0.0);
        let none = Tally::default();
        for value in [none.accuracy(), none.balanced_accuracy(), none.f1(), none.majority_accuracy()] {
            close(value, 0.0);
        }
        close(average_precision(&ranking(&[1, 1, 1], &[0.1, 0.2, 0.3])), 1.0);
        close(average_precision(&ranking(&[0, 0], &[0.1, 0.2])), 0.0);
        close(average_precision(&[]), 0.0);
        close(roc_auc(&ranking(&[1, 1], &[0.1, 0.2])), 0.5);
        close(mean([]), 0.0);
    }

    #[test]
    fn average_precision_by_hand() {
        // Without ties: hits at ranks 1 and 3 of 4, so (1/1 + 2/3) / 2.
        close(average_precision(&ranking(&[1, 0, 1, 0], &[0.9, 0.8, 0.7, 0.6])), (1.0 + 2.0 / 3.0) / 2.0);
        // All tied: one step, precision = the share of positives.
        close(average_precision(&ranking(&[1, 0, 0, 0], &[0.5; 4])), 0.25);
    }

    // scikit-learn 1.9.1: average_precision_score, roc_auc_score, balanced_accuracy_score, f1_score and accuracy_score
    // of the lists below; answers are `score >= 0.6` (0.5 in the second).
    #[test]
    fn agrees_with_scikit_learn_on_ties() {
        let truth = [1, 0, 1, 1, 0, 0, 1, 0, 0, 1, 0, 1];
        let scores = [0.9, 0.8, 0.8, 0.7, 0.7, 0.6, 0.55, 0.5, 0.4, 0.4, 0.1, 0.1];
        let ranked = ranking(&truth, &scores);
        close(average_precision(&ranked), 0.639_682_539_682_539_6);
        close(roc_auc(&ranked), 0.583_333_333_333_333_4);
        let answers: Vec<bool> = scores.iter().map(|&score| score >= 0.6).collect();
        let counts = tally(&truth.map(|label| label == 1), &answers);
        close(counts.balanced_accuracy(), 0.5);
        close(counts.f1(), 0.5);
        close(counts.accuracy(), 0.5);
    }

    // y_i = (7 i^2 + 3 i) mod 11 < 4 and s_i = ((13 i + 5 y_i) mod 17) / 17 for i in 0..100, in both languages.
    #[test]
    fn agrees_with_scikit_learn_on_a_hundred() {
        let truth: Vec<u8> = (0..100_u32).map(|i| u8::from((7 * i * i + 3 * i) % 11 < 4)).collect();
        let scores: Vec<f32> = truth
            .iter()
            .zip(0_u32..)
            .map(|(&y, i)| ((13 * i + 5 * u32::from(y)) % 17) as f32 / 17.0)
            .collect();
        let ranked = ranking(&truth, &scores);
        close(average_precision(&ranked), 0.537_760_807_688_234_8);
        close(roc_auc(&ranked), 0.486_262_626_262_626_3);
        let truth: Vec<bool> = truth.iter().map(|&label| label == 1).collect();
        let answers: Vec<bool> = scores.iter().map(|&score| score >= 0.5).collect();
        let counts = tally(&truth, &answers);
        assert_eq!(counts.present(), 55);
        close(counts.balanced_accuracy(), 0.482_828_282_828_282_83);
        close(counts.f1(), 0.490_196_078_431_372_53);
        close(counts.accuracy(), 0.48);
    }

    proptest! {
        #[test]
        fn everything_stays_between_zero_and_one(
            items in prop::collection::vec((any::<bool>(), any::<bool>(), any::<f32>()), 0..60)
        ) {
            let mut counts = Tally::default();
            for &(truth, answer, _) in &items {
                counts.add(truth, answer);
            }
            let ranked: Vec<Scored> = items.iter().map(|&(truth, _, score)| Scored { score, truth }).collect();
            for value in [
                counts.accuracy(), counts.balanced_accuracy(), counts.f1(), counts.positives(),
                counts.majority_accuracy(), average_precision(&ranked), roc_auc(&ranked),
            ] {
                prop_assert!((0.0..=1.0 + 1e-12).contains(&value), "{value}");
            }
            prop_assert!(items.is_empty() || counts.majority_accuracy() >= 0.5);
        }

        #[test]
        fn area_counts_the_pairs(items in prop::collection::vec((any::<bool>(), 0_u8..6), 2..40)) {
            let ranked: Vec<Scored> =
                items.iter().map(|&(truth, score)| Scored { score: f32::from(score), truth }).collect();
            let (mut won, mut pairs) = (0.0, 0.0);
            for positive in ranked.iter().filter(|item| item.truth) {
                for negative in ranked.iter().filter(|item| !item.truth) {
                    pairs += 1.0;
                    if positive.score > negative.score {
                        won += 1.0;
                    } else if positive.score == negative.score {
                        won += 0.5;
                    }
                }
            }
            let expected = if pairs == 0.0 { 0.5 } else { won / pairs };
            prop_assert!((roc_auc(&ranked) - expected).abs() < 1e-9);
        }
    }
}
