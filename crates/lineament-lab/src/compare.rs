//! Two models on the same images: which is better, on whom, by how much, and where they disagree.

mod page;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use lineament::attributes::{AttributeCard, OperatingPoint, Reading};
use lineament_data::Split;
use serde::Serialize;

use crate::audit::groups::Grouping;
use crate::audit::{Answered, person};
use crate::bootstrap::{Interval, People, RESAMPLES, SEED};
use crate::evaluation::Model;
use crate::metrics::{Tally, mean};
use crate::observe::{EvaluateError, FaceFrom, Observations};
pub use page::page;

/// Two models on one part of a data set. `difference` is always the second model less the first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The first model and the second.
    pub models: [Model; 2],
    /// The part of the data set.
    pub split: Split,
    /// Where face regions came from.
    pub region: FaceFrom,
    /// Which thresholds decided.
    pub operating_point: OperatingPoint,
    /// Images that both could be asked about.
    #[serde(rename = "pictures")]
    pub images: usize,
    /// People on them; an image of nobody known is a person of its own.
    pub people: usize,
    /// Images in which each found no face; they count with the majority answer.
    pub faces_missed: [usize; 2],
    /// Mean over attributes.
    pub mean_accuracy: Figures,
    /// Mean over attributes.
    pub mean_balanced_accuracy: Figures,
    /// A row for each group and each attribute that both know and the data labels.
    pub rows: Vec<ComparedRow>,
    /// Attributes that only one of them knows.
    pub known_to_one: [Vec<String>; 2],
    /// Where their probabilities are furthest apart.
    pub disagreements: Vec<Disagreement>,
    /// Answers of all, and of these, answered differently.
    pub answers: u64,
    /// Answers that differ.
    pub different_answers: u64,
}

/// A figure of both models, and how much higher the second one's is. The same people are drawn for both, so that what is hard about a person counts
/// for neither.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figures {
    /// Of the first.
    pub first: f64,
    /// Of the second.
    pub second: f64,
    /// Of the second less the first.
    pub difference: f64,
    /// Its 95 % interval over people; absent with fewer than two of them.
    pub interval: Option<Interval>,
}

impl Figures {
    /// The second one is better (1), worse (-1), or the interval does not say (0).
    pub fn verdict(&self) -> i8 {
        match self.interval {
            Some(interval) if interval.low > 0.0 => 1,
            Some(interval) if interval.high < 0.0 => -1,
            _ => 0,
        }
    }
}

/// An attribute in a group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ComparedRow {
    /// What images are grouped by.
    pub by: String,
    /// The group.
    pub group: String,
    /// The attribute.
    pub attribute: String,
    /// Labelled images.
    #[serde(rename = "pictures")]
    pub images: u64,
    /// People on them.
    pub people: usize,
    /// The share that has the attribute.
    pub positives: f64,
    /// Shares of right answers.
    pub accuracy: Figures,
    /// Means of the shares among images with and without it.
    pub balanced_accuracy: Figures,
}

/// A face of which two models say different things.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Disagreement {
    /// The file.
    pub path: PathBuf,
    /// The attribute.
    pub attribute: String,
    /// What is labelled.
    pub label: bool,
    /// The probabilities that each gives.
    pub probabilities: [f32; 2],
    /// What each says.
    pub answers: [bool; 2],
}

/// An image as both see it, with attributes in the order of those that both know.
struct Pair {
    path: PathBuf,
    seen: Answered,
    tags: Vec<Option<bool>>,
    answers: [Vec<Reading>; 2],
}

/// Compares two models that looked at the same part. `groupings` count attributes as the first model does; `most` disagreements are listed.
///
/// # Errors
/// No attribute that both know and the data labels.
pub fn compare(
    both: [&Observations<'_>; 2],
    point: OperatingPoint,
    groupings: &[Grouping],
    most: usize,
) -> Result<Comparison, EvaluateError> {
    let [first, second] = both;
    let cards = both.map(|side| &side.tagger.card().attributes);
    let index = |cards: &[AttributeCard], name: &str| cards.iter().position(|card| card.name == name);
    let shared: Vec<(usize, usize)> = cards[0]
        .iter()
        .enumerate()
        .filter_map(|(place, card)| Some((place, index(cards[1], &card.name)?)))
        .filter(|(place, _)| {
            first.samples.iter().any(|sample| sample.tags.get(*place).copied().flatten().is_some())
        })
        .collect();
    if shared.is_empty() {
        return Err(EvaluateError::NoLabels { data: "the data, of what both models know,".to_owned() });
    }
    let pairs = pairs(both, point, &shared);
    let names: Vec<&str> = cards[0].iter().map(|card| card.name.as_str()).collect();
    let only = |own: &[AttributeCard], other: &[AttributeCard]| {
        own.iter().map(|card| card.name.clone()).filter(|name| index(other, name).is_none()).collect()
    };
    let all: Vec<&Pair> = pairs.iter().collect();
    let shared_names: Vec<&str> = shared.iter().filter_map(|(place, _)| names.get(*place).copied()).collect();
    let whole = Tallies::of(&all, shared.len());
    let mut rows = Vec::new();
    for grouping in groupings {
        let seen: Vec<Answered> = pairs.iter().map(|pair| pair.seen.clone()).collect();
        let by_name: HashMap<&str, &Pair> =
            pairs.iter().map(|pair| (pair.seen.name.as_str(), pair)).collect();
        for (group, members) in grouping.split(&seen) {
            let members: Vec<&Pair> =
                members.iter().filter_map(|member| by_name.get(member.name.as_str()).copied()).collect();
            rows.extend(Tallies::of(&members, shared.len()).rows(
                &grouping.name(&names),
                group,
                &shared_names,
            ));
        }
    }
    let (disagreements, answers, different_answers) = disagreements(&pairs, &shared_names, most);
    let missed = |side: &Observations<'_>| side.seen.iter().filter(|seen| seen.scores.is_none()).count();
    let [mean_accuracy, mean_balanced_accuracy] = whole.means();
    Ok(Comparison {
        models: both.map(|side| Model::of(side.tagger)),
        split: first.split,
        region: first.face_from,
        operating_point: point,
        images: pairs.len(),
        people: whole.people.len(),
        faces_missed: [missed(first), missed(second)],
        mean_accuracy,
        mean_balanced_accuracy,
        rows,
        known_to_one: [only(cards[0], cards[1]), only(cards[1], cards[0])],
        disagreements,
        answers,
        different_answers,
    })
}

/// The images that both could read, in the order of the first.
fn pairs(both: [&Observations<'_>; 2], point: OperatingPoint, shared: &[(usize, usize)]) -> Vec<Pair> {
    let readings = both.map(|side| readings(side, point));
    let second: HashMap<&Path, usize> =
        both[1].samples.iter().enumerate().map(|(place, sample)| (sample.path.as_path(), place)).collect();
    let pair = |(place, sample): (usize, &lineament_data::Sample)| {
        let own = readings[0].get(place)?;
        let other = readings[1].get(*second.get(sample.path.as_path())?)?;
        let answers = [
            shared.iter().filter_map(|(first, _)| own.get(*first).copied()).collect(),
            shared.iter().filter_map(|(_, second)| other.get(*second).copied()).collect(),
        ];
        Some(Pair {
            path: sample.path.clone(),
            seen: Answered {
                name: sample.name.clone(),
                person: person(sample, place),
                tags: sample.tags.clone(),
                answers: own.clone(),
            },
            tags: shared.iter().map(|(first, _)| sample.tags.get(*first).copied().flatten()).collect(),
            answers,
        })
    };
    both[0].samples.iter().enumerate().filter_map(pair).collect()
}

/// What a model says of every attribute in every image; of a missed face the majority answer, as [`Observations::evaluate`] has it.
fn readings(side: &Observations<'_>, point: OperatingPoint) -> Vec<Vec<Reading>> {
    let cards = &side.tagger.card().attributes;
    let usual: Vec<Reading> = (0..cards.len())
        .map(|place| {
            let mut truths = Tally::default();
            let known = side.samples.iter().filter_map(|sample| sample.tags.get(place).copied().flatten());
            known.for_each(|truth| truths.add(truth, truth));
            Reading { probability: truths.positives() as f32, present: truths.majority() }
        })
        .collect();
    let read = |seen: &crate::observe::Seen| match &seen.scores {
        Some(scores) => cards.iter().zip(scores).map(|(card, score)| card.read(*score, point)).collect(),
        None => usual.clone(),
    };
    side.seen.iter().map(read).collect()
}

/// Answers counted by person: those of the first model about each attribute, then those of the second.
struct Tallies {
    people: People,
    sums: Vec<Tally>,
    persons: Vec<BTreeSet<u64>>,
}

impl Tallies {
    fn of(pairs: &[&Pair], attributes: usize) -> Self {
        let mut people = People::new(2 * attributes);
        let mut sums = vec![Tally::default(); 2 * attributes];
        let mut persons = vec![BTreeSet::new(); attributes];
        for pair in pairs {
            let own = people.person(pair.seen.person);
            for (side, answers) in pair.answers.iter().enumerate() {
                for (place, (tag, answer)) in pair.tags.iter().zip(answers).enumerate() {
                    let Some(truth) = *tag else { continue };
                    let at = side * attributes + place;
                    for tallies in [&mut *own, &mut sums] {
                        if let Some(tally) = tallies.get_mut(at) {
                            tally.add(truth, answer.present);
                        }
                    }
                    if let Some(persons) = persons.get_mut(place) {
                        persons.insert(pair.seen.person);
                    }
                }
            }
        }
        Self { people, sums, persons }
    }

    /// Mean accuracy and mean balanced accuracy.
    fn means(&self) -> [Figures; 2] {
        let of = |sums: &[Tally]| {
            let (first, second) = sums.split_at(sums.len() / 2);
            let both = [first, second].map(|side| {
                let known = || side.iter().filter(|tally| tally.known() > 0);
                [mean(known().map(Tally::accuracy)), mean(known().map(Tally::balanced_accuracy))]
            });
            [[both[0][0], both[1][0]], [both[0][1], both[1][1]]]
        };
        let intervals = self
            .people
            .intervals_of(RESAMPLES, SEED, |sums| of(sums).map(|[first, second]| second - first).to_vec());
        let at = |place: usize| intervals.as_ref().and_then(|found| found.get(place).copied().flatten());
        let [accuracy, balanced] = of(&self.sums);
        [figures(accuracy, at(0)), figures(balanced, at(1))]
    }

    /// A row for each attribute with a label.
    fn rows(&self, by: &str, group: &str, names: &[&str]) -> Vec<ComparedRow> {
        let count = names.len();
        let of = |sums: &[Tally], place: usize| {
            let pick = |at: usize| sums.get(at).copied().unwrap_or_default();
            let (first, second) = (pick(place), pick(count + place));
            let accuracy = [first.accuracy(), second.accuracy()];
            [accuracy, [first.balanced_accuracy(), second.balanced_accuracy()]]
        };
        let differences = |sums: &[Tally]| -> Vec<f64> {
            let known = |place: usize| sums.get(place).is_some_and(|tally| tally.known() > 0);
            let difference = |place: usize| {
                of(sums, place).map(|[first, second]| if known(place) { second - first } else { f64::NAN })
            };
            (0..count).flat_map(difference).collect()
        };
        let intervals = self.people.intervals_of(RESAMPLES, SEED, differences);
        let at = |place: usize| intervals.as_ref().and_then(|found| found.get(place).copied().flatten());
        let row = |(place, name): (usize, &&str)| {
            let tally = self.sums.get(place).filter(|tally| tally.known() > 0)?;
            let [accuracy, balanced] = of(&self.sums, place);
            Some(ComparedRow {
                by: by.to_owned(),
                group: group.to_owned(),
                attribute: (*name).to_owned(),
                images: tally.known(),
                people: self.persons.get(place).map_or(0, BTreeSet::len),
                positives: tally.positives(),
                accuracy: figures(accuracy, at(2 * place)),
                balanced_accuracy: figures(balanced, at(2 * place + 1)),
            })
        };
        names.iter().enumerate().filter_map(row).collect()
    }
}

fn figures([first, second]: [f64; 2], interval: Option<Interval>) -> Figures {
    Figures { first, second, difference: second - first, interval }
}

/// The answers whose probabilities are furthest apart, at most one for each image and attribute; how many answers there are, and how many differ.
fn disagreements(pairs: &[Pair], names: &[&str], most: usize) -> (Vec<Disagreement>, u64, u64) {
    let mut apart: BTreeMap<(u32, usize, usize), ()> = BTreeMap::new();
    let (mut answers, mut different) = (0, 0);
    for (image, pair) in pairs.iter().enumerate() {
        for (place, (first, second)) in pair.answers[0].iter().zip(&pair.answers[1]).enumerate() {
            if pair.tags.get(place).copied().flatten().is_none() {
                continue;
            }
            answers += 1;
            different += u64::from(first.present != second.present);
            if first.present != second.present {
                // The least first, so that it is the one to go; in ten-thousandths, as probabilities are written.
                let distance = (10_000.0 * (first.probability - second.probability).abs()) as u32;
                apart.insert((distance, usize::MAX - image, place), ());
                if apart.len() > most {
                    apart.pop_first();
                }
            }
        }
    }
    let listed = apart.into_keys().rev().filter_map(|(_, image, place)| {
        let pair = pairs.get(usize::MAX - image)?;
        let (first, second) = (pair.answers[0].get(place)?, pair.answers[1].get(place)?);
        Some(Disagreement {
            path: pair.path.clone(),
            attribute: (*names.get(place)?).to_owned(),
            label: pair.tags.get(place).copied().flatten()?,
            probabilities: [first.probability, second.probability],
            answers: [first.present, second.present],
        })
    });
    (listed.collect(), answers, different)
}
