//! Which column of a table means what.

use std::path::Path;

use super::Table;
use super::parse::{is_empty, truth};
use crate::error::DataError;

const PATHS: [&str; 6] = ["path", "file", "image", "image_id", "filename", "file_name"];
const PEOPLE: [&str; 4] = ["identity", "person", "celeb_id", "person_id"];
const LANDMARKS: [&str; 10] = [
    "lefteye_x",
    "lefteye_y",
    "righteye_x",
    "righteye_y",
    "nose_x",
    "nose_y",
    "leftmouth_x",
    "leftmouth_y",
    "rightmouth_x",
    "rightmouth_y",
];

/// The places of the columns by meaning.
pub(crate) struct Columns {
    pub(crate) path: usize,
    pub(crate) identity: Option<usize>,
    pub(crate) split: Option<usize>,
    pub(crate) framing: Option<usize>,
    pub(crate) face: Option<usize>,
    pub(crate) rect: Option<[usize; 4]>,
    pub(crate) landmarks: Option<[usize; 10]>,
    pub(crate) attributes: Vec<(String, usize)>,
    pub(crate) ignored: Vec<String>,
}

impl Columns {
    /// `person` names the column that tells people apart, where it is not called as usual.
    pub(crate) fn of(file: &Path, table: &Table, person: Option<&str>) -> Result<Self, DataError> {
        let refuse = |problem: String| DataError::Table { path: file.to_path_buf(), problem };
        let find = |name: &str| table.names.iter().position(|n| n.eq_ignore_ascii_case(name));
        let mut sorted: Vec<&String> = table.names.iter().collect();
        sorted.sort();
        if let Some([name, _]) = sorted.array_windows().find(|[a, b]| a == b) {
            return Err(refuse(format!("the column {name:?} is there twice; rename one of them")));
        }
        let path = PATHS.iter().find_map(|name| find(name)).ok_or_else(|| {
            let names = table.names.join(", ");
            refuse(format!("it has no column `path` with the pictures' paths; its columns are {names}"))
        })?;
        let named = match person {
            Some(name) => Some(find(name).ok_or_else(|| {
                let names = table.names.join(", ");
                refuse(format!("it has no column {name:?} to tell people apart; its columns are {names}"))
            })?),
            None => None,
        };
        let mut columns = Self {
            path,
            identity: named.or_else(|| PEOPLE.iter().find_map(|name| find(name))),
            split: find("split"),
            framing: find("framing"),
            face: find("face"),
            rect: all(["x", "y", "width", "height"].map(find)),
            landmarks: all(LANDMARKS.map(find)),
            attributes: Vec::new(),
            ignored: Vec::new(),
        };
        let mut used = vec![path];
        used.extend([columns.identity, columns.split, columns.framing, columns.face].into_iter().flatten());
        used.extend(columns.rect.into_iter().flatten());
        used.extend(columns.landmarks.into_iter().flatten());
        for (place, name) in table.names.iter().enumerate().filter(|(place, _)| !used.contains(place)) {
            if says_yes_and_no(table, place) && !name.is_empty() {
                columns.attributes.push((name.clone(), place));
            } else {
                columns.ignored.push(name.clone());
            }
        }
        Ok(columns)
    }
}

/// Whether at least half of what a column says is yes or no: a number or a note may look so now and then.
fn says_yes_and_no(table: &Table, place: usize) -> bool {
    let said = table.rows.iter().map(|(_, row)| Table::cell(row, place)).filter(|cell| !is_empty(cell));
    let (clear, all) =
        said.fold((0, 0), |(clear, all), cell| (clear + usize::from(truth(cell).is_some()), all + 1));
    clear > 0 && 2 * clear >= all
}

/// All places, or none where one is missing.
fn all<const N: usize>(places: [Option<usize>; N]) -> Option<[usize; N]> {
    let found: Vec<usize> = places.into_iter().collect::<Option<_>>()?;
    found.try_into().ok()
}
