//! What a model says of an image, in full precision, and how far two such records are apart.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use lineament::Tagger;
use serde::{Deserialize, Serialize};

/// An image and its faces.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Name of the file.
    pub image: String,
    /// In pixels of the upright image.
    pub size: [u32; 2],
    /// Best first.
    pub faces: Vec<Face>,
}

/// A face.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Face {
    /// Left, top, width, height in pixels.
    pub r#box: [f32; 4],
    /// How sure the detector is.
    pub score: f32,
    /// Names of the attributes that are present.
    pub present: Vec<String>,
    /// The probability of each attribute, by its name.
    pub probabilities: BTreeMap<String, f32>,
}

/// The largest differences between two lists of records, and what differs in kind.
#[derive(Clone, Debug, Default)]
pub struct Difference {
    /// Of a side of a box, in pixels.
    pub r#box: f32,
    /// Of a score.
    pub score: f32,
    /// Of a probability.
    pub probability: f32,
    /// What no number tells: an image that one list lacks, another number of faces, an attribute that is present in one list alone.
    pub other: Vec<String>,
    /// How many faces were compared.
    pub faces: usize,
}

/// What a tagger says of a file.
pub fn record(tagger: &Tagger, path: &Path) -> Result<Record, Box<dyn Error>> {
    let prediction = tagger.predict(path)?;
    let face = |face: &lineament::FaceRecord| Face {
        r#box: [face.rect.x, face.rect.y, face.rect.width, face.rect.height],
        score: face.score,
        present: face.present().map(|a| a.name.to_string()).collect(),
        probabilities: face.attributes.iter().map(|a| (a.name.to_string(), a.probability)).collect(),
    };
    Ok(Record {
        image: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        size: [prediction.width, prediction.height],
        faces: prediction.faces.iter().map(face).collect(),
    })
}

/// Compares records pair by pair, in their order.
pub fn compare(old: &[Record], new: &[Record]) -> Difference {
    let mut found = Difference::default();
    if old.len() != new.len() {
        found.other.push(format!("{} images against {}", old.len(), new.len()));
    }
    for (old, new) in old.iter().zip(new) {
        let image = &old.image;
        if (image, old.size, old.faces.len()) != (&new.image, new.size, new.faces.len()) {
            found.other.push(format!(
                "{image} of {:?} with {} faces against {} of {:?} with {}",
                old.size,
                old.faces.len(),
                new.image,
                new.size,
                new.faces.len()
            ));
            continue;
        }
        for (old, new) in old.faces.iter().zip(&new.faces) {
            found.faces += 1;
            let apart = |found: &mut f32, old: f32, new: f32| *found = found.max((old - new).abs());
            old.r#box.iter().zip(new.r#box).for_each(|(old, new)| apart(&mut found.r#box, *old, new));
            apart(&mut found.score, old.score, new.score);
            if !old.probabilities.keys().eq(new.probabilities.keys()) {
                found.other.push(format!("{image}: other attributes"));
            }
            for (old, new) in old.probabilities.values().zip(new.probabilities.values()) {
                apart(&mut found.probability, *old, *new);
            }
            if old.present != new.present {
                found.other.push(format!("{image}: {:?} are present against {:?}", old.present, new.present));
            }
        }
    }
    found
}
