//! JSON: one array, or one object a line.

use std::borrow::Cow;
use std::io::Write;
use std::path::Path;

use anyhow::Result;
use lineament::{FaceRecord, Prediction, path_text};
use serde::Serialize;

use super::{Answer, Extras, PredictionWriter};
use crate::files::Sink;
use crate::summary::Summary;

/// An image that could not be read: an object without faces.
#[derive(Serialize)]
struct UnreadImage<'a> {
    path: Cow<'a, str>,
    error: &'a str,
}

/// A prediction whose faces say what was made of them.
#[derive(Serialize)]
struct ExtendedPrediction<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<Cow<'a, str>>,
    width: u32,
    height: u32,
    faces: Vec<ExtendedFace<'a>>,
    faces_left_out: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    faces_of_low_quality: Option<usize>,
}

#[derive(Serialize)]
struct ExtendedFace<'a> {
    #[serde(flatten)]
    face: &'a FaceRecord,
    #[serde(skip_serializing_if = "Option::is_none")]
    crop: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    embedding_row: Option<u64>,
}

impl<'a> ExtendedPrediction<'a> {
    fn of(answer: &'a Answer) -> Self {
        let Prediction { path, width, height, faces: _, faces_left_out, faces_of_low_quality } =
            &answer.prediction;
        let face = |answered: super::AnsweredFace<'a>| ExtendedFace {
            face: answered.face,
            crop: answered.crop,
            embedding_row: answered.embedding_row,
        };
        Self {
            path: path.as_deref().map(path_text::to_text),
            width: *width,
            height: *height,
            faces: answer.faces().map(face).collect(),
            faces_left_out: *faces_left_out,
            faces_of_low_quality: *faces_of_low_quality,
        }
    }
}

fn write(sink: &mut Sink, answer: &Answer, extras: Extras) -> std::io::Result<()> {
    if extras == Extras::default() {
        serde_json::to_writer(sink, &answer.prediction)?;
    } else {
        serde_json::to_writer(sink, &ExtendedPrediction::of(answer))?;
    }
    Ok(())
}

/// `--format json`.
pub struct Array {
    sink: Sink,
    begun: bool,
    extras: Extras,
}

impl Array {
    pub fn new(sink: Sink, extras: Extras) -> Self {
        Self { sink, begun: false, extras }
    }
}

impl PredictionWriter for Array {
    fn write(&mut self, answer: &Answer) -> Result<()> {
        self.sink.write_all(if self.begun { b",\n" } else { b"[\n" })?;
        self.begun = true;
        Ok(write(&mut self.sink, answer, self.extras)?)
    }

    /// The array is of predictions.
    fn write_unread(&mut self, _: &Path, _: &str) -> Result<()> {
        Ok(())
    }

    fn finish(mut self: Box<Self>, _: &Summary) -> Result<()> {
        self.sink.write_all(if self.begun { b"\n]\n" } else { b"[]\n" })?;
        self.sink.finish()
    }
}

/// `--format jsonl`.
pub struct Lines {
    sink: Sink,
    extras: Extras,
}

impl Lines {
    pub fn new(sink: Sink, extras: Extras) -> Self {
        Self { sink, extras }
    }
}

impl PredictionWriter for Lines {
    fn write(&mut self, answer: &Answer) -> Result<()> {
        write(&mut self.sink, answer, self.extras)?;
        self.sink.write_all(b"\n")?;
        // Whoever reads along wants the line now.
        Ok(self.sink.flush()?)
    }

    fn write_unread(&mut self, path: &Path, error: &str) -> Result<()> {
        let unread = UnreadImage { path: path_text::to_text(path), error };
        serde_json::to_writer(&mut self.sink, &unread).map_err(std::io::Error::from)?;
        self.sink.write_all(b"\n")?;
        Ok(self.sink.flush()?)
    }

    fn finish(self: Box<Self>, _: &Summary) -> Result<()> {
        self.sink.finish()
    }
}
