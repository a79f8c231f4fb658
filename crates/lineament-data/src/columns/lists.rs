//! Columns that hold a list of numbers in each row.

use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::reader::FileReader;

use super::{ParquetFile, guarded, refuse};
use crate::error::DataError;

impl ParquetFile {
    /// The lists of numbers of the column `name`, one a row; an empty one where nothing is given. None where there is no such column.
    ///
    /// # Errors
    /// A damaged file, or a column of something else than lists of numbers.
    pub fn lists(&self, name: &str) -> Result<Option<Vec<Vec<f32>>>, DataError> {
        let schema = self.reader.metadata().file_metadata().schema_descr();
        let named = |leaf: &&parquet::schema::types::ColumnDescPtr| {
            leaf.path().parts().first().is_some_and(|part| part == name)
        };
        let of_name: Vec<_> = schema.columns().iter().enumerate().filter(|(_, leaf)| named(leaf)).collect();
        let (leaf, column) = match of_name.as_slice() {
            [] => return Ok(None),
            [(leaf, column)] if column.max_rep_level() == 1 => (*leaf, *column),
            _ => {
                let problem = format!("the column {name:?} must hold one list of numbers in each row");
                return Err(refuse(&self.path, problem));
            }
        };
        let given = column.max_def_level();
        let mut lists = Vec::with_capacity(self.rows().min(1 << 20));
        for (group, &rows) in self.groups.iter().enumerate() {
            let found =
                guarded(&self.path, || match self.reader.get_row_group(group)?.get_column_reader(leaf)? {
                    ColumnReader::FloatColumnReader(mut reader) => typed(&mut reader, given, rows, |v| v),
                    ColumnReader::DoubleColumnReader(mut reader) => {
                        typed(&mut reader, given, rows, |v| v as f32)
                    }
                    _ => Err(ParquetError::General(format!(
                        "the lists of {name:?} are not of float or double"
                    ))),
                })?;
            if found.len() != rows {
                return Err(refuse(
                    &self.path,
                    format!("the column {name:?} has another length than the table"),
                ));
            }
            lists.extend(found);
        }
        Ok(Some(lists))
    }
}

/// The lists of a row group. A repetition level of 0 begins a row; a definition level below the highest stands where there is no number.
fn typed<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    given: i16,
    rows: usize,
    number: impl Fn(T::T) -> f32,
) -> Result<Vec<Vec<f32>>, ParquetError> {
    let (mut definition, mut repetition, mut values) = (Vec::new(), Vec::new(), Vec::new());
    reader.read_records(rows, Some(&mut definition), Some(&mut repetition), &mut values)?;
    let mut values = values.into_iter();
    let mut lists: Vec<Vec<f32>> = Vec::new();
    for (defined, repeated) in definition.into_iter().zip(repetition) {
        if repeated == 0 {
            lists.push(Vec::new());
        }
        if let Some(list) = lists.last_mut()
            && defined == given
        {
            list.extend(values.next().map(&number));
        }
    }
    Ok(lists)
}
