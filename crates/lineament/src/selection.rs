//! Which faces and attributes are asked for, and from where on each attribute is called present: decided once for all front
//! ends.

use std::sync::Arc;

use crate::attributes::{AttributeCard, OperatingPoint};
use crate::bundle::Card;
use crate::error::{Error, Result};
use crate::locate::{Search, SmallestFace};
use crate::prediction::{Attribute, Attributes};

/// Which faces are asked for and what about each; a field that is `None` leaves the tagger's own choice.
///
/// ```no_run
/// use lineament::{Selection, Tagger};
///
/// let tagger = Tagger::embedded()?;
/// let attributes = Some(vec!["Smiling".to_owned(), "Eyeglasses".to_owned()]);
/// let strict = tagger.with(&Selection { attributes, threshold: Some(0.9), ..Selection::default() })?;
/// for face in strict.predict("party.jpg")?.faces {
///     println!("{}", face["Smiling"].present);
/// }
/// # Ok::<(), lineament::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selection {
    /// Names of the attributes, in the order of the answers; a name that comes twice counts once.
    pub attributes: Option<Vec<String>>,
    /// Which of the model's own thresholds hold. Lifts a `threshold` that the tagger has.
    pub operating_point: Option<OperatingPoint>,
    /// The probability from which on an attribute is present, 0 to 1, instead of the model's own thresholds.
    pub threshold: Option<f32>,
    /// The height of the smallest face that is looked for.
    pub smallest_face: Option<SmallestFace>,
    /// How many faces are answered at most, the best.
    pub max_faces: Option<usize>,
    /// Whether faces may stand in any orientation.
    pub any_orientation: Option<bool>,
    /// Whether faces are answered with their landmarks and pose.
    pub landmarks: Option<bool>,
    /// Whether each face comes with its embedding.
    pub embeddings: Option<bool>,
    /// Whether faces are answered with their quality.
    pub quality: Option<bool>,
    /// The quality, 0 to 1, below which faces are left out; 0 keeps all of them, with their quality.
    pub least_quality: Option<f32>,
    /// How likely an answer must be right to be given, 0 to 1, by the calibrated probability; others are unknown. 0 gives all of them.
    pub abstain: Option<f32>,
}

impl Selection {
    /// A search with what is selected of it.
    pub(crate) fn search(&self, usual: Search) -> Search {
        Search {
            smallest_face: self.smallest_face.or(usual.smallest_face),
            max_faces: self.max_faces.or(usual.max_faces),
            any_orientation: self.any_orientation.unwrap_or(usual.any_orientation),
        }
    }
}

/// A [`Selection`] of one model, ready to read scores.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    /// Index in the card and name.
    attributes: Vec<(usize, Arc<str>)>,
    point: OperatingPoint,
    threshold: Option<f32>,
    abstain: f32,
}

impl Reader {
    /// All attributes of the card, in its order, at the model's thresholds for accuracy.
    pub(crate) fn of_all(card: &Card) -> Self {
        let attributes = card.attributes.iter().map(|attribute| attribute.name.as_str().into());
        Self {
            attributes: attributes.enumerate().collect(),
            point: OperatingPoint::default(),
            threshold: None,
            abstain: 0.0,
        }
    }

    /// The same with another selection.
    pub(crate) fn with(&self, selection: &Selection, card: &Card) -> Result<Self> {
        let mut reader = self.clone();
        if let Some(names) = &selection.attributes {
            reader.attributes.clear();
            for name in names {
                let index = card.find(name)?;
                // Answers have the model's own name, however it was typed.
                let own =
                    card.attributes.get(index).map_or(name.as_str(), |attribute| attribute.name.as_str());
                if reader.attributes.iter().all(|(known, _)| *known != index) {
                    reader.attributes.push((index, own.into()));
                }
            }
        }
        if let Some(point) = selection.operating_point {
            (reader.point, reader.threshold) = (point, None);
        }
        if let Some(threshold) = selection.threshold {
            if !(0.0..=1.0).contains(&threshold) {
                return Err(Error::Threshold(threshold));
            }
            reader.threshold = Some(threshold);
        }
        if let Some(least) = selection.abstain {
            if !(0.0..=1.0).contains(&least) {
                return Err(Error::Abstain(least));
            }
            reader.abstain = least;
        }
        Ok(reader)
    }

    /// Indices in the card, in the order of the answers.
    pub(crate) fn indices(&self) -> impl ExactSizeIterator<Item = usize> {
        self.attributes.iter().map(|(index, _)| *index)
    }

    pub(crate) fn point(&self) -> OperatingPoint {
        self.point
    }

    pub(crate) fn threshold(&self) -> Option<f32> {
        self.threshold
    }

    pub(crate) fn abstain(&self) -> f32 {
        self.abstain
    }

    /// Whether this score of an attribute makes it present.
    pub(crate) fn is_present(&self, card: &AttributeCard, score: f32) -> bool {
        match self.threshold {
            Some(threshold) => card.platt.probability(score) >= threshold,
            None => score > card.thresholds.at(self.point),
        }
    }

    /// The selected attributes with what the card knows of each and its score, in the order of the answers; `scores` has
    /// one for each attribute of the card.
    pub(crate) fn scored<'a>(
        &'a self,
        card: &'a Card,
        scores: &'a [f32],
    ) -> impl Iterator<Item = (usize, &'a AttributeCard, f32, Attribute)> {
        self.attributes.iter().filter_map(|(index, name)| {
            let (card, &score) = card.attributes.get(*index).zip(scores.get(*index))?;
            let (present, probability) = (self.is_present(card, score), card.platt.probability(score));
            let unknown = (if present { probability } else { 1.0 - probability }) < self.abstain;
            let (name, present) = (Arc::clone(name), present && !unknown);
            Some((*index, card, score, Attribute { name, present, unknown, probability }))
        })
    }

    /// What the scores say of the selected attributes.
    pub(crate) fn read(&self, card: &Card, scores: &[f32]) -> Attributes {
        self.scored(card, scores).map(|(_, _, _, attribute)| attribute).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::tiny_card;

    fn select(names: &[&str]) -> Selection {
        let attributes = Some(names.iter().map(|name| (*name).to_owned()).collect());
        Selection { attributes, ..Selection::default() }
    }

    #[test]
    fn attributes_keep_the_order_that_was_asked_for() {
        let card = tiny_card();
        let all = Reader::of_all(&card);
        assert_eq!(all.indices().collect::<Vec<_>>(), (0..40).collect::<Vec<_>>());
        let two = all.with(&select(&["Smiling", "Male", "Smiling"]), &card).unwrap();
        assert_eq!(two.indices().collect::<Vec<_>>(), [31, 20]);
        let scores: Vec<f32> = (0..40).map(|index| index as f32).collect();
        let read = two.read(&card, &scores);
        let names: Vec<&str> = read.iter().map(|attribute| &*attribute.name).collect();
        assert_eq!(names, ["Smiling", "Male"]);
        let typed = all.with(&select(&[" smiling", "wearing hat"]), &card).unwrap().read(&card, &scores);
        assert_eq!(
            typed.iter().map(|attribute| &*attribute.name).collect::<Vec<_>>(),
            ["Smiling", "Wearing_Hat"]
        );
        assert_eq!(read["Male"].probability, card.attributes[20].platt.probability(20.0));
        assert_eq!(all.read(&card, &scores)["Male"], read["Male"]);
        let Err(Error::Attribute(unknown)) = all.with(&select(&["Smilng"]), &card) else {
            unreachable!("no such name")
        };
        assert_eq!(unknown.suggestion.as_deref(), Some("Smiling"));
    }

    #[test]
    fn a_search_changes_where_something_is_selected() {
        let usual = Selection { max_faces: Some(3), any_orientation: Some(true), ..Selection::default() };
        let usual = usual.search(Search::default());
        assert_eq!(usual, Search { smallest_face: None, max_faces: Some(3), any_orientation: true });
        assert_eq!(Selection::default().search(usual), usual);
        let smallest_face = SmallestFace::pixels(30.0).ok();
        let other = Selection { smallest_face, any_orientation: Some(false), ..Selection::default() };
        assert_eq!(other.search(usual), Search { smallest_face, max_faces: Some(3), any_orientation: false });
    }

    #[test]
    fn answers_that_are_too_likely_to_be_wrong_are_not_given() {
        let card = tiny_card();
        let scores: Vec<f32> = (0..40).map(|index| (index as f32 - 20.0) / 10.0).collect();
        let all = Reader::of_all(&card);
        let given = |least: f32| {
            let selection = Selection { abstain: Some(least), ..Selection::default() };
            all.with(&selection, &card).unwrap().read(&card, &scores)
        };
        for (careful, usual) in given(0.9).iter().zip(&all.read(&card, &scores)) {
            let right = if usual.present { usual.probability } else { 1.0 - usual.probability };
            assert_eq!((careful.unknown, careful.probability), (right < 0.9, usual.probability));
            assert_eq!(careful.value(), (right >= 0.9).then_some(usual.present));
            assert_eq!(careful.present, careful.value() == Some(true));
        }
        assert_eq!(given(0.0), all.read(&card, &scores));
        // Nothing is certain to the last digit.
        assert!(given(1.0).iter().all(|attribute| attribute.unknown));
        for wrong in [-0.1, 1.5, f32::NAN] {
            let selection = Selection { abstain: Some(wrong), ..Selection::default() };
            assert!(matches!(all.with(&selection, &card), Err(Error::Abstain(_))), "{wrong}");
        }
    }

    #[test]
    fn a_threshold_replaces_the_operating_point_and_is_lifted_by_one() {
        let card = tiny_card();
        let all = Reader::of_all(&card);
        let attribute = &card.attributes[3];
        // Between the two thresholds of the tiny card.
        assert!(!all.is_present(attribute, 0.0));
        let balanced = Selection { operating_point: Some(OperatingPoint::Balanced), ..Selection::default() };
        assert!(all.with(&balanced, &card).unwrap().is_present(attribute, 0.0));
        let probability = attribute.platt.probability(0.0);
        for (threshold, present) in [(probability, true), (probability + 1e-3, false)] {
            let selection = Selection { threshold: Some(threshold), ..Selection::default() };
            let reader = all.with(&selection, &card).unwrap();
            assert_eq!(reader.is_present(attribute, 0.0), present);
            let lifted = reader.with(&balanced, &card).unwrap();
            assert_eq!((lifted.threshold(), lifted.point()), (None, OperatingPoint::Balanced));
        }
        for wrong in [-0.1, 1.5, f32::NAN] {
            let selection = Selection { threshold: Some(wrong), ..Selection::default() };
            assert!(matches!(all.with(&selection, &card), Err(Error::Threshold(_))), "{wrong}");
        }
    }
}
