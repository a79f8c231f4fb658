//! CSV: one row a face, and one for an image that could not be read. An image without a face has no row.

use std::path::Path;

use anyhow::Result;
use lineament::path_text;

use super::{Answer, AnsweredFace, EmbeddingColumn, Extras, Header, Numbers, PredictionWriter};
use crate::files::Sink;
use crate::summary::Summary;

/// The columns before the attributes.
pub const COLUMNS: [&str; 11] = [
    "path",
    "width",
    "height",
    "face",
    "x",
    "y",
    "box_width",
    "box_height",
    "score",
    "roll",
    "faces_left_out",
];

/// The column behind these: why an image could not be read.
pub const ERROR: &str = "error";

/// Columns that are there where they were asked for, behind these.
pub const CROP: &str = "crop";
pub const EMBEDDING_ROW: &str = "embedding_row";
pub const EMBEDDING: &str = "embedding";

/// Those of this call.
pub fn extra_columns(extras: Extras) -> impl Iterator<Item = &'static str> {
    let embedding = extras.embedding.map(|embedding| match embedding {
        EmbeddingColumn::Row => EMBEDDING_ROW,
        EmbeddingColumn::Vector => EMBEDDING,
    });
    extras.crop.then_some(CROP).into_iter().chain(embedding)
}

/// `--format csv`.
pub struct Table {
    writer: ::csv::Writer<Sink>,
    columns: usize,
    extras: Extras,
    numbers: Numbers,
}

impl Table {
    pub fn new(sink: Sink, header: &Header) -> Result<Self> {
        let mut writer = ::csv::Writer::from_writer(sink);
        let attributes =
            header.attributes.iter().flat_map(|name| [name.clone(), format!("{name}_probability")]);
        let fixed = COLUMNS.into_iter().chain([ERROR]).chain(extra_columns(header.extras));
        let last = header.last_columns().map(str::to_owned);
        let columns: Vec<String> = fixed.map(str::to_owned).chain(attributes).chain(last).collect();
        super::check_columns(columns.iter().map(String::as_str))?;
        writer.write_record(&columns)?;
        Ok(Self { writer, columns: columns.len(), extras: header.extras, numbers: header.numbers })
    }
}

impl PredictionWriter for Table {
    fn write(&mut self, answer: &Answer) -> Result<()> {
        for face in answer.faces() {
            let mut row = row(answer, face, self.extras);
            row.extend(self.numbers.texts(face.face));
            row.extend(answer.prediction.faces_of_low_quality.map(|faces| faces.to_string()));
            self.writer.write_record(row).map_err(flat)?;
        }
        Ok(self.writer.flush()?)
    }

    fn write_unread(&mut self, path: &Path, reason: &str) -> Result<()> {
        let named = COLUMNS.into_iter().chain([ERROR]).map(|name| match name {
            "path" => path_text::to_text(path).into_owned(),
            "face" => "0".to_owned(),
            ERROR => reason.to_owned(),
            _ => String::new(),
        });
        let row = named.chain(std::iter::repeat(String::new())).take(self.columns);
        self.writer.write_record(row).map_err(flat)?;
        Ok(self.writer.flush()?)
    }

    fn finish(mut self: Box<Self>, _: &Summary) -> Result<()> {
        self.writer.flush()?;
        let sink = self.writer.into_inner().map_err(|error| flat(error.into_error().into()))?;
        sink.finish()
    }
}

fn row(answer: &Answer, answered: AnsweredFace<'_>, extras: Extras) -> Vec<String> {
    let (prediction, face) = (&answer.prediction, answered.face);
    let rect = face.rect;
    let mut row = vec![
        super::path(prediction).into_owned(),
        prediction.width.to_string(),
        prediction.height.to_string(),
        answered.number.to_string(),
    ];
    row.extend([rect.x, rect.y, rect.width, rect.height].map(|value| format!("{value:.1}")));
    row.push(format!("{:.6}", face.score));
    row.push(super::roll(face).unwrap_or_default());
    row.push(prediction.faces_left_out.to_string());
    // The error of an image that was read.
    row.push(String::new());
    for column in extra_columns(extras) {
        row.push(match column {
            CROP => answered.crop.unwrap_or_default().to_owned(),
            EMBEDDING_ROW => answered.embedding_row.map_or_else(String::new, |row| row.to_string()),
            _ => String::new(),
        });
    }
    for attribute in &face.attributes {
        row.push(attribute.value().map_or_else(String::new, |value| value.to_string()));
        row.push(format!("{:.4}", attribute.probability));
    }
    row
}

/// The cause within, so that a closed pipe is known for one.
fn flat(error: ::csv::Error) -> std::io::Error {
    match error.into_kind() {
        ::csv::ErrorKind::Io(error) => error,
        other => std::io::Error::other(format!("{other:?}")),
    }
}
