//! JSON: one array, or one object a line.

use std::borrow::Cow;
use std::io::Write;
use std::path::Path;

use anyhow::Result;
use lineament::{Prediction, path_text};
use serde::Serialize;

use super::PredictionWriter;
use crate::files::Sink;
use crate::summary::Summary;

/// An image that could not be read: an object without faces.
#[derive(Serialize)]
struct UnreadImage<'a> {
    path: Cow<'a, str>,
    error: &'a str,
}

/// `--format json`.
pub struct Array {
    sink: Sink,
    begun: bool,
}

impl Array {
    pub fn new(sink: Sink) -> Self {
        Self { sink, begun: false }
    }
}

impl PredictionWriter for Array {
    fn write(&mut self, prediction: &Prediction) -> Result<()> {
        self.sink.write_all(if self.begun { b",\n" } else { b"[\n" })?;
        self.begun = true;
        serde_json::to_writer(&mut self.sink, prediction).map_err(std::io::Error::from)?;
        Ok(())
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
}

impl Lines {
    pub fn new(sink: Sink) -> Self {
        Self { sink }
    }
}

impl PredictionWriter for Lines {
    fn write(&mut self, prediction: &Prediction) -> Result<()> {
        serde_json::to_writer(&mut self.sink, prediction).map_err(std::io::Error::from)?;
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
