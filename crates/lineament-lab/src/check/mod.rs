//! Whether data can be trained on: what is readable, the same image in two parts, a person in two parts, labels of one kind only, labels that cannot
//! both be.

mod doubles;
mod fingerprint;
mod labels;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use lineament::{Limits, Photo};
use lineament_data::{Dataset, Finding, FindingKind, Sample, Split};
use rayon::prelude::*;
use serde::Serialize;

use crate::audit::contradictions::Rule;
use crate::observe::Skipped;
use fingerprint::Fingerprint;
pub use labels::{BalanceRow, Contradicted};

/// Labels of the rarer kind below which an attribute is hardly learned.
pub const FEW: u64 = 20;

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DataCheck {
    /// The sets that were read.
    pub sets: Vec<SetSummary>,
    /// What would spoil a training, in a sentence each; empty where nothing does.
    pub problems: Vec<String>,
    /// What should be known, and spoils nothing.
    pub remarks: Vec<String>,
    /// Images that cannot be read.
    pub unreadable: Vec<Skipped>,
    /// Images that are there more than once.
    pub doubles: Vec<Doubled>,
    /// People with images in several parts.
    pub people_in_several_parts: Vec<SpreadPerson>,
    /// Labels by attribute and part.
    pub balance: Vec<BalanceRow>,
    /// Labels that cannot both be.
    pub contradictions: Vec<Contradicted>,
}

/// What a set holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SetSummary {
    /// Its name.
    pub name: String,
    /// Images by part.
    #[serde(rename = "pictures")]
    pub images: BTreeMap<Split, usize>,
    /// People by part; those of whom nobody says who they are are not counted.
    pub people: BTreeMap<Split, usize>,
    /// What did not fit while it was read.
    pub findings: Vec<Finding>,
}

/// Files that show one image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Doubled {
    /// The files.
    pub files: Vec<DoubledFile>,
    /// Whether they are in more than one part.
    pub across_parts: bool,
    /// Attributes that they are labelled differently with.
    pub labelled_differently: Vec<String>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DoubledFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its part.
    pub split: Split,
}

/// A person with images in several parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SpreadPerson {
    /// The data set.
    pub set: String,
    /// The person's number in it.
    pub person: u32,
    /// Images by part.
    #[serde(rename = "pictures")]
    pub images: BTreeMap<Split, usize>,
}

/// Checks sets that are to be trained on together, on the rayon pool of the caller; `done` is called after each image.
pub fn check(sets: &[Dataset], rules: &[Rule], done: &(dyn Fn() + Sync)) -> DataCheck {
    let all: Vec<(usize, &Sample)> = sets
        .iter()
        .enumerate()
        .flat_map(|(set, data)| data.samples.iter().map(move |sample| (set, sample)))
        .collect();
    let look = |(_, sample): &(usize, &Sample)| {
        let seen = Photo::open(&sample.path, &Limits::default()).map(|photo| Fingerprint::of(&photo));
        done();
        seen.map_err(|error| Skipped { path: sample.path.clone(), reason: error.to_string() })
    };
    let looked: Vec<Result<Fingerprint, Skipped>> = all.par_iter().map(look).collect();
    let unreadable = looked.iter().filter_map(|seen| seen.as_ref().err().cloned()).collect();
    let fingerprints: Vec<Option<Fingerprint>> = looked.into_iter().map(Result::ok).collect();
    let groups = doubles::groups(&fingerprints);
    let mut check = DataCheck {
        sets: sets.iter().map(summary).collect(),
        problems: Vec::new(),
        remarks: Vec::new(),
        unreadable,
        doubles: groups.iter().filter_map(|group| doubled(group, &all, sets)).collect(),
        people_in_several_parts: sets.iter().flat_map(spread_people).collect(),
        balance: sets.iter().flat_map(labels::balance).collect(),
        contradictions: sets.iter().flat_map(|set| labels::contradictions(set, rules)).collect(),
    };
    check.judge();
    check
}

fn summary(set: &Dataset) -> SetSummary {
    let mut images: BTreeMap<Split, usize> = BTreeMap::new();
    let mut people: BTreeMap<Split, BTreeSet<u32>> = BTreeMap::new();
    for sample in &set.samples {
        *images.entry(sample.split).or_default() += 1;
        people.entry(sample.split).or_default().extend(sample.identity);
    }
    let people = people.into_iter().map(|(split, people)| (split, people.len())).collect();
    SetSummary { name: set.name.clone(), images, people, findings: set.report.findings().to_vec() }
}

/// The files of a group; none where all are one image of a set in two framings.
fn doubled(group: &[usize], all: &[(usize, &Sample)], sets: &[Dataset]) -> Option<Doubled> {
    let members: Vec<(usize, &Sample)> = group.iter().filter_map(|place| all.get(*place).copied()).collect();
    let names: BTreeSet<(usize, &str)> =
        members.iter().map(|(set, sample)| (*set, sample.name.as_str())).collect();
    if names.len() < 2 {
        return None;
    }
    let splits: BTreeSet<Split> = members.iter().map(|(_, sample)| sample.split).collect();
    let mut said: BTreeMap<&str, BTreeSet<bool>> = BTreeMap::new();
    for (set, sample) in &members {
        let attributes = sets.get(*set).into_iter().flat_map(|set| &set.attributes);
        for (attribute, tag) in attributes.zip(&sample.tags) {
            said.entry(attribute).or_default().extend(*tag);
        }
    }
    let differently = said.into_iter().filter(|(_, kinds)| kinds.len() > 1).map(|(name, _)| name.to_owned());
    let file =
        |(_, sample): &(usize, &Sample)| DoubledFile { path: sample.path.clone(), split: sample.split };
    Some(Doubled {
        files: members.iter().map(file).collect(),
        across_parts: splits.len() > 1,
        labelled_differently: differently.collect(),
    })
}

fn spread_people(set: &Dataset) -> Vec<SpreadPerson> {
    let mut people: BTreeMap<u32, BTreeMap<Split, usize>> = BTreeMap::new();
    for sample in &set.samples {
        if let Some(person) = sample.identity {
            *people.entry(person).or_default().entry(sample.split).or_default() += 1;
        }
    }
    let spread = people.into_iter().filter(|(_, images)| images.len() > 1);
    spread.map(|(person, images)| SpreadPerson { set: set.name.clone(), person, images }).collect()
}

impl DataCheck {
    /// Whether nothing would spoil a training.
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }

    /// Images that were looked at.
    pub fn images(&self) -> usize {
        self.sets.iter().flat_map(|set| set.images.values()).sum()
    }

    fn judge(&mut self) {
        let (problems, remarks) = (&mut self.problems, &mut self.remarks);
        let say = |list: &mut Vec<String>, count: usize, one: &str, many: &str, what: &str| {
            if count > 0 {
                list.push(format!("{count} {} {what}", if count == 1 { one } else { many }));
            }
        };
        let (picture, pictures) = ("picture", "pictures");
        say(problems, self.unreadable.len(), picture, pictures, "cannot be read: take them out of the data");
        let across = self.doubles.iter().filter(|double| double.across_parts).count();
        let what = "in more than one part: what is measured on the other part was learned; leave one copy";
        say(problems, across, "picture is", "pictures are", what);
        let spread = self.people_in_several_parts.len();
        let what = "in more than one part: their faces are learned, and then measured on; move them into one";
        say(problems, spread, "person has pictures", "people have pictures", what);
        let train = |row: &&BalanceRow| row.split == Split::Train;
        if !self.sets.iter().any(|set| set.images.contains_key(&Split::Train)) {
            problems.push("no picture is in the part train: nothing is there to learn from".to_owned());
        }
        for row in self.balance.iter().filter(train) {
            let (BalanceRow { set, attribute, present, absent, .. }, least) =
                (row, row.present.min(row.absent));
            if present + absent == 0 {
                remarks.push(format!("{set}: nobody says anything of {attribute} in the part train"));
            } else if least == 0 {
                let kind = if *present == 0 { "has it" } else { "lacks it" };
                problems.push(format!(
                    "{set}: {attribute} cannot be learned: no picture of the part train {kind}"
                ));
            } else if least < FEW {
                let kind = if present < absent { "have it" } else { "lack it" };
                remarks.push(format!(
                    "{set}: {attribute} is hardly learned: {least} pictures of the part train {kind}"
                ));
            }
        }
        say(
            remarks,
            self.doubles.len() - across,
            "picture is",
            "pictures are",
            "there more than once in its part",
        );
        for (kind, one, many, what) in [
            (
                FindingKind::RowWithoutImage,
                "row names",
                "rows name",
                "a picture that is not there (left out)",
            ),
            (FindingKind::MalformedRow, "row", "rows", "cannot be read (left out)"),
            (FindingKind::UnreadableTag, "tag is", "tags are", "neither yes nor no (counted as unknown)"),
        ] {
            let those = self.sets.iter().flat_map(|set| &set.findings).filter(|found| found.kind == kind);
            say(remarks, those.map(|found| found.count).sum(), one, many, what);
        }
        let differ = self.doubles.iter().filter(|double| !double.labelled_differently.is_empty()).count();
        say(
            remarks,
            differ,
            "picture that is",
            "pictures that are",
            "there more than once: its labels differ",
        );
        let both: u64 = self.contradictions.iter().map(|row| row.both).sum();
        say(remarks, both as usize, "pair", "pairs", "of labels that can hardly both be");
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use lineament::testing::blocks;
    use lineament_data::Framing;

    fn set(folder: &std::path::Path) -> Dataset {
        let mut set = Dataset::new("mine");
        set.attributes = vec!["Goatee".to_owned(), "No_Beard".to_owned()];
        for (name, seed, split, person, tags) in [
            ("a.png", 1, Split::Train, 1, [true, false]),
            ("b.png", 2, Split::Train, 2, [true, true]),
            ("c.png", 3, Split::Validation, 2, [false, true]),
            ("d.png", 1, Split::Test, 3, [true, true]),
        ] {
            let path = folder.join(name);
            blocks(60, 50, seed).save_png(&path).unwrap();
            let mut sample = Sample::new(path, name.to_owned(), Framing::Photo);
            (sample.split, sample.identity) = (split, Some(person));
            sample.tags = tags.map(Some).to_vec();
            set.samples.push(sample);
        }
        set
    }

    #[test]
    fn what_spoils_a_training_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let mut set = set(folder.path());
        std::fs::write(folder.path().join("e.png"), "no picture").unwrap();
        set.samples.push(Sample::new(folder.path().join("e.png"), "e.png".to_owned(), Framing::Photo));
        set.report.add(FindingKind::RowWithoutImage, "gone.png");
        let rules = [Rule { one: "Goatee".to_owned(), other: "No_Beard".to_owned() }];
        let found = check(&[set], &rules, &|| ());
        assert_eq!(found.unreadable.len(), 1);
        assert_eq!(found.doubles.len(), 1);
        assert!(found.doubles[0].across_parts && found.doubles[0].labelled_differently == ["No_Beard"]);
        assert_eq!(found.people_in_several_parts.len(), 1);
        assert_eq!(found.people_in_several_parts[0].person, 2);
        assert_eq!(found.contradictions[0].both, 2);
        let said = found.problems.join("\n");
        for part in [
            "1 picture cannot be read",
            "1 picture is in more than one part",
            "1 person has pictures in more",
            "Goatee cannot be learned",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert!(
            found.remarks.iter().any(|remark| remark.contains("No_Beard is hardly learned")),
            "{:?}",
            found.remarks
        );
        let gone = "1 row names a picture that is not there (left out)";
        assert!(found.remarks.iter().any(|remark| remark == gone), "{:?}", found.remarks);
    }

    #[test]
    fn what_is_sound_is_called_so() {
        let folder = tempfile::tempdir().unwrap();
        let mut set = set(folder.path());
        set.samples.remove(3);
        set.samples[2].identity = Some(9);
        set.samples[1].tags = vec![Some(false), Some(true)];
        // The same image in another framing is no double.
        let mut aligned = set.samples[0].clone();
        aligned.framing = Framing::Aligned;
        set.samples.push(aligned);
        let found = check(&[set], &[], &|| ());
        assert!(found.is_sound() && found.doubles.is_empty(), "{found:?}");
        assert_eq!(found.balance[0].present, 1, "an image in two framings counts once");
    }
}
