//! What each layer of ANet knows: attributes read from FC and from the last two stages by linear SVMs (paper, Fig. 10).

use serde::Serialize;

use super::Setting;
use super::features::Features;
use super::kinds::Kind;
use super::look::Seen;
use super::pca::Pca;
use super::probe::{self, Part};
use crate::bootstrap::{Interval, People, RESAMPLES, SEED};
use crate::metrics::{Tally, mean};

/// One layer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerFigures {
    /// Its name in the recipe.
    pub layer: String,
    /// Numbers that the SVMs read.
    pub width: usize,
    /// The cost chosen.
    pub cost: f64,
    /// The balanced accuracy of each measured attribute, in their order.
    pub balanced_accuracy: Vec<f64>,
}

/// A mean over attributes, with a 95 % interval over people.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MeanFigure {
    /// The mean.
    pub mean: f64,
    /// Its interval; `None` with fewer than two people.
    pub interval: Option<Interval>,
}

/// The layers over the attributes of one kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KindFigures {
    /// The kind.
    pub kind: Kind,
    /// How many attributes.
    pub attributes: usize,
    /// The mean balanced accuracy of each layer.
    pub layers: Vec<MeanFigure>,
    /// How far FC, the last layer, is ahead of each layer before it.
    pub ahead: Vec<MeanFigure>,
}

/// The comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerReport {
    /// The layers from the earlier to FC.
    pub layers: Vec<LayerFigures>,
    /// The kinds that have an attribute.
    pub kinds: Vec<KindFigures>,
}

/// Reads every measured attribute from every layer. Maps are brought to as many principal components as FC has neurons, so that each layer is read from equally
/// many numbers and none has more room than people to learn it from.
pub(super) fn compare(fit: &Seen, asked: &Seen, setting: &Setting) -> LayerReport {
    let mut layers: Vec<(String, Features, Features)> = Vec::new();
    for ((name, fitted), (_, looked)) in fit.stages.iter().zip(&asked.stages) {
        let pca = Pca::fit(fitted, fit.fc.width());
        layers.push((name.clone(), pca.apply(fitted), pca.apply(looked)));
    }
    layers.push(("FC".to_owned(), fit.fc.clone(), asked.fc.clone()));

    let attributes = &setting.measured;
    // One tally a layer and attribute: drawn again together, layers are compared on the same people.
    let mut people = People::new(layers.len() * attributes.len());
    let mut figures = Vec::new();
    for (at, (name, fitted, looked)) in layers.iter().enumerate() {
        let part = Part { faces: &fit.faces, features: fitted };
        let cost = probe::best_cost(part, &setting.folds, attributes);
        let answers = setting.each(|attribute| probe::answers(part, &setting.folds, looked, attribute, cost));
        let mut sums = vec![Tally::default(); attributes.len()];
        for ((place, attribute), answers) in attributes.iter().enumerate().zip(&answers) {
            for (face, answer) in asked.faces.iter().zip(answers.iter().flatten()) {
                if let Some(truth) = face.tags.get(*attribute).copied().flatten() {
                    if let Some(tally) = people.person(face.person).get_mut(at * attributes.len() + place) {
                        tally.add(truth, *answer);
                    }
                    sums[place].add(truth, *answer);
                }
            }
        }
        figures.push(LayerFigures {
            layer: name.clone(),
            width: fitted.width(),
            cost,
            balanced_accuracy: sums.iter().map(Tally::balanced_accuracy).collect(),
        });
    }
    let kinds = Kind::ALL.into_iter().filter_map(|kind| of_kind(kind, &figures, &people, setting)).collect();
    LayerReport { layers: figures, kinds }
}

fn of_kind(kind: Kind, layers: &[LayerFigures], people: &People, setting: &Setting) -> Option<KindFigures> {
    let count = setting.measured.len();
    let name = |attribute: usize| setting.names.get(attribute).map(String::as_str).unwrap_or_default();
    let places: Vec<usize> = (0..count)
        .filter(|place| setting.measured.get(*place).is_some_and(|a| Kind::of(name(*a)) == kind))
        .collect();
    if places.is_empty() {
        return None;
    }
    let means = |tally: &dyn Fn(usize) -> f64| -> Vec<f64> {
        let mut found: Vec<f64> = (0..layers.len())
            .map(|layer| mean(places.iter().map(|place| tally(layer * count + place))))
            .collect();
        let last = found.last().copied().unwrap_or_default();
        let ahead: Vec<f64> = found.iter().take(layers.len() - 1).map(|value| last - value).collect();
        found.extend(ahead);
        found
    };
    let all: Vec<f64> = layers.iter().flat_map(|layer| layer.balanced_accuracy.iter().copied()).collect();
    let whole = means(&|place| all.get(place).copied().unwrap_or_default());
    let drawn = |sums: &[Tally]| means(&|place| sums.get(place).map_or(0.0, Tally::balanced_accuracy));
    let intervals = people.intervals_of(RESAMPLES, SEED, drawn).unwrap_or_default();
    let interval = |place: usize| intervals.get(place).copied().flatten();
    let mut figures: Vec<MeanFigure> = whole
        .into_iter()
        .enumerate()
        .map(|(place, mean)| MeanFigure { mean, interval: interval(place) })
        .collect();
    let ahead = figures.split_off(layers.len());
    Some(KindFigures { kind, attributes: places.len(), layers: figures, ahead })
}
