//! Train, validation and test: drawn by person, never by image, so that no test face was ever seen in training.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::DataError;
use crate::report::FindingKind;
use crate::sample::{Dataset, Sample};

/// The seed of splits that no file gives.
pub const DEFAULT_SPLIT_SEED: u64 = 20_150_929;

/// The part of a data set that an image belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// Weights are learned here (CelebA's partition 0).
    Train,
    /// Thresholds, calibration and choices are made here (partition 1).
    Validation,
    /// Measured once at the end (partition 2).
    Test,
    /// All parts together: may be asked for, and is no part that an image belongs to.
    All,
}

impl Split {
    /// Whether images of the part `other` are asked for.
    pub fn holds(self, other: Self) -> bool {
        self == Self::All || self == other
    }

    /// Reads "train", "val", "test" and their usual spellings, and CelebA's 0, 1, 2.
    pub fn from_text(text: &str) -> Option<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "train" | "training" | "0" => Some(Self::Train),
            "val" | "valid" | "validation" | "dev" | "1" => Some(Self::Validation),
            "test" | "testing" | "2" => Some(Self::Test),
            _ => None,
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
            Self::All => "all",
        })
    }
}

/// The shares of people that go to validation and test; the rest trains.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SplitShares {
    /// Share of people for validation, 0 to 1.
    pub validation: f64,
    /// Share of people for test, 0 to 1; the two together at most 1.
    pub test: f64,
}

impl Default for SplitShares {
    /// One in ten people each, near CelebA's own shares.
    fn default() -> Self {
        Self { validation: 0.1, test: 0.1 }
    }
}

impl SplitShares {
    /// Whether both shares and their sum are between 0 and 1.
    pub fn check(self) -> Result<Self, DataError> {
        let sum = self.validation + self.test;
        if self.validation >= 0.0 && self.test >= 0.0 && sum <= 1.0 {
            Ok(self)
        } else {
            Err(DataError::Setting {
                name: "the shares of validation and test",
                value: format!("{} and {}", self.validation, self.test),
                expected: "both must be at least 0 and their sum at most 1",
            })
        }
    }
}

/// Who is on an image, for splitting: a person where known, else the image's own name (the same image in two
/// framings is one).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Person(u32),
    Image(String),
}

impl Group {
    fn of(sample: &Sample) -> Self {
        sample.identity.map_or_else(|| Self::Image(sample.name.clone()), Self::Person)
    }

    /// A number in [0, 1) that depends on the seed and the group alone, so that adding people moves nobody else.
    fn draw(&self, seed: u64) -> f64 {
        let start = mix(seed ^ 0x6c69_6e65_616d_656e);
        let hash = match self {
            Self::Person(id) => mix(start ^ u64::from(*id)),
            Self::Image(name) => name.bytes().fold(start, |hash, byte| mix(hash ^ u64::from(byte))),
        };
        (hash >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn split(&self, seed: u64, shares: SplitShares) -> Split {
        let draw = self.draw(seed);
        if draw < shares.test {
            Split::Test
        } else if draw < shares.test + shares.validation {
            Split::Validation
        } else {
            Split::Train
        }
    }
}

/// SplitMix64's finaliser (Steele, Lea and Flood, 2014).
pub(crate) fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Dataset {
    /// Gives every sample a split anew, by person: all images of one person come into the same one. Images without an
    /// identity are taken as one person each. The result depends on the seed and the identity only, not on order or
    /// on who else is there.
    ///
    /// # Errors
    /// [`DataError::Setting`] for shares outside 0 to 1.
    pub fn split_by_identity(&mut self, seed: u64, shares: SplitShares) -> Result<(), DataError> {
        let shares = shares.check()?;
        for sample in &mut self.samples {
            sample.split = Group::of(sample).split(seed, shares);
        }
        Ok(())
    }

    /// As [`Self::split_by_identity`] with the default seed and shares, and says so in the report.
    pub(crate) fn draw_splits(&mut self) {
        self.draw_splits_in(SplitShares::default());
    }

    /// As [`Self::draw_splits`] with other shares.
    pub(crate) fn draw_splits_in(&mut self, shares: SplitShares) {
        for sample in &mut self.samples {
            sample.split = Group::of(sample).split(DEFAULT_SPLIT_SEED, shares);
        }
        let percent = |share: f64| (share * 100.0).round();
        let (validation, test) = (percent(shares.validation), percent(shares.test));
        let train = 100.0 - validation - test;
        self.report.add(
            FindingKind::SplitsDrawn,
            format!("no split file: {train}/{validation}/{test} % of people, seed {DEFAULT_SPLIT_SEED}"),
        );
    }

    /// Takes splits from a file where it gives them. An image without one goes where its person's other images are, or is drawn by
    /// person. People in several splits are reported and left as the file has them.
    pub(crate) fn assign_splits(&mut self, given: impl Fn(&Sample) -> Option<Split>) {
        let mut homes: BTreeMap<Group, BTreeSet<Split>> = BTreeMap::new();
        let mut open = Vec::new();
        for (place, sample) in self.samples.iter_mut().enumerate() {
            match given(sample) {
                Some(split) => {
                    sample.split = split;
                    homes.entry(Group::of(sample)).or_default().insert(split);
                }
                None => open.push(place),
            }
        }
        for place in open {
            if let Some(sample) = self.samples.get_mut(place) {
                let group = Group::of(sample);
                sample.split = homes
                    .get(&group)
                    .and_then(|splits| splits.first().copied())
                    .unwrap_or_else(|| group.split(DEFAULT_SPLIT_SEED, SplitShares::default()));
                self.report.add(FindingKind::ImageWithoutSplit, sample.name.clone());
            }
        }
        for (group, splits) in &homes {
            if splits.len() > 1 {
                let name = match group {
                    Group::Person(id) => format!("person {id}"),
                    Group::Image(name) => name.clone(),
                };
                self.report.add(FindingKind::IdentityInSeveralSplits, name);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sample::Framing;

    fn set(identities: &[Option<u32>]) -> Dataset {
        let mut set = Dataset::new("test");
        for (i, identity) in identities.iter().enumerate() {
            let mut sample = Sample::new(format!("{i}.jpg").into(), format!("{i}.jpg"), Framing::Photo);
            sample.identity = *identity;
            set.samples.push(sample);
        }
        set
    }

    proptest! {
        #[test]
        fn splits_never_share_a_person(
            identities in prop::collection::vec(prop::option::of(0_u32..40), 0..200),
            seed in any::<u64>(), validation in 0.0..0.5_f64, test in 0.0..0.5_f64,
        ) {
            let mut data = set(&identities);
            data.split_by_identity(seed, SplitShares { validation, test }).unwrap();
            let mut home = BTreeMap::new();
            for sample in &data.samples {
                if let Some(id) = sample.identity {
                    prop_assert_eq!(*home.entry(id).or_insert(sample.split), sample.split);
                }
            }
        }

        #[test]
        fn given_splits_keep_people_together(
            people in prop::collection::vec(0_u32..20, 0..100), hidden in prop::collection::vec(any::<bool>(), 100),
        ) {
            let identities: Vec<_> = people.iter().map(|p| Some(*p)).collect();
            let mut data = set(&identities);
            data.assign_splits(|sample| {
                let place: usize = sample.name.trim_end_matches(".jpg").parse().unwrap();
                let split = if sample.identity.unwrap() % 2 == 0 { Split::Train } else { Split::Test };
                (!hidden[place]).then_some(split)
            });
            let mut home = BTreeMap::new();
            for sample in &data.samples {
                prop_assert_eq!(*home.entry(sample.identity).or_insert(sample.split), sample.split);
            }
            prop_assert_eq!(data.report.count(FindingKind::IdentityInSeveralSplits), 0);
        }
    }

    #[test]
    fn shares_are_about_as_asked() {
        let identities: Vec<_> = (0..10_000).map(Some).collect();
        let mut data = set(&identities);
        data.split_by_identity(7, SplitShares { validation: 0.2, test: 0.1 }).unwrap();
        let count = |split| data.samples.iter().filter(|s| s.split == split).count();
        assert!((900..1100).contains(&count(Split::Test)), "{}", count(Split::Test));
        assert!((1850..2150).contains(&count(Split::Validation)), "{}", count(Split::Validation));
    }

    #[test]
    fn wrong_shares_are_refused() {
        let error = set(&[]).split_by_identity(7, SplitShares { validation: 0.8, test: 0.3 }).unwrap_err();
        assert!(error.to_string().contains("sum at most 1"), "{error}");
        assert!(SplitShares { validation: f64::NAN, test: 0.0 }.check().is_err());
    }

    #[test]
    fn people_in_two_splits_are_reported() {
        let mut data = set(&[Some(1), Some(1), Some(2)]);
        data.assign_splits(|s| Some(if s.name == "0.jpg" { Split::Train } else { Split::Test }));
        assert_eq!(data.report.count(FindingKind::IdentityInSeveralSplits), 1);
    }
}
