//! Label Studio: tasks whose predictions are boxes in per cents, each with its attributes as choices; and what its labelling page shows.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::{Value, json};

use super::datasets::{FACE, escaped, inside, rounded};
use super::{Answer, AnsweredFace, Header, PredictionWriter};
use crate::files::{self, Sink};
use crate::outputs::{self, ForceArguments};
use crate::summary::Summary;

/// Where Label Studio finds files of its own machine.
pub const LOCAL_FILES: &str = "/data/local-files/?d=";

/// `--format label-studio`.
pub struct Tasks {
    sink: Sink,
    header: Header,
    prefix: String,
    /// The labelling page's file, where there is one.
    page: Option<PathBuf>,
    tasks: u64,
}

impl Tasks {
    /// `prefix` stands before the path of every image. With an output file a labelling page is written beside it, as `NAME.config.xml`.
    pub fn new(
        sink: Sink,
        header: Header,
        prefix: &str,
        output: Option<&Path>,
        force: ForceArguments,
    ) -> Result<Self> {
        let page = output.map(|output| output.with_extension("config.xml"));
        page.iter().try_for_each(|page| outputs::may_replace(page, force))?;
        Ok(Self { sink, header, prefix: prefix.to_owned(), page, tasks: 0 })
    }

    /// The box of a face, and its attributes.
    fn results(&self, answer: &Answer, answered: AnsweredFace<'_>) -> Vec<Value> {
        let (prediction, face) = (&answer.prediction, answered.face);
        let Some(rect) = inside(face, prediction) else { return Vec::new() };
        let [width, height] = [prediction.width, prediction.height];
        let percent = |value: f32, side: u32| rounded(100.0 * f64::from(value) / f64::from(side.max(1)), 6);
        let result = |kind: &str, from: &str, key: &str, values: Value| {
            let mut value = json!({
                "x": percent(rect.x, width),
                "y": percent(rect.y, height),
                "width": percent(rect.width, width),
                "height": percent(rect.height, height),
                "rotation": 0,
            });
            value[key] = values;
            json!({
                "id": format!("face-{}", answered.number),
                "type": kind,
                "from_name": from,
                "to_name": "image",
                "original_width": width,
                "original_height": height,
                "image_rotation": 0,
                "score": rounded(f64::from(face.score), 6),
                "value": value,
            })
        };
        let mut results = vec![result("rectanglelabels", FACE, "rectanglelabels", json!([FACE]))];
        let present: Vec<&str> = face.present().map(|attribute| &*attribute.name).collect();
        if !present.is_empty() {
            results.push(result("choices", "attributes", "choices", json!(present)));
        }
        results
    }
}

impl PredictionWriter for Tasks {
    fn write(&mut self, answer: &Answer) -> Result<()> {
        let results: Vec<Value> = answer.faces().flat_map(|face| self.results(answer, face)).collect();
        let mut data = json!({
            "image": format!("{}{}", self.prefix, escaped(&answer.name)),
            "path": super::path(&answer.prediction),
        });
        if !self.header.attributes.is_empty() {
            data["attributes"] = json!(self.header.attributes);
        }
        let prediction = json!({ "model_version": self.header.model_label, "result": results });
        self.tasks += 1;
        self.sink.write_all(if self.tasks == 1 { b"[\n" } else { b",\n" })?;
        let task = json!({ "data": data, "predictions": [prediction] });
        serde_json::to_writer(&mut self.sink, &task).map_err(std::io::Error::from)?;
        Ok(())
    }

    /// Nobody can label an image that cannot be shown.
    fn write_unread(&mut self, _: &Path, _: &str) -> Result<()> {
        Ok(())
    }

    fn finish(mut self: Box<Self>, _: &Summary) -> Result<()> {
        self.sink.write_all(if self.tasks == 0 { b"[]\n" } else { b"\n]\n" })?;
        if let Some(path) = &self.page {
            files::write_whole(path, page(&self.header.attributes).as_bytes())?;
        }
        self.sink.finish()
    }
}

/// The labelling page: boxes of faces, and a choice for each attribute of the box that is chosen.
fn page(attributes: &[String]) -> String {
    let mut page = format!(
        "<View>\n  <Image name=\"image\" value=\"$image\"/>\n  <RectangleLabels name=\"{FACE}\" toName=\"image\">\n    \
         <Label value=\"{FACE}\"/>\n  </RectangleLabels>\n"
    );
    if !attributes.is_empty() {
        page += "  <Choices name=\"attributes\" toName=\"image\" choice=\"multiple\" perRegion=\"true\">\n";
        for name in attributes {
            // Writing to a string cannot fail.
            let _ = writeln!(page, "    <Choice value=\"{}\"/>", quoted(name));
        }
        page += "  </Choices>\n";
    }
    page + "</View>\n"
}

/// A text between quotes of XML.
fn quoted(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
