//! A custom table: one row an image, as CSV or Parquet, or as JSON of a program that people label images with.
//!
//! | column | meaning |
//! |---|---|
//! | `path` (or `file`, `image`, `image_id`) | the image, absolute or relative to the table's folder; needed |
//! | `identity` (or `person`, `celeb_id`) | who it is: any text or number |
//! | `split` | train, validation or test (0, 1, 2); else drawn by person |
//! | `x`, `y`, `width`, `height` | box of the dominant face, in pixels |
//! | `lefteye_x` ... `rightmouth_y` | the five landmarks, named as in CelebA |
//! | `framing` | `photo` (the default) or `aligned` |
//! | `face` | whether there is a face; yes where nothing is said |
//! | any other | an attribute: 1/0, 1/-1, true/false, yes/no; empty is unknown |
//!
//! A Parquet file may hold the images themselves, as Hugging Face's data sets do: a struct `image` of `bytes` and `path`. A folder of
//! Parquet files is one table; its parts are named after splits.
//!
//! What Label Studio exports, and COCO's form with `attributes`, are such tables: a row is an image with its largest face.
//!
//! Column names are compared without regard to case, apart from attributes, which keep theirs.

mod annotated;
mod columns;
mod parse;
mod sources;
mod unpacked;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use lineament::{Point, Rect, path_text};

use crate::error::DataError;
use crate::report::{FindingKind, ReadReport};
use crate::sample::{Dataset, Framing, Sample};
use crate::split::Split;
use crate::walk::is_image;

use columns::Columns;
pub(crate) use parse::{is_empty, truth};
pub(crate) use sources::{is_parquet, read as read_text};

/// A table as text: names of columns, then rows with the line (CSV) or row number (Parquet) to name in messages.
pub(crate) struct Table {
    pub(crate) names: Vec<String>,
    pub(crate) rows: Vec<(u64, Vec<String>)>,
    /// What did not fit while it was read.
    pub(crate) report: ReadReport,
}

impl Table {
    pub(crate) fn cell(row: &[String], column: usize) -> &str {
        row.get(column).map_or("", |cell| cell.trim())
    }
}

/// Reads a `.csv`, `.parquet` or `.json` file (told apart by the name's ending, else by the first bytes).
///
/// # Errors
/// Where the table is missing or unreadable, has no path column, or none of its images exists. Rows that do not fit
/// are counted in the report.
pub fn read(file: &Path) -> Result<Dataset, DataError> {
    read_by(file, None)
}

/// As [`read`], with people told apart by the column named `person`.
///
/// # Errors
/// As [`read`], and where there is no such column.
pub fn read_by(file: &Path, person: Option<&str>) -> Result<Dataset, DataError> {
    if !file.is_file() && !is_in_parts(file) {
        return Err(DataError::missing(
            file,
            "a .csv or .parquet file with a column `path`, or a .json file of labelled pictures, is expected there",
        ));
    }
    let table = sources::read(file)?;
    let columns = Columns::of(file, &table, person)?;
    let mut set = Dataset::new(
        file.file_stem().map_or_else(|| "table".to_owned(), |stem| stem.to_string_lossy().into_owned()),
    );
    set.report.merge(table.report.clone());
    for name in &columns.ignored {
        set.report.add(FindingKind::IgnoredColumn, name.clone());
    }
    set.attributes = columns.attributes.iter().map(|(name, _)| name.clone()).collect();
    let mut reader = RowReader { file, columns: &columns, people: BTreeMap::new(), seen: BTreeSet::new() };
    let mut splits = BTreeMap::new();
    for (line, row) in &table.rows {
        if let Some((sample, split)) = reader.sample(*line, row, &mut set) {
            if let Some(split) = split {
                splits.insert(sample.name.clone(), split);
            }
            set.samples.push(sample);
        }
    }
    if set.samples.is_empty() {
        let expected = "none of the paths in the table leads to a picture; paths are absolute or relative to the table's folder";
        return Err(DataError::no_images(file, expected));
    }
    if columns.split.is_some() {
        set.assign_splits(|sample| splits.get(&sample.name).copied());
    } else {
        set.draw_splits();
    }
    Ok(set)
}

/// Whether a folder holds a table in parts: Parquet files.
pub(crate) fn is_in_parts(dir: &Path) -> bool {
    dir.is_dir() && !sources::parts(dir).is_empty()
}

struct RowReader<'a> {
    file: &'a Path,
    columns: &'a Columns,
    people: BTreeMap<String, u32>,
    seen: BTreeSet<String>,
}

impl RowReader<'_> {
    /// The sample of one row and the split that it names, or nothing where the row cannot be used (counted).
    fn sample(&mut self, line: u64, row: &[String], set: &mut Dataset) -> Option<(Sample, Option<Split>)> {
        let place = format!("{}, line {line}", self.file.display());
        let name = Table::cell(row, self.columns.path).to_owned();
        if name.is_empty() {
            set.report.add(FindingKind::MalformedRow, format!("{place}: the path is empty"));
            return None;
        }
        // An absolute path stands for itself.
        let folder = if self.file.is_dir() { Some(self.file) } else { self.file.parent() };
        let path = folder.unwrap_or(Path::new("")).join(path_text::from_text(&name));
        if !path.is_file() {
            set.report.add(FindingKind::RowWithoutImage, format!("{place}: {name}"));
            return None;
        }
        if !is_image(&path) {
            set.report.add(FindingKind::NotAnImage, format!("{place}: {name}"));
            return None;
        }
        if !self.seen.insert(name.clone()) {
            set.report.add(FindingKind::RepeatedName, format!("{place}: {name}"));
            return None;
        }
        let mut sample = Sample::new(path, name, Framing::Photo);
        self.fill(&mut sample, row, &place, set);
        let split = self.columns.split.map(|column| Table::cell(row, column)).and_then(Split::from_text);
        Some((sample, split))
    }

    fn fill(&mut self, sample: &mut Sample, row: &[String], place: &str, set: &mut Dataset) {
        let columns = self.columns;
        for (name, column) in &columns.attributes {
            let cell = Table::cell(row, *column);
            let tag = truth(cell);
            if tag.is_none() && !is_empty(cell) {
                set.report.add(FindingKind::UnreadableTag, format!("{place}: {name} is {cell:?}"));
            }
            sample.tags.push(tag);
        }
        if let Some(column) = columns.identity {
            let person = Table::cell(row, column);
            if is_empty(person) {
                set.report.add(FindingKind::ImageWithoutIdentity, sample.name.clone());
            } else {
                let next = u32::try_from(self.people.len()).unwrap_or(u32::MAX);
                sample.identity = Some(*self.people.entry(person.to_owned()).or_insert(next));
            }
        }
        if let Some(column) = columns.framing
            && Table::cell(row, column).eq_ignore_ascii_case("aligned")
        {
            sample.framing = Framing::Aligned;
        }
        let face = columns.face.and_then(|column| truth(Table::cell(row, column)));
        sample.face = Some(face.unwrap_or(true));
        sample.rect = self.rect(row, place, set);
        sample.landmarks = columns.landmarks.as_ref().and_then(|places| landmarks(row, places));
    }

    fn rect(&self, row: &[String], place: &str, set: &mut Dataset) -> Option<Rect> {
        let cells = self.columns.rect?.map(|column| Table::cell(row, column));
        if cells.iter().all(|cell| is_empty(cell)) {
            return None;
        }
        let [x, y, width, height] = cells.map(number);
        let rect = match (x, y, width, height) {
            (Some(x), Some(y), Some(width), Some(height)) if width > 0.0 && height > 0.0 => {
                Some(Rect { x, y, width, height })
            }
            _ => None,
        };
        if rect.is_none() {
            set.report.add(FindingKind::EmptyBox, format!("{place}: {}", cells.join(", ")));
        }
        rect
    }
}

fn number(cell: &str) -> Option<f32> {
    cell.parse().ok().filter(|v: &f32| v.is_finite())
}

fn landmarks(row: &[String], places: &[usize; 10]) -> Option<[Point; 5]> {
    let [a, b, c, d, e, f, g, h, i, j] = places.map(|column| number(Table::cell(row, column)));
    let point = |x: Option<f32>, y: Option<f32>| Some(Point { x: x?, y: y? });
    Some([point(a, b)?, point(c, d)?, point(e, f)?, point(g, h)?, point(i, j)?])
}

#[cfg(test)]
mod tests;
