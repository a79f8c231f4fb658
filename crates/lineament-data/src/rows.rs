//! CelebA's lists: an optional row count, a header of column names (or none), and rows of an image's name and numbers,
//! parted by white space (or by commas, as in some copies).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::listed;
use crate::report::{FindingKind, ReadReport};

/// One list, read whole: its column names and its rows by image name.
pub(crate) struct Rows {
    path: PathBuf,
    pub(crate) columns: Vec<String>,
    rows: BTreeMap<String, (usize, Vec<i64>)>,
}

/// What the first lines of a list are.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Header {
    /// Column names; a count may stand above them.
    Names,
    /// Rows from the first line on.
    None,
}

fn cells(line: &str) -> impl Iterator<Item = &str> {
    let parts = line.split(|c: char| c.is_whitespace() || c == ',' || c == ';');
    parts.map(|cell| cell.trim_matches('"')).filter(|cell| !cell.is_empty())
}

impl Rows {
    /// Reads a list. Every row must have `width` numbers (`None`: as many as the header has names); other rows are counted with their
    /// line and left out.
    pub(crate) fn read(
        path: &Path,
        header: Header,
        width: Option<usize>,
        report: &mut ReadReport,
    ) -> Result<Self, DataError> {
        let bytes = std::fs::read(path).map_err(|e| DataError::reading(path, e))?;
        let text = listed::plain(&bytes);
        let lines =
            text.lines().enumerate().map(|(i, line)| (i + 1, line.trim())).filter(|(_, l)| !l.is_empty());
        let mut lines = lines.peekable();
        let mut stated = None;
        let mut columns = Vec::new();
        if header == Header::Names {
            let mut first = lines.next();
            if let Some((_, line)) = first
                && let Ok(count) = line.parse::<usize>()
            {
                stated = Some(count);
                first = lines.next();
            }
            let Some((_, line)) = first else {
                return Err(DataError::Malformed {
                    path: path.to_path_buf(),
                    line: 1,
                    problem: "the file ends before its line of column names".to_owned(),
                });
            };
            columns = cells(line).map(str::to_owned).collect();
            // Some copies name the first column too.
            if columns.first().is_some_and(|c| c.eq_ignore_ascii_case("image_id")) {
                columns.remove(0);
            }
        }
        // Lists as CSV have names where the official ones have none.
        if header == Header::None {
            lines.next_if(|(_, line)| is_names(line));
        }
        let width = width.unwrap_or(columns.len());
        let mut rows = Self { path: path.to_path_buf(), columns, rows: BTreeMap::new() };
        let mut seen = 0;
        for (number, line) in lines {
            seen += 1;
            match parse(line, width) {
                Ok((name, _)) if rows.rows.contains_key(name) => {
                    report
                        .add(FindingKind::RepeatedName, format!("{}, line {number}: {name}", path.display()));
                }
                Ok((name, values)) => {
                    rows.rows.insert(name.to_owned(), (number, values));
                }
                Err(problem) => {
                    report.add(
                        FindingKind::MalformedRow,
                        format!("{}, line {number}: {problem}", path.display()),
                    );
                }
            }
        }
        if let Some(stated) = stated
            && stated != seen
        {
            let example = format!("{}: line 1 says {stated}, there are {seen}", path.display());
            report.add(FindingKind::CountDisagrees, example);
        }
        Ok(rows)
    }

    /// As [`Self::read`], but a file that is not there is counted and read as empty.
    pub(crate) fn read_optional(
        path: Option<PathBuf>,
        expected: &Path,
        header: Header,
        width: usize,
        report: &mut ReadReport,
    ) -> Result<Option<Self>, DataError> {
        match path {
            Some(path) => Self::read(&path, header, Some(width), report).map(Some),
            None => {
                report.add(FindingKind::MissingFile, expected.display().to_string());
                Ok(None)
            }
        }
    }

    /// The numbers of one image.
    pub(crate) fn get(&self, name: &str) -> Option<&[i64]> {
        self.rows.get(name).map(|(_, values)| values.as_slice())
    }

    /// The first number of one image.
    pub(crate) fn first(&self, name: &str) -> Option<i64> {
        self.get(name)?.first().copied()
    }

    /// All rows: name, line and numbers, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, usize, &[i64])> {
        self.rows.iter().map(|(name, (line, values))| (name.as_str(), *line, values.as_slice()))
    }

    /// "file, line N" of a row.
    pub(crate) fn place(&self, line: usize) -> String {
        format!("{}, line {line}", self.path.display())
    }
}

/// Whether a line names the columns: it begins as they do.
fn is_names(line: &str) -> bool {
    cells(line).next().is_some_and(|first| {
        ["image_id", "image", "filename", "name"]
            .iter()
            .any(|known| first.trim_matches('"').eq_ignore_ascii_case(known))
    })
}

/// A number, or the yes and no of a list that says so in words.
fn whole(cell: &str) -> Option<i64> {
    let in_words = || crate::table::truth(cell).map(|yes| if yes { 1 } else { -1 });
    cell.parse().ok().or_else(in_words)
}

fn parse(line: &str, width: usize) -> Result<(&str, Vec<i64>), String> {
    let mut cells = cells(line);
    let name = cells.next().ok_or("the line is empty")?;
    let mut values = Vec::with_capacity(width);
    for cell in cells {
        let value = whole(cell).ok_or_else(|| format!("{cell:?} is not a whole number"))?;
        values.push(value);
    }
    if values.len() != width {
        return Err(format!("{width} numbers are expected after the name, there are {}", values.len()));
    }
    Ok((name, values))
}
