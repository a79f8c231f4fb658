//! The sum of images that could not be read, and what to do about them.

use lineament_data::endings::Endings;

/// One sentence on all of them; nothing where there are none. `skipped` says that the caller knows.
pub fn unreadable(endings: &Endings, skipped: bool) -> Option<String> {
    let pictures = match endings.total() {
        0 => return None,
        1 => "picture",
        _ => "pictures",
    };
    let advice = if skipped {
        ""
    } else {
        "; the reasons stand above: convert or copy them anew, or pass --skip-unreadable to end with status 0 all the same"
    };
    Some(format!("{} {pictures} could not be read ({endings}){advice}", endings.total()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn advice_is_for_those_who_did_not_ask() {
        let mut endings = Endings::default();
        assert_eq!(unreadable(&endings, false), None);
        for name in ["a.psd", "b.HEIC", "c.heic", "d"] {
            endings.add(Some(Path::new(name)));
        }
        let sum = unreadable(&endings, true).unwrap_or_default();
        assert_eq!(sum, "4 pictures could not be read (2 .heic, 1 .psd, 1 other)");
        assert!(unreadable(&endings, false).is_some_and(|advice| advice.contains("--skip-unreadable")));
    }
}
