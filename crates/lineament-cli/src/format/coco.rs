//! COCO: one object with `images`, `annotations` and `categories`. Each annotation is a face with its box, score and attributes.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::json;

use lineament::locate::{Pose, landmarks};

use super::datasets::{FACE, inside, rounded};
use super::{Answer, AnsweredFace, Header, PredictionWriter};
use crate::files::Sink;
use crate::summary::Summary;

const CATEGORY: u64 = 1;

#[derive(Serialize)]
struct Image<'a> {
    id: u64,
    file_name: &'a str,
    width: u32,
    height: u32,
}

#[derive(Serialize)]
struct Annotation<'a> {
    id: u64,
    image_id: u64,
    category_id: u64,
    bbox: [f64; 4],
    area: f64,
    iscrowd: u8,
    score: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    roll: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quality: Option<f64>,
    /// x, y and 2 (visible) of each landmark.
    #[serde(skip_serializing_if = "Option::is_none")]
    keypoints: Option<Vec<f64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    num_keypoints: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pose: Option<Pose>,
    #[serde(skip_serializing_if = "Option::is_none")]
    crop: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    embedding_row: Option<u64>,
    /// As CVAT and FiftyOne read them.
    attributes: BTreeMap<&'a str, bool>,
    probabilities: BTreeMap<&'a str, f64>,
}

/// `--format coco`.
pub struct Coco {
    sink: Sink,
    /// Annotations stand behind all images: they wait on the disk, so that memory does not grow with them.
    annotations: BufWriter<File>,
    images: u64,
    faces: u64,
    prefix: String,
}

impl Coco {
    /// `prefix` stands before the name of every image.
    pub fn new(mut sink: Sink, header: &Header, prefix: &str) -> Result<Self> {
        let info = json!({ "description": "Faces found by Lineament", "model": header.model_label, "model_sha256": header.model_hash });
        let mut category = json!({ "id": CATEGORY, "name": FACE, "supercategory": "person" });
        if header.numbers.landmarks {
            category["keypoints"] = json!(landmarks::NAMES);
            category["skeleton"] = json!([]);
        }
        let categories = json!([category]);
        write!(sink, "{{\"info\":{info},\n\"licenses\":[],\n\"categories\":{categories},\n\"images\":[")?;
        let annotations = tempfile::tempfile().context("there is no place for a temporary file")?;
        let prefix = prefix.to_owned();
        Ok(Self { sink, annotations: BufWriter::new(annotations), images: 0, faces: 0, prefix })
    }

    fn annotate(&mut self, answer: &Answer, answered: AnsweredFace<'_>) -> Result<()> {
        let face = answered.face;
        let Some(rect) = inside(face, &answer.prediction) else { return Ok(()) };
        self.faces += 1;
        let bbox = [rect.x, rect.y, rect.width, rect.height].map(|side| rounded(f64::from(side), 1));
        let points = face.landmarks.map(|landmarks| landmarks.named());
        let annotation = Annotation {
            id: self.faces,
            image_id: self.images,
            category_id: CATEGORY,
            bbox,
            area: rounded(bbox[2] * bbox[3], 2),
            iscrowd: 0,
            score: rounded(f64::from(face.score), 6),
            roll: face.roll.map(|roll| rounded(f64::from(roll), 1)),
            quality: face.quality.map(|quality| rounded(f64::from(quality), 4)),
            keypoints: points.map(|points| points.iter().flat_map(|(_, [x, y])| [*x, *y, 2.0]).collect()),
            num_keypoints: points.map(|points| points.len()),
            pose: face.pose,
            crop: answered.crop,
            embedding_row: answered.embedding_row,
            // What is unknown is not labelled.
            attributes: face
                .attributes
                .iter()
                .filter_map(|said| Some((&*said.name, said.value()?)))
                .collect(),
            probabilities: face
                .attributes
                .iter()
                .map(|said| (&*said.name, rounded(f64::from(said.probability), 4)))
                .collect(),
        };
        self.annotations.write_all(if self.faces == 1 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut self.annotations, &annotation).map_err(io::Error::from)?;
        Ok(())
    }
}

impl PredictionWriter for Coco {
    fn write(&mut self, answer: &Answer) -> Result<()> {
        self.images += 1;
        let (width, height) = (answer.prediction.width, answer.prediction.height);
        let name = format!("{}{}", self.prefix, answer.name);
        let image = Image { id: self.images, file_name: &name, width, height };
        self.sink.write_all(if self.images == 1 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut self.sink, &image).map_err(io::Error::from)?;
        answer.faces().try_for_each(|face| self.annotate(answer, face))
    }

    /// An image of which nothing is known, not even its size, is no image of the set.
    fn write_unread(&mut self, _: &Path, _: &str) -> Result<()> {
        Ok(())
    }

    fn finish(mut self: Box<Self>, _: &Summary) -> Result<()> {
        self.sink.write_all(b"\n],\n\"annotations\":[")?;
        let mut annotations = self.annotations.into_inner().map_err(io::IntoInnerError::into_error)?;
        annotations.seek(SeekFrom::Start(0))?;
        io::copy(&mut annotations, &mut self.sink)?;
        self.sink.write_all(b"\n]}\n")?;
        self.sink.finish()
    }
}
