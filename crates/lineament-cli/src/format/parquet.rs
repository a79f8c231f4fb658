//! Parquet: the columns of the CSV form, typed.

use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::Compression;
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::properties::WriterProperties;
use anyhow::{Context, Result};
use arrow_array::builder::{BooleanBuilder, Float32Builder, StringBuilder, UInt32Builder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema};

use super::PageWriter;
use super::csv::COLUMNS;
use crate::files::Sink;
use crate::page::{Page, PageFace, Summary, Told};

/// Rows that are held before they are written.
const BATCH: usize = 1024;

/// Columns that no row lacks.
const NAMING: [&str; 2] = ["path", "face"];

/// `--format parquet`, and shards.
pub struct Table {
    writer: ArrowWriter<Sink>,
    schema: Arc<Schema>,
    rows: Rows,
    /// Whether pictures without a face have a row, too.
    every: bool,
}

impl Table {
    /// A row a face.
    pub fn new(sink: Sink, told: Told) -> Result<Self> {
        Self::begun(sink, &told, false)
    }

    /// The same, and a row with face 0 for a picture without one; a column `error` says why a picture cannot be read.
    pub fn of_every_picture(sink: Sink, told: Told) -> Result<Self> {
        Self::begun(sink, &told, true)
    }

    fn begun(sink: Sink, told: &Told, every: bool) -> Result<Self> {
        let schema = Arc::new(schema(&told.attributes, every));
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_max_row_group_row_count(Some(16 * BATCH))
            .build();
        let writer = ArrowWriter::try_new(sink, Arc::clone(&schema), Some(properties))
            .context("the Parquet file cannot be begun")?;
        Ok(Self { writer, rows: Rows::new(told.attributes.len()), schema, every })
    }

    /// A row for a picture that cannot be read.
    pub fn unread(&mut self, path: &str, reason: &str) -> Result<()> {
        self.rows.add_empty(path, None, Some(reason));
        self.write_out_if_full()
    }

    /// A pair of the file's metadata.
    pub fn note(&mut self, key: &str, value: String) {
        self.writer.append_key_value_metadata(KeyValue::new(key.to_owned(), value));
    }

    fn write_out_if_full(&mut self) -> Result<()> {
        if self.rows.count >= BATCH { self.write_out() } else { Ok(()) }
    }

    fn write_out(&mut self) -> Result<()> {
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), self.rows.take(self.every))?;
        self.writer.write(&batch).context("the Parquet file cannot be written")
    }
}

impl PageWriter for Table {
    fn page(&mut self, page: &Page) -> Result<()> {
        for (number, face) in (1_u32..).zip(&page.faces) {
            self.rows.add(page, number, face);
        }
        if self.every && page.faces.is_empty() {
            self.rows.add_empty(&page.path.to_string_lossy(), Some([page.width, page.height]), None);
        }
        self.write_out_if_full()
    }

    fn finish(mut self: Box<Self>, _: &Summary) -> Result<()> {
        self.write_out()?;
        self.writer.into_inner().context("the Parquet file cannot be written")?.finish()
    }
}

fn schema(attributes: &[String], every: bool) -> Schema {
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
    let mut fields: Vec<Field> = COLUMNS
        .into_iter()
        .zip(types)
        .map(|(name, kind)| Field::new(name, kind, every && !NAMING.contains(&name)))
        .collect();
    if every {
        fields.push(Field::new("error", DataType::Utf8, true));
    }
    for name in attributes {
        fields.push(Field::new(name, DataType::Boolean, every));
        fields.push(Field::new(format!("{name}_probability"), DataType::Float32, every));
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
    error: StringBuilder,
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
        self.error.append_null();
        for ((values, probabilities), attribute) in self.attributes.iter_mut().zip(&face.attributes) {
            values.append_value(attribute.value);
            probabilities.append_value(attribute.probability);
        }
    }

    /// A row without a face.
    fn add_empty(&mut self, path: &str, size: Option<[u32; 2]>, error: Option<&str>) {
        self.count += 1;
        self.path.append_value(path);
        let [width, height, face] = &mut self.whole;
        width.append_option(size.map(|[width, _]| width));
        height.append_option(size.map(|[_, height]| height));
        face.append_value(0);
        self.real.iter_mut().for_each(Float32Builder::append_null);
        self.error.append_option(error);
        for (values, probabilities) in &mut self.attributes {
            values.append_null();
            probabilities.append_null();
        }
    }

    /// All columns, which are empty afterwards; that of errors only where every picture has a row.
    fn take(&mut self, every: bool) -> Vec<ArrayRef> {
        self.count = 0;
        let mut columns: Vec<ArrayRef> = vec![Arc::new(self.path.finish())];
        columns.extend(self.whole.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef));
        columns.extend(self.real.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef));
        let error = self.error.finish();
        if every {
            columns.push(Arc::new(error));
        }
        for (values, probabilities) in &mut self.attributes {
            columns.push(Arc::new(values.finish()));
            columns.push(Arc::new(probabilities.finish()));
        }
        columns
    }
}
