//! CSV, Parquet and JSON files as the same text table.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::{Table, annotated, unpacked};
use crate::columns::ParquetFile;
use crate::error::DataError;
use crate::listed;
use crate::report::ReadReport;
use crate::split::Split;

/// Cells that are read at once.
const BATCH: usize = 4096;

pub(crate) fn read(file: &Path) -> Result<Table, DataError> {
    if file.is_dir() {
        return folder(file);
    }
    if annotated::is_json(file) {
        return annotated::read(file);
    }
    if is_parquet(file)? { parquet(file) } else { csv(file) }
}

/// The Parquet files of a data set in parts, straight in a folder or in its folder `data`, by name.
pub(crate) fn parts(dir: &Path) -> Vec<PathBuf> {
    let of = |dir: &Path| {
        let entries = dir.read_dir().into_iter().flatten().filter_map(Result::ok);
        let mut found: Vec<PathBuf> = entries
            .map(|entry| entry.path())
            .filter(|path| {
                path.extension().is_some_and(|e| e.eq_ignore_ascii_case("parquet")) && path.is_file()
            })
            .collect();
        found.sort();
        found
    };
    let straight = of(dir);
    if straight.is_empty() { of(&dir.join("data")) } else { straight }
}

/// All parts as one table. Where no column says which split a row is of, the part's name does: `train-00000-of-00019.parquet`.
fn folder(dir: &Path) -> Result<Table, DataError> {
    let mut whole: Option<Table> = None;
    for file in parts(dir) {
        let mut part = parquet(&file)?;
        let name = file.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        let split = name.split(['-', '_', '.']).next().filter(|split| Split::from_text(split).is_some());
        if let Some(split) =
            split.filter(|_| !part.names.iter().any(|name| name.eq_ignore_ascii_case("split")))
        {
            part.names.push("split".to_owned());
            part.rows.iter_mut().for_each(|(_, row)| row.push(split.to_owned()));
        }
        match &mut whole {
            None => whole = Some(part),
            Some(whole) if whole.names == part.names => whole.rows.extend(part.rows),
            Some(whole) => {
                let (known, own) = (whole.names.join(", "), part.names.join(", "));
                return Err(refuse(
                    &file,
                    format!("its columns are {own}, those of the parts before it {known}"),
                ));
            }
        }
    }
    whole.ok_or_else(|| DataError::missing(dir, "a folder of .parquet files is expected there"))
}

/// Parquet files begin with `PAR1`, whatever their name.
pub(crate) fn is_parquet(file: &Path) -> Result<bool, DataError> {
    let mut start = Vec::new();
    let opened = File::open(file).map_err(|e| DataError::reading(file, e))?;
    opened.take(4).read_to_end(&mut start).map_err(|e| DataError::reading(file, e))?;
    let named = file.extension().is_some_and(|e| e.eq_ignore_ascii_case("parquet"));
    Ok(named || start == b"PAR1")
}

/// What parts the names of the first line: a comma, a semicolon where a comma is the decimal point, or a tab.
fn delimiter(content: &str) -> u8 {
    let header = content.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let mut quoted = false;
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    for byte in header.bytes() {
        quoted ^= byte == b'"';
        counts.iter_mut().filter(|(known, _)| *known == byte && !quoted).for_each(|(_, count)| *count += 1);
    }
    // Of equals, the first.
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(byte, _)| byte)
}

fn refuse(file: &Path, problem: impl ToString) -> DataError {
    DataError::Table { path: file.to_path_buf(), problem: problem.to_string() }
}

fn csv(file: &Path) -> Result<Table, DataError> {
    let failed = |error: csv::Error| refuse(file, error);
    let content = std::fs::read(file).map_err(|e| DataError::reading(file, e))?;
    let content = listed::plain(&content);
    let mut reader = csv::ReaderBuilder::new();
    let mut reader = reader.flexible(true).delimiter(delimiter(&content)).from_reader(content.as_bytes());
    let header = reader.byte_headers().map_err(failed)?.clone();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    let names = header.iter().map(text).collect();
    let mut rows = Vec::new();
    for record in reader.byte_records() {
        let record = record.map_err(failed)?;
        let line = record.position().map_or(0, csv::Position::line);
        rows.push((line, record.iter().map(text).collect()));
    }
    Ok(Table { names, rows, report: ReadReport::default() })
}

fn parquet(file: &Path) -> Result<Table, DataError> {
    let opened = ParquetFile::open(file)?;
    let names: Vec<String> = opened.names().into_iter().map(str::to_owned).collect();
    let mut rows: Vec<(u64, Vec<String>)> = Vec::new();
    for (place, name) in names.iter().enumerate() {
        if let Some(images) = unpacked::column(&opened, name) {
            for (row, path) in unpacked::paths(file, &opened, images)?.into_iter().enumerate() {
                put(&mut rows, row, (place, names.len()), path);
            }
            continue;
        }
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
                put(&mut rows, row, (place, names.len()), cell.text().unwrap_or_default());
                row += 1;
            }
        }
    }
    Ok(Table { names, rows, report: ReadReport::default() })
}

/// Sets a cell of a row, which is the next or there already.
fn put(rows: &mut Vec<(u64, Vec<String>)>, row: usize, (place, columns): (usize, usize), text: String) {
    if rows.len() == row {
        rows.push((row as u64 + 1, vec![String::new(); columns]));
    }
    if let Some(there) = rows.get_mut(row).and_then(|(_, row)| row.get_mut(place)) {
        *there = text;
    }
}
