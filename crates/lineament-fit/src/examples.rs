//! Faces with answers, each image once.

use std::collections::BTreeMap;

use crate::embed::ImageEmbedding;
use crate::error::FitError;

/// An embedded image, and whether it has the attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelledImage {
    /// What messages call it.
    pub name: String,
    /// Its embedding.
    pub embedding: ImageEmbedding,
    /// Whether it has the attribute.
    pub answer: bool,
    /// Who is on it, where that is known.
    pub person: Option<u32>,
}

/// A face to learn from.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// The embedding of the face.
    pub vector: Vec<f32>,
    /// Whether it has the attribute.
    pub answer: bool,
    /// Examples of one group are left out together: a person, or the image itself.
    pub group: u64,
}

/// The examples among embedded images, and the names of images that are left out because they are there already (in another
/// file, perhaps): else an image could be in the training and in the left-out part at once.
///
/// # Errors
/// [`FitError::Contradiction`] where one image is said to have the attribute and not to have it.
pub fn examples(attribute: &str, images: &[LabelledImage]) -> Result<(Vec<Example>, Vec<String>), FitError> {
    let mut seen: BTreeMap<[u8; 32], &LabelledImage> = BTreeMap::new();
    let (mut examples, mut repeated) = (Vec::new(), Vec::new());
    for (index, one) in images.iter().enumerate() {
        match seen.get(&one.embedding.fingerprint) {
            Some(other) if other.answer != one.answer => {
                let (yes, no) = if one.answer { (one, *other) } else { (*other, one) };
                let (name, yes, no) = (attribute.to_owned(), yes.name.clone(), no.name.clone());
                return Err(FitError::Contradiction { name, yes, no });
            }
            Some(_) => repeated.push(one.name.clone()),
            None => {
                seen.insert(one.embedding.fingerprint, one);
                // Nobody known: a key that no person (32 bits) has.
                let group = one.person.map_or((1 << 32) + index as u64, u64::from);
                examples.push(Example { vector: one.embedding.vector.clone(), answer: one.answer, group });
            }
        }
    }
    Ok((examples, repeated))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn labelled(name: &str, fingerprint: u8, answer: bool, person: Option<u32>) -> LabelledImage {
        let embedding =
            ImageEmbedding { vector: vec![f32::from(fingerprint)], faces: 1, fingerprint: [fingerprint; 32] };
        LabelledImage { name: name.to_owned(), embedding, answer, person }
    }

    #[test]
    fn an_image_counts_once_and_may_not_contradict_itself() {
        let mut all = vec![
            labelled("a", 1, true, Some(7)),
            labelled("b", 2, false, None),
            labelled("c", 1, true, None),
            labelled("d", 3, false, None),
        ];
        let (found, repeated) = examples("Hat", &all).unwrap();
        assert_eq!(repeated, ["c"]);
        assert_eq!(found.iter().map(|e| e.answer).collect::<Vec<_>>(), [true, false, false]);
        assert_eq!(found[0].group, 7);
        assert!(found[1].group != found[2].group && found[1].group > u64::from(u32::MAX));
        all.push(labelled("e", 1, false, None));
        let refused = examples("Hat", &all).unwrap_err().to_string();
        assert!(refused.contains("Hat: a and e are the same picture"), "{refused}");
    }
}
