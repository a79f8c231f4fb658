//! JSON: one array, or one object a line.

use std::io::Write;

use anyhow::Result;
use lineament::json::{Attributes, Face, Picture};

use super::PageWriter;
use crate::files::Sink;
use crate::page::{Page, PageFace, Summary, Told};

/// `--format json`.
pub struct Array {
    sink: Sink,
    told: Told,
    begun: bool,
}

impl Array {
    pub fn new(sink: Sink, told: Told) -> Self {
        Self { sink, told, begun: false }
    }
}

impl PageWriter for Array {
    fn page(&mut self, page: &Page) -> Result<()> {
        self.sink.write_all(if self.begun { b",\n" } else { b"[\n" })?;
        self.begun = true;
        serde_json::to_writer(&mut self.sink, &object(page, &self.told)).map_err(std::io::Error::from)?;
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
    told: Told,
}

impl Lines {
    pub fn new(sink: Sink, told: Told) -> Self {
        Self { sink, told }
    }
}

impl PageWriter for Lines {
    fn page(&mut self, page: &Page) -> Result<()> {
        serde_json::to_writer(&mut self.sink, &object(page, &self.told)).map_err(std::io::Error::from)?;
        self.sink.write_all(b"\n")?;
        // Whoever reads along wants the line now.
        Ok(self.sink.flush()?)
    }

    fn finish(self: Box<Self>, _: &Summary) -> Result<()> {
        self.sink.finish()
    }
}

fn object(page: &Page, told: &Told) -> Picture {
    let names = || told.attributes.iter().map(String::as_str);
    let face = |face: &PageFace| Face::new(face.rect, face.score, Attributes::of(names(), &face.attributes));
    Picture {
        path: Some(page.path.to_string_lossy().into_owned()),
        width: page.width,
        height: page.height,
        faces: page.faces.iter().map(face).collect(),
    }
}
