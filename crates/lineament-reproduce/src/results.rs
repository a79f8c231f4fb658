//! Figures as they are kept: a CSV an experiment, and beside it where they come from.

use std::io::Write;
use std::path::{Path, PathBuf};

use lineament_lab::Provenance;
use serde::{Deserialize, Serialize};

use crate::error::ReproduceError;

/// The folder of the CSVs.
#[derive(Debug, Clone)]
pub struct Store(PathBuf);

/// One table of figures.
#[derive(Debug, Clone, PartialEq)]
pub struct Results {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Cells, row by row.
    pub rows: Vec<Vec<String>>,
    /// Where they come from.
    pub origin: Origin,
}

/// Where figures come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The command.
    pub command: String,
    /// The commit of the checkout.
    pub commit: String,
    /// Processor, threads, system.
    pub machine: String,
    /// The seed of the recipe.
    pub seed: u64,
}

impl Origin {
    pub(crate) fn of(provenance: &Provenance, seed: u64) -> Self {
        let Provenance { command, commit, machine } = provenance.clone();
        Self { command, commit, machine, seed }
    }

    /// The line of the page under figures that says so.
    pub fn note(&self) -> String {
        let Self { command, commit, machine, seed } = self;
        format!("\n*`{command}`, commit {commit}, seed {seed}, on {machine}.*\n")
    }
}

impl Results {
    /// No rows yet.
    pub fn new(columns: &[&str], origin: Origin) -> Self {
        Self { columns: columns.iter().map(|&name| name.to_owned()).collect(), rows: Vec::new(), origin }
    }

    /// Adds a row of as many cells as there are columns.
    pub fn push(&mut self, cells: Vec<String>) {
        debug_assert_eq!(cells.len(), self.columns.len());
        self.rows.push(cells);
    }

    /// The cell of a row in the column of that name; empty where there is none.
    pub fn cell<'a>(&self, row: &'a [String], column: &str) -> &'a str {
        let place = self.columns.iter().position(|name| name == column);
        place.and_then(|place| row.get(place)).map_or("", String::as_str)
    }

    /// The rows with that value in the column of that name.
    pub fn rows_of<'a>(&'a self, column: &'a str, value: &'a str) -> impl Iterator<Item = &'a Vec<String>> {
        self.rows.iter().filter(move |row| self.cell(row, column) == value)
    }

    /// A cell as a number; NaN where it is none.
    pub fn number(&self, row: &[String], column: &str) -> f64 {
        self.cell(row, column).parse().unwrap_or(f64::NAN)
    }
}

impl Store {
    /// The folder that is called like the page, beside it: `docs/results.md` has `docs/results/`.
    pub fn beside(page: &Path) -> Self {
        Self(page.with_extension(""))
    }

    fn file(&self, name: &str, extension: &str) -> PathBuf {
        self.0.join(name).with_extension(extension)
    }

    /// The path of another file among the figures, its folder made.
    ///
    /// # Errors
    /// A folder that cannot be made.
    pub fn beside_results(&self, name: &str) -> Result<PathBuf, ReproduceError> {
        std::fs::create_dir_all(&self.0).map_err(|e| ReproduceError::file(&self.0, e))?;
        Ok(self.0.join(name))
    }

    /// What somebody wrote about figures; nothing where nobody did.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn note(&self, name: &str) -> Result<Option<String>, ReproduceError> {
        let path = self.file(name, "md");
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(ReproduceError::file(&path, e)),
        }
    }

    /// Whether the figures are there.
    pub fn holds(&self, name: &str) -> bool {
        self.file(name, "csv").is_file() && self.file(name, "json").is_file()
    }

    /// Reads figures; nothing where there are none.
    ///
    /// # Errors
    /// Files that are damaged.
    pub fn read(&self, name: &str) -> Result<Option<Results>, ReproduceError> {
        if !self.holds(name) {
            return Ok(None);
        }
        let (table, origin) = (self.file(name, "csv"), self.file(name, "json"));
        let failed = |e: csv::Error| ReproduceError::file(&table, e);
        let mut reader = csv::Reader::from_path(&table).map_err(failed)?;
        let columns = reader.headers().map_err(failed)?.iter().map(str::to_owned).collect();
        let rows = reader
            .records()
            .map(|record| Ok(record?.iter().map(str::to_owned).collect()))
            .collect::<Result<_, csv::Error>>()
            .map_err(failed)?;
        let text = std::fs::read_to_string(&origin).map_err(|e| ReproduceError::file(&origin, e))?;
        let origin = serde_json::from_str(&text).map_err(|e| ReproduceError::file(&origin, e))?;
        Ok(Some(Results { columns, rows, origin }))
    }

    /// Writes figures; the CSV last, since it says that the experiment is done.
    ///
    /// # Errors
    /// A folder that cannot be written to.
    pub fn write(&self, name: &str, results: &Results) -> Result<(), ReproduceError> {
        std::fs::create_dir_all(&self.0).map_err(|e| ReproduceError::file(&self.0, e))?;
        let mut writer = csv::Writer::from_writer(Vec::new());
        let table = self.file(name, "csv");
        let failed = |e: csv::Error| ReproduceError::file(&table, e);
        writer.write_record(&results.columns).map_err(failed)?;
        for row in &results.rows {
            writer.write_record(row).map_err(failed)?;
        }
        let bytes = writer.into_inner().map_err(|e| ReproduceError::file(&table, e))?;
        let origin = self.file(name, "json");
        let text =
            serde_json::to_string_pretty(&results.origin).map_err(|e| ReproduceError::file(&origin, e))?;
        for (path, bytes) in [(&origin, [text.as_bytes(), b"\n"].concat()), (&table, bytes)] {
            lineament::output::write_whole(path, |file| file.write_all(&bytes))
                .map_err(|e| ReproduceError::file(path, e))?;
        }
        Ok(())
    }
}

/// A share as it is kept.
pub fn share(value: f64) -> String {
    format!("{value:.4}")
}

/// A kept share as per cents; a dash where there is none.
pub fn percent(value: f64) -> String {
    if value.is_finite() { format!("{:.1}", 100.0 * value) } else { "–".to_owned() }
}

/// A kept share as points of per cent with their sign.
pub fn signed(share: f64) -> String {
    if share.is_finite() { format!("{:+.2}", 100.0 * share) } else { "–".to_owned() }
}

/// Figures for tests of the page.
#[cfg(test)]
pub mod testing {
    use super::{Origin, Results};

    /// From nowhere.
    pub fn origin() -> Origin {
        Origin { command: "c".into(), commit: "d".into(), machine: "e".into(), seed: 7 }
    }

    /// A table whose columns, and the cells of whose rows, stand between semicolons.
    pub fn table(columns: &str, rows: &[&str]) -> Results {
        let cells = |row: &str| row.split(';').map(str::to_owned).collect();
        Results {
            columns: cells(columns),
            rows: rows.iter().map(|row| cells(row)).collect(),
            origin: origin(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::testing::origin;
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::beside(&folder.path().join("results.md"));
        assert_eq!(store.read("systems").unwrap(), None);
        let mut results = Results::new(&["system", "accuracy"], origin());
        results.push(vec!["a, with a comma".into(), share(0.5)]);
        store.write("systems", &results).unwrap();
        assert!(folder.path().join("results/systems.csv").is_file());
        let read = store.read("systems").unwrap().unwrap();
        assert_eq!(read, results);
        assert_eq!(read.number(&read.rows[0], "accuracy"), 0.5);
        assert_eq!(read.cell(&read.rows[0], "nothing"), "");
        assert!(read.number(&read.rows[0], "system").is_nan());
    }
}
