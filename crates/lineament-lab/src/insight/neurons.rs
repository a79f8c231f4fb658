//! Neurons named by the attribute that they speak for, and the best single one for each attribute against HOG's best principal component
//! (paper, section 4.2).

use rayon::prelude::*;
use serde::Serialize;

use super::Setting;
use super::features::Features;
use super::look::{Face, Seen};
use super::single::Cut;
use crate::bootstrap::{Interval, People, RESAMPLES, SEED};
use crate::metrics::{Tally, mean};

/// A feature as the classifier of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Speaks {
    /// The feature's place.
    pub feature: usize,
    /// The attribute's place in the model.
    pub attribute: usize,
    /// Whether large activations speak for it; else small ones do.
    pub above: bool,
    /// The area under the ROC curve on the people that it was chosen on.
    pub auc_fitted: f64,
    /// The same on the people asked about.
    pub auc: f64,
    /// The balanced accuracy on the people asked about, at the cut chosen on the others.
    pub balanced_accuracy: f64,
}

/// The best neuron of an attribute, beside the best component of HOG.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BestSingle {
    /// The attribute's place in the model.
    pub attribute: usize,
    /// The best FC neuron.
    pub neuron: Speaks,
    /// The best principal component of HOG.
    pub component: Speaks,
}

/// What single features tell.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NeuronReport {
    /// Every neuron that tells something, with the attribute it separates best; the best first.
    pub named: Vec<Speaks>,
    /// Neurons that are the same for everybody.
    pub silent: usize,
    /// The best single features of each measured attribute.
    pub best: Vec<BestSingle>,
    /// Mean balanced accuracy of the best neurons, of the best components, and their difference.
    pub means: [f64; 3],
    /// The interval of the difference.
    pub ahead: Option<Interval>,
}

/// The best cut of every measured attribute in every feature: `[feature][place in measured]`.
pub(super) type Cuts = Vec<Vec<Option<Cut>>>;

/// Cuts of all features of a table.
pub(super) fn cuts(faces: &[Face], features: &Features, measured: &[usize]) -> Cuts {
    let of = |column: usize| {
        let values = features.column(column);
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
        let known = |attribute: usize| {
            order.iter().filter_map({
                let values = &values;
                move |row| Some((*values.get(*row)?, (*faces.get(*row)?.tags.get(attribute)?)?))
            })
        };
        measured.iter().map(|attribute| Cut::best(known(*attribute))).collect()
    };
    (0..features.width()).into_par_iter().map(of).collect()
}

/// Features in the order of how well they separate the attribute at a place of `measured`, best first.
pub(super) fn ranking(cuts: &Cuts, place: usize) -> Vec<usize> {
    let auc = |feature: &usize| {
        let cut = cuts.get(*feature).and_then(|cuts| *cuts.get(place)?);
        cut.map_or(0.5, |cut| cut.auc)
    };
    let mut order: Vec<usize> = (0..cuts.len()).collect();
    order.sort_by(|a, b| auc(b).total_cmp(&auc(a)).then(a.cmp(b)));
    order
}

pub(super) fn report(
    asked: &Seen,
    neurons: &Cuts,
    components: (&Cuts, &Features),
    setting: &Setting,
) -> NeuronReport {
    let measure = |features: &Features, feature: usize, attribute: usize, cut: Cut| {
        let column = features.column(feature);
        let known = column.iter().zip(&asked.faces);
        let known = known.filter_map(|(value, face)| Some((*value, (*face.tags.get(attribute)?)?)));
        let (tally, auc) = cut.measured(known);
        let balanced_accuracy = tally.balanced_accuracy();
        Speaks { feature, attribute, above: cut.above, auc_fitted: cut.auc, auc, balanced_accuracy }
    };
    let measured = &setting.measured;
    let name = |(feature, cuts): (usize, &Vec<Option<Cut>>)| {
        let known = cuts.iter().zip(measured).filter_map(|(cut, attribute)| Some(((*cut)?, *attribute)));
        let (cut, attribute) = known.reduce(|best, one| if one.0.auc > best.0.auc { one } else { best })?;
        Some(measure(&asked.fc, feature, attribute, cut))
    };
    let mut named: Vec<Speaks> = neurons.iter().enumerate().filter_map(name).collect();
    named.sort_by(|a, b| b.auc_fitted.total_cmp(&a.auc_fitted).then(a.feature.cmp(&b.feature)));

    let best_of = |cuts: &Cuts, features: &Features, place: usize, attribute: usize| {
        let feature = *ranking(cuts, place).first()?;
        let cut = (*cuts.get(feature)?.get(place)?)?;
        Some((measure(features, feature, attribute, cut), cut))
    };
    let mut people = People::new(2 * measured.len());
    let mut best = Vec::new();
    for (place, attribute) in measured.iter().enumerate() {
        let neuron = best_of(neurons, &asked.fc, place, *attribute);
        let component = best_of(components.0, components.1, place, *attribute);
        let (Some(neuron), Some(component)) = (neuron, component) else { continue };
        for ((row, features), (single, cut)) in
            [(0, &asked.fc), (1, components.1)].into_iter().zip([neuron, component])
        {
            for (value, face) in features.column(single.feature).iter().zip(&asked.faces) {
                let tally = people.person(face.person).get_mut(row * measured.len() + place);
                if let (Some(tally), Some(truth)) = (tally, face.tags.get(*attribute).copied().flatten()) {
                    tally.add(truth, cut.answer(*value));
                }
            }
        }
        best.push(BestSingle { attribute: *attribute, neuron: neuron.0, component: component.0 });
    }
    let one = mean(best.iter().map(|best| best.neuron.balanced_accuracy));
    let other = mean(best.iter().map(|best| best.component.balanced_accuracy));
    let ahead = |sums: &[Tally]| {
        let known =
            |half: &[Tally]| mean(half.iter().filter(|t| t.known() > 0).map(Tally::balanced_accuracy));
        let (neurons, components) = sums.split_at(measured.len());
        vec![known(neurons) - known(components)]
    };
    let interval = people.intervals_of(RESAMPLES, SEED, ahead);
    NeuronReport {
        silent: neurons.len() - named.len(),
        named,
        best,
        means: [one, other, one - other],
        ahead: interval.and_then(|found| found.first().copied().flatten()),
    }
}
