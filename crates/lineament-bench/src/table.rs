//! A table.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

/// Rows under a heading.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// The heading.
    pub title: String,
    /// What must be known to read it.
    pub note: String,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table.
    pub fn new(title: impl Into<String>, note: impl Into<String>, columns: &[&str]) -> Self {
        let columns = columns.iter().map(|&column| column.to_owned()).collect();
        Self { title: title.into(), note: note.into(), columns, rows: Vec::new() }
    }

    /// Adds a row, and says it on standard error, so that one sees how far the measuring is. What was not measured, for want of a rival, is a dash.
    pub fn row(&mut self, mut cells: Vec<String>) {
        for cell in cells.iter_mut().filter(|cell| cell.contains("NaN")) {
            *cell = "–".to_owned();
        }
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timing::Times;

    #[test]
    fn what_was_not_measured_is_a_dash() {
        let mut table = Table::new("Nets", "", &["net", "ours", "ratio"]);
        let (ours, none) = (Times::new(vec![0.002]), Times::default());
        table.row(vec!["lnet".to_owned(), none.text(), format!("{:.2}", none.over(&ours))]);
        assert!(table.markdown().ends_with("| lnet | – | – |\n"), "{}", table.markdown());
    }
}
