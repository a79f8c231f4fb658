//! What writers are given: a prediction, and what was made of its faces.

use lineament::{FaceRecord, Prediction};

/// What is told of each face beside the model's answers, in every format.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extras {
    /// Where its crop is.
    pub crop: bool,
    /// Its embedding, or where that is.
    pub embedding: Option<EmbeddingColumn>,
}

/// How a face leads to its embedding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmbeddingColumn {
    /// By the number of its row, from 0 on, in a file of embeddings.
    Row,
    /// The embedding itself stands in its row.
    Vector,
}

/// A prediction with what was made of its faces.
#[derive(Debug)]
pub struct Answer {
    pub prediction: Prediction,
    /// What the image is called in data sets: its path below the folder that was walked, where that is all, or as it was typed.
    pub name: String,
    /// The crop of each face, below the folder of crops, where one was written.
    pub crops: Vec<Option<String>>,
    /// The row of the first face in a file of embeddings.
    pub first_embedding: Option<u64>,
}

/// A face with what was made of it.
#[derive(Debug, Clone, Copy)]
pub struct AnsweredFace<'a> {
    /// From 1 on.
    pub number: u32,
    pub face: &'a FaceRecord,
    pub crop: Option<&'a str>,
    pub embedding_row: Option<u64>,
}

impl Answer {
    /// Of which nothing was made.
    pub fn new(prediction: Prediction, name: String) -> Self {
        Self { prediction, name, crops: Vec::new(), first_embedding: None }
    }

    /// Its faces in their order.
    pub fn faces(&self) -> impl Iterator<Item = AnsweredFace<'_>> {
        let crops = self.crops.iter().map(Option::as_deref).chain(std::iter::repeat(None));
        (0_u32..).zip(&self.prediction.faces).zip(crops).map(|((index, face), crop)| AnsweredFace {
            number: index + 1,
            face,
            crop,
            embedding_row: self.first_embedding.map(|first| first + u64::from(index)),
        })
    }
}
