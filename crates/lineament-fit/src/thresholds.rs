//! Thresholds from scores and answers: the cut with most right answers, or with the best balanced accuracy.

use crate::calibration::{CalibrationError, check_pairs};
use lineament::attributes::Thresholds;

/// The best thresholds for scores of images that the scorer did not learn from, and their answers.
///
/// # Errors
/// Nothing given, lengths that differ, or a score that is not finite.
pub fn choose_thresholds(scores: &[f32], answers: &[bool]) -> Result<Thresholds, CalibrationError> {
    let cuts = Cuts::new(scores, answers)?;
    Ok(Thresholds {
        accuracy: cuts.best(|cut| (cut.hits + cut.passes) as f64),
        balanced: cuts.best(|cut| {
            let share = |right: usize, of: usize| if of == 0 { 0.0 } else { right as f64 / of as f64 };
            share(cut.hits, cuts.positives) + share(cut.passes, cuts.negatives)
        }),
    })
}

/// One way to cut the scores in two, and what it gets right.
struct Cut {
    threshold: f32,
    /// Images with the attribute above the threshold.
    hits: usize,
    /// Images without it at or below the threshold.
    passes: usize,
}

/// Every cut that differs in its answers, from "all yes" to "all no".
struct Cuts {
    cuts: Vec<Cut>,
    positives: usize,
    negatives: usize,
}

impl Cuts {
    fn new(scores: &[f32], answers: &[bool]) -> Result<Self, CalibrationError> {
        check_pairs(scores, answers)?;
        let mut pairs: Vec<(f32, bool)> = scores.iter().copied().zip(answers.iter().copied()).collect();
        pairs.sort_by(|left, right| left.0.total_cmp(&right.0));
        let positives = pairs.iter().filter(|(_, yes)| *yes).count();
        let negatives = pairs.len() - positives;
        let (lowest, highest) = match (pairs.first(), pairs.last()) {
            (Some(&(lowest, _)), Some(&(highest, _))) => (lowest, highest),
            _ => return Err(CalibrationError::Empty),
        };
        // The outermost cuts lie one mean gap beyond the scores seen: a new score just outside is still answered alike.
        let gap = ((highest / 2.0 - lowest / 2.0) / pairs.len() as f32 * 2.0).max(1e-3);
        let mut cuts = vec![Cut {
            threshold: (lowest - gap).min(lowest.next_down()).max(f32::MIN),
            hits: positives,
            passes: 0,
        }];
        let (mut hits, mut passes) = (positives, 0);
        let mut rest = pairs.iter().peekable();
        while let Some(&(score, yes)) = rest.next() {
            if yes {
                hits -= 1;
            } else {
                passes += 1;
            }
            let threshold = match rest.peek() {
                Some(&&(next, _)) if next == score => continue,
                Some(&&(next, _)) => between(score, next),
                None => (highest + gap).min(f32::MAX),
            };
            cuts.push(Cut { threshold, hits, passes });
        }
        Ok(Self { cuts, positives, negatives })
    }

    /// The threshold of the best cut; among equals the middle one, farthest from answers that it might get wrong.
    fn best(&self, worth: impl Fn(&Cut) -> f64) -> f32 {
        let top = self.cuts.iter().map(&worth).fold(f64::MIN, f64::max);
        let equals: Vec<&Cut> = self.cuts.iter().filter(|cut| worth(cut) == top).collect();
        equals.get(equals.len() / 2).map_or(0.0, |cut| cut.threshold)
    }
}

/// A threshold that `low` does not exceed and `high` does.
fn between(low: f32, high: f32) -> f32 {
    let middle = low / 2.0 + high / 2.0;
    if middle >= low && middle < high { middle } else { low }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn right(scores: &[f32], answers: &[bool], threshold: f32) -> (usize, f64) {
        let count = |want: bool| {
            let of = answers.iter().filter(|&&yes| yes == want).count();
            let good = scores
                .iter()
                .zip(answers)
                .filter(|&(&s, &yes)| yes == want && (s > threshold) == want)
                .count();
            (good, of)
        };
        let ((hits, positives), (passes, negatives)) = (count(true), count(false));
        let share = |good: usize, of: usize| if of == 0 { 0.0 } else { good as f64 / of as f64 };
        (hits + passes, share(hits, positives) + share(passes, negatives))
    }

    #[test]
    fn a_clean_gap_is_cut_in_its_middle() {
        let chosen = choose_thresholds(&[-2.0, -1.0, 1.0, 2.0], &[false, false, true, true]).unwrap();
        assert_eq!(chosen, Thresholds { accuracy: 0.0, balanced: 0.0 });
    }

    #[test]
    fn a_rare_attribute_is_cut_lower_when_balanced() {
        let scores: Vec<f32> = (0..20).map(|i| i as f32).collect();
        let answers: Vec<bool> = (0..20).map(|i| i == 12).collect();
        let chosen = choose_thresholds(&scores, &answers).unwrap();
        assert!(chosen.accuracy > 19.0, "{chosen:?}");
        assert_eq!(chosen.balanced, 11.5);
    }

    #[test]
    fn one_sided_answers_stay_finite() {
        for answer in [true, false] {
            let chosen = choose_thresholds(&[f32::MIN, 0.0, f32::MAX], &[answer; 3]).unwrap();
            assert!(chosen.is_finite());
        }
        let chosen = choose_thresholds(&[1.0, 1.0], &[true, true]).unwrap();
        assert!(chosen.accuracy < 1.0 && chosen.balanced < 1.0);
        assert!(choose_thresholds(&[], &[]).is_err());
    }

    #[test]
    fn the_cut_between_neighbouring_numbers_still_parts_them() {
        let low = 0.1_f32;
        let high = low.next_up();
        let cut = between(low, high);
        assert!(low <= cut && high > cut);
    }

    proptest! {
        /// Against every threshold that could differ, tried one by one.
        #[test]
        fn nothing_beats_the_chosen_cut(
            pairs in prop::collection::vec((-6_i8..6, any::<bool>()), 1..40),
        ) {
            let (scores, answers): (Vec<f32>, Vec<bool>) =
                pairs.into_iter().map(|(s, yes)| (f32::from(s), yes)).unzip();
            let chosen = choose_thresholds(&scores, &answers).unwrap();
            for step in -14..14 {
                let other = right(&scores, &answers, step as f32 / 2.0);
                prop_assert!(right(&scores, &answers, chosen.accuracy).0 >= other.0);
                prop_assert!(right(&scores, &answers, chosen.balanced).1 >= other.1 - 1e-12);
            }
        }
    }
}
