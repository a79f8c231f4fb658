//! Cross-validation of one attribute's SVM: how it answers faces of folds that it was not fitted to.

use rayon::prelude::*;

use crate::linear_svm::{Plane, fit_linear_svm};

/// Faces of which an attribute is known, ready for an SVM.
pub struct CrossValidation {
    scale: Scale,
    /// The net's own plane for the attribute, whose score joins the FC vector.
    own: Option<Plane>,
    /// Scaled features of every face.
    rows: Vec<Vec<f64>>,
    answers: Vec<bool>,
    /// Fold of every row, below `count`.
    folds: Vec<usize>,
    count: usize,
}

impl CrossValidation {
    /// Of FC vectors with their answers and folds, as many of each. With the net's own plane little data bends what the net has learned instead of
    /// starting anew.
    pub fn new(vectors: &[&[f32]], answers: Vec<bool>, folds: Vec<usize>, own: Option<&Plane>) -> Self {
        let row = |vector: &&[f32]| {
            let mut row: Vec<f64> = vector.iter().map(|v| f64::from(*v)).collect();
            row.extend(own.map(|own| own.score(&row)));
            row
        };
        let mut rows: Vec<Vec<f64>> = vectors.iter().map(row).collect();
        let scale = Scale::of(&rows, own.is_some());
        rows.iter_mut().for_each(|row| scale.apply(row));
        let count = folds.iter().max().map_or(0, |most| most + 1);
        Self { scale, own: own.cloned(), rows, answers, folds, count }
    }

    /// The answers.
    pub fn answers(&self) -> &[bool] {
        &self.answers
    }

    /// The fold of every face.
    pub fn folds(&self) -> &[usize] {
        &self.folds
    }

    /// The SVM fitted to everybody, as a plane over the FC vector alone: the net's own score is linear in it.
    pub fn plane(&self, cost: f64) -> Plane {
        let rows: Vec<&[f64]> = self.rows.iter().map(Vec::as_slice).collect();
        let plane = self.scale.undo(&fit_linear_svm(&rows, &self.answers, cost));
        match &self.own {
            Some(own) => fold(plane, own),
            None => plane,
        }
    }

    /// Scores of every row by an SVM that saw nobody of its fold.
    pub fn left_out_scores(&self, cost: f64) -> Vec<f32> {
        let of_fold = |fold: usize| {
            let (mut seen, mut answers, mut left) = (Vec::new(), Vec::new(), Vec::new());
            for (index, ((row, answer), own)) in
                self.rows.iter().zip(&self.answers).zip(&self.folds).enumerate()
            {
                if *own == fold {
                    left.push((index, row));
                } else {
                    seen.push(row.as_slice());
                    answers.push(*answer);
                }
            }
            let plane = fit_linear_svm(&seen, &answers, cost);
            left.into_iter().map(|(index, row)| (index, plane.score(row) as f32)).collect::<Vec<_>>()
        };
        let mut scores: Vec<(usize, f32)> = (0..self.count).into_par_iter().flat_map_iter(of_fold).collect();
        scores.sort_unstable_by_key(|(index, _)| *index);
        scores.into_iter().map(|(_, score)| score).collect()
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
        let value = |row: &[f64], at: usize| row.get(at).copied().unwrap_or_default();
        let mean = mean_of(&value);
        let variance = mean_of(&|row, at| (value(row, at) - value(&mean, at)).powi(2));
        let units = width.saturating_sub(usize::from(with_own));
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
