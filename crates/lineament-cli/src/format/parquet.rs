//! Parquet: the columns of the CSV form, typed.

mod columns;

use std::path::Path;
use std::sync::Arc;

use ::parquet::basic::{Compression, LogicalType, Repetition, Type as PhysicalType, ZstdLevel};
use ::parquet::data_type::{BoolType, ByteArray, ByteArrayType, FloatType, Int32Type};
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::types::{ColumnPath, Type};
use anyhow::{Context, Result};
use columns::{Column, ExtraColumns, Written, extra_field};
use lineament::Prediction;

use super::csv::{COLUMNS, EMBEDDING, ERROR, extra_columns};
use super::numbers::LOW_QUALITY;
use super::{Answer, AnsweredFace, EmbeddingColumn, Header, Numbers, PredictionWriter};
use crate::arguments::CompressionName;
use crate::files::Sink;
use crate::summary::Summary;

/// Rows of a row group, which are held before they are written: some megabytes.
const GROUP: usize = 1 << 14;

/// Columns that no row lacks.
const NAMING: [&str; 2] = ["path", "face"];

/// The key of the file's metadata that says which model answered.
const MODEL: &str = "lineament.model";

/// Those that say what embeddings are of, and how long they are.
const MODEL_HASH: &str = "lineament.model.sha256";
const EMBEDDING_LENGTH: &str = "lineament.embedding.length";

/// The column that rows with a face may lack.
const ROLL: &str = "roll";

/// `--format parquet`, and shards.
pub struct Table {
    writer: SerializedFileWriter<Sink>,
    rows: Rows,
    /// Whether images without a face have a row, too.
    every: bool,
}

impl Table {
    /// A row a face.
    pub fn new(sink: Sink, header: &Header, compression: CompressionName) -> Result<Self> {
        Self::begun(sink, header, compression, false)
    }

    /// The same, and a row with face 0 for an image without one; a column `error` says why an image cannot be read.
    pub fn of_every_image(sink: Sink, header: &Header, compression: CompressionName) -> Result<Self> {
        Self::begun(sink, header, compression, true)
    }

    fn begun(sink: Sink, header: &Header, compression: CompressionName, every: bool) -> Result<Self> {
        let compression = match compression {
            CompressionName::Snappy => Compression::SNAPPY,
            CompressionName::Zstd => Compression::ZSTD(ZstdLevel::default()),
            CompressionName::None => Compression::UNCOMPRESSED,
        };
        let schema = Arc::new(schema(header, every)?);
        // No two embeddings share a number: a dictionary would only be in the way.
        let embedding = ColumnPath::from([EMBEDDING, "list", "element"].map(str::to_owned).to_vec());
        let properties = WriterProperties::builder().set_compression(compression);
        let properties = Arc::new(properties.set_column_dictionary_enabled(embedding, false).build());
        let mut writer = SerializedFileWriter::new(sink, schema, properties)
            .context("the Parquet file cannot be begun")?;
        writer.append_key_value_metadata(KeyValue::new(MODEL.to_owned(), header.model_label.clone()));
        let mut table = Self { writer, rows: Rows::new(header), every };
        if header.extras.embedding == Some(EmbeddingColumn::Vector) {
            table.note(MODEL_HASH, header.model_hash.clone());
            table.note(EMBEDDING_LENGTH, header.embedding_length.to_string());
        }
        Ok(table)
    }

    /// A row for an image that cannot be read.
    pub fn unread(&mut self, path: &str, reason: &str) -> Result<()> {
        self.rows.add_empty(path, None, Some(reason));
        self.write_out_if_full()
    }

    /// A pair of the file's metadata.
    pub fn note(&mut self, key: &str, value: String) {
        self.writer.append_key_value_metadata(KeyValue::new(key.to_owned(), value));
    }

    fn write_out_if_full(&mut self) -> Result<()> {
        if self.rows.count >= GROUP { self.write_out() } else { Ok(()) }
    }

    fn write_out(&mut self) -> Result<()> {
        self.write_group().context("the Parquet file cannot be written")
    }

    fn write_group(&mut self) -> Result<()> {
        let mut group = self.writer.next_row_group()?;
        for column in self.rows.columns(self.every) {
            let mut writer = group.next_column()?.context("the file has fewer columns than its schema")?;
            column.write(&mut writer)?;
            writer.close()?;
        }
        group.close()?;
        self.rows.clear();
        Ok(())
    }
}

impl PredictionWriter for Table {
    fn write(&mut self, answer: &Answer) -> Result<()> {
        let prediction = &answer.prediction;
        for face in answer.faces() {
            self.rows.add(prediction, face);
        }
        if self.every && prediction.faces.is_empty() {
            self.rows.add_empty(&super::path(prediction), Some(prediction), None);
        }
        self.write_out_if_full()
    }

    /// A row a face has no place for it; shards have one ([`Table::unread`]).
    fn write_unread(&mut self, _: &Path, _: &str) -> Result<()> {
        Ok(())
    }

    fn finish(mut self: Box<Self>, _: &Summary) -> Result<()> {
        if self.rows.count > 0 {
            self.write_out()?;
        }
        self.writer.into_inner().context("the Parquet file cannot be written")?.finish()
    }
}

fn schema(header: &Header, every: bool) -> Result<Type> {
    let text = || (PhysicalType::BYTE_ARRAY, Some(LogicalType::String));
    let whole = || (PhysicalType::INT32, Some(LogicalType::integer(32, false)));
    let real = || (PhysicalType::FLOAT, None);
    let size_and_number = [text(), whole(), whole(), whole()];
    let face = [real(), real(), real(), real(), real(), real(), whole()];
    let types = size_and_number.into_iter().chain(face);
    let numbers: Vec<&str> = header.numbers.columns().collect();
    let unknown = |name: &str| header.abstains && header.attributes.iter().any(|attribute| attribute == name);
    let field = |name: &str, (physical, logical): (PhysicalType, Option<LogicalType>)| {
        let may_lack = name == ROLL || numbers.contains(&name) || unknown(name);
        let repetition = match may_lack || every && !NAMING.contains(&name) {
            true => Repetition::OPTIONAL,
            false => Repetition::REQUIRED,
        };
        let field = Type::primitive_type_builder(name, physical).with_repetition(repetition);
        Ok::<_, ParquetError>(Arc::new(field.with_logical_type(logical).build()?))
    };
    let mut fields = Vec::new();
    for (name, kind) in COLUMNS.into_iter().zip(types) {
        fields.push(field(name, kind)?);
    }
    if every {
        fields.push(field(ERROR, text())?);
    }
    for name in extra_columns(header.extras) {
        fields.push(Arc::new(extra_field(name)?));
    }
    for name in &header.attributes {
        fields.push(field(name, (PhysicalType::BOOLEAN, None))?);
        fields.push(field(&format!("{name}_probability"), real())?);
    }
    for name in &numbers {
        fields.push(field(name, real())?);
    }
    if header.least_quality {
        fields.push(field(LOW_QUALITY, whole())?);
    }
    super::check_columns(fields.iter().map(|field| field.name()))?;
    Ok(Type::group_type_builder("rows").with_fields(fields).build()?)
}

/// How many faces were left out, as a number of the column's type: unsigned, in four bytes.
fn left_out(prediction: &Prediction) -> i32 {
    u32::try_from(prediction.faces_left_out).unwrap_or(u32::MAX).cast_signed()
}

/// How many have too low a quality, in the same type.
fn low_quality(prediction: &Prediction) -> Option<i32> {
    prediction.faces_of_low_quality.map(|faces| u32::try_from(faces).unwrap_or(u32::MAX).cast_signed())
}

/// Rows, column by column.
#[derive(Default)]
struct Rows {
    count: usize,
    path: Column<ByteArrayType>,
    /// Width, height and the number of the face.
    whole: [Column<Int32Type>; 3],
    /// The box, its score and its roll.
    real: [Column<FloatType>; 6],
    left_out: Column<Int32Type>,
    error: Column<ByteArrayType>,
    extras: ExtraColumns,
    attributes: Vec<(Column<BoolType>, Column<FloatType>)>,
    asked: Numbers,
    /// Those that were asked for.
    numbers: Vec<Column<FloatType>>,
    /// How many faces of the image have a low quality, where that counts.
    low_quality: Option<Column<Int32Type>>,
}

impl Rows {
    fn new(header: &Header) -> Self {
        Self {
            attributes: header.attributes.iter().map(|_| Default::default()).collect(),
            asked: header.numbers,
            numbers: header.numbers.columns().map(|_| Column::default()).collect(),
            low_quality: header.least_quality.then(Column::default),
            extras: ExtraColumns::new(header.extras),
            ..Self::default()
        }
    }

    fn add(&mut self, prediction: &Prediction, answered: AnsweredFace<'_>) {
        let AnsweredFace { number, face, .. } = answered;
        self.count += 1;
        self.path.push(Some(super::path(prediction).as_ref().into()));
        let whole = [prediction.width, prediction.height, number];
        self.whole.iter_mut().zip(whole).for_each(|(column, value)| column.push(Some(value.cast_signed())));
        let rect = face.rect;
        let known = [rect.x, rect.y, rect.width, rect.height, face.score].map(Some);
        let real = known.into_iter().chain([face.roll]);
        self.real.iter_mut().zip(real).for_each(|(column, value)| column.push(value));
        self.left_out.push(Some(left_out(prediction)));
        self.error.push(None);
        self.extras.add(Some(answered));
        for ((values, probabilities), attribute) in self.attributes.iter_mut().zip(&face.attributes) {
            values.push(attribute.value());
            probabilities.push(Some(attribute.probability));
        }
        if let Some(column) = &mut self.low_quality {
            column.push(low_quality(prediction));
        }
        let numbers = self.asked.values(face);
        self.numbers.iter_mut().zip(numbers).for_each(|(column, value)| column.push(value));
    }

    /// A row without a face, of an image that was read or not.
    fn add_empty(&mut self, path: &str, read: Option<&Prediction>, error: Option<&str>) {
        self.count += 1;
        self.path.push(Some(path.into()));
        let [width, height, face] = &mut self.whole;
        width.push(read.map(|image| image.width.cast_signed()));
        height.push(read.map(|image| image.height.cast_signed()));
        face.push(Some(0));
        self.real.iter_mut().for_each(|column| column.push(None));
        self.left_out.push(read.map(left_out));
        self.error.push(error.map(ByteArray::from));
        self.extras.add(None);
        for (values, probabilities) in &mut self.attributes {
            values.push(None);
            probabilities.push(None);
        }
        self.numbers.iter_mut().for_each(|column| column.push(None));
        if let Some(column) = &mut self.low_quality {
            column.push(read.and_then(low_quality));
        }
    }

    /// All columns in the order of the schema; that of errors only where every image has a row.
    fn columns(&self, every: bool) -> Vec<&dyn Written> {
        let mut columns: Vec<&dyn Written> = vec![&self.path];
        columns.extend(self.whole.iter().map(|column| column as &dyn Written));
        columns.extend(self.real.iter().map(|column| column as &dyn Written));
        columns.push(&self.left_out);
        if every {
            columns.push(&self.error);
        }
        columns.extend(self.extras.columns());
        for (values, probabilities) in &self.attributes {
            columns.extend([values as &dyn Written, probabilities]);
        }
        columns.extend(self.numbers.iter().map(|column| column as &dyn Written));
        columns.extend(self.low_quality.iter().map(|column| column as &dyn Written));
        columns
    }

    fn clear(&mut self) {
        self.count = 0;
        self.path.clear();
        self.whole.iter_mut().for_each(Column::clear);
        self.real.iter_mut().for_each(Column::clear);
        self.left_out.clear();
        self.error.clear();
        self.extras.clear();
        for (values, probabilities) in &mut self.attributes {
            values.clear();
            probabilities.clear();
        }
        self.numbers.iter_mut().for_each(Column::clear);
        self.low_quality.iter_mut().for_each(Column::clear);
    }
}
