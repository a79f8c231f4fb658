//! Training the head of one attribute on examples, and measuring it on those that were left out.

use rayon::prelude::*;

use crate::bootstrap::{Interval, RESAMPLES, intervals};
use crate::calibration::{CalibrationError, fit_platt};
use crate::cross_validation::CrossValidation;
use crate::error::FitError;
use crate::examples::Example;
use crate::folds::{FoldGroup, folds, groups, part};
use crate::linear_svm::Plane;
use crate::metrics::{Scored, Tally, average_precision, roc_auc};
use crate::report::{Advice, CurvePoint, Figures};
use crate::threshold_rule::ThresholdRule;
use lineament::attributes::{AttributeCard, Group, Platt, Thresholds};

/// Costs that are tried, the smoothest plane first. Features have a total variance of 1.
const COSTS: [f64; 7] = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0];

/// How much better a cost must rank left-out examples than a smaller one.
const BETTER: f64 = 0.002;

/// Shares of the examples at which the learning curve is measured, beside all of them.
const SHARES: [f64; 3] = [0.25, 0.5, 0.75];

/// The share whose figure is held against that of all examples.
const HALF: f64 = 0.5;

/// How often each of them is drawn.
const DRAWS: u64 = 4;

/// How a head is trained.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrainOptions {
    /// What the groups of the examples are.
    pub by: Group,
    /// Parts that are left out in turn.
    pub folds: usize,
    /// The least examples of each kind.
    pub least: usize,
    /// How common the attribute is where it will be asked for, 0 to 1; else probabilities and the threshold for accuracy hold for faces of which
    /// as many have it as among the examples.
    pub share: Option<f32>,
    /// Where random numbers come from: which examples are left out together, and drawn for curve and intervals.
    pub seed: u64,
}

impl Default for TrainOptions {
    fn default() -> Self {
        Self { by: Group::Image, folds: 5, least: 20, share: None, seed: 1 }
    }
}

impl TrainOptions {
    fn check(&self) -> Result<(), FitError> {
        let refuse = |what, value, needed| Err(FitError::Option { what, value, needed });
        if !(2..=50).contains(&self.folds) {
            return refuse("the number of folds", self.folds as f64, "between 2 and 50");
        }
        if self.least < 2 {
            return refuse("the least number of examples", self.least as f64, "2 or more");
        }
        match self.share {
            Some(share) if !(share > 0.0 && share < 1.0) => {
                refuse("the share of faces that have it", f64::from(share), "between 0 and 1, both excluded")
            }
            _ => Ok(()),
        }
    }
}

/// A trained head: the SVM of one attribute on embeddings.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainedHead {
    /// The SVM on embeddings.
    pub plane: Plane,
    /// Name, calibration and thresholds.
    pub card: AttributeCard,
    /// What it is worth.
    pub figures: Figures,
}

/// Fits an SVM, its calibration and its thresholds to all examples, and measures the same on examples that were left out in turn.
///
/// Work is spread over the rayon pool of the caller; any number of threads gives the same head.
///
/// # Errors
/// A name that no attribute can have, too few examples or people, and [`FitError::LearnedNothing`] (with the figures) where the interval of
/// the balanced accuracy reaches down to 0.5.
pub fn train_head(name: &str, examples: &[Example], options: &TrainOptions) -> Result<TrainedHead, FitError> {
    options.check()?;
    let blank = AttributeCard {
        name: name.to_owned(),
        platt: Platt { a: -1.0, b: 0.0 },
        thresholds: Thresholds { accuracy: 0.0, balanced: 0.0 },
        prevalence: 0.5,
        provenance: None,
    };
    blank.check()?;
    let trainer = Trainer { examples, options };
    let all = trainer.check(name)?;
    let failed = |reason| FitError::Calibration { name: name.to_owned(), reason };
    let (fitted, figures) = trainer.measured(&all).map_err(failed)?;
    if figures.interval.low <= 0.5 {
        return Err(FitError::LearnedNothing { name: name.to_owned(), figures: Box::new(figures) });
    }
    let seen = figures.with as f32 / (figures.with + figures.without) as f32;
    let share = options.share.unwrap_or(seen);
    let (platt, thresholds) = moved(fitted.platt, fitted.thresholds, seen, share);
    let card = AttributeCard { platt, thresholds, prevalence: share, ..blank };
    card.check()?;
    Ok(TrainedHead { plane: fitted.plane, card, figures })
}

/// Calibration and threshold for accuracy where another share of faces has the attribute than among the examples: by Bayes' rule the odds are
/// multiplied. The balanced threshold asks for no share.
fn moved(platt: Platt, thresholds: Thresholds, seen: f32, share: f32) -> (Platt, Thresholds) {
    let odds = |share: f32| (share / (1.0 - share)).ln();
    let platt = Platt { b: platt.b - (odds(share) - odds(seen)), ..platt };
    // A sigmoid that does not rise has no index where it is one half.
    if share == seen || platt.a > -1e-6 {
        return (platt, thresholds);
    }
    (platt, Thresholds { accuracy: -platt.b / platt.a, ..thresholds })
}

/// Everything that is fitted to some of the examples.
struct Fitted {
    plane: Plane,
    cost: f64,
    platt: Platt,
    thresholds: Thresholds,
}

/// The answer to an example that was left out.
#[derive(Clone, Copy)]
struct LeftOut {
    index: usize,
    probability: f32,
    /// At the operating points for accuracy and for balance.
    predicted: [bool; 2],
}

/// One way through the folds: all left-out answers, and those with fewer examples to train_head from.
#[derive(Default)]
struct Pass {
    whole: Vec<LeftOut>,
    /// A list a share.
    fewer: [Vec<LeftOut>; SHARES.len()],
}

struct Trainer<'a> {
    examples: &'a [Example],
    options: &'a TrainOptions,
}

impl Trainer<'_> {
    /// The indices of all examples, if there are enough of them.
    fn check(&self, name: &str) -> Result<Vec<usize>, FitError> {
        let expected = self.examples.first().map_or(0, |example| example.vector.len());
        if let Some(odd) = self.examples.iter().find(|example| example.vector.len() != expected) {
            return Err(FitError::Features { name: name.to_owned(), found: odd.vector.len(), expected });
        }
        let with = self.examples.iter().filter(|example| example.answer).count();
        let without = self.examples.len() - with;
        let least = self.options.least;
        if with < least || without < least {
            return Err(FitError::TooFew { name: name.to_owned(), with, without, least });
        }
        let indices: Vec<usize> = (0..self.examples.len()).collect();
        let groups = groups(self.examples, &indices, self.options.seed);
        let of = |kind: fn(&FoldGroup) -> bool| groups.iter().filter(|group| kind(group)).count();
        let (with, without) = (of(|group| !group.with.is_empty()), of(|group| !group.without.is_empty()));
        // Everybody of a kind in one fold would leave nobody to train_head from.
        let least = self.options.folds;
        if with < least || without < least {
            return Err(FitError::TooFewPeople { name: name.to_owned(), with, without, least });
        }
        Ok(indices)
    }

    fn example(&self, index: usize) -> Option<&Example> {
        self.examples.get(index)
    }

    /// Fits to the examples at `indices`: the cost that ranks best those that are left out among them, calibration and thresholds from their scores.
    fn fit(&self, indices: &[usize], costs: &[f64]) -> Result<Fitted, CalibrationError> {
        let chosen: Vec<&Example> = indices.iter().filter_map(|index| self.example(*index)).collect();
        let vectors: Vec<&[f32]> = chosen.iter().map(|example| example.vector.as_slice()).collect();
        let answers: Vec<bool> = chosen.iter().map(|example| example.answer).collect();
        let inner = folds(self.examples, indices, self.options.folds, self.options.seed);
        let validation = CrossValidation::new(&vectors, answers.clone(), inner, None);
        let mut best: Option<(f64, f64, Vec<f32>)> = None;
        for cost in costs {
            let scores = validation.left_out_scores(*cost);
            let ranking =
                scores.iter().zip(&answers).map(|(score, truth)| Scored { score: *score, truth: *truth });
            let worth = roc_auc(&ranking.collect::<Vec<_>>());
            if best.as_ref().is_none_or(|(most, _, _)| worth > most + BETTER) {
                best = Some((worth, *cost, scores));
            }
        }
        let Some((_, cost, scores)) = best else { return Err(CalibrationError::Empty) };
        Ok(Fitted {
            plane: validation.plane(cost),
            cost,
            platt: fit_platt(&scores, &answers)?,
            thresholds: ThresholdRule::Sigmoid.thresholds(&scores, &answers)?,
        })
    }

    fn predict(&self, fitted: &Fitted, indices: &[usize]) -> Vec<LeftOut> {
        let answer = |index: &usize| {
            let vector: Vec<f64> = self.example(*index)?.vector.iter().map(|v| f64::from(*v)).collect();
            let score = fitted.plane.score(&vector) as f32;
            let predicted =
                [fitted.thresholds.accuracy, fitted.thresholds.balanced].map(|threshold| score > threshold);
            Some(LeftOut { index: *index, probability: fitted.platt.probability(score), predicted })
        };
        indices.iter().filter_map(answer).collect()
    }

    /// Leaves each fold out in turn.
    fn pass(&self, indices: &[usize]) -> Result<Pass, CalibrationError> {
        let outer = folds(self.examples, indices, self.options.folds, self.options.seed);
        let of_fold = |fold: usize| {
            let pick = |inside: bool| -> Vec<usize> {
                let own = indices.iter().zip(&outer).filter(|(_, own)| (**own == fold) == inside);
                own.map(|(index, _)| *index).collect()
            };
            let (seen, left) = (pick(false), pick(true));
            let fitted = self.fit(&seen, &COSTS)?;
            let mut pass = Pass { whole: self.predict(&fitted, &left), ..Pass::default() };
            for (fewer, share) in pass.fewer.iter_mut().zip(SHARES) {
                for draw in 0..DRAWS {
                    let drawn = part(self.examples, &seen, share, self.options.seed.wrapping_add(1 + draw));
                    fewer.extend(self.predict(&self.fit(&drawn, &[fitted.cost])?, &left));
                }
            }
            Ok(pass)
        };
        let passes: Vec<Pass> =
            (0..self.options.folds).into_par_iter().map(of_fold).collect::<Result<_, CalibrationError>>()?;
        let mut all = Pass::default();
        for pass in passes {
            all.whole.extend(pass.whole);
            all.fewer.iter_mut().zip(pass.fewer).for_each(|(all, own)| all.extend(own));
        }
        Ok(all)
    }

    /// What is fitted to all examples, and what it is worth.
    fn measured(&self, indices: &[usize]) -> Result<(Fitted, Figures), CalibrationError> {
        let pass = self.pass(indices)?;
        let fitted = self.fit(indices, &COSTS)?;
        let groups = groups(self.examples, indices, self.options.seed);
        let tally = |answers: &[LeftOut], point: usize| {
            let mut tallies = vec![Tally::default(); self.examples.len()];
            for answer in answers {
                let Some(example) = self.example(answer.index) else { continue };
                let predicted = answer.predicted.get(point).copied().unwrap_or_default();
                if let Some(tally) = tallies.get_mut(answer.index) {
                    tally.add(example.answer, predicted);
                }
            }
            tallies
        };
        // One tally a group, so that a group is drawn whole.
        let grouped = |tallies: &[Tally]| -> Vec<Tally> {
            let sum = |group: &FoldGroup| {
                sum(group.with.iter().chain(&group.without).filter_map(|index| tallies.get(*index)))
            };
            groups.iter().map(sum).collect()
        };
        let balanced = |tallies: &[Tally]| sum(tallies).balanced_accuracy();
        let whole = grouped(&tally(&pass.whole, 1));
        let accurate = sum(&tally(&pass.whole, 0));
        let fewer = pass.fewer.each_ref().map(|answers| grouped(&tally(answers, 1)));
        let half =
            SHARES.iter().zip(&fewer).find(|(share, _)| **share == HALF).map_or(&whole, |(_, half)| half);
        let figures = |drawn: &[usize]| {
            let of = |tallies: &[Tally]| {
                sum(drawn.iter().filter_map(|index| tallies.get(*index))).balanced_accuracy()
            };
            let all = of(&whole);
            [all, all - of(half)]
        };
        let nothing = [Interval { low: 0.0, high: 1.0 }; 2];
        let [interval, gain_interval] =
            intervals(groups.len(), RESAMPLES, self.options.seed, figures).unwrap_or(nothing);
        let scored = |answer: &LeftOut| {
            let truth = self.example(answer.index)?.answer;
            Some(Scored { score: answer.probability, truth })
        };
        let ranking: Vec<Scored> = pass.whole.iter().filter_map(scored).collect();
        let point =
            |(share, tallies): (f64, &Vec<Tally>)| CurvePoint { share, balanced_accuracy: balanced(tallies) };
        let curve = SHARES.into_iter().zip(&fewer).chain([(1.0, &whole)]).map(point).collect();
        let with = indices.iter().filter(|index| self.example(**index).is_some_and(|e| e.answer)).count();
        let figures = Figures {
            with,
            without: indices.len() - with,
            by: self.options.by,
            groups: groups.len(),
            folds: self.options.folds,
            cost: fitted.cost,
            accuracy: accurate.accuracy(),
            majority_accuracy: accurate.majority_accuracy(),
            balanced_accuracy: balanced(&whole),
            interval,
            average_precision: average_precision(&ranking),
            roc_auc: roc_auc(&ranking),
            curve,
            gain: balanced(&whole) - balanced(half),
            gain_interval,
            advice: Advice::of(gain_interval),
        };
        Ok((fitted, figures))
    }
}

fn sum<'a>(tallies: impl IntoIterator<Item = &'a Tally>) -> Tally {
    tallies.into_iter().fold(Tally::default(), |mut all, one| {
        all.merge(one);
        all
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
