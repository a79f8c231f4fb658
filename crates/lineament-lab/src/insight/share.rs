//! How few features do: accuracy against the share of the best ones kept (paper, section 4.2).

use rayon::prelude::*;
use serde::Serialize;

use super::Setting;
use super::features::Features;
use super::look::Seen;
use super::neurons::{Cuts, ranking};
use super::probe::{self, Part};
use crate::metrics::{Tally, mean};

/// Shares of the features that are kept.
const SHARES: [f64; 9] = [0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.4, 0.7, 1.0];

/// What is to be kept of the performance above chance.
pub const KEPT: f64 = 0.9;

/// The curve of one kind of features.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ShareCurve {
    /// What the features are.
    pub name: String,
    /// How many there are.
    pub width: usize,
    /// How many were kept, rising; the last is all.
    pub counts: Vec<usize>,
    /// Balanced accuracy, `[measured attribute][count]`.
    pub balanced_accuracy: Vec<Vec<f64>>,
    /// The mean over attributes.
    pub mean: Vec<f64>,
    /// The smallest share tried at which the mean keeps [`KEPT`] of what all features have above chance, 0.5.
    pub keeps: f64,
    /// The mean of the same share over attributes, each by its own curve.
    pub keeps_each: f64,
}

/// For each measured attribute keeps the best features, as ranked on the fitted people by their single area under the ROC curve, fits anew, and asks
/// about the others.
pub(super) fn curve(
    name: &str,
    fit: (&Seen, &Features),
    asked: (&Seen, &Features),
    cuts: &Cuts,
    setting: &Setting,
) -> ShareCurve {
    let width = fit.1.width();
    let mut counts: Vec<usize> =
        SHARES.iter().map(|share| ((share * width as f64).round() as usize).clamp(1, width)).collect();
    counts.dedup();
    let whole = Part { faces: &fit.0.faces, features: fit.1 };
    let cost = probe::best_cost(whole, &setting.folds, &setting.measured);
    let of = |place: usize, attribute: usize, count: usize| {
        let kept: Vec<usize> = ranking(cuts, place).into_iter().take(count).collect();
        let (fitted, looked) = (fit.1.select(&kept), asked.1.select(&kept));
        let part = Part { faces: &fit.0.faces, features: &fitted };
        let mut tally = Tally::default();
        let answers = probe::answers(part, &setting.folds, &looked, attribute, cost).unwrap_or_default();
        for (face, answer) in asked.0.faces.iter().zip(answers) {
            if let Some(truth) = face.tags.get(attribute).copied().flatten() {
                tally.add(truth, answer);
            }
        }
        tally.balanced_accuracy()
    };
    let balanced_accuracy: Vec<Vec<f64>> = setting
        .measured
        .par_iter()
        .enumerate()
        .map(|(place, attribute)| counts.iter().map(|count| of(place, *attribute, *count)).collect())
        .collect();
    let at =
        |count: usize| mean(balanced_accuracy.iter().filter_map(|row: &Vec<f64>| row.get(count)).copied());
    let mean_curve: Vec<f64> = (0..counts.len()).map(at).collect();
    let keeps = |curve: &[f64]| share_that_keeps(&counts, curve, width);
    ShareCurve {
        name: name.to_owned(),
        width,
        keeps: keeps(&mean_curve),
        keeps_each: mean(balanced_accuracy.iter().map(|row| keeps(row))),
        balanced_accuracy,
        mean: mean_curve,
        counts,
    }
}

fn share_that_keeps(counts: &[usize], curve: &[f64], width: usize) -> f64 {
    let whole = curve.last().copied().unwrap_or(0.5) - 0.5;
    let enough = counts.iter().zip(curve).find(|(_, value)| *value - 0.5 >= KEPT * whole);
    enough.map_or(1.0, |(count, _)| *count as f64 / width as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_counted_above_chance() {
        let counts = [1, 10, 50, 100];
        // 0.9 x 0.4 above 0.5 is 0.86.
        assert_eq!(share_that_keeps(&counts, &[0.7, 0.85, 0.861, 0.9], 100), 0.5);
        assert_eq!(share_that_keeps(&counts, &[0.7, 0.87, 0.861, 0.9], 100), 0.1);
        assert_eq!(share_that_keeps(&counts, &[0.5, 0.5, 0.5, 0.9], 100), 1.0);
    }
}
