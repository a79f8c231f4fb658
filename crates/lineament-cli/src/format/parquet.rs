//! Parquet: the columns of the CSV form, typed.

use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::Compression;
use ::parquet::file::properties::WriterProperties;
use anyhow::{Context, Result};
use arrow::array::{ArrayRef, BooleanBuilder, Float32Builder, RecordBatch, StringBuilder, UInt32Builder};
use arrow::datatypes::{DataType, Field, Schema};

use super::PageWriter;
use super::csv::COLUMNS;
use crate::files::Sink;
use crate::page::{Page, PageFace, Summary, Told};

/// Rows that are held before they are written.
const BATCH: usize = 1024;

/// `--format parquet`.
pub struct Table {
    writer: ArrowWriter<Sink>,
    schema: Arc<Schema>,
    rows: Rows,
}

impl Table {
    pub fn new(sink: Sink, told: Told) -> Result<Self> {
        let schema = Arc::new(schema(&told.attributes));
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_max_row_group_row_count(Some(16 * BATCH))
            .build();
        let writer = ArrowWriter::try_new(sink, Arc::clone(&schema), Some(properties))
            .context("the Parquet file cannot be begun")?;
        Ok(Self { writer, rows: Rows::new(told.attributes.len()), schema })
    }

    fn write_out(&mut self) -> Result<()> {
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), self.rows.take())?;
        self.writer.write(&batch).context("the Parquet file cannot be written")
    }
}

impl PageWriter for Table {
    fn page(&mut self, page: &Page) -> Result<()> {
        for (number, face) in (1_u32..).zip(&page.faces) {
            self.rows.add(page, number, face);
        }
        if self.rows.count >= BATCH { self.write_out() } else { Ok(()) }
    }

    fn finish(mut self: Box<Self>, _: &Summary) -> Result<()> {
        self.write_out()?;
        self.writer.into_inner().context("the Parquet file cannot be written")?.finish()
    }
}

fn schema(attributes: &[String]) -> Schema {
    let types = [
        DataType::Utf8,
        DataType::UInt32,
        DataType::UInt32,
        DataType::UInt32,
        DataType::Float32,
        DataType::Float32,
        DataType::Float32,
        DataType::Float32,
        DataType::Float32,
    ];
    let mut fields: Vec<Field> =
        COLUMNS.into_iter().zip(types).map(|(name, kind)| Field::new(name, kind, false)).collect();
    for name in attributes {
        fields.push(Field::new(name, DataType::Boolean, false));
        fields.push(Field::new(format!("{name}_probability"), DataType::Float32, false));
    }
    Schema::new(fields)
}

/// Rows, column by column.
#[derive(Default)]
struct Rows {
    count: usize,
    path: StringBuilder,
    /// Width, height and the number of the face.
    whole: [UInt32Builder; 3],
    /// The box and its score.
    real: [Float32Builder; 5],
    attributes: Vec<(BooleanBuilder, Float32Builder)>,
}

impl Rows {
    fn new(attributes: usize) -> Self {
        let columns = || (BooleanBuilder::new(), Float32Builder::new());
        Self { attributes: (0..attributes).map(|_| columns()).collect(), ..Self::default() }
    }

    fn add(&mut self, page: &Page, number: u32, face: &PageFace) {
        self.count += 1;
        self.path.append_value(page.path.to_string_lossy());
        let whole = [page.width, page.height, number];
        self.whole.iter_mut().zip(whole).for_each(|(column, value)| column.append_value(value));
        let rect = face.rect;
        let real = [rect.x, rect.y, rect.width, rect.height, face.score];
        self.real.iter_mut().zip(real).for_each(|(column, value)| column.append_value(value));
        for ((values, probabilities), attribute) in self.attributes.iter_mut().zip(&face.attributes) {
            values.append_value(attribute.value);
            probabilities.append_value(attribute.probability);
        }
    }

    /// All columns, which are empty afterwards.
    fn take(&mut self) -> Vec<ArrayRef> {
        self.count = 0;
        let mut columns: Vec<ArrayRef> = vec![Arc::new(self.path.finish())];
        columns.extend(self.whole.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef));
        columns.extend(self.real.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef));
        for (values, probabilities) in &mut self.attributes {
            columns.push(Arc::new(values.finish()));
            columns.push(Arc::new(probabilities.finish()));
        }
        columns
    }
}
