//! A table that is written twice: for people, and as CSV.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;

/// Rows under a heading.
pub struct Table {
    /// Name of its CSV file.
    pub name: &'static str,
    /// The heading.
    pub title: String,
    /// What must be known to read it.
    pub note: String,
    columns: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table.
    pub fn new(
        name: &'static str,
        title: impl Into<String>,
        note: impl Into<String>,
        columns: &[&'static str],
    ) -> Self {
        Self { name, title: title.into(), note: note.into(), columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row, and says it on standard error, so that one sees how far the measuring is.
    pub fn row(&mut self, cells: Vec<String>) {
        eprintln!("   {}", cells.join(" | "));
        self.rows.push(cells);
    }

    /// As Markdown.
    pub fn markdown(&self) -> String {
        let mut text = format!("## {}\n\n", self.title);
        let _ = writeln!(text, "| {} |", self.columns.join(" | "));
        let _ = writeln!(text, "|{}", "---|".repeat(self.columns.len()));
        for row in &self.rows {
            let _ = writeln!(text, "| {} |", row.join(" | "));
        }
        if !self.note.is_empty() {
            let _ = writeln!(text, "\n{}", self.note);
        }
        text
    }

    /// As `NAME.csv` in a folder.
    pub fn write_csv(&self, folder: &Path) -> Result<()> {
        let mut writer = csv::Writer::from_path(folder.join(format!("{}.csv", self.name)))?;
        writer.write_record(&self.columns)?;
        for row in &self.rows {
            writer.write_record(row)?;
        }
        Ok(writer.flush()?)
    }
}
