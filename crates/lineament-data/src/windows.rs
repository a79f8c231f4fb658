//! Windows that a teacher found: squares that show a face and squares that do not, as a table.
//!
//! A CSV file with the columns `path,x,y,side,roll,score,face`, a line a window: the image, relative to a data folder;
//! the window's center and side in pixels of the file; how far the face is turned clockwise, in degrees; the teacher's
//! score; 1 for a face and 0 for what the teacher knows not to be one. Nets that learn to locate from such a table only
//! know what its teacher knew, so that a teacher of LNets must have learned from image-level tags alone: no box, no
//! landmark.

use std::path::{Path, PathBuf};

use lineament::{Point, Rect};

use crate::error::DataError;

/// The columns, in their order.
pub const HEADER: [&str; 7] = ["path", "x", "y", "side", "roll", "score", "face"];

/// A window that a teacher found.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundWindow {
    /// The image, as the table names it.
    pub path: PathBuf,
    /// The window before it is turned by `roll`: a square, in pixels of the file.
    pub rect: Rect,
    /// How far the face is turned clockwise, in degrees.
    pub roll: f32,
    /// The teacher's score.
    pub score: f32,
    /// Whether it shows a face.
    pub face: bool,
}

/// Reads a table of windows.
///
/// # Errors
/// [`DataError::Missing`] without the file, [`DataError::Malformed`] with the line for another header, a missing column or a
/// value out of its range.
pub fn read(table: &Path) -> Result<Vec<FoundWindow>, DataError> {
    if !table.is_file() {
        return Err(DataError::missing(
            table,
            "a table of windows (path,x,y,side,roll,score,face) is expected there",
        ));
    }
    let wrong = |line: u64, problem: String| DataError::Malformed {
        path: table.to_path_buf(),
        line: usize::try_from(line).unwrap_or(usize::MAX),
        problem,
    };
    let failed = |e: csv::Error| match e.position().map(csv::Position::line) {
        Some(line) => wrong(line, e.to_string()),
        None => DataError::reading(table, std::io::Error::other(e)),
    };
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).from_path(table).map_err(failed)?;
    let mut found = Vec::new();
    let mut headed = false;
    for row in reader.records() {
        let row = row.map_err(failed)?;
        let line = row.position().map_or(0, csv::Position::line);
        if headed {
            found.push(window(&row).map_err(|problem| wrong(line, problem))?);
            continue;
        }
        headed = true;
        if !row.iter().eq(HEADER) {
            return Err(wrong(line, format!("the first line must be {:?}", HEADER.join(","))));
        }
    }
    if headed { Ok(found) } else { Err(wrong(1, format!("the first line must be {:?}", HEADER.join(",")))) }
}

fn window(row: &csv::StringRecord) -> Result<FoundWindow, String> {
    let fields: Vec<&str> = row.iter().map(str::trim).collect();
    let [path, x, y, side, roll, score, face] = fields[..] else {
        return Err(format!("it has {} columns and must have {}", fields.len(), HEADER.len()));
    };
    if path.is_empty() {
        return Err("`path` is empty".to_owned());
    }
    let number = |name: &str, text: &str, least: f32, most: f32| match text.parse::<f32>() {
        Ok(value) if (least..=most).contains(&value) => Ok(value),
        _ => Err(format!("`{name}` is {text:?}; it must be a number from {least} to {most}")),
    };
    let center = Point::new(number("x", x, -1e5, 1e5)?, number("y", y, -1e5, 1e5)?);
    let side = number("side", side, 1.0, 1e5)?;
    let face = match face {
        "1" => true,
        "0" => false,
        _ => return Err(format!("`face` is {face:?}; it must be 1 or 0")),
    };
    Ok(FoundWindow {
        path: path.into(),
        rect: Rect::about(center, side, side),
        roll: number("roll", roll, -360.0, 360.0)?,
        score: number("score", score, -1e30, 1e30)?,
        face,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Vec<FoundWindow>, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("windows.csv");
        std::fs::write(&path, text).unwrap();
        read(&path).map_err(|e| e.to_string())
    }

    #[test]
    fn windows_are_read_with_their_faces() {
        let found =
            of("path,x,y,side,roll,score,face\na/b.jpg,20,30.5,10,-15,3.25,1\nc.png,5,5,10,0,1,0\n").unwrap();
        let first = FoundWindow {
            path: "a/b.jpg".into(),
            rect: Rect::new(15.0, 25.5, 10.0, 10.0),
            roll: -15.0,
            score: 3.25,
            face: true,
        };
        assert_eq!(found.first(), Some(&first));
        assert_eq!(found.iter().map(|window| window.face).collect::<Vec<_>>(), [true, false]);
        assert_eq!(of("path,x,y,side,roll,score,face\n"), Ok(Vec::new()));
    }

    #[test]
    fn a_wrong_header_or_value_is_refused_with_its_line() {
        let good = "path,x,y,side,roll,score,face\na.jpg,20,30,10,0,3,1\n";
        for (text, line, said) in [
            (String::new(), 1, "path,x,y"),
            (good.replace("roll,score", "score,roll"), 1, "path,x,y,side,roll"),
            (good.replace("30,10", "30"), 2, "6 columns"),
            (good.replace(",10,", ",0,"), 2, "`side` is \"0\""),
            (good.replace(",20,", ",nan,"), 2, "`x`"),
            (good.replace(",3,1", ",3,yes"), 2, "`face` is \"yes\""),
            (good.replace(",0,3", ",400,3"), 2, "`roll`"),
            (format!("{good}a.jpg,20,30,10,0,inf,1\n"), 3, "`score`"),
            (format!("{good},20,30,10,0,1,1\n"), 3, "`path`"),
        ] {
            let refused = of(&text).unwrap_err();
            assert!(
                refused.contains(&format!("line {line}:")) && refused.contains(said),
                "{text}: {refused}"
            );
        }
        let missing = read(Path::new("/nowhere/windows.csv")).unwrap_err().to_string();
        assert!(missing.contains("/nowhere/windows.csv"), "{missing}");
    }
}
