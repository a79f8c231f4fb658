//! Extractors that a program brings along: what a card says of one.

use lineament_net::NetSpec;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::extractor::ANET;

/// An extractor that the library does not have. The card holds all that reading, checking and writing the bundle takes; running it
/// takes a program that knows its `kind` and makes it of `settings` and the bundle's weights. It places what it looks at by landmarks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomExtractor {
    /// Which one it is: small letters, digits and underscores.
    pub kind: String,
    /// What it is, for people, in a line.
    pub about: String,
    /// Length of its embeddings.
    pub features: usize,
    /// Its nets, by the name of their tensors. Each sees one image a face.
    #[serde(default)]
    pub nets: BTreeMap<String, NetSpec>,
    /// Everything else that decides what it does.
    pub settings: serde_json::Value,
}

/// What a card cannot say of an extractor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CustomExtractorError {
    /// A name that cannot stand before a tensor's.
    #[error(
        "the card's describer uses the name {0:?}; a kind or net has 1 to {most} small letters, digits and underscores, and is \
         none of lnet_o, lnet_s, anet and svm",
        most = CustomExtractor::LONGEST_NAME
    )]
    Name(String),
    /// A text that is no line.
    #[error(
        "the card's describer must say what it is (`about`) in a line of 1 to 200 characters without control characters"
    )]
    About,
    /// An embedding of no length, or of one that nobody means.
    #[error("the card's describer has {0} features; there must be between 1 and {most}", most = CustomExtractor::MOST_FEATURES)]
    Features(usize),
    /// Too many nets.
    #[error("the card's describer has {0} nets; there may be at most {most}", most = CustomExtractor::MOST_NETS)]
    Nets(usize),
}

impl CustomExtractor {
    /// Longest name of a kind or a net.
    pub const LONGEST_NAME: usize = 50;
    /// Most nets.
    pub const MOST_NETS: usize = 128;
    /// Longest embedding.
    pub const MOST_FEATURES: usize = 1 << 20;

    /// Refuses what no bundle can hold; nets are checked by the card.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), CustomExtractorError> {
        let Self { kind, about, features, nets, settings: _ } = self;
        for name in nets.keys().chain([kind]) {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            let taken = ["lnet_o", "lnet_s", ANET, "svm"].contains(&name.as_str());
            if taken || !(1..=Self::LONGEST_NAME).contains(&name.len()) || !name.chars().all(plain) {
                return Err(CustomExtractorError::Name(name.chars().take(100).collect()));
            }
        }
        if about.trim().is_empty() || about.chars().count() > 200 || about.contains(char::is_control) {
            return Err(CustomExtractorError::About);
        }
        if !(1..=Self::MOST_FEATURES).contains(features) {
            return Err(CustomExtractorError::Features(*features));
        }
        if nets.len() > Self::MOST_NETS {
            return Err(CustomExtractorError::Nets(nets.len()));
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::extractor::Extractor;
    use super::*;

    fn custom() -> CustomExtractor {
        CustomExtractor {
            kind: "parts".to_owned(),
            about: "Parts of the face".to_owned(),
            features: 3,
            nets: BTreeMap::new(),
            settings: serde_json::json!({ "power": 0.5 }),
        }
    }

    #[test]
    fn what_a_card_says_is_read_back() {
        let written = serde_json::to_value(Extractor::Custom(custom())).unwrap();
        assert_eq!((&written["kind"], &written["settings"]["power"]), (&"parts".into(), &0.5.into()));
        assert_eq!(serde_json::from_value::<Extractor>(written).unwrap(), Extractor::Custom(custom()));
    }

    #[test]
    fn what_no_bundle_can_hold_is_refused() {
        custom().check().unwrap();
        for name in ["", "anet", "Parts", "a.b", &"n".repeat(51)] {
            let wrong = CustomExtractor { kind: name.to_owned(), ..custom() };
            assert!(matches!(wrong.check(), Err(CustomExtractorError::Name(_))), "{name}");
        }
        for about in ["", "a\u{1b}[2J", &"a".repeat(201)] {
            let wrong = CustomExtractor { about: about.to_owned(), ..custom() };
            assert_eq!(wrong.check(), Err(CustomExtractorError::About));
        }
        for features in [0, usize::MAX] {
            let wrong = CustomExtractor { features, ..custom() };
            assert_eq!(wrong.check(), Err(CustomExtractorError::Features(features)));
        }
    }
}
