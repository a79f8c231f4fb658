//! One linear SVM by LIBLINEAR, the solver that the paper used (section 3.3).

use liblinear::util::TrainingInput;
use liblinear::{Builder, LibLinearModel, SolverType};

use crate::error::TrainError;

/// A hyperplane: score = weight . x + bias.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane {
    /// A weight a feature.
    pub weight: Vec<f64>,
    /// Offset.
    pub bias: f64,
}

impl Plane {
    /// The score of a vector.
    pub fn score(&self, vector: &[f64]) -> f64 {
        self.weight.iter().zip(vector).map(|(w, x)| w * x).sum::<f64>() + self.bias
    }
}

/// LIBLINEAR takes the bias for the weight of a feature of this value and regularises it like the others. A large one leaves it as good as free:
/// else a plane for a rare attribute is drawn to "never".
const BIAS: f64 = 30.0;

/// Fits an L2-regularised SVM with squared hinge loss to rows of features and their answers.
///
/// It is solved in the primal, whose trust-region method uses no random numbers: the dual solvers draw from the C
/// library's global generator and would make a training depend on what ran before it.
/// With answers of one kind only the plane is flat: -1 or 1 everywhere.
///
/// # Errors
/// When LIBLINEAR refuses the problem.
pub fn fit(rows: &[&[f64]], answers: &[bool], cost: f64) -> Result<Plane, TrainError> {
    let width = rows.first().map_or(0, |row| row.len());
    let positives = answers.iter().filter(|yes| **yes).count();
    if positives == 0 || positives == answers.len() {
        return Ok(Plane { weight: vec![0.0; width], bias: if positives == 0 { -1.0 } else { 1.0 } });
    }
    let labels = answers.iter().map(|yes| if *yes { 1.0 } else { -1.0 }).collect();
    let features = rows.iter().map(|row| (1..).zip(row.iter().copied()).collect()).collect();
    let input = TrainingInput::from_sparse_features(labels, features).map_err(|e| refused(&e))?;

    liblinear::toggle_liblinear_stdout_output(false);
    let mut builder = Builder::new();
    builder.problem().input_data(input).bias(BIAS);
    builder
        .parameters()
        .solver_type(SolverType::L2R_L2LOSS_SVC)
        .stopping_criterion(1e-3)
        .constraints_violation_cost(cost);
    let model = builder.build_model().map_err(|e| refused(&e))?;
    // LIBLINEAR's plane points to the label that came first.
    let sign = if model.labels().first() == Some(&1) { 1.0 } else { -1.0 };
    let weight = (1..=width as i32).map(|i| sign * model.feature_coefficient(i, 0)).collect();
    Ok(Plane { weight, bias: sign * model.label_bias(0) })
}

fn refused(error: &dyn std::fmt::Display) -> TrainError {
    TrainError::Net(format!("LIBLINEAR refused an SVM: {error}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const ROWS: [[f64; 2]; 8] =
        [[0.0, 1.0], [1.0, 0.5], [2.0, 2.0], [3.0, 1.0], [0.5, -1.0], [2.5, 0.0], [1.5, 1.5], [-1.0, 0.0]];
    const EXPECTED_WEIGHT: [f64; 2] = [0.78774489, 0.34964715];
    const EXPECTED_BIAS: f64 = -1.2465702;
    const ANSWERS: [bool; 8] = [false, false, true, true, false, true, true, false];

    fn rows() -> Vec<&'static [f64]> {
        ROWS.iter().map(<[f64; 2]>::as_slice).collect()
    }

    #[test]
    fn a_plane_is_scikit_learns() {
        // sklearn.svm.LinearSVC(C=0.5, loss="squared_hinge", dual=False, intercept_scaling=30, tol=1e-10).fit(X, y)
        let plane = fit(&rows(), &ANSWERS, 0.5).unwrap();
        for (found, expected) in plane.weight.iter().zip(EXPECTED_WEIGHT) {
            assert!((found - expected).abs() < 5e-3, "{plane:?}");
        }
        assert!((plane.bias - EXPECTED_BIAS).abs() < 5e-3, "{plane:?}");
    }

    #[test]
    fn which_label_comes_first_does_not_matter() {
        let plane = fit(&rows(), &ANSWERS, 0.5).unwrap();
        let turned = ANSWERS.map(|yes| !yes);
        let mirrored = fit(&rows(), &turned, 0.5).unwrap();
        for row in rows() {
            assert!((plane.score(row) + mirrored.score(row)).abs() < 1e-2);
        }
    }

    #[test]
    fn answers_of_one_kind_give_a_flat_plane() {
        let plane = fit(&rows(), &[true; 8], 1.0).unwrap();
        assert_eq!((plane.weight, plane.bias), (vec![0.0; 2], 1.0));
    }
}
