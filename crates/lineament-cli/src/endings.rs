//! What the names of unreadable images end in, for those who want to know what a folder holds that was not read.

use std::collections::BTreeMap;
use std::path::Path;

/// How many images of each ending could not be read.
#[derive(Debug, Default)]
pub struct Endings {
    counts: BTreeMap<String, u64>,
    all: u64,
}

impl Endings {
    /// Counts an image by its name, or one without.
    pub fn add(&mut self, path: Option<&Path>) {
        let ending = path.and_then(Path::extension);
        let ending =
            ending.map_or("other".into(), |ending| format!(".{}", ending.to_string_lossy().to_lowercase()));
        *self.counts.entry(ending).or_default() += 1;
        self.all += 1;
    }

    /// One sentence on all of them, and what to do; nothing where there are none. `skipped` says that the caller knows.
    pub fn sum(&self, skipped: bool) -> Option<String> {
        if self.all == 0 {
            return None;
        }
        let mut counts: Vec<_> = self.counts.iter().collect();
        counts.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        let list: Vec<String> =
            counts.into_iter().map(|(ending, count)| format!("{count} {ending}")).collect();
        let pictures = if self.all == 1 { "picture" } else { "pictures" };
        let advice = if skipped {
            ""
        } else {
            "; the reasons stand above: convert or copy them anew, or pass --skip-unreadable to end with status 0 all the same"
        };
        Some(format!("{} {pictures} could not be read ({}){advice}", self.all, list.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_come_first_and_advice_is_for_those_who_did_not_ask() {
        let mut endings = Endings::default();
        assert_eq!(endings.sum(false), None);
        for name in ["a.psd", "b.HEIC", "c.heic", "d"] {
            endings.add(Some(Path::new(name)));
        }
        let sum = endings.sum(true).unwrap_or_default();
        assert_eq!(sum, "4 pictures could not be read (2 .heic, 1 .psd, 1 other)");
        assert!(endings.sum(false).is_some_and(|advice| advice.contains("--skip-unreadable")));
    }
}
