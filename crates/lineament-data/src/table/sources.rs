//! CSV and Parquet files as the same text table.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::Table;
use crate::columns::ParquetFile;
use crate::error::DataError;

/// Cells that are read at once.
const BATCH: usize = 4096;

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
    let opened = ParquetFile::open(file)?;
    let names: Vec<String> = opened.names().into_iter().map(str::to_owned).collect();
    let mut rows: Vec<(u64, Vec<String>)> = Vec::new();
    for (place, name) in names.iter().enumerate() {
        // A column that has no text form (a list, a struct) cannot be an attribute: it is left empty and so left out.
        let Some(column) = opened.column(&[name]) else { continue };
        let mut cells = opened.cells(column, 0);
        let mut row = 0;
        loop {
            let batch = cells.read(BATCH)?;
            if batch.is_empty() {
                break;
            }
            for cell in batch {
                if rows.len() == row {
                    rows.push((row as u64 + 1, vec![String::new(); names.len()]));
                }
                if let Some(there) = rows.get_mut(row).and_then(|(_, row)| row.get_mut(place)) {
                    *there = cell.text().unwrap_or_default();
                }
                row += 1;
            }
        }
    }
    Ok(Table { names, rows })
}
