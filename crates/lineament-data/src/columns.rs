//! Columns of a Parquet file, cell by cell, as text or bytes.
//!
//! What is asked of a table here is a cell's text or an image's bytes, so columns are read as the file keeps them. Arrow, which would give them types of
//! its own first, is a third of all there is to build.

mod lists;

use std::fmt::Display;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::{ConvertedType, LogicalType, Type};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;

use crate::error::DataError;

/// A Parquet file, opened: without compression, or with snappy, zstd, gzip, brotli or lz4.
pub struct ParquetFile {
    path: PathBuf,
    reader: SerializedFileReader<File>,
    /// Rows of each row group.
    groups: Vec<usize>,
}

/// A column with at most one value a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    leaf: usize,
    /// Whether it holds bytes, of text or of anything else; else numbers or truth values.
    pub of_bytes: bool,
}

/// One value of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// None is given.
    Nothing,
    /// A number or truth value. Dates and times are the numbers that are kept for them.
    Text(String),
    /// Text, or anything else.
    Bytes(Vec<u8>),
}

impl Cell {
    /// The text; none where bytes are none.
    pub fn text(self) -> Option<String> {
        match self {
            Self::Nothing => None,
            Self::Text(text) => Some(text),
            Self::Bytes(bytes) => String::from_utf8(bytes).ok(),
        }
    }

    /// The bytes.
    pub fn bytes(self) -> Option<Vec<u8>> {
        match self {
            Self::Nothing => None,
            Self::Text(text) => Some(text.into_bytes()),
            Self::Bytes(bytes) => Some(bytes),
        }
    }
}

impl ParquetFile {
    /// Opens a file and reads what it says of itself.
    ///
    /// # Errors
    /// A file that is not there, or is no Parquet.
    pub fn open(path: &Path) -> Result<Arc<Self>, DataError> {
        let file = File::open(path).map_err(|e| DataError::reading(path, e))?;
        let reader = guarded(path, || SerializedFileReader::new(file))?;
        let rows = |group: &parquet::file::metadata::RowGroupMetaData| {
            usize::try_from(group.num_rows()).map_err(|_| refuse(path, "a row group of fewer than no rows"))
        };
        let groups = reader.metadata().row_groups().iter().map(rows).collect::<Result<_, _>>()?;
        Ok(Arc::new(Self { path: path.to_owned(), reader, groups }))
    }

    /// How many rows it has.
    pub fn rows(&self) -> usize {
        self.groups.iter().fold(0, |sum, rows| sum.saturating_add(*rows))
    }

    /// Names of the columns, those of several parts included.
    pub fn names(&self) -> Vec<&str> {
        let schema = self.reader.metadata().file_metadata().schema();
        schema.get_fields().iter().map(|field| field.name()).collect()
    }

    /// The column of a name, or with two names a part of it; none where there is none, or one with a list in each row.
    pub fn column(&self, names: &[&str]) -> Option<Column> {
        let leaves = self.reader.metadata().file_metadata().schema_descr().columns().iter();
        let fits = |leaf: &ColumnDescriptor| leaf.max_rep_level() == 0 && leaf.path().parts() == names;
        let (leaf, found) = leaves.enumerate().find(|(_, leaf)| fits(leaf))?;
        let of_bytes = matches!(found.physical_type(), Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY);
        Some(Column { leaf, of_bytes })
    }

    /// The cells of a column, from a row on.
    pub fn cells(self: &Arc<Self>, column: Column, first: usize) -> Cells {
        Cells { file: Arc::clone(self), leaf: column.leaf, skip: first, group: 0, open: None }
    }
}

/// The cells of a column, read as they are asked for.
pub struct Cells {
    file: Arc<ParquetFile>,
    leaf: usize,
    /// Rows before the first that is wanted, from `group` on.
    skip: usize,
    /// The row group that is opened next.
    group: usize,
    /// The group that is read, and how many of its rows are left.
    open: Option<(ColumnReader, usize)>,
}

impl Cells {
    /// At most so many cells more; none at the end.
    ///
    /// # Errors
    /// A damaged file, or one that is compressed in another way.
    pub fn read(&mut self, most: usize) -> Result<Vec<Cell>, DataError> {
        let mut cells = Vec::new();
        let file = Arc::clone(&self.file);
        let leaf = file.reader.metadata().file_metadata().schema_descr().column(self.leaf);
        while cells.len() < most {
            let Some((mut reader, left)) = self.opened()? else { break };
            let wanted = left.min(most - cells.len());
            let found = guarded(&file.path, || read(&mut reader, &leaf, wanted))?;
            if found.len() != wanted {
                let names = leaf.path().string();
                return Err(refuse(
                    &file.path,
                    format!("the column {names:?} has another length than the table"),
                ));
            }
            cells.extend(found);
            self.open = Some((reader, left - wanted));
        }
        Ok(cells)
    }

    /// The group with the next cell, and how many cells it has left; none at the end.
    fn opened(&mut self) -> Result<Option<(ColumnReader, usize)>, DataError> {
        if let Some((reader, left)) = self.open.take().filter(|(_, left)| *left > 0) {
            return Ok(Some((reader, left)));
        }
        while let Some(&rows) = self.file.groups.get(self.group) {
            self.group += 1;
            if self.skip >= rows {
                self.skip -= rows;
                continue;
            }
            let (file, group, skipped) = (&self.file, self.group - 1, std::mem::take(&mut self.skip));
            let reader = guarded(&file.path, || {
                let mut reader = file.reader.get_row_group(group)?.get_column_reader(self.leaf)?;
                skip(&mut reader, skipped)?;
                Ok(reader)
            })?;
            return Ok(Some((reader, rows - skipped)));
        }
        Ok(None)
    }
}

/// Runs the reader, which panics in places where a damaged file breaks what it takes for granted.
fn guarded<T>(path: &Path, work: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, DataError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done.map_err(|e| refuse(path, e)),
        Err(_) => Err(refuse(path, "the file is damaged")),
    }
}

/// Passes over rows.
fn skip(reader: &mut ColumnReader, rows: usize) -> Result<usize, ParquetError> {
    match reader {
        ColumnReader::BoolColumnReader(reader) => reader.skip_records(rows),
        ColumnReader::Int32ColumnReader(reader) => reader.skip_records(rows),
        ColumnReader::Int64ColumnReader(reader) => reader.skip_records(rows),
        ColumnReader::Int96ColumnReader(reader) => reader.skip_records(rows),
        ColumnReader::FloatColumnReader(reader) => reader.skip_records(rows),
        ColumnReader::DoubleColumnReader(reader) => reader.skip_records(rows),
        ColumnReader::ByteArrayColumnReader(reader) => reader.skip_records(rows),
        ColumnReader::FixedLenByteArrayColumnReader(reader) => reader.skip_records(rows),
    }
}

fn read(reader: &mut ColumnReader, leaf: &ColumnDescriptor, rows: usize) -> Result<Vec<Cell>, ParquetError> {
    fn text(value: impl Display) -> Cell {
        Cell::Text(value.to_string())
    }
    let levels = leaf.max_def_level();
    let unsigned = unsigned(leaf);
    match reader {
        ColumnReader::BoolColumnReader(reader) => typed(reader, levels, rows, text),
        ColumnReader::Int32ColumnReader(reader) if unsigned => {
            typed(reader, levels, rows, |value| text(value.cast_unsigned()))
        }
        ColumnReader::Int32ColumnReader(reader) => typed(reader, levels, rows, text),
        ColumnReader::Int64ColumnReader(reader) if unsigned => {
            typed(reader, levels, rows, |value| text(value.cast_unsigned()))
        }
        ColumnReader::Int64ColumnReader(reader) => typed(reader, levels, rows, text),
        // Times of old files: nothing that could be a tag or a name.
        ColumnReader::Int96ColumnReader(reader) => typed(reader, levels, rows, |_| Cell::Nothing),
        ColumnReader::FloatColumnReader(reader) => typed(reader, levels, rows, text),
        ColumnReader::DoubleColumnReader(reader) => typed(reader, levels, rows, text),
        ColumnReader::ByteArrayColumnReader(reader) => {
            typed(reader, levels, rows, |value| Cell::Bytes(value.data().to_vec()))
        }
        ColumnReader::FixedLenByteArrayColumnReader(reader) => {
            typed(reader, levels, rows, |value| Cell::Bytes(value.data().to_vec()))
        }
    }
}

/// Cells of one type. Values are kept without gaps; where one is missing, its level says so.
fn typed<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    most: i16,
    rows: usize,
    cell: impl Fn(T::T) -> Cell,
) -> Result<Vec<Cell>, ParquetError> {
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    let (found, _, _) = reader.read_records(rows, Some(&mut levels), None, &mut values)?;
    let mut values = values.into_iter();
    let is_given = |row| most == 0 || levels.get(row) == Some(&most);
    let cells = (0..found).map(|row| {
        let given = if is_given(row) { values.next() } else { None };
        given.map_or(Cell::Nothing, &cell)
    });
    Ok(cells.collect())
}

fn unsigned(leaf: &ColumnDescriptor) -> bool {
    use ConvertedType::{UINT_8, UINT_16, UINT_32, UINT_64};
    matches!(leaf.converted_type(), UINT_8 | UINT_16 | UINT_32 | UINT_64)
        || matches!(leaf.logical_type_ref(), Some(LogicalType::Integer(kind)) if !kind.is_signed)
}

fn refuse(path: &Path, problem: impl Display) -> DataError {
    let problem =
        format!("{problem} (Parquet that is not encrypted, of any compression but LZO, can be read)");
    DataError::Table { path: path.to_owned(), problem }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
