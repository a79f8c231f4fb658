//! Faces that people labelled in another program, as the same text table: the largest face of an image is its row.
//!
//! [`label_studio`] reads what Label Studio exports, [`coco`] a file in COCO's form whose annotations have `attributes`.

pub(super) mod coco;
pub(super) mod label_studio;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::{Table, truth};
use crate::error::DataError;
use crate::report::{FindingKind, ReadReport};

/// A box and what was said of the face in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct LabelledFace {
    /// Left, top, width and height, in pixels.
    pub(super) rect: [f64; 4],
    /// Attributes of which something was said.
    pub(super) attributes: BTreeMap<String, bool>,
}

/// An image that somebody looked at.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct LabelledImage {
    /// Names by which it may be found, the likeliest first.
    pub(super) names: Vec<String>,
    /// Who is on it and which part it is of, where the file says so.
    pub(super) person: Option<String>,
    pub(super) split: Option<String>,
    pub(super) faces: Vec<LabelledFace>,
}

/// Whether a file is JSON by its name.
pub(super) fn is_json(file: &Path) -> bool {
    file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"))
}

/// Reads either form.
pub(super) fn read(file: &Path) -> Result<Table, DataError> {
    let bytes = fs::read(file).map_err(|error| DataError::reading(file, error))?;
    let refuse = |problem: String| DataError::Table { path: file.to_path_buf(), problem };
    let value: Value =
        serde_json::from_slice(&bytes).map_err(|error| refuse(format!("it is no JSON: {error}")))?;
    let mut report = ReadReport::default();
    let images = match &value {
        Value::Array(tasks) => label_studio::images(tasks, &mut report),
        Value::Object(whole) if whole.contains_key("images") && whole.contains_key("annotations") => {
            coco::images(whole, &mut report)
        }
        _ => {
            let expected = "neither tasks as Label Studio exports them (an array with `data` and `annotations`) nor COCO's form (an object with \
                            `images` and `annotations`) are in it";
            return Err(refuse(expected.to_owned()));
        }
    };
    Ok(table(file, images, report))
}

/// A row for each image, in the order of the file.
fn table(file: &Path, images: Vec<LabelledImage>, mut report: ReadReport) -> Table {
    let attributes: BTreeSet<String> = images
        .iter()
        .flat_map(|image| &image.faces)
        .flat_map(|face| face.attributes.keys().cloned())
        .collect();
    let fixed = ["path", "x", "y", "width", "height", "face", "identity", "split"];
    // What is only said of some faces stays unknown of the others, and a person or part that nobody names has no column.
    let named =
        [images.iter().any(|image| image.person.is_some()), images.iter().any(|image| image.split.is_some())];
    let is_there = |name: &str| match name {
        "identity" => named[0],
        "split" => named[1],
        _ => true,
    };
    let mut names: Vec<String> = fixed.into_iter().filter(|name| is_there(name)).map(str::to_owned).collect();
    names.extend(attributes.iter().cloned());
    let folder = file.parent().unwrap_or(Path::new(""));
    let row = |(number, image): (u64, LabelledImage)| {
        let area = |face: &&LabelledFace| face.rect[2] * face.rect[3];
        let largest = image.faces.iter().max_by(|a, b| area(a).total_cmp(&area(b)));
        let path = found(folder, &image.names);
        if image.faces.len() > 1 {
            let more = image.faces.len() - 1;
            report.add(FindingKind::SmallerFace, format!("{}: {more} beside the largest", path));
        }
        let mut row = vec![path];
        row.extend(match largest {
            Some(face) => face.rect.map(|side| side.to_string()).to_vec(),
            None => vec![String::new(); 4],
        });
        row.push(if largest.is_some() { "1" } else { "0" }.to_owned());
        row.extend(named[0].then(|| image.person.clone().unwrap_or_default()));
        row.extend(named[1].then(|| image.split.clone().unwrap_or_default()));
        row.extend(attributes.iter().map(|name| {
            let said = largest.and_then(|face| face.attributes.get(name));
            said.map_or("", |yes| if *yes { "1" } else { "0" }).to_owned()
        }));
        (number, row)
    };
    let rows = (1..).zip(images).map(row).collect();
    Table { names, rows, report }
}

/// The first of the names that leads to a file: as it is, below the table's folder or its folder `images`, and without the folders that only the
/// other program knew. The first name where none does.
fn found(folder: &Path, names: &[String]) -> String {
    for name in names {
        let whole = PathBuf::from(name);
        if whole.is_absolute() && whole.is_file() {
            return name.clone();
        }
        let parts: Vec<_> =
            whole.components().filter(|part| matches!(part, std::path::Component::Normal(_))).collect();
        for first in 0..parts.len() {
            let tail: PathBuf = parts.iter().skip(first).collect();
            for below in [tail.clone(), Path::new("images").join(&tail)] {
                if folder.join(&below).is_file() {
                    return lineament::path_text::to_text(&below).into_owned();
                }
            }
        }
    }
    names.first().cloned().unwrap_or_default()
}

/// The path in a URL or text, its percents decoded.
pub(super) fn path_in(url: &str) -> String {
    let path = match url.split_once("?d=") {
        Some((_, path)) => path,
        None => {
            url.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or(url, |(_, path)| path)
        }
    };
    percent_decode_str(path).decode_utf8_lossy().into_owned()
}

/// Yes or no, as JSON or in words.
pub(super) fn answer(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(yes) => Some(*yes),
        Value::Number(number) => truth(&number.to_string()),
        Value::String(text) => truth(text.trim()),
        _ => None,
    }
}

/// Text or a number as text.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Who is on an image and which part it is of, where its object says so.
pub(super) fn of_image(object: &serde_json::Map<String, Value>) -> [Option<String>; 2] {
    let person = ["identity", "person"].iter().find_map(|key| object.get(*key)).and_then(text);
    [person, object.get("split").and_then(text)]
}
