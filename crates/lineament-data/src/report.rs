//! What a reader found that did not fit, counted and with examples: a partial data set is read, not refused, but never
//! in silence.

use std::fmt;

use serde::Serialize;

/// How many examples of each kind of finding are kept.
const EXAMPLES: usize = 5;

/// The kinds of things that a reader counts instead of failing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// A row of labels names an image that is not there.
    #[serde(rename = "row_without_picture")]
    RowWithoutImage,
    /// An image that no row of labels names; it is left out.
    #[serde(rename = "picture_without_row")]
    ImageWithoutRow,
    /// A row that could not be read (the example gives file and line); it is left out.
    MalformedRow,
    /// A tag that is neither yes nor no; it counts as unknown.
    UnreadableTag,
    /// A name that comes twice in one list; the first one counts.
    RepeatedName,
    /// The count in a file's first line is not the number of its rows.
    CountDisagrees,
    /// A file that may be there and is not.
    MissingFile,
    /// A box without an area; it is left out.
    EmptyBox,
    /// An image to which the split file gives no part; its person decides.
    #[serde(rename = "picture_without_split")]
    ImageWithoutSplit,
    /// An image of which nobody says who is on it.
    #[serde(rename = "picture_without_identity")]
    ImageWithoutIdentity,
    /// A person with images in more than one split.
    IdentityInSeveralSplits,
    /// The splits were drawn by person here, since no file gives them (the example gives the seed).
    SplitsDrawn,
    /// A column that holds no yes-or-no values; it is left out.
    IgnoredColumn,
    /// A file that is no image by its name; it is left out.
    #[serde(rename = "not_a_picture")]
    NotAnImage,
    /// A labelled face beside a larger one of the same image; it is left out.
    SmallerFace,
    /// A folder that cannot be opened, or a link that leads nowhere or in a circle; it is passed over.
    UnreadablePlace,
}

impl FindingKind {
    /// The finding in words, as a plural.
    pub fn words(self) -> &'static str {
        match self {
            Self::RowWithoutImage => "rows without a picture",
            Self::ImageWithoutRow => "pictures without a row (left out)",
            Self::MalformedRow => "malformed rows (left out)",
            Self::UnreadableTag => "tags that are neither yes nor no (taken as unknown)",
            Self::RepeatedName => "repeated names (the first one counts)",
            Self::CountDisagrees => "row counts that disagree with the rows",
            Self::MissingFile => "optional files that are not there",
            Self::EmptyBox => "boxes without an area (left out)",
            Self::ImageWithoutSplit => "pictures without a split (drawn by person)",
            Self::ImageWithoutIdentity => "pictures without an identity",
            Self::IdentityInSeveralSplits => "people in several splits",
            Self::SplitsDrawn => "splits drawn by person",
            Self::IgnoredColumn => "columns that hold no yes-or-no values (left out)",
            Self::NotAnImage => "files that are no pictures (left out)",
            Self::SmallerFace => "pictures with labelled faces beside the largest (left out)",
            Self::UnreadablePlace => "places that cannot be looked into (passed over)",
        }
    }
}

/// One kind of finding: how often, and the first few.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was found.
    pub kind: FindingKind,
    /// How often.
    pub count: usize,
    /// The first five, as a name or as "file, line N: why".
    pub examples: Vec<String>,
}

/// Everything that a reader found that did not fit, in the order of [`FindingKind`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ReadReport {
    findings: Vec<Finding>,
}

impl ReadReport {
    /// All findings, one entry a kind, ordered by kind.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// How often something was found.
    pub fn count(&self, kind: FindingKind) -> usize {
        self.findings.iter().find(|f| f.kind == kind).map_or(0, |f| f.count)
    }

    /// Counts one finding.
    pub fn add(&mut self, kind: FindingKind, example: impl Into<String>) {
        self.extend(kind, 1, vec![example.into()]);
    }

    /// Counts all findings of another report too.
    pub fn merge(&mut self, other: ReadReport) {
        for finding in other.findings {
            self.extend(finding.kind, finding.count, finding.examples);
        }
    }

    fn extend(&mut self, kind: FindingKind, count: usize, examples: Vec<String>) {
        let place = match self.findings.binary_search_by_key(&kind, |f| f.kind) {
            Ok(place) => place,
            Err(place) => {
                self.findings.insert(place, Finding { kind, count: 0, examples: Vec::new() });
                place
            }
        };
        if let Some(finding) = self.findings.get_mut(place) {
            finding.count += count;
            let room = EXAMPLES.saturating_sub(finding.examples.len());
            finding.examples.extend(examples.into_iter().take(room));
        }
    }
}

impl fmt::Display for ReadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, finding) in self.findings.iter().enumerate() {
            if place > 0 {
                writeln!(f)?;
            }
            write!(f, "{} {}: {}", finding.count, finding.kind.words(), finding.examples.join("; "))?;
            if finding.count > finding.examples.len() {
                write!(f, "; ...")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_all_and_keeps_the_first_examples() {
        let mut report = ReadReport::default();
        for i in 0..9 {
            report.add(FindingKind::RepeatedName, format!("{i}.jpg"));
        }
        report.add(FindingKind::RowWithoutImage, "x.jpg");
        let mut other = ReadReport::default();
        other.add(FindingKind::RepeatedName, "z.jpg");
        report.merge(other);
        assert_eq!(report.count(FindingKind::RepeatedName), 10);
        assert_eq!(report.count(FindingKind::MalformedRow), 0);
        let text = report.to_string();
        assert!(text.starts_with("1 rows without a picture: x.jpg\n10 repeated names"), "{text}");
        assert!(text.ends_with("4.jpg; ..."), "{text}");
    }
}
