//! Linear SVMs on some features: fitted to some people, asked about others.

use std::collections::BTreeMap;

use lineament_fit::{CrossValidation, ThresholdRule};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::features::Features;
use super::look::Face;
use crate::metrics::mean;

/// Costs that are tried.
const COSTS: [f64; 3] = [0.1, 0.3, 1.0];
/// Parts of the fitted people, of which each is left out in turn.
const FOLDS: usize = 4;

/// Faces with features, row by row.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// The faces.
    pub faces: &'a [Face],
    /// Their features.
    pub features: &'a Features,
}

impl<'a> Part<'a> {
    /// The rows whose label of an attribute is known, with it.
    fn known(self, attribute: usize) -> impl Iterator<Item = (usize, bool)> + 'a {
        let faces = self.faces.iter().enumerate();
        faces.filter_map(move |(row, face)| Some((row, (*face.tags.get(attribute)?)?)))
    }

    fn validation(self, folds: &[usize], attribute: usize) -> CrossValidation {
        let (mut vectors, mut answers, mut of) = (Vec::new(), Vec::new(), Vec::new());
        for (row, truth) in self.known(attribute) {
            vectors.push(self.features.row(row));
            answers.push(truth);
            of.push(folds.get(row).copied().unwrap_or_default());
        }
        CrossValidation::new(&vectors, answers, of, None)
    }
}

/// A fold for every face: people are shuffled and dealt out, so that all images of one are left out together.
pub fn folds(faces: &[Face], seed: u64) -> Vec<usize> {
    let mut people: Vec<u64> = faces.iter().map(|face| face.person).collect();
    people.sort_unstable();
    people.dedup();
    people.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let of: BTreeMap<u64, usize> =
        people.into_iter().enumerate().map(|(turn, who)| (who, turn % FOLDS)).collect();
    faces.iter().map(|face| of.get(&face.person).copied().unwrap_or_default()).collect()
}

/// The cost whose SVMs answer left-out people best: one for all `attributes`, by their mean balanced accuracy. Of equal ones the smallest.
pub fn best_cost(fit: Part<'_>, folds: &[usize], attributes: &[usize]) -> f64 {
    let worth = |cost: f64| {
        let each = attributes.par_iter().map(|attribute| {
            let validation = fit.validation(folds, *attribute);
            let scores = validation.left_out_scores(cost);
            let found = ThresholdRule::Sigmoid.left_out(&scores, validation.answers(), validation.folds());
            found.map_or(0.5, |[_, balanced]| balanced)
        });
        mean(each.collect::<Vec<f64>>())
    };
    let mut best = (COSTS[0], f64::NEG_INFINITY);
    for cost in COSTS {
        let worth = worth(cost);
        if worth > best.1 {
            best = (cost, worth);
        }
    }
    best.0
}

/// The answer to every face of `asked` about one attribute, by an SVM fitted to `fit`. The threshold is that for balanced accuracy, chosen from scores
/// of left-out people. `None` where the labels of `fit` cannot be learned from.
pub fn answers(
    fit: Part<'_>,
    folds: &[usize],
    asked: &Features,
    attribute: usize,
    cost: f64,
) -> Option<Vec<bool>> {
    let validation = fit.validation(folds, attribute);
    let scores = validation.left_out_scores(cost);
    let threshold =
        f64::from(ThresholdRule::Sigmoid.thresholds(&scores, validation.answers()).ok()?.balanced);
    let plane = validation.plane(cost);
    let score =
        |row: &[f32]| row.iter().zip(&plane.weight).map(|(x, w)| f64::from(*x) * w).sum::<f64>() + plane.bias;
    Some(asked.rows().map(|row| score(row) > threshold).collect())
}
