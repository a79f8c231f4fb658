//! Linear SVMs on many long rows: the paper's solver, dual coordinate descent.
//!
//! [`lineament_fit::fit_linear_svm`] ends at the exact plane, which is worth its time on a thousand short rows. Here are ten thousand rows of
//! thousands of numbers, forty attributes and many settings to choose from.

use lineament_fit::Plane;
use rand::seq::SliceRandom;

use lineament_train::batches::stream;

/// Passes over the rows at most.
const PASSES: u64 = 60;
/// Where no row's dual gradient is off by more than this, the plane is good enough: LIBLINEAR's own limit.
const ENOUGH: f32 = 0.1;

/// Fits an L2-regularised SVM with squared hinge loss, `|w|² / 2 + cost · Σ max(0, 1 - y w·x)²`, by dual coordinate descent (C.-J. Hsieh and
/// others, "A Dual Coordinate Descent Method for Large-scale Linear SVM", ICML 2008: LIBLINEAR's solver 1). The bias is the weight of a
/// feature that is always 1. With answers of one kind only the plane is flat: -1 or 1 everywhere.
pub fn fit(rows: &[&[f32]], answers: &[bool], cost: f32, seed: u64) -> Plane {
    let width = rows.first().map_or(0, |row| row.len());
    let positives = answers.iter().filter(|yes| **yes).count();
    if positives == 0 || positives == answers.len() {
        return Plane { weight: vec![0.0; width], bias: if positives == 0 { -1.0 } else { 1.0 } };
    }
    let slack = 1.0 / (2.0 * cost);
    let sizes: Vec<f32> = rows.iter().map(|row| dot(row, row) + 1.0 + slack).collect();
    let (mut weight, mut bias) = (vec![0.0_f32; width], 0.0_f32);
    let mut duals = vec![0.0_f32; rows.len()];
    let mut order: Vec<usize> = (0..rows.len()).collect();
    for pass in 0..PASSES {
        order.shuffle(&mut stream(seed, pass, 0x5f5d));
        let mut worst = 0.0_f32;
        for &at in &order {
            let (row, dual) = (rows[at], &mut duals[at]);
            let sign = if answers[at] { 1.0 } else { -1.0 };
            let slope = sign * (dot(&weight, row) + bias) - 1.0 + slack * *dual;
            let off = if *dual == 0.0 { slope.min(0.0) } else { slope };
            worst = worst.max(off.abs());
            if off.abs() < 1e-6 {
                continue;
            }
            let next = (*dual - slope / sizes[at]).max(0.0);
            let step = sign * (next - *dual);
            *dual = next;
            weight.iter_mut().zip(row).for_each(|(w, x)| *w += step * x);
            bias += step;
        }
        if worst < ENOUGH {
            break;
        }
    }
    Plane { weight: weight.into_iter().map(f64::from).collect(), bias: f64::from(bias) }
}

/// Sums side by side, so that several products are made at a time.
pub fn dot(one: &[f32], other: &[f32]) -> f32 {
    let (ones, rest) = one.as_chunks::<16>();
    let (others, other_rest) = other.as_chunks::<16>();
    let mut sums = [0.0_f32; 16];
    for (a, b) in ones.iter().zip(others) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f32>() + rest.iter().zip(other_rest).map(|(a, b)| a * b).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    #[test]
    fn planes_are_near_the_exact_ones() {
        let mut rng = stream(1, 2, 3);
        let rows: Vec<Vec<f32>> =
            (0..400).map(|_| (0..37).map(|_| rng.random_range(-0.3..0.3)).collect()).collect();
        let truth: Vec<f32> = (0..37).map(|_| rng.random_range(-1.0..1.0)).collect();
        let answers: Vec<bool> =
            rows.iter().map(|row| dot(row, &truth) + 0.1 + rng.random_range(-0.2..0.2) > 0.0).collect();
        let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
        let exact_rows: Vec<Vec<f64>> =
            rows.iter().map(|row| row.iter().map(|x| f64::from(*x)).collect()).collect();
        let borrowed: Vec<&[f64]> = exact_rows.iter().map(Vec::as_slice).collect();
        for cost in [0.1, 1.0, 10.0] {
            let found = fit(&rows, &answers, cost, 7);
            let exact = lineament_fit::fit_linear_svm(&borrowed, &answers, f64::from(cost));
            // The exact solver leaves its bias nearly free, so the planes differ by what a bias of 1 costs.
            let score = |plane: &Plane| -> Vec<f64> { borrowed.iter().map(|row| plane.score(row)).collect() };
            let (ours, theirs) = (score(&found), score(&exact));
            let apart = ours.iter().zip(&theirs).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
            let size = theirs.iter().map(|b| b * b).sum::<f64>();
            assert!(apart < 0.01 * size, "cost {cost}: {}", (apart / size).sqrt());
            assert_eq!(fit(&rows, &answers, cost, 7), found);
        }
    }
}
