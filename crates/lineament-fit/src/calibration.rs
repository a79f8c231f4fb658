//! Platt's sigmoid fitted to scores and answers, as Lin, Lin and Weng showed.

use lineament::attributes::{Platt, SigmoidError};

/// Why nothing can be fitted to scores and answers.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CalibrationError {
    /// Nothing to learn from.
    #[error("calibration needs at least one scored picture; none were given")]
    Empty,
    /// Scores and answers do not pair up.
    #[error("calibration got {scores} scores and {answers} answers; give one answer for each score")]
    Lengths {
        /// How many scores came.
        scores: usize,
        /// How many answers came.
        answers: usize,
    },
    /// A score is infinite or not a number.
    #[error("score {index} is {score}; calibration needs finite scores")]
    Score {
        /// Its place among the scores.
        index: usize,
        /// The score itself.
        score: f32,
    },
    /// The fitted sigmoid is none.
    #[error(transparent)]
    Sigmoid(#[from] SigmoidError),
}

/// Fits the sigmoid to scores of images that the scorer did not learn from, and their answers.
///
/// The targets are Platt's (pulled off 0 and 1 by one image of each kind), so that separable or one-sided answers
/// still give finite constants.
///
/// # Errors
/// Nothing given, lengths that differ, or a score that is not finite.
pub fn fit_platt(scores: &[f32], answers: &[bool]) -> Result<Platt, CalibrationError> {
    check_pairs(scores, answers)?;
    // Newton steps do not mind the scale of the scores, but the ridge and the stop below do.
    let scale = scores.iter().fold(0.0_f64, |top, &s| top.max(f64::from(s).abs()));
    let scale = if scale > 0.0 { scale } else { 1.0 };
    let positives = answers.iter().filter(|&&yes| yes).count() as f64;
    let negatives = answers.len() as f64 - positives;
    let yes = (positives + 1.0) / (positives + 2.0);
    let no = 1.0 / (negatives + 2.0);
    let points: Vec<(f64, f64)> = scores
        .iter()
        .zip(answers)
        .map(|(&score, &answer)| (f64::from(score) / scale, if answer { yes } else { no }))
        .collect();
    let (a, b) = newton(&points, ((negatives + 1.0) / (positives + 1.0)).ln());
    let fitted = Platt { a: (a / scale) as f32, b: b as f32 };
    fitted.check()?;
    Ok(fitted)
}

/// Refuses scores that cannot be learned from: shared by everything that is fitted to scores and answers.
pub(crate) fn check_pairs(scores: &[f32], answers: &[bool]) -> Result<(), CalibrationError> {
    if scores.len() != answers.len() {
        return Err(CalibrationError::Lengths { scores: scores.len(), answers: answers.len() });
    }
    if scores.is_empty() {
        return Err(CalibrationError::Empty);
    }
    match scores.iter().position(|score| !score.is_finite()) {
        Some(index) => {
            Err(CalibrationError::Score { index, score: scores.get(index).copied().unwrap_or(f32::NAN) })
        }
        None => Ok(()),
    }
}

/// `1 / (1 + exp(f))` without overflow on either side.
fn sigmoid(f: f64) -> f64 {
    if f >= 0.0 {
        let e = (-f).exp();
        e / (1.0 + e)
    } else {
        1.0 / (1.0 + f.exp())
    }
}

/// Cross entropy of the sigmoid at (a, b), in the form of Lin, Lin and Weng that loses no digits.
fn loss(points: &[(f64, f64)], a: f64, b: f64) -> f64 {
    points
        .iter()
        .map(|&(score, target)| {
            let f = a * score + b;
            if f >= 0.0 { target * f + (-f).exp().ln_1p() } else { (target - 1.0) * f + f.exp().ln_1p() }
        })
        .sum()
}

/// Newton's method with backtracking from a = 0 and the given b.
fn newton(points: &[(f64, f64)], start: f64) -> (f64, f64) {
    const STEPS: usize = 100;
    const SHORTEST: f64 = 1e-10;
    const RIDGE: f64 = 1e-12;
    let (mut a, mut b) = (0.0, start);
    let mut value = loss(points, a, b);
    for _ in 0..STEPS {
        let (mut h11, mut h22, mut h21, mut g1, mut g2) = (RIDGE, RIDGE, 0.0, 0.0, 0.0);
        for &(score, target) in points {
            let p = sigmoid(a * score + b);
            let curve = p * (1.0 - p);
            h11 += score * score * curve;
            h22 += curve;
            h21 += score * curve;
            g1 += score * (target - p);
            g2 += target - p;
        }
        // The loss is a sum over images, and so is what rounding leaves of its gradient.
        let enough = 1e-9 * points.len() as f64;
        if g1.abs() < enough && g2.abs() < enough {
            break;
        }
        let determinant = h11 * h22 - h21 * h21;
        let da = -(h22 * g1 - h21 * g2) / determinant;
        let db = -(h11 * g2 - h21 * g1) / determinant;
        let slope = g1 * da + g2 * db;
        let mut step = 1.0;
        while step >= SHORTEST {
            let (next_a, next_b) = (a + step * da, b + step * db);
            let next = loss(points, next_a, next_b);
            if next < value + 1e-4 * step * slope {
                (a, b, value) = (next_a, next_b, next);
                break;
            }
            step /= 2.0;
        }
        if step < SHORTEST {
            break;
        }
    }
    (a, b)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn assert_fit(scores: &[f32], answers: &[bool], a: f32, b: f32) {
        let fitted = fit_platt(scores, answers).unwrap();
        assert!((fitted.a - a).abs() < 2e-4 * a.abs().max(1.0), "{fitted:?}, expected a = {a}");
        assert!((fitted.b - b).abs() < 2e-4 * b.abs().max(1.0), "{fitted:?}, expected b = {b}");
    }

    /// Expected values: `sklearn.calibration._sigmoid_calibration` of scikit-learn 1.9.1 on the same numbers.
    #[test]
    fn fits_agree_with_scikit_learn() {
        let answers = [0, 0, 0, 1, 0, 0, 1, 1, 1, 1].map(|yes| yes == 1);
        let scores = [-2.5, -1.75, -1.0, -0.5, -0.25, 0.0, 0.25, 0.75, 1.5, 2.0];
        assert_fit(&scores, &answers, -1.022_320_4, -0.139_393_3);

        let separable = [-3.0, -2.0, -1.0, 1.0, 2.0, 3.0];
        assert_fit(&separable, &[false, false, false, true, true, true], -0.621_402, 0.0);

        assert_fit(&[0.5, -0.5, 1.5, -1.5], &[false, true, false, true], 0.908_184_3, 0.0);

        let wide = [-40.0, -20.0, -5.0, 3.0, 8.0, 25.0, 60.0, -1.0];
        let answers = [0, 0, 0, 1, 0, 1, 1, 1].map(|yes| yes == 1);
        assert_fit(&wide, &answers, -0.039_081_5, 0.107_273);

        let scores: Vec<f32> = (0..200).map(|i| ((i * 37) % 101) as f32 / 20.0 - 2.5).collect();
        let answers: Vec<bool> = scores
            .iter()
            .enumerate()
            .map(|(i, score)| score + (((i * 53) % 89) as f32 / 30.0 - 1.5) > 1.0)
            .collect();
        assert_fit(&scores, &answers, -1.823_775_5, 1.916_249_5);
    }

    #[test]
    fn one_sided_answers_give_their_share() {
        let fitted = fit_platt(&[0.3, -0.2, 1.0], &[true; 3]).unwrap();
        assert!((fitted.probability(0.0) - 0.8).abs() < 1e-6);
        let fitted = fit_platt(&[0.0; 4], &[true, false, false, false]).unwrap();
        assert!((0.0..0.5).contains(&fitted.probability(0.0)));
    }

    #[test]
    fn bad_input_is_refused() {
        assert_eq!(fit_platt(&[], &[]), Err(CalibrationError::Empty));
        assert_eq!(fit_platt(&[1.0], &[]), Err(CalibrationError::Lengths { scores: 1, answers: 0 }));
        assert!(matches!(
            fit_platt(&[1.0, f32::NAN], &[true, false]),
            Err(CalibrationError::Score { index: 1, .. })
        ));
    }

    proptest! {
        #[test]
        fn no_neighbour_of_the_fit_is_better(
            pairs in prop::collection::vec((-8.0_f32..8.0, any::<bool>()), 2..60),
        ) {
            let (scores, answers): (Vec<f32>, Vec<bool>) = pairs.into_iter().unzip();
            let fitted = fit_platt(&scores, &answers).unwrap();
            let positives = answers.iter().filter(|&&yes| yes).count() as f64;
            let negatives = answers.len() as f64 - positives;
            let points: Vec<(f64, f64)> = scores.iter().zip(&answers).map(|(&s, &yes)| {
                (f64::from(s), if yes { (positives + 1.0) / (positives + 2.0) } else { 1.0 / (negatives + 2.0) })
            }).collect();
            let (a, b) = (f64::from(fitted.a), f64::from(fitted.b));
            let here = loss(&points, a, b);
            for (da, db) in [(1e-2, 0.0), (-1e-2, 0.0), (0.0, 1e-2), (0.0, -1e-2)] {
                prop_assert!(loss(&points, a + da, b + db) >= here - 1e-9);
            }
        }
    }
}
