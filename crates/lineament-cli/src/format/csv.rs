//! CSV: one row a face. A picture without a face has no row.

use anyhow::Result;

use super::PageWriter;
use crate::files::Sink;
use crate::page::{Page, PageFace, Summary, Told};

/// The columns before the attributes.
pub const COLUMNS: [&str; 9] =
    ["path", "width", "height", "face", "x", "y", "box_width", "box_height", "score"];

/// `--format csv`.
pub struct Table {
    writer: ::csv::Writer<Sink>,
}

impl Table {
    pub fn new(sink: Sink, told: Told) -> Result<Self> {
        let mut writer = ::csv::Writer::from_writer(sink);
        let attributes =
            told.attributes.iter().flat_map(|name| [name.clone(), format!("{name}_probability")]);
        writer.write_record(COLUMNS.map(str::to_owned).into_iter().chain(attributes))?;
        Ok(Self { writer })
    }
}

impl PageWriter for Table {
    fn page(&mut self, page: &Page) -> Result<()> {
        for (number, face) in (1_usize..).zip(&page.faces) {
            self.writer.write_record(row(page, number, face)).map_err(flat)?;
        }
        Ok(self.writer.flush()?)
    }

    fn finish(mut self: Box<Self>, _: &Summary) -> Result<()> {
        self.writer.flush()?;
        let sink = self.writer.into_inner().map_err(|error| flat(error.into_error().into()))?;
        sink.finish()
    }
}

fn row(page: &Page, number: usize, face: &PageFace) -> Vec<String> {
    let rect = face.rect;
    let mut row = vec![
        page.path.to_string_lossy().into_owned(),
        page.width.to_string(),
        page.height.to_string(),
        number.to_string(),
    ];
    row.extend([rect.x, rect.y, rect.width, rect.height].map(|value| format!("{value:.1}")));
    row.push(format!("{:.6}", face.score));
    for attribute in &face.attributes {
        row.push(attribute.value.to_string());
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
