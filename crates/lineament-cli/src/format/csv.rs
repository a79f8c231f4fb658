//! CSV: one row a face. An image without a face has no row.

use anyhow::Result;
use lineament::{FaceRecord, Prediction};

use super::{Header, PredictionWriter};
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

/// `--format csv`.
pub struct Table {
    writer: ::csv::Writer<Sink>,
}

impl Table {
    pub fn new(sink: Sink, header: &Header) -> Result<Self> {
        let mut writer = ::csv::Writer::from_writer(sink);
        let attributes =
            header.attributes.iter().flat_map(|name| [name.clone(), format!("{name}_probability")]);
        writer.write_record(COLUMNS.map(str::to_owned).into_iter().chain(attributes))?;
        Ok(Self { writer })
    }
}

impl PredictionWriter for Table {
    fn write(&mut self, prediction: &Prediction) -> Result<()> {
        for (number, face) in (1_usize..).zip(&prediction.faces) {
            self.writer.write_record(row(prediction, number, face)).map_err(flat)?;
        }
        Ok(self.writer.flush()?)
    }

    fn finish(mut self: Box<Self>, _: &Summary) -> Result<()> {
        self.writer.flush()?;
        let sink = self.writer.into_inner().map_err(|error| flat(error.into_error().into()))?;
        sink.finish()
    }
}

fn row(prediction: &Prediction, number: usize, face: &FaceRecord) -> Vec<String> {
    let rect = face.rect;
    let mut row = vec![
        super::path(prediction).into_owned(),
        prediction.width.to_string(),
        prediction.height.to_string(),
        number.to_string(),
    ];
    row.extend([rect.x, rect.y, rect.width, rect.height].map(|value| format!("{value:.1}")));
    row.push(format!("{:.6}", face.score));
    row.push(super::roll(face).unwrap_or_default());
    row.push(prediction.faces_left_out.to_string());
    for attribute in &face.attributes {
        row.push(attribute.present.to_string());
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
