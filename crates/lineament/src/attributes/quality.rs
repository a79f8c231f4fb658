//! How far a face's attributes can be trusted, as one number.

use super::describe::AttributeCard;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How the quality of a face is told: part of a bundle's card.
///
/// It is the share of the attributes that is expected to be right, 0 to 1: a linear function of how certain the answers are ([`certainty`]) and of the
/// height of the upright face box ([`Quality::size`]).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quality {
    /// What the certainty of each of these attributes counts, by name. Others may be taught later, and count nothing.
    pub certainty: BTreeMap<String, f32>,
    /// What the size counts.
    pub size: f32,
    /// What is added.
    pub bias: f32,
}

/// Why the quality of faces cannot be told.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum QualityError {
    /// An attribute that the model does not have.
    #[error("the quality rests on how certain {0:?} is, which the model does not tell")]
    Attribute(String),
    /// A weight that is not finite.
    #[error("a weight of the quality is not finite; learn it again")]
    NotFinite,
    /// A least quality that no face can have.
    #[error("the least quality is {0}; give a number between 0 and 1")]
    Least(f32),
    /// A model without it.
    #[error(
        "this model does not tell the quality of faces: use one that was trained to (`lineament model show` says so), or leave --quality \
         and --least-quality out"
    )]
    None,
}

/// How certain an answer is: the probability of the likelier of yes and no.
pub fn certainty(probability: f32) -> f32 {
    probability.max(1.0 - probability)
}

impl Quality {
    /// The binary logarithm of the height of an upright face box in pixels of the photo.
    pub fn size(height: f32) -> f32 {
        // Damaged boxes have a quality, too.
        height.clamp(1.0, 4096.0).log2()
    }

    /// The quality of a face, given the scores of all attributes of the card and the height of its upright box in pixels.
    pub fn of(&self, attributes: &[AttributeCard], scores: &[f32], height: f32) -> f32 {
        let certainties = attributes.iter().zip(scores).filter_map(|(attribute, score)| {
            let weight = self.certainty.get(&attribute.name)?;
            Some(weight * certainty(attribute.platt.probability(*score)))
        });
        let told = certainties.sum::<f32>() + self.size * Self::size(height) + self.bias;
        // Not finite at worst: then nothing is known, and nothing can be trusted.
        if told.is_finite() { told.clamp(0.0, 1.0) } else { 0.0 }
    }

    /// Refuses what cannot tell the quality of a model with these attributes.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self, attributes: &[AttributeCard]) -> Result<(), QualityError> {
        let known = |name: &String| attributes.iter().any(|attribute| attribute.name == *name);
        if let Some(name) = self.certainty.keys().find(|name| !known(name)) {
            return Err(QualityError::Attribute(name.clone()));
        }
        let mut numbers = self.certainty.values().chain([&self.size, &self.bias]);
        if numbers.all(|number| number.is_finite()) { Ok(()) } else { Err(QualityError::NotFinite) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::tiny_card;

    fn quality() -> Quality {
        let certainty = [("Smiling".to_owned(), 0.5), ("Bald".to_owned(), -0.25)].into();
        Quality { certainty, size: 0.05, bias: 0.1 }
    }

    #[test]
    fn it_is_the_sum_of_what_is_read() {
        let attributes = tiny_card().attributes;
        let scores: Vec<f32> = (0..40).map(|index| index as f32 / 10.0 - 2.0).collect();
        let read = |name: &str| {
            let place = attributes.iter().position(|attribute| attribute.name == name).unwrap();
            let probability = attributes[place].platt.probability(scores[place]);
            if probability > 0.5 { probability } else { 1.0 - probability }
        };
        let expected = 0.5 * read("Smiling") - 0.25 * read("Bald") + 0.05 * 6.0 + 0.1;
        assert!((quality().of(&attributes, &scores, 64.0) - expected).abs() < 1e-6);
        assert!(quality().of(&attributes, &scores, 128.0) > expected);
        for (height, bias, least) in
            [(f32::NAN, 0.1, 0.0), (64.0, 7.0, 1.0), (64.0, -7.0, 0.0), (-3.0, -7.0, 0.0)]
        {
            let told = Quality { bias, ..quality() }.of(&attributes, &scores, height);
            assert_eq!(told, least, "{height}, {bias}");
        }
    }

    #[test]
    fn attributes_that_are_not_there_and_weights_that_are_none_are_refused() {
        let attributes = tiny_card().attributes;
        assert_eq!(quality().check(&attributes), Ok(()));
        let mut other = quality();
        other.certainty.insert("Freckles".to_owned(), 0.1);
        assert_eq!(other.check(&attributes), Err(QualityError::Attribute("Freckles".to_owned())));
        let broken = Quality { size: f32::NAN, ..quality() };
        assert_eq!(broken.check(&attributes), Err(QualityError::NotFinite));
    }
}
