//! Ridge regression, whose strength is chosen on people who are left out.

use nalgebra::{DMatrix, DVector};

use crate::folds::assign_folds;

/// People are left out in so many parts.
const FOLDS: usize = 5;

/// A linear function of a row, and what it is worth.
#[derive(Debug, Clone, PartialEq)]
pub struct Ridge {
    /// A weight a column.
    pub weight: Vec<f64>,
    /// What is added.
    pub bias: f64,
    /// How strongly weights were held back, of those that were tried: in variances of a standardized column.
    pub strength: f64,
    /// Of each row what it is given by a function that was fitted, with this strength, to the rows of other people.
    pub left_out: Vec<f64>,
}

/// Why nothing can be fitted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RidgeError {
    /// Lists that do not belong together.
    #[error("there are {rows} rows, and {found} targets, weights or people; give one of each for every row")]
    Lengths {
        /// Rows.
        rows: usize,
        /// Of what there are not as many.
        found: usize,
    },
    /// Rows of different lengths, or without a number.
    #[error(
        "row {row} has {found} columns where the first one has {expected}; all need the same, and one at least"
    )]
    Columns {
        /// The row, from 0.
        row: usize,
        /// Its length.
        found: usize,
        /// That of the first row.
        expected: usize,
    },
    /// Nobody would be left.
    #[error("there are rows of {0} people, and {FOLDS} are needed, some to be left out in turn")]
    TooFewPeople(usize),
    /// A number that is none, or no strength that holds anything back.
    #[error("{0} must be finite numbers, and weights and strengths above 0")]
    NotFinite(&'static str),
}

/// Fits the targets by the rows, of which each counts as `weights` says. Of the `strengths` that with the least squared error on people who are left out is taken.
///
/// # Errors
/// Lists that do not fit together, too few people, or numbers that are not finite.
pub fn fit_ridge(
    rows: &[Vec<f32>],
    targets: &[f64],
    weights: &[f64],
    people: &[u64],
    strengths: &[f64],
) -> Result<Ridge, RidgeError> {
    let count = rows.len();
    if let Some(found) = [targets.len(), weights.len(), people.len()].into_iter().find(|len| *len != count) {
        return Err(RidgeError::Lengths { rows: count, found });
    }
    let expected = rows.first().map_or(0, Vec::len);
    let odd = |(_, row): &(usize, &Vec<f32>)| row.len() != expected || row.is_empty();
    if let Some((row, found)) = rows.iter().enumerate().find(odd) {
        return Err(RidgeError::Columns { row, found: found.len(), expected });
    }
    let folds = assign_folds(people.iter().copied(), FOLDS);
    let parts: Vec<Vec<usize>> = (0..FOLDS)
        .map(|fold| folds.iter().enumerate().filter(|(_, own)| **own == fold).map(|(row, _)| row).collect())
        .collect();
    let there = parts.iter().filter(|part| !part.is_empty()).count();
    if there < FOLDS {
        return Err(RidgeError::TooFewPeople(there));
    }
    if !rows.iter().flatten().all(|value| value.is_finite()) {
        return Err(RidgeError::NotFinite("rows"));
    }
    if !targets.iter().all(|target| target.is_finite()) {
        return Err(RidgeError::NotFinite("targets"));
    }
    if !weights.iter().all(|weight| weight.is_finite() && *weight > 0.0) {
        return Err(RidgeError::NotFinite("weights"));
    }
    if strengths.is_empty() || !strengths.iter().all(|strength| strength.is_finite() && *strength > 0.0) {
        return Err(RidgeError::NotFinite("strengths"));
    }

    let sums: Vec<Sums> = parts.iter().map(|part| Sums::of(rows, targets, weights, part)).collect();
    let mut best: Option<(f64, f64, Vec<f64>)> = None;
    for &strength in strengths {
        let mut left_out = vec![0.0; count];
        for (fold, part) in parts.iter().enumerate() {
            let others = sums.iter().enumerate().filter(|(other, _)| *other != fold).map(|(_, sums)| sums);
            let (weight, bias) = solve(others, expected, strength).ok_or(RidgeError::NotFinite("rows"))?;
            for &row in part {
                left_out[row] = apply(&weight, bias, &rows[row]);
            }
        }
        let square = |((given, target), weight): ((&f64, &f64), &f64)| weight * (given - target).powi(2);
        let error: f64 = left_out.iter().zip(targets).zip(weights).map(square).sum();
        if best.as_ref().is_none_or(|(least, ..)| error < *least) {
            best = Some((error, strength, left_out));
        }
    }
    let (_, strength, left_out) = best.ok_or(RidgeError::NotFinite("strengths"))?;
    let (weight, bias) = solve(sums.iter(), expected, strength).ok_or(RidgeError::NotFinite("rows"))?;
    Ok(Ridge { weight, bias, strength, left_out })
}

fn apply(weight: &[f64], bias: f64, row: &[f32]) -> f64 {
    weight.iter().zip(row).map(|(weight, value)| weight * f64::from(*value)).sum::<f64>() + bias
}

/// What a fit needs of some rows: with a column of ones behind theirs, the sums of products of any two columns, and of each with the target.
struct Sums {
    products: DMatrix<f64>,
    targets: DVector<f64>,
}

impl Sums {
    fn of(rows: &[Vec<f32>], targets: &[f64], weights: &[f64], part: &[usize]) -> Self {
        let columns = rows.first().map_or(0, Vec::len);
        let mut sums =
            Self { products: DMatrix::zeros(columns + 1, columns + 1), targets: DVector::zeros(columns + 1) };
        // So many rows at once stay in the cache.
        for some in part.chunks(256) {
            let root = |row: usize| weights[some[row]].sqrt();
            let value = |row: usize, column: usize| {
                root(row) * rows[some[row]].get(column).map_or(1.0, |value| f64::from(*value))
            };
            let matrix = DMatrix::from_fn(some.len(), columns + 1, value);
            let target = DVector::from_fn(some.len(), |row, _| root(row) * targets[some[row]]);
            sums.products += matrix.tr_mul(&matrix);
            sums.targets += matrix.tr_mul(&target);
        }
        sums
    }
}

/// Weights and bias for the rows of all these sums together; none where they are not finite.
fn solve<'a>(sums: impl Iterator<Item = &'a Sums>, columns: usize, strength: f64) -> Option<(Vec<f64>, f64)> {
    let mut products = DMatrix::zeros(columns + 1, columns + 1);
    let mut targets = DVector::zeros(columns + 1);
    for part in sums {
        products += &part.products;
        targets += &part.targets;
    }
    // Of columns that are centred and of variance one: their covariances, and with the target.
    let count = products[(columns, columns)];
    let mean = |column: usize| products[(column, columns)] / count;
    let deviation: Vec<f64> = (0..columns)
        .map(|column| {
            let variance = products[(column, column)] / count - mean(column).powi(2);
            // A column that is always the same says nothing.
            if variance > 1e-12 { variance.sqrt() } else { f64::INFINITY }
        })
        .collect();
    let covariance = DMatrix::from_fn(columns, columns, |a, b| {
        let own = (products[(a, b)] / count - mean(a) * mean(b)) / (deviation[a] * deviation[b]);
        if a == b { own + strength } else { own }
    });
    let target = targets[columns] / count;
    let with = DVector::from_fn(columns, |a, _| (targets[a] / count - mean(a) * target) / deviation[a]);
    let standardized = covariance.cholesky()?.solve(&with);
    let weight: Vec<f64> =
        standardized.iter().zip(&deviation).map(|(weight, scale)| weight / scale).collect();
    let bias = target - weight.iter().enumerate().map(|(column, weight)| weight * mean(column)).sum::<f64>();
    (bias.is_finite() && weight.iter().all(|weight| weight.is_finite())).then_some((weight, bias))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn rows() -> Vec<Vec<f32>> {
        let cell = |i: u32, j: u32| ((7 * i + 3 * j * j + i * i * j) % 11) as f32 / 11.0;
        (0..20).map(|i| (0..3).map(|j| cell(i, j)).collect()).collect()
    }

    fn targets() -> Vec<f64> {
        let noise = |i: usize| (((5 * i) % 7) as f64 - 3.0) / 50.0;
        let target =
            |(i, row): (usize, &Vec<f32>)| 0.5 + f64::from(row[0]) - 0.25 * f64::from(row[1]) + noise(i);
        rows().iter().enumerate().map(target).collect()
    }

    const ONES: [f64; 20] = [1.0; 20];

    fn people() -> Vec<u64> {
        (0..20).map(|row| row / 2).collect()
    }

    #[test]
    fn weights_are_those_of_another_solver() {
        // numpy.linalg.solve on columns that are centred and of variance one, with 0.1 on the diagonal.
        let found = fit_ridge(&rows(), &targets(), &ONES, &people(), &[0.1]).unwrap();
        for (own, other) in found.weight.iter().zip([0.853_169_27, -0.278_867_97, 0.052_363_89]) {
            assert!((own - other).abs() < 1e-6, "{:?}", found.weight);
        }
        assert!((found.bias - 0.548_054_88).abs() < 1e-6, "{}", found.bias);
    }

    #[test]
    fn the_strength_is_the_best_on_people_who_are_left_out() {
        let strengths = [1e-3, 0.1, 10.0];
        let error = |strengths: &[f64]| {
            let found = fit_ridge(&rows(), &targets(), &ONES, &people(), strengths).unwrap();
            let errors = found.left_out.iter().zip(targets()).map(|(given, target)| (given - target).powi(2));
            (errors.sum::<f64>(), found.strength)
        };
        let (chosen, strength) = error(&strengths);
        assert!(strengths.iter().all(|one| chosen <= error(&[*one]).0));
        assert!(strength < 10.0, "the rows say much of the targets");
    }

    #[test]
    fn what_is_left_out_was_not_seen() {
        // Targets that follow the person alone: those of nobody else help.
        let people = people();
        let rows: Vec<Vec<f32>> = people.iter().map(|person| vec![(*person % 2) as f32]).collect();
        let mut targets = vec![0.0; 20];
        targets[..2].fill(100.0);
        let found = fit_ridge(&rows, &targets, &ONES, &people, &[1e-3]).unwrap();
        assert!(found.left_out[..2].iter().all(|given| given.abs() < 1e-9), "{:?}", found.left_out);
        assert!(found.left_out[4] > 10.0, "others have seen them");
    }

    #[test]
    fn a_row_that_counts_twice_is_as_good_as_two() {
        let (rows, targets, people) = (rows(), targets(), people());
        let mut weights = ONES;
        weights[..6].fill(2.0);
        let found = fit_ridge(&rows, &targets, &weights, &people, &[0.1]).unwrap();
        let twice = |values: &[f64]| [values, &values[..6]].concat();
        let doubled = [&rows[..], &rows[..6]].concat();
        let people = [&people[..], &people[..6]].concat();
        let same = fit_ridge(&doubled, &twice(&targets), &twice(&ONES), &people, &[0.1]).unwrap();
        for (one, other) in found.weight.iter().zip(&same.weight) {
            assert!((one - other).abs() < 1e-9, "{found:?}, {same:?}");
        }
        assert!((found.bias - same.bias).abs() < 1e-9);
    }

    #[test]
    fn a_column_that_never_changes_says_nothing() {
        let rows: Vec<Vec<f32>> = rows().into_iter().map(|row| [row, vec![3.0]].concat()).collect();
        let found = fit_ridge(&rows, &targets(), &ONES, &people(), &[0.1]).unwrap();
        assert_eq!(found.weight[3], 0.0);
    }

    #[test]
    fn what_cannot_be_fitted_is_refused() {
        let (rows, targets, people) = (rows(), targets(), people());
        let refused = |rows: &[Vec<f32>], targets: &[f64], people: &[u64], strengths: &[f64]| {
            fit_ridge(rows, targets, &ONES[..rows.len()], people, strengths).unwrap_err()
        };
        assert!(matches!(refused(&rows, &targets[1..], &people, &[1.0]), RidgeError::Lengths { .. }));
        let mut odd = rows.clone();
        odd[4].pop();
        assert_eq!(
            refused(&odd, &targets, &people, &[1.0]),
            RidgeError::Columns { row: 4, found: 2, expected: 3 }
        );
        odd[4] = vec![f32::NAN; 3];
        assert_eq!(refused(&odd, &targets, &people, &[1.0]), RidgeError::NotFinite("rows"));
        assert_eq!(refused(&rows, &targets, &[7; 20], &[1.0]), RidgeError::TooFewPeople(1));
        for strengths in [&[][..], &[0.0], &[f64::NAN]] {
            assert_eq!(refused(&rows, &targets, &people, strengths), RidgeError::NotFinite("strengths"));
        }
        assert!(matches!(refused(&[], &[], &[], &[1.0]), RidgeError::TooFewPeople(0)));
    }
}
