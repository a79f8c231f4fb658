//! JSON: one array, or one object a line.

use std::io::Write;

use anyhow::Result;
use serde::Serialize as Derive;
use serde::ser::{Serialize, SerializeMap, Serializer};

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
        serde_json::to_writer(&mut self.sink, &PageObject::of(page, &self.told))
            .map_err(std::io::Error::from)?;
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
        serde_json::to_writer(&mut self.sink, &PageObject::of(page, &self.told))
            .map_err(std::io::Error::from)?;
        self.sink.write_all(b"\n")?;
        // Whoever reads along wants the line now.
        Ok(self.sink.flush()?)
    }

    fn finish(self: Box<Self>, _: &Summary) -> Result<()> {
        self.sink.finish()
    }
}

#[derive(Derive)]
struct PageObject<'a> {
    path: String,
    width: u32,
    height: u32,
    faces: Vec<FaceObject<'a>>,
}

#[derive(Derive)]
struct FaceObject<'a> {
    r#box: BoxObject,
    score: f64,
    #[serde(skip_serializing_if = "AttributeMap::is_empty")]
    attributes: AttributeMap<'a>,
}

#[derive(Derive)]
struct BoxObject {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

#[derive(Derive)]
struct AttributeObject {
    value: bool,
    probability: f64,
}

/// Attributes by name, in the order they were asked for.
struct AttributeMap<'a> {
    names: &'a [String],
    face: &'a PageFace,
}

impl AttributeMap<'_> {
    fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

impl Serialize for AttributeMap<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.names.len()))?;
        for (name, attribute) in self.names.iter().zip(&self.face.attributes) {
            let probability = rounded(attribute.probability, 4);
            map.serialize_entry(name, &AttributeObject { value: attribute.value, probability })?;
        }
        map.end()
    }
}

impl<'a> PageObject<'a> {
    fn of(page: &'a Page, told: &'a Told) -> Self {
        let face = |face: &'a PageFace| FaceObject {
            r#box: BoxObject {
                x: rounded(face.rect.x, 1),
                y: rounded(face.rect.y, 1),
                width: rounded(face.rect.width, 1),
                height: rounded(face.rect.height, 1),
            },
            score: rounded(face.score, 6),
            attributes: AttributeMap { names: &told.attributes, face },
        };
        Self {
            path: page.path.to_string_lossy().into_owned(),
            width: page.width,
            height: page.height,
            faces: page.faces.iter().map(face).collect(),
        }
    }
}

/// So many decimals: a tenth of a pixel, a hundredth of a per cent. Scores have no scale of their own and keep more.
fn rounded(value: f32, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (f64::from(value) * scale).round() / scale
}
