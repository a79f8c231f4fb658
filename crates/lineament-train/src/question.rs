//! One attribute's question to the validation faces: which features, which answers, and how the SVM answers those who were left out.

use lineament::attributes::{AttributeCard, CalibrationError, Platt};
use rayon::prelude::*;

use crate::error::TrainError;
use crate::svm::{Plane, fit};
use crate::svms::Features;
use crate::thresholds::Rule;

/// The faces of which an attribute is known, ready for an SVM.
pub struct Question {
    name: String,
    scale: Scale,
    /// The net's own plane for the attribute, whose score joins the FC vector.
    own: Option<Plane>,
    /// Scaled features of every such face.
    rows: Vec<Vec<f64>>,
    answers: Vec<bool>,
    /// Fold of every row, below `count`.
    folds: Vec<usize>,
    count: usize,
}

impl Question {
    /// Of the attribute at `attribute`, in `count` folds. With the net's own plane little data bends what the net has learned instead of
    /// starting anew.
    ///
    /// # Errors
    /// When nothing is known of the attribute.
    pub fn new(
        features: &Features,
        attribute: usize,
        name: &str,
        own: Option<&Plane>,
        count: usize,
    ) -> Result<Self, TrainError> {
        let (mut rows, mut answers, mut folds) = (Vec::new(), Vec::new(), Vec::new());
        for ((vector, tags), fold) in features.vectors.iter().zip(&features.tags).zip(&features.folds) {
            let Some(answer) = tags.get(attribute).copied().flatten() else { continue };
            let mut row: Vec<f64> = vector.iter().map(|v| f64::from(*v)).collect();
            row.extend(own.map(|own| own.score(&row)));
            rows.push(row);
            answers.push(answer);
            folds.push(*fold);
        }
        if rows.is_empty() {
            let why = format!("no picture of the validation part says anything of {name}");
            return Err(TrainError::NoPictures { stage: "svms".to_owned(), why });
        }
        let scale = Scale::of(&rows, own.is_some());
        rows.iter_mut().for_each(|row| scale.apply(row));
        Ok(Self { name: name.to_owned(), scale, own: own.cloned(), rows, answers, folds, count })
    }

    /// The SVM fitted to everybody, as a plane over the FC vector alone: the net's own score is linear in it.
    ///
    /// # Errors
    /// When LIBLINEAR refuses.
    pub fn plane(&self, cost: f64) -> Result<Plane, TrainError> {
        let rows: Vec<&[f64]> = self.rows.iter().map(Vec::as_slice).collect();
        let plane = self.scale.undo(&fit(&rows, &self.answers, cost)?);
        Ok(match &self.own {
            Some(own) => fold(plane, own),
            None => plane,
        })
    }

    /// Scores of every row by an SVM that saw nobody of its fold.
    ///
    /// # Errors
    /// When LIBLINEAR refuses.
    pub fn left_out_scores(&self, cost: f64) -> Result<Vec<f32>, TrainError> {
        let planes: Vec<Plane> = (0..self.count)
            .into_par_iter()
            .map(|fold| {
                let seen = || (0..self.rows.len()).filter(|row| self.folds[*row] != fold);
                let rows: Vec<&[f64]> = seen().map(|row| self.rows[row].as_slice()).collect();
                let answers: Vec<bool> = seen().map(|row| self.answers[row]).collect();
                fit(&rows, &answers, cost)
            })
            .collect::<Result<_, _>>()?;
        Ok(self.rows.iter().zip(&self.folds).map(|(row, fold)| planes[*fold].score(row) as f32).collect())
    }

    /// How well a rule's thresholds do with such scores: see [`Rule::left_out`].
    ///
    /// # Errors
    /// When the calibration refuses the scores.
    pub fn left_out(&self, scores: &[f32], rule: Rule) -> Result<[f64; 2], TrainError> {
        rule.left_out(scores, &self.answers, &self.folds, self.count).map_err(|e| self.refused(&e))
    }

    /// Calibration and thresholds from such scores.
    ///
    /// # Errors
    /// When the calibration refuses the scores.
    pub fn card(&self, scores: &[f32], rule: Rule) -> Result<AttributeCard, TrainError> {
        let positives = self.answers.iter().filter(|yes| **yes).count() as f32;
        Ok(AttributeCard {
            name: self.name.clone(),
            platt: Platt::fit(scores, &self.answers).map_err(|e| self.refused(&e))?,
            thresholds: rule.thresholds(scores, &self.answers).map_err(|e| self.refused(&e))?,
            positives: positives / self.answers.len() as f32,
        })
    }

    fn refused(&self, error: &CalibrationError) -> TrainError {
        TrainError::Net(format!("{}: {error}", self.name))
    }
}

/// A plane over FC vector and own score as one over the FC vector.
fn fold(mut plane: Plane, own: &Plane) -> Plane {
    let share = plane.weight.pop().unwrap_or(0.0);
    plane.weight.iter_mut().zip(&own.weight).for_each(|(w, own)| *w += share * own);
    Plane { bias: plane.bias + share * own.bias, ..plane }
}

/// How much larger than the FC vector the net's own score is made: the penalty on its weight falls with the square, so that the SVM ranks
/// faces as the net does, and only what the validation people make plain moves it from there.
const OWN_SCORE: f64 = 30.0;

/// Features to zero mean and comparable size: one factor for all FC units together, so that weak units stay weak, and one for the net's own
/// score.
struct Scale {
    mean: Vec<f64>,
    factor: Vec<f64>,
}

impl Scale {
    fn of(rows: &[Vec<f64>], with_own: bool) -> Self {
        let width = rows.first().map_or(0, Vec::len);
        let count = rows.len().max(1) as f64;
        let mean_of = |value: &dyn Fn(&[f64], usize) -> f64| -> Vec<f64> {
            (0..width).map(|at| rows.iter().map(|row| value(row, at)).sum::<f64>() / count).collect()
        };
        let mean = mean_of(&|row, at| row[at]);
        let variance = mean_of(&|row, at| (row[at] - mean[at]).powi(2));
        let units = width - usize::from(with_own);
        let factor = |part: &[f64]| match part.iter().sum::<f64>() {
            total if total > 0.0 => total.sqrt().recip(),
            _ => 1.0,
        };
        let (fc, own) = variance.split_at(units);
        let mut factors = vec![factor(fc); units];
        factors.extend(own.iter().map(|_| OWN_SCORE * factor(own)));
        Self { mean, factor: factors }
    }

    fn apply(&self, row: &mut [f64]) {
        for ((value, mean), factor) in row.iter_mut().zip(&self.mean).zip(&self.factor) {
            *value = (*value - mean) * factor;
        }
    }

    /// The plane for features as they were.
    fn undo(&self, plane: &Plane) -> Plane {
        let weight: Vec<f64> = plane.weight.iter().zip(&self.factor).map(|(w, f)| w * f).collect();
        let bias = plane.bias - weight.iter().zip(&self.mean).map(|(w, m)| w * m).sum::<f64>();
        Plane { weight, bias }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plane_over_vector_and_own_score_is_one_over_the_vector() {
        let own = Plane { weight: vec![0.5, -2.0, 1.0], bias: 0.25 };
        let plane = Plane { weight: vec![1.0, 3.0, -0.5, 2.0], bias: -1.0 };
        let folded = fold(plane.clone(), &own);
        for vector in [[0.0, 0.0, 0.0], [1.0, -1.0, 2.0], [0.3, 0.7, -0.2]] {
            let mut row = vector.to_vec();
            row.push(own.score(&vector));
            assert!((folded.score(&vector) - plane.score(&row)).abs() < 1e-12);
        }
    }

    #[test]
    fn scaling_is_undone() {
        let rows = vec![vec![1.0, 5.0, 0.1], vec![3.0, 5.0, 0.5], vec![-2.0, 5.0, 0.9]];
        let scale = Scale::of(&rows, true);
        let plane = Plane { weight: vec![0.5, 2.0, -1.0], bias: 0.75 };
        let plain = scale.undo(&plane);
        for row in rows {
            let mut scaled = row.clone();
            scale.apply(&mut scaled);
            assert!((plane.score(&scaled) - plain.score(&row)).abs() < 1e-12);
        }
    }
}
