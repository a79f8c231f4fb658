//! Learning one attribute from examples, and measuring it on those that were left out.

use rayon::prelude::*;

use super::error::TeachError;
use super::examples::Example;
use super::figures::{Advice, CurvePoint, Figures};
use super::folds::{Together, folds, groups, part};
use super::question::Question;
use super::rule::Rule;
use super::svm::Plane;
use crate::attributes::{AttributeCard, CalibrationError, Group, Platt, Thresholds};
use crate::bootstrap::{Interval, RESAMPLES, intervals};
use crate::metrics::{Scored, Tally, average_precision, roc_auc};

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

/// How an attribute is taught.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
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

impl Default for Options {
    fn default() -> Self {
        Self { by: Group::Picture, folds: 5, least: 20, share: None, seed: 1 }
    }
}

impl Options {
    fn check(&self) -> Result<(), TeachError> {
        let refuse = |what, value, needed| Err(TeachError::Option { what, value, needed });
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

/// An attribute that was learned.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesson {
    /// The SVM on FC vectors.
    pub plane: Plane,
    /// Name, calibration and thresholds.
    pub card: AttributeCard,
    /// What it is worth.
    pub figures: Figures,
}

/// Fits an SVM, its calibration and its thresholds to all examples, and measures the same on examples that were left out in turn.
///
/// Work is spread over the rayon pool of the caller; any number of threads gives the same lesson.
///
/// # Errors
/// A name that no attribute can have, too few examples or people, and [`TeachError::LearnedNothing`] (with the figures) where the interval of
/// the balanced accuracy reaches down to 0.5.
pub fn learn(name: &str, examples: &[Example], options: &Options) -> Result<Lesson, TeachError> {
    options.check()?;
    let blank = AttributeCard {
        name: name.to_owned(),
        platt: Platt { a: -1.0, b: 0.0 },
        thresholds: Thresholds { accuracy: 0.0, balanced: 0.0 },
        positives: 0.5,
        taught: None,
    };
    blank.check()?;
    let pupil = Pupil { examples, options };
    let all = pupil.check(name)?;
    let failed = |reason| TeachError::Calibration { name: name.to_owned(), reason };
    let (fitted, figures) = pupil.measured(&all).map_err(failed)?;
    if figures.interval.low <= 0.5 {
        return Err(TeachError::LearnedNothing { name: name.to_owned(), figures: Box::new(figures) });
    }
    let seen = figures.with as f32 / (figures.with + figures.without) as f32;
    let share = options.share.unwrap_or(seen);
    let (platt, thresholds) = moved(fitted.platt, fitted.thresholds, seen, share);
    let card = AttributeCard { platt, thresholds, positives: share, ..blank };
    card.check()?;
    Ok(Lesson { plane: fitted.plane, card, figures })
}

/// Calibration and threshold for accuracy where another share of faces has the attribute than among the examples: by Bayes' rule the odds are
/// multiplied. The balanced threshold asks for no share.
fn moved(platt: Platt, thresholds: Thresholds, seen: f32, share: f32) -> (Platt, Thresholds) {
    let odds = |share: f32| (share / (1.0 - share)).ln();
    let platt = Platt { b: platt.b - (odds(share) - odds(seen)), ..platt };
    // A sigmoid that does not rise has no place where it is one half.
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
    place: usize,
    probability: f32,
    /// At the operating points for accuracy and for balance.
    told: [bool; 2],
}

/// One way through the folds: all left-out answers, and those with fewer examples to learn from.
#[derive(Default)]
struct Pass {
    whole: Vec<LeftOut>,
    /// A list a share.
    fewer: [Vec<LeftOut>; SHARES.len()],
}

struct Pupil<'a> {
    examples: &'a [Example],
    options: &'a Options,
}

impl Pupil<'_> {
    /// The places of all examples, if there are enough of them.
    fn check(&self, name: &str) -> Result<Vec<usize>, TeachError> {
        let expected = self.examples.first().map_or(0, |example| example.vector.len());
        if let Some(odd) = self.examples.iter().find(|example| example.vector.len() != expected) {
            return Err(TeachError::Features { name: name.to_owned(), found: odd.vector.len(), expected });
        }
        let with = self.examples.iter().filter(|example| example.answer).count();
        let without = self.examples.len() - with;
        let least = self.options.least;
        if with < least || without < least {
            return Err(TeachError::TooFew { name: name.to_owned(), with, without, least });
        }
        let places: Vec<usize> = (0..self.examples.len()).collect();
        let groups = groups(self.examples, &places, self.options.seed);
        let of = |kind: fn(&Together) -> bool| groups.iter().filter(|group| kind(group)).count();
        let (with, without) = (of(|group| !group.with.is_empty()), of(|group| !group.without.is_empty()));
        // Everybody of a kind in one fold would leave nobody to learn from.
        let least = self.options.folds;
        if with < least || without < least {
            return Err(TeachError::TooFewPeople { name: name.to_owned(), with, without, least });
        }
        Ok(places)
    }

    fn example(&self, place: usize) -> Option<&Example> {
        self.examples.get(place)
    }

    /// Fits to the examples at `places`: the cost that ranks best those that are left out among them, calibration and thresholds from their scores.
    fn fit(&self, places: &[usize], costs: &[f64]) -> Result<Fitted, CalibrationError> {
        let chosen: Vec<&Example> = places.iter().filter_map(|place| self.example(*place)).collect();
        let vectors: Vec<&[f32]> = chosen.iter().map(|example| example.vector.as_slice()).collect();
        let answers: Vec<bool> = chosen.iter().map(|example| example.answer).collect();
        let inner = folds(self.examples, places, self.options.folds, self.options.seed);
        let question = Question::new(&vectors, answers.clone(), inner, None);
        let mut best: Option<(f64, f64, Vec<f32>)> = None;
        for cost in costs {
            let scores = question.left_out_scores(*cost);
            let ranking =
                scores.iter().zip(&answers).map(|(score, truth)| Scored { score: *score, truth: *truth });
            let worth = roc_auc(&ranking.collect::<Vec<_>>());
            if best.as_ref().is_none_or(|(most, _, _)| worth > most + BETTER) {
                best = Some((worth, *cost, scores));
            }
        }
        let Some((_, cost, scores)) = best else { return Err(CalibrationError::Empty) };
        Ok(Fitted {
            plane: question.plane(cost),
            cost,
            platt: Platt::fit(&scores, &answers)?,
            thresholds: Rule::Sigmoid.thresholds(&scores, &answers)?,
        })
    }

    fn ask(&self, fitted: &Fitted, places: &[usize]) -> Vec<LeftOut> {
        let answer = |place: &usize| {
            let vector: Vec<f64> = self.example(*place)?.vector.iter().map(|v| f64::from(*v)).collect();
            let score = fitted.plane.score(&vector) as f32;
            let told =
                [fitted.thresholds.accuracy, fitted.thresholds.balanced].map(|threshold| score > threshold);
            Some(LeftOut { place: *place, probability: fitted.platt.probability(score), told })
        };
        places.iter().filter_map(answer).collect()
    }

    /// Leaves each fold out in turn.
    fn pass(&self, places: &[usize]) -> Result<Pass, CalibrationError> {
        let outer = folds(self.examples, places, self.options.folds, self.options.seed);
        let of_fold = |fold: usize| {
            let pick = |inside: bool| -> Vec<usize> {
                let own = places.iter().zip(&outer).filter(|(_, own)| (**own == fold) == inside);
                own.map(|(place, _)| *place).collect()
            };
            let (seen, left) = (pick(false), pick(true));
            let fitted = self.fit(&seen, &COSTS)?;
            let mut pass = Pass { whole: self.ask(&fitted, &left), ..Pass::default() };
            for (fewer, share) in pass.fewer.iter_mut().zip(SHARES) {
                for draw in 0..DRAWS {
                    let drawn = part(self.examples, &seen, share, self.options.seed.wrapping_add(1 + draw));
                    fewer.extend(self.ask(&self.fit(&drawn, &[fitted.cost])?, &left));
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
    fn measured(&self, places: &[usize]) -> Result<(Fitted, Figures), CalibrationError> {
        let pass = self.pass(places)?;
        let fitted = self.fit(places, &COSTS)?;
        let groups = groups(self.examples, places, self.options.seed);
        let tally = |answers: &[LeftOut], point: usize| {
            let mut tallies = vec![Tally::default(); self.examples.len()];
            for answer in answers {
                let Some(example) = self.example(answer.place) else { continue };
                let told = answer.told.get(point).copied().unwrap_or_default();
                if let Some(tally) = tallies.get_mut(answer.place) {
                    tally.add(example.answer, told);
                }
            }
            tallies
        };
        // One tally a group, so that a group is drawn whole.
        let grouped = |tallies: &[Tally]| -> Vec<Tally> {
            let sum = |group: &Together| {
                sum(group.with.iter().chain(&group.without).filter_map(|place| tallies.get(*place)))
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
                sum(drawn.iter().filter_map(|place| tallies.get(*place))).balanced_accuracy()
            };
            let all = of(&whole);
            [all, all - of(half)]
        };
        let nothing = [Interval { low: 0.0, high: 1.0 }; 2];
        let [interval, gain_interval] =
            intervals(groups.len(), RESAMPLES, self.options.seed, figures).unwrap_or(nothing);
        let scored = |answer: &LeftOut| {
            let truth = self.example(answer.place)?.answer;
            Some(Scored { score: answer.probability, truth })
        };
        let ranking: Vec<Scored> = pass.whole.iter().filter_map(scored).collect();
        let point =
            |(share, tallies): (f64, &Vec<Tally>)| CurvePoint { share, balanced_accuracy: balanced(tallies) };
        let curve = SHARES.into_iter().zip(&fewer).chain([(1.0, &whole)]).map(point).collect();
        let with = places.iter().filter(|place| self.example(**place).is_some_and(|e| e.answer)).count();
        let figures = Figures {
            with,
            without: places.len() - with,
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
