//! From scores to a decision: where faces begin (paper, section 3.1: the decision boundary between the
//! maximum scores of 2,000 images with one face and of 2,000 without).

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A threshold (scores of at least this are faces) and what it does to the scores it was chosen on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Boundary {
    /// The least score of a face.
    pub threshold: f32,
    /// Share of the face images that reach it.
    pub found: f64,
    /// False alarms per background image.
    pub false_alarms: f64,
}

/// Why no threshold can be chosen.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ThresholdError {
    /// No scores of faces or no background images.
    #[error("no threshold can be chosen without {what}: add some to the calibration pictures")]
    Nothing {
        /// What is missing.
        what: &'static str,
    },
    /// A score is infinite or not a number.
    #[error("the score of a {what} is {score}: scores must be finite numbers")]
    NotFinite {
        /// Whose score.
        what: &'static str,
        /// The score.
        score: f32,
    },
    /// The rate of false alarms asked for is negative or not a number.
    #[error("{rate} false alarms per picture cannot be asked for: give a number from 0 up")]
    Rate {
        /// What was asked for.
        rate: f64,
    },
}

/// The threshold of least error between the maximum scores of images with and without a face: missed faces
/// and false alarms weigh the same, each as a share of its own images.
///
/// It lies halfway between the two neighbouring scores that it parts; of equally good places the lowest is
/// taken, which finds the most faces.
///
/// # Errors
/// Without scores on either side, or where one is not finite.
pub fn least_error(faces: &[f32], backgrounds: &[f32]) -> Result<Boundary, ThresholdError> {
    let sides = Sides::new(faces, backgrounds, backgrounds.len())?;
    let error = |b: &Boundary| (1.0 - b.found) + b.false_alarms;
    let best = sides.boundaries().reduce(|best, next| if error(&next) < error(&best) { next } else { best });
    best.ok_or(ThresholdError::Nothing { what: "scores" })
}

/// The lowest threshold with at most `rate` false alarms per background image.
///
/// `alarms` are the scores of everything found in `pictures` background images; with the maximum score of
/// each image alone, the rate is the share of images with a false alarm.
///
/// # Errors
/// Without faces or images, where a score is not finite, or for a negative rate.
pub fn at_false_alarms(
    faces: &[f32],
    alarms: &[f32],
    images: usize,
    rate: f64,
) -> Result<Boundary, ThresholdError> {
    if rate.is_nan() || rate < 0.0 {
        return Err(ThresholdError::Rate { rate });
    }
    let sides = Sides::new(faces, alarms, images)?;
    // False alarms only become fewer; at the last boundary there are none.
    sides.boundaries().find(|b| b.false_alarms <= rate).ok_or(ThresholdError::Nothing { what: "scores" })
}

/// Both sides' scores, sorted.
struct Sides {
    faces: Vec<f32>,
    alarms: Vec<f32>,
    images: usize,
}

impl Sides {
    fn new(faces: &[f32], alarms: &[f32], images: usize) -> Result<Self, ThresholdError> {
        if faces.is_empty() {
            return Err(ThresholdError::Nothing { what: "scores of pictures with a face" });
        }
        if images == 0 {
            return Err(ThresholdError::Nothing { what: "background pictures" });
        }
        Ok(Self { faces: sorted(faces, "face")?, alarms: sorted(alarms, "background")?, images })
    }

    /// A boundary below all scores, one between any two neighbouring ones, and one above all, rising.
    fn boundaries(&self) -> impl Iterator<Item = Boundary> + '_ {
        let mut scores: Vec<f32> = self.faces.iter().chain(&self.alarms).copied().collect();
        scores.sort_by(f32::total_cmp);
        scores.dedup();
        let lowest = scores.first().copied();
        let highest = scores.last().map(|last| last.next_up());
        let between: Vec<f32> = scores.windows(2).map(|pair| above(pair[0], pair[1])).collect();
        let reach =
            |sorted: &[f32], threshold: f32| sorted.len() - sorted.partition_point(|&s| s < threshold);
        lowest.into_iter().chain(between).chain(highest).map(move |threshold| Boundary {
            threshold,
            found: reach(&self.faces, threshold) as f64 / self.faces.len() as f64,
            false_alarms: reach(&self.alarms, threshold) as f64 / self.images as f64,
        })
    }
}

/// Halfway between two scores, and above the lower one even where they are neighbours among the floats.
fn above(lower: f32, upper: f32) -> f32 {
    let middle = f32::midpoint(lower, upper);
    if middle > lower { middle } else { upper }
}

fn sorted(scores: &[f32], what: &'static str) -> Result<Vec<f32>, ThresholdError> {
    if let Some(&score) = scores.iter().find(|score| !score.is_finite()) {
        return Err(ThresholdError::NotFinite { what, score });
    }
    // Adding zero makes -0.0 the same as 0.0.
    let mut sorted: Vec<f32> = scores.iter().map(|score| score + 0.0).collect();
    sorted.sort_by(f32::total_cmp);
    Ok(sorted)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn separate_sides_are_parted_halfway() {
        let boundary = least_error(&[0.9, 0.7, 0.8], &[0.1, 0.3]).unwrap();
        assert_eq!(boundary, Boundary { threshold: 0.5, found: 1.0, false_alarms: 0.0 });
    }

    #[test]
    fn overlapping_sides_are_parted_where_the_error_is_least() {
        let boundary = least_error(&[0.2, 0.6, 0.7, 0.8], &[0.0, 0.1, 0.3, 0.4, 0.65]).unwrap();
        assert!((boundary.threshold - 0.5).abs() < 1e-6);
        assert_eq!((boundary.found, boundary.false_alarms), (0.75, 0.2));
    }

    #[test]
    fn false_alarms_are_counted_per_image() {
        // Four alarms in two images.
        let alarms = [0.2, 0.4, 0.6, 0.8];
        let faces = [0.5, 0.7, 0.9];
        assert_eq!(at_false_alarms(&faces, &alarms, 2, 2.0).unwrap().threshold, 0.2);
        let half = at_false_alarms(&faces, &alarms, 2, 0.5).unwrap();
        assert!((half.threshold - 0.65).abs() < 1e-6 && half.false_alarms == 0.5);
        let none = at_false_alarms(&faces, &alarms, 2, 0.0).unwrap();
        assert!((none.threshold - 0.85).abs() < 1e-6);
        assert!((none.found - 1.0 / 3.0).abs() < 1e-9);
        // Backgrounds without a single window.
        assert_eq!(at_false_alarms(&faces, &[], 10, 0.0).unwrap().found, 1.0);
    }

    #[test]
    fn what_cannot_be_decided_is_refused() {
        assert!(matches!(least_error(&[], &[0.1]), Err(ThresholdError::Nothing { .. })));
        assert!(matches!(least_error(&[0.1], &[]), Err(ThresholdError::Nothing { .. })));
        assert!(matches!(least_error(&[f32::NAN], &[0.1]), Err(ThresholdError::NotFinite { .. })));
        assert!(matches!(
            at_false_alarms(&[0.1], &[0.1], 1, -1.0),
            Err(ThresholdError::Rate { rate }) if rate == -1.0
        ));
    }

    /// Few distinct values, so that there are ties.
    fn scores() -> impl Strategy<Value = Vec<f32>> {
        prop::collection::vec((-10i8..10).prop_map(|v| f32::from(v) / 8.0), 1..30)
    }

    proptest! {
        #[test]
        fn no_threshold_has_less_error(faces in scores(), backgrounds in scores()) {
            let error = |t: f32| {
                let share = |s: &[f32]| s.iter().filter(|&&v| v >= t).count() as f64 / s.len() as f64;
                1.0 - share(&faces) + share(&backgrounds)
            };
            let best = least_error(&faces, &backgrounds).unwrap();
            prop_assert!((error(best.threshold) - (1.0 - best.found + best.false_alarms)).abs() < 1e-9);
            for t in faces.iter().chain(&backgrounds).flat_map(|&t| [t, t.next_up()]) {
                prop_assert!(error(best.threshold) <= error(t) + 1e-9);
            }
        }

        #[test]
        fn false_alarms_stay_within_the_rate_and_no_lower_boundary_does(
            faces in scores(), alarms in scores(), images in 1usize..40, rate in 0.0f64..1.5,
        ) {
            let rate_at = |t: f32| alarms.iter().filter(|&&v| v >= t).count() as f64 / images as f64;
            let chosen = at_false_alarms(&faces, &alarms, images, rate).unwrap();
            prop_assert!(rate_at(chosen.threshold) <= rate);
            let below = faces.iter().chain(&alarms).copied().filter(|&t| t < chosen.threshold).reduce(f32::max);
            prop_assert!(below.is_none_or(|t| rate_at(t) > rate));
        }
    }
}
