//! CSV and Parquet files as the same text table.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::Table;
use crate::error::DataError;

pub(super) fn read(file: &Path) -> Result<Table, DataError> {
    if is_parquet(file)? { parquet(file) } else { csv(file) }
}

/// Parquet files begin with `PAR1`, whatever their name.
fn is_parquet(file: &Path) -> Result<bool, DataError> {
    let mut start = Vec::new();
    let opened = File::open(file).map_err(|e| DataError::reading(file, e))?;
    opened.take(4).read_to_end(&mut start).map_err(|e| DataError::reading(file, e))?;
    let named = file.extension().is_some_and(|e| e.eq_ignore_ascii_case("parquet"));
    Ok(named || start == b"PAR1")
}

fn refuse(file: &Path, problem: impl ToString) -> DataError {
    DataError::Table { path: file.to_path_buf(), problem: problem.to_string() }
}

fn csv(file: &Path) -> Result<Table, DataError> {
    let failed = |error: csv::Error| refuse(file, error);
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(file).map_err(failed)?;
    let header = reader.byte_headers().map_err(failed)?.clone();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().trim_start_matches('\u{feff}').to_owned();
    let names = header.iter().map(text).collect();
    let mut rows = Vec::new();
    for record in reader.byte_records() {
        let record = record.map_err(failed)?;
        let line = record.position().map_or(0, csv::Position::line);
        rows.push((line, record.iter().map(text).collect()));
    }
    Ok(Table { names, rows })
}

fn parquet(file: &Path) -> Result<Table, DataError> {
    let advice = |error: parquet::errors::ParquetError| {
        refuse(file, format!("{error} (Parquet without compression or with snappy can be read)"))
    };
    let opened = File::open(file).map_err(|e| DataError::reading(file, e))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(opened).map_err(advice)?;
    let names: Vec<String> = builder.schema().fields().iter().map(|f| f.name().clone()).collect();
    let reader = builder.with_batch_size(4096).build().map_err(advice)?;
    let mut table = Table { names, rows: Vec::new() };
    for batch in reader {
        let batch = batch.map_err(|e| {
            refuse(file, format!("{e} (Parquet without compression or with snappy can be read)"))
        })?;
        add_batch(&mut table, &batch, file)?;
    }
    Ok(table)
}

fn add_batch(table: &mut Table, batch: &RecordBatch, file: &Path) -> Result<(), DataError> {
    let first = table.rows.len() as u64 + 1;
    let mut rows: Vec<(u64, Vec<String>)> =
        (0..batch.num_rows()).map(|i| (first + i as u64, Vec::with_capacity(batch.num_columns()))).collect();
    let options = CastOptions { safe: true, ..CastOptions::default() };
    for (column, name) in batch.columns().iter().zip(&table.names) {
        // A column that has no text form (a list, a struct) cannot be an attribute: it is read as empty and so left out.
        let text = cast_with_options(column, &DataType::Utf8, &options).ok();
        let text = text.as_ref().and_then(|array| array.as_string_opt::<i32>());
        if text.is_some_and(|text| text.len() != rows.len()) {
            return Err(refuse(file, format!("the column {name:?} has another length than the table")));
        }
        for (place, (_, row)) in rows.iter_mut().enumerate() {
            let cell =
                text.filter(|text| place < text.len() && text.is_valid(place)).map(|text| text.value(place));
            row.push(cell.unwrap_or_default().to_owned());
        }
    }
    table.rows.extend(rows);
    Ok(())
}
