//! What the names of files end in, counted: for those who want to know what a folder holds that was not read.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// Endings that are listed; folders that are no archive of photos may hold any number.
const LISTED: usize = 8;
/// Longest ending, in characters; what is longer is no ending but part of a name.
const LONGEST: usize = 12;

/// How many files there are of each ending. Written as a list, the most frequent first: `2 .psd, 1 .heic`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endings {
    counts: BTreeMap<String, u64>,
}

impl Endings {
    /// Counts a file by its name, or one without.
    pub fn add(&mut self, path: Option<&Path>) {
        let ending = path.and_then(Path::extension).and_then(|ending| ending.to_str());
        let plain = |ending: &&str| {
            ending.len() <= LONGEST && ending.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        let ending = ending
            .filter(plain)
            .map_or_else(|| "other".to_owned(), |ending| format!(".{}", ending.to_lowercase()));
        *self.counts.entry(ending).or_default() += 1;
    }

    /// How many files there are.
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }
}

impl fmt::Display for Endings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut counts: Vec<_> = self.counts.iter().collect();
        counts.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        let (listed, rest) = counts.split_at(counts.len().min(LISTED));
        for (place, (ending, count)) in listed.iter().enumerate() {
            write!(f, "{}{count} {ending}", if place == 0 { "" } else { ", " })?;
        }
        match rest.iter().map(|(_, count)| **count).sum::<u64>() {
            0 => Ok(()),
            more => write!(f, ", {more} with {} other endings", rest.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(names: impl IntoIterator<Item = impl AsRef<Path>>) -> Endings {
        let mut endings = Endings::default();
        names.into_iter().for_each(|name| endings.add(Some(name.as_ref())));
        endings
    }

    #[test]
    fn the_most_frequent_come_first() {
        let endings = of(["a.psd", "b.HEIC", "c.heic", "d", "e.jpg\n", "f.and then he said"]);
        assert_eq!((endings.total(), endings.to_string().as_str()), (6, "3 other, 2 .heic, 1 .psd"));
    }

    #[test]
    fn rare_ones_are_summed() {
        let endings = of((0..12).map(|number| format!("a.e{number:02}")));
        assert!(endings.to_string().ends_with("1 .e07, 4 with 4 other endings"), "{endings}");
    }
}
