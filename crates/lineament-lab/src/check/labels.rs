//! What labels say: how many of each kind, and what cannot both be.

use lineament_data::{Dataset, Framing, Sample, Split};
use serde::Serialize;

use crate::audit::contradictions::Rule;

/// The labels of an attribute in one part of a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BalanceRow {
    /// The data set.
    pub set: String,
    /// Its part.
    pub split: Split,
    /// The attribute.
    pub attribute: String,
    /// Images that have it.
    pub present: u64,
    /// Images that do not.
    pub absent: u64,
    /// Images of which nobody says.
    pub unknown: u64,
}

/// Two attributes that a face can hardly have both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contradicted {
    /// The data set.
    pub set: String,
    /// The one attribute.
    pub one: String,
    /// The other.
    pub other: String,
    /// Images in which both are labelled.
    pub labelled: u64,
    /// Of these, labelled to have both.
    pub both: u64,
    /// The first of them.
    #[serde(rename = "pictures")]
    pub images: Vec<String>,
}

/// Examples that are kept.
const EXAMPLES: usize = 5;

fn tag(sample: &Sample, attribute: usize) -> Option<bool> {
    sample.tags.get(attribute).copied().flatten()
}

/// A row for each attribute and part; an image in two framings counts once.
pub(super) fn balance(set: &Dataset) -> Vec<BalanceRow> {
    let once = set.once_each(Framing::Photo);
    let mut rows = Vec::new();
    for split in [Split::Train, Split::Validation, Split::Test] {
        let part: Vec<&Sample> = once.samples.iter().filter(|sample| sample.split == split).collect();
        if part.is_empty() {
            continue;
        }
        for (place, attribute) in set.attributes.iter().enumerate() {
            let count = |kind| part.iter().filter(|sample| tag(sample, place) == kind).count() as u64;
            rows.push(BalanceRow {
                set: set.name.clone(),
                split,
                attribute: attribute.clone(),
                present: count(Some(true)),
                absent: count(Some(false)),
                unknown: count(None),
            });
        }
    }
    rows
}

/// A row for each rule that some label breaks.
pub(super) fn contradictions(set: &Dataset, rules: &[Rule]) -> Vec<Contradicted> {
    let once = set.once_each(Framing::Photo);
    let known = |rule: &Rule| Some((set.attribute(&rule.one)?, set.attribute(&rule.other)?));
    let row = |rule: &Rule| {
        let (one, other) = known(rule)?;
        let both = |sample: &&Sample| tag(sample, one).zip(tag(sample, other));
        let labelled = once.samples.iter().filter(|sample| both(sample).is_some()).count() as u64;
        let broken: Vec<&Sample> =
            once.samples.iter().filter(|sample| both(sample) == Some((true, true))).collect();
        Some(Contradicted {
            set: set.name.clone(),
            one: rule.one.clone(),
            other: rule.other.clone(),
            labelled,
            both: broken.len() as u64,
            images: broken.iter().take(EXAMPLES).map(|sample| sample.name.clone()).collect(),
        })
    };
    rules.iter().filter_map(row).filter(|row| row.both > 0).collect()
}
