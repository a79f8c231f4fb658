//! Errors by group, with intervals from drawing people again.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Answered;
use crate::bootstrap::{Interval, People, RESAMPLES, SEED};
use crate::metrics::Tally;

/// How images fall into groups.
#[derive(Debug, Clone, PartialEq)]
pub enum Grouping {
    /// All of them.
    All,
    /// By the label of an attribute, at its place in the model: "yes", "no"; unlabelled images are in no group.
    Attribute(usize),
    /// By a column of the user's: the group of each file name; other images are in no group.
    Column {
        /// Its name.
        name: String,
        /// File name to group.
        groups: BTreeMap<String, String>,
    },
}

impl Grouping {
    pub(crate) fn name(&self, names: &[&str]) -> String {
        match self {
            Self::All => "all".to_owned(),
            Self::Attribute(place) => names.get(*place).copied().unwrap_or_default().to_owned(),
            Self::Column { name, .. } => name.clone(),
        }
    }

    fn of<'a>(&'a self, image: &Answered) -> Option<&'a str> {
        match self {
            Self::All => Some("all"),
            Self::Attribute(place) => match image.tags.get(*place)? {
                Some(true) => Some("yes"),
                Some(false) => Some("no"),
                None => None,
            },
            Self::Column { groups, .. } => groups.get(&image.name).map(String::as_str),
        }
    }

    /// The groups, by name, with their images.
    pub(crate) fn split<'a, 'b>(&'a self, images: &'b [Answered]) -> BTreeMap<&'a str, Vec<&'b Answered>> {
        let mut groups: BTreeMap<&str, Vec<&Answered>> = BTreeMap::new();
        for image in images {
            if let Some(group) = self.of(image) {
                groups.entry(group).or_default().push(image);
            }
        }
        groups
    }
}

/// One attribute in one group. A figure is `None` where it is not defined (no absent label: no false positive rate), an
/// interval with fewer than two people.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GroupRow {
    /// What images are grouped by.
    pub by: String,
    /// The group.
    pub group: String,
    /// The attribute.
    pub attribute: String,
    /// Labelled images.
    #[serde(rename = "pictures")]
    pub images: u64,
    /// People in them.
    pub people: usize,
    /// The share that has the attribute.
    pub positives: f64,
    /// The share of right answers.
    pub accuracy: Option<f64>,
    /// Its 95 % interval.
    pub accuracy_interval: Option<Interval>,
    /// The share of images without the attribute that are said to have it.
    pub false_positive_rate: Option<f64>,
    /// Its 95 % interval.
    pub false_positive_interval: Option<Interval>,
    /// The share of images with the attribute that are said not to have it.
    pub false_negative_rate: Option<f64>,
    /// Its 95 % interval.
    pub false_negative_interval: Option<Interval>,
    /// One minus the mean of the two rates.
    pub balanced_accuracy: Option<f64>,
    /// Its 95 % interval.
    pub balanced_interval: Option<Interval>,
}

fn accuracy(tally: &Tally) -> Option<f64> {
    (tally.known() > 0).then(|| tally.accuracy())
}

fn false_positives(tally: &Tally) -> Option<f64> {
    let absent = tally.false_positives + tally.true_negatives;
    (absent > 0).then(|| tally.false_positives as f64 / absent as f64)
}

fn false_negatives(tally: &Tally) -> Option<f64> {
    let present = tally.false_negatives + tally.true_positives;
    (present > 0).then(|| tally.false_negatives as f64 / present as f64)
}

fn balanced(tally: &Tally) -> Option<f64> {
    Some(1.0 - (false_positives(tally)? + false_negatives(tally)?) / 2.0)
}

pub(super) fn rows(images: &[Answered], names: &[&str], groupings: &[Grouping]) -> Vec<GroupRow> {
    let mut rows = Vec::new();
    for grouping in groupings {
        for (group, members) in grouping.split(images) {
            rows.extend(group_rows(&grouping.name(names), group, &members, names));
        }
    }
    rows
}

fn group_rows(by: &str, group: &str, members: &[&Answered], names: &[&str]) -> Vec<GroupRow> {
    let mut people = People::new(names.len());
    let mut sums = vec![Tally::default(); names.len()];
    let mut persons = vec![BTreeSet::new(); names.len()];
    for image in members {
        let own = people.person(image.person);
        let tallies = own.iter_mut().zip(&mut sums).zip(&mut persons);
        for (((own, sum), persons), (tag, answer)) in tallies.zip(image.tags.iter().zip(&image.answers)) {
            if let Some(truth) = *tag {
                own.add(truth, answer.present);
                sum.add(truth, answer.present);
                persons.insert(image.person);
            }
        }
    }
    let figures = [accuracy, false_positives, false_negatives, balanced];
    let intervals = people.figure_intervals(&figures, RESAMPLES, SEED);
    let at = |attribute: usize, figure: usize| *intervals.get(attribute)?.get(figure)?;
    let each = names.iter().zip(sums).zip(persons).enumerate();
    each.filter(|(_, ((_, tally), _))| tally.known() > 0)
        .map(|(index, ((name, tally), persons))| GroupRow {
            by: by.to_owned(),
            group: group.to_owned(),
            attribute: (*name).to_owned(),
            images: tally.known(),
            people: persons.len(),
            positives: tally.positives(),
            accuracy: accuracy(&tally),
            accuracy_interval: at(index, 0),
            false_positive_rate: false_positives(&tally),
            false_positive_interval: at(index, 1),
            false_negative_rate: false_negatives(&tally),
            false_negative_interval: at(index, 2),
            balanced_accuracy: balanced(&tally),
            balanced_interval: at(index, 3),
        })
        .collect()
}
