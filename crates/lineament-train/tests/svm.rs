//! The SVM's solver against LIBLINEAR, which the paper used.

#![allow(clippy::unwrap_used, missing_docs)]

use liblinear::util::TrainingInput;
use liblinear::{Builder, LibLinearModel, SolverType};
use lineament_fit::{Plane, fit_linear_svm};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The feature that stands for the bias in [`fit`].
const BIAS: f64 = 30.0;

fn liblinears(rows: &[Vec<f64>], answers: &[bool], cost: f64) -> Plane {
    let labels = answers.iter().map(|yes| if *yes { 1.0 } else { -1.0 }).collect();
    let features = rows.iter().map(|row| (1..).zip(row.iter().copied()).collect()).collect();
    let input = TrainingInput::from_sparse_features(labels, features).unwrap();
    liblinear::toggle_liblinear_stdout_output(false);
    let mut builder = Builder::new();
    builder.problem().input_data(input).bias(BIAS);
    builder
        .parameters()
        .solver_type(SolverType::L2R_L2LOSS_SVC)
        .stopping_criterion(1e-9)
        .constraints_violation_cost(cost);
    let model = builder.build_model().unwrap();
    // LIBLINEAR's plane points to the label that came first.
    let sign = if model.labels().first() == Some(&1) { 1.0 } else { -1.0 };
    let width = rows[0].len() as i32;
    Plane {
        weight: (1..=width).map(|i| sign * model.feature_coefficient(i, 0)).collect(),
        bias: sign * model.label_bias(0),
    }
}

#[test]
fn planes_are_liblinears() {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    for (count, width, cost) in [(40, 5, 0.01), (200, 20, 0.1), (300, 60, 1.0), (60, 100, 10.0)] {
        let rows: Vec<Vec<f64>> =
            (0..count).map(|_| (0..width).map(|_| rng.random_range(-1.0..1.0)).collect()).collect();
        let answers: Vec<bool> =
            rows.iter().map(|row| row[0] + row[1] + rng.random_range(-0.7..0.7) > 0.3).collect();
        let own = fit_linear_svm(&rows.iter().map(Vec::as_slice).collect::<Vec<_>>(), &answers, cost);
        let theirs = liblinears(&rows, &answers, cost);
        let size = theirs.weight.iter().map(|w| w * w).sum::<f64>().sqrt();
        for (one, other) in own.weight.iter().zip(&theirs.weight).chain([(&own.bias, &theirs.bias)]) {
            assert!(
                (one - other).abs() < 1e-3 * size,
                "{count} x {width}, cost {cost}: {one} and {other} of {size}"
            );
        }
    }
}
