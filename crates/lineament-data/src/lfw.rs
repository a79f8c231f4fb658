//! Labelled Faces in the Wild: a folder a person, `NAME/NAME_0001.jpg`, with two optional lists beside it.
//!
//! * `male_manual.csv` (`file,male` with 1 or 0): a manual label, read as the tag `Male`.
//! * `facer_scores.csv` (`file` and attribute names, probabilities): another model's scores, read as
//!   [`Sample::teacher`]: a teacher, never the truth.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::images;
use crate::report::{FindingKind, ReadReport};
use crate::sample::{Dataset, Framing, Sample};

const MALE: &str = "Male";

/// Reads LFW: the folder that holds `lfw/NAME/` or the one that holds `NAME/` itself. Identities number the people by
/// name, from 0. Attributes are the columns of `facer_scores.csv`, else `Male` alone where `male_manual.csv` is there. Splits are
/// drawn by person. The images are cut around the face, so their framing is [`Framing::Aligned`].
///
/// # Errors
/// Where the folder is missing, holds no person's folder with an image, or a list cannot be read.
pub fn read(dir: &Path) -> Result<Dataset, DataError> {
    let expected = "a folder a person is expected there: NAME/NAME_0001.jpg, or lfw/NAME/NAME_0001.jpg";
    if !dir.is_dir() {
        return Err(DataError::missing(dir, expected));
    }
    let inner =
        ["lfw", "lfw_funneled", "lfw-deepfunneled"].map(|n| dir.join(n)).into_iter().find(|p| p.is_dir());
    let root = inner.unwrap_or_else(|| dir.to_path_buf());
    let mut set = Dataset::new(images::set_name(dir, "lfw"));
    for (identity, folder) in (0_u32..).zip(images::folders(&root)?) {
        for path in images::in_folder(&folder, &mut set.report)? {
            let name = images::file_name(&path);
            let mut sample = Sample::new(path, name, Framing::Aligned);
            sample.identity = Some(identity);
            sample.face = Some(true);
            set.samples.push(sample);
        }
    }
    if set.samples.is_empty() {
        return Err(DataError::no_images(&root, expected));
    }
    let scores = optional(dir, &root, "facer_scores.csv", &mut set.report)?;
    let male = optional(dir, &root, "male_manual.csv", &mut set.report)?;
    add_lists(&mut set, scores, male);
    set.draw_splits();
    Ok(set)
}

/// A CSV list of a file name and numbers.
struct List {
    columns: Vec<String>,
    rows: BTreeMap<String, Vec<f32>>,
}

fn optional(dir: &Path, root: &Path, name: &str, report: &mut ReadReport) -> Result<Option<List>, DataError> {
    match [dir.join(name), root.join(name)].into_iter().find(|p| p.is_file()) {
        Some(path) => read_list(&path, report).map(Some),
        None => {
            report.add(FindingKind::MissingFile, dir.join(name).display().to_string());
            Ok(None)
        }
    }
}

fn read_list(path: &PathBuf, report: &mut ReadReport) -> Result<List, DataError> {
    let failed = |error: csv::Error| DataError::Table { path: path.clone(), problem: error.to_string() };
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_path(path).map_err(failed)?;
    let header = reader.headers().map_err(failed)?.clone();
    let columns: Vec<String> = header.iter().skip(1).map(str::to_owned).collect();
    let mut rows = BTreeMap::new();
    for record in reader.records() {
        let record = record.map_err(failed)?;
        let line = record.position().map_or(0, csv::Position::line);
        let values: Option<Vec<f32>> = record
            .iter()
            .skip(1)
            .map(|cell| cell.parse::<f32>().ok().filter(|v| (0.0..=1.0).contains(v)))
            .collect();
        match (record.get(0), values) {
            (Some(file), Some(values)) if values.len() == columns.len() => {
                if rows.insert(file.to_owned(), values).is_some() {
                    report.add(FindingKind::RepeatedName, format!("{}, line {line}: {file}", path.display()));
                }
            }
            _ => report.add(
                FindingKind::MalformedRow,
                format!(
                    "{}, line {line}: a file and {} numbers from 0 to 1 are expected",
                    path.display(),
                    columns.len()
                ),
            ),
        }
    }
    Ok(List { columns, rows })
}

fn add_lists(set: &mut Dataset, scores: Option<List>, male: Option<List>) {
    if let Some(scores) = &scores {
        set.attributes = scores.columns.clone();
    }
    if male.is_some() && set.attribute(MALE).is_none() {
        set.attributes.push(MALE.to_owned());
    }
    let place = set.attribute(MALE);
    let width = set.attributes.len();
    let mut lost = ReadReport::default();
    for list in [&scores, &male].into_iter().flatten() {
        let there: std::collections::BTreeSet<&str> = set.samples.iter().map(|s| s.name.as_str()).collect();
        for file in list.rows.keys().filter(|file| !there.contains(file.as_str())) {
            lost.add(FindingKind::RowWithoutImage, file.clone());
        }
    }
    for sample in &mut set.samples {
        sample.tags = vec![None; width];
        if let Some(list) = &scores
            && list.columns.len() == width
        {
            sample.teacher = list.rows.get(&sample.name).cloned();
        }
        let label = male.as_ref().and_then(|list| list.rows.get(&sample.name)?.first().copied());
        if let Some(label) = label
            && let Some(tag) = place.and_then(|p| sample.tags.get_mut(p))
        {
            *tag = Some(label >= 0.5);
        }
    }
    set.report.merge(lost);
}
