//! Which attributes have to do with who somebody is, and which change from image to image.

use serde::{Deserialize, Serialize};

/// How an attribute relates to a person's identity (paper, section 4.2, which compares a few of the first two kinds).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// What images of one person have in common for years: the face's parts and shape, sex, age.
    Identity,
    /// What may differ between two images of a day: expression, what is worn or put on, the shot.
    Moment,
    /// What a hairdresser changes, and whatever is not in the table.
    Between,
}

impl Kind {
    /// All, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Identity, Self::Moment, Self::Between];

    /// The kind of an attribute, by name; names that are not CelebA's are [`Kind::Between`].
    pub fn of(name: &str) -> Self {
        #[derive(Deserialize)]
        struct Row {
            attribute: String,
            kind: Kind,
        }
        let mut table = csv::Reader::from_reader(include_str!("kinds.csv").as_bytes());
        let known = table.deserialize().filter_map(Result::ok).find(|row: &Row| row.attribute == name);
        known.map_or(Self::Between, |row| row.kind)
    }

    /// "identity-related" and so on.
    pub fn words(self) -> &'static str {
        match self {
            Self::Identity => "identity-related",
            Self::Moment => "identity-non-related",
            Self::Between => "other",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lineament::attributes::CELEBA;

    #[test]
    fn every_attribute_of_celeba_is_in_the_table_once() {
        let table = include_str!("kinds.csv");
        for name in CELEBA {
            assert_eq!(
                table.lines().filter(|line| line.starts_with(&format!("{name},"))).count(),
                1,
                "{name}"
            );
        }
        assert_eq!(table.lines().count(), 41);
        assert_eq!(
            ["Male", "Smiling", "Bangs", "Freckles"].map(Kind::of),
            [Kind::Identity, Kind::Moment, Kind::Between, Kind::Between]
        );
    }
}
