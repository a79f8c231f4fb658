//! What another model says of images, as a table: a teacher to learn from, never the truth.
//!
//! A CSV or Parquet file with a row an image: `path` (absolute, or relative to the table or to a data folder), and then either
//! probabilities, in columns named as the attributes, or a vector, in one column `vector` (a list in Parquet; in CSV numbers parted by
//! spaces, commas or semicolons, in brackets or not). A probability that is not given is not learned from.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::columns::ParquetFile;
use crate::error::DataError;
use crate::table::{Table, is_empty, is_parquet, read_text};

/// The column of a vector.
const VECTOR: &str = "vector";

/// Names of the column with the paths.
const PATHS: [&str; 4] = ["path", "file", "image", "image_id"];

/// What the numbers of a row are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TeacherAnswers {
    /// A probability for each of these attributes.
    Probabilities(Vec<String>),
    /// A vector of this length.
    Vectors(usize),
}

/// What another model says of images.
#[derive(Clone, Debug)]
pub struct TeacherTable {
    /// What the numbers are.
    pub answers: TeacherAnswers,
    /// The numbers of each image, by its path as the table names it; not a number where a probability is not given.
    pub rows: HashMap<PathBuf, Vec<f32>>,
}

impl TeacherTable {
    /// Reads a table.
    ///
    /// # Errors
    /// [`DataError::Missing`] without the file; [`DataError::Table`] without the columns; [`DataError::Malformed`] with the line (in Parquet
    /// the row) for an empty or repeated path, a probability that is none, or a vector of another length than the first.
    pub fn read(file: &Path) -> Result<Self, DataError> {
        if !file.is_file() {
            let expected = "a teacher's table (.csv or .parquet: `path`, then attribute names or `vector`) is expected there";
            return Err(DataError::missing(file, expected));
        }
        let mut table = read_text(file)?;
        let refuse = |problem: String| DataError::Table { path: file.to_path_buf(), problem };
        let named = |name: &str| table.names.iter().position(|own| own.eq_ignore_ascii_case(name));
        let columns = table.names.join(", ");
        let Some(path) = PATHS.iter().find_map(|name| named(name)) else {
            return Err(refuse(format!("it has no column `path`; its columns are {columns}")));
        };
        let vector = named(VECTOR);
        let others: Vec<usize> =
            (0..table.names.len()).filter(|column| *column != path && Some(*column) != vector).collect();
        if others.is_empty() == vector.is_none() {
            let problem = format!(
                "beside `{}` it must have columns named as attributes, or one column `vector`; its columns are {columns}",
                table.names.get(path).map_or("path", String::as_str)
            );
            return Err(refuse(problem));
        }
        if let Some(vector) = vector
            && is_parquet(file)?
        {
            lists_as_text(file, &mut table, vector)?;
        }
        let reader = RowReader { file, table: &table };
        let mut rows = HashMap::new();
        let mut width = None;
        for (line, row) in &table.rows {
            let name = Table::cell(row, path);
            if name.is_empty() {
                return Err(reader.wrong(*line, "the path is empty"));
            }
            let numbers = match vector {
                Some(column) => reader.vector(*line, Table::cell(row, column), &mut width)?,
                None => reader.probabilities(*line, row, &others)?,
            };
            if numbers.is_empty() {
                continue;
            }
            if rows.insert(lineament::path_text::from_text(name), numbers).is_some() {
                return Err(
                    reader.wrong(*line, &format!("{name} is there a second time; keep one of its rows"))
                );
            }
        }
        let answers = match (vector, width) {
            (Some(_), Some(width)) => TeacherAnswers::Vectors(width),
            (Some(_), None) => return Err(refuse("no row holds a vector".to_owned())),
            (None, _) => TeacherAnswers::Probabilities(
                others.iter().filter_map(|column| table.names.get(*column).cloned()).collect(),
            ),
        };
        Ok(Self { answers, rows })
    }

    /// How many numbers a row has.
    pub fn width(&self) -> usize {
        match &self.answers {
            TeacherAnswers::Probabilities(names) => names.len(),
            TeacherAnswers::Vectors(width) => *width,
        }
    }

    /// The same with probabilities in the order of `attributes`, of which a teacher may lack some; vectors stay.
    ///
    /// # Errors
    /// [`DataError::Table`] when it answers about something that is none of them.
    pub fn in_order_of(self, attributes: &[String], file: &Path) -> Result<Self, DataError> {
        let TeacherAnswers::Probabilities(names) = &self.answers else { return Ok(self) };
        for name in names {
            lineament::attributes::find(attributes, name).map_err(|unknown| DataError::Table {
                path: file.to_path_buf(),
                problem: format!(
                    "its columns beside the path must be attributes that are learned: {unknown}"
                ),
            })?;
        }
        let places: Vec<Option<usize>> =
            attributes.iter().map(|attribute| names.iter().position(|name| name == attribute)).collect();
        let ordered = |row: &Vec<f32>| {
            places.iter().map(|place| place.and_then(|p| row.get(p).copied()).unwrap_or(f32::NAN)).collect()
        };
        let rows = self.rows.iter().map(|(path, row)| (path.clone(), ordered(row))).collect();
        Ok(Self { answers: TeacherAnswers::Probabilities(attributes.to_vec()), rows })
    }
}

/// Puts the lists of a Parquet column where the text of a CSV's would stand.
fn lists_as_text(file: &Path, table: &mut Table, column: usize) -> Result<(), DataError> {
    let name = table.names.get(column).cloned().unwrap_or_default();
    let lists = ParquetFile::open(file)?.lists(&name)?.unwrap_or_default();
    for ((_, row), list) in table.rows.iter_mut().zip(lists) {
        if let Some(cell) = row.get_mut(column) {
            *cell = list.iter().map(f32::to_string).collect::<Vec<_>>().join(" ");
        }
    }
    Ok(())
}

struct RowReader<'a> {
    file: &'a Path,
    table: &'a Table,
}

impl RowReader<'_> {
    fn wrong(&self, line: u64, problem: &str) -> DataError {
        DataError::Malformed {
            path: self.file.to_path_buf(),
            line: usize::try_from(line).unwrap_or(usize::MAX),
            problem: problem.to_owned(),
        }
    }

    fn probabilities(&self, line: u64, row: &[String], columns: &[usize]) -> Result<Vec<f32>, DataError> {
        let probability = |column: &usize| {
            let cell = Table::cell(row, *column);
            if is_empty(cell) {
                return Ok(f32::NAN);
            }
            let number = cell.parse().ok().filter(|number: &f32| (0.0..=1.0).contains(number));
            number.ok_or_else(|| {
                let name = self.table.names.get(*column).map_or("", String::as_str);
                self.wrong(
                    line,
                    &format!("{name} is {cell:?}; it must be a probability from 0 to 1, or empty"),
                )
            })
        };
        columns.iter().map(probability).collect()
    }

    /// A vector; an empty one where the cell says nothing.
    fn vector(&self, line: u64, cell: &str, width: &mut Option<usize>) -> Result<Vec<f32>, DataError> {
        let inner = cell.trim().trim_start_matches('[').trim_end_matches(']');
        let parts = inner.split([' ', ',', ';']).filter(|part| !part.is_empty());
        let number = |part: &str| part.parse().ok().filter(|number: &f32| number.is_finite());
        let numbers: Option<Vec<f32>> = parts.map(number).collect();
        let Some(numbers) = numbers else {
            return Err(self.wrong(line, "`vector` holds something that is no finite number"));
        };
        if numbers.is_empty() {
            return Ok(numbers);
        }
        let expected = *width.get_or_insert(numbers.len());
        if numbers.len() == expected {
            return Ok(numbers);
        }
        Err(self.wrong(line, &format!("`vector` has {} numbers, those before it {expected}", numbers.len())))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<TeacherTable, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("teacher.csv");
        std::fs::write(&path, text).unwrap();
        TeacherTable::read(&path).map_err(|e| e.to_string())
    }

    #[test]
    fn probabilities_and_vectors_are_read() {
        let table = of("path,Smiling,Bald\na/b.jpg,0.5,\nc.jpg,1,0\n").unwrap();
        assert_eq!(table.answers, TeacherAnswers::Probabilities(vec!["Smiling".into(), "Bald".into()]));
        let row = &table.rows[Path::new("a/b.jpg")];
        assert!(row[0] == 0.5 && row[1].is_nan(), "{row:?}");
        for cell in ["0.5 -1 2e0", "[0.5, -1, 2]", "0.5;-1;2"] {
            let table = of(&format!("file,vector\na.jpg,\"{cell}\"\nb.jpg,\n")).unwrap();
            assert_eq!((&table.answers, table.width()), (&TeacherAnswers::Vectors(3), 3));
            assert_eq!(table.rows.len(), 1, "a row that says nothing is none");
            assert_eq!(table.rows[Path::new("a.jpg")], [0.5, -1.0, 2.0]);
        }
    }

    #[test]
    fn probabilities_come_in_the_order_that_is_learned() {
        let table = of("path,Smiling,Bald\na.jpg,0.25,0.75\n").unwrap();
        let names = ["Bald", "Young", "Smiling"].map(str::to_owned);
        let turned = table.clone().in_order_of(&names, Path::new("teacher.csv")).unwrap();
        let row = &turned.rows[Path::new("a.jpg")];
        assert!(row[0] == 0.75 && row[1].is_nan() && row[2] == 0.25, "{row:?}");
        let unknown = table.in_order_of(&names[..2], Path::new("teacher.csv")).unwrap_err().to_string();
        assert!(unknown.contains("teacher.csv") && unknown.contains("Smiling"), "{unknown}");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, said) in [
            ("path\na.jpg\n", "named as attributes, or one column `vector`"),
            ("path,vector,Bald\na.jpg,1 2,0.5\n", "or one column `vector`"),
            ("picture,Bald\na.jpg,0.5\n", "no column `path`"),
            ("path,Bald\na.jpg,1.5\n", "line 2: Bald is \"1.5\""),
            ("path,Bald\na.jpg,0.5\na.jpg,0.5\n", "line 3: a.jpg is there a second time"),
            ("path,Bald\n,0.5\n", "line 2: the path is empty"),
            ("path,vector\na.jpg,1 2\nb.jpg,1 2 3\n", "line 3: `vector` has 3 numbers, those before it 2"),
            ("path,vector\na.jpg,1 nan\n", "line 2: `vector` holds something"),
            ("path,vector\na.jpg,\n", "no row holds a vector"),
        ] {
            let refused = of(text).unwrap_err();
            assert!(refused.contains(said), "{text}: {refused}");
        }
        let missing = TeacherTable::read(Path::new("/nowhere/t.csv")).unwrap_err().to_string();
        assert!(missing.contains("/nowhere/t.csv"), "{missing}");
    }
}
