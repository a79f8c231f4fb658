//! What a section found, kept as JSON beside the page.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::table::Table;

/// One aim beside what was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Target {
    pub(crate) what: String,
    pub(crate) aim: String,
    pub(crate) measured: String,
    pub(crate) met: bool,
}

/// What a section found, and where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub(crate) taken: Vec<String>,
    pub(crate) targets: Vec<Target>,
    pub(crate) tables: Vec<Table>,
}

impl Report {
    /// An empty one; `taken` says on what and how it is taken.
    pub fn new(taken: Vec<String>) -> Self {
        Self { taken, targets: Vec::new(), tables: Vec::new() }
    }

    /// Adds a table.
    pub fn table(&mut self, table: Table) {
        self.tables.push(table);
    }

    /// Adds an aim that a figure must reach.
    pub fn at_least(&mut self, what: impl Into<String>, aim: f64, measured: f64, unit: &str) {
        self.target(
            what.into(),
            format!("at least {aim}{unit}"),
            format!("{measured:.2}{unit}"),
            measured >= aim,
        );
    }

    /// Adds an aim that a figure must not exceed.
    pub fn at_most(&mut self, what: impl Into<String>, aim: f64, measured: f64, unit: &str) {
        self.target(
            what.into(),
            format!("at most {aim}{unit}"),
            format!("{measured:.2}{unit}"),
            measured <= aim,
        );
    }

    fn target(&mut self, what: String, aim: String, measured: String, met: bool) {
        self.targets.push(Target { what, aim, measured, met });
    }

    /// Keeps it for the page at `page`.
    pub fn keep(&self, page: &Path, section: &str) -> Result<()> {
        let folder = page.with_extension("");
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        let path = folder.join(section).with_extension("json");
        fs::write(&path, serde_json::to_string_pretty(self)? + "\n")
            .with_context(|| path.display().to_string())
    }

    /// What was kept of a section for the page at `page`, if anything.
    pub fn kept(page: &Path, section: &str) -> Result<Option<Self>> {
        let path = page.with_extension("").join(section).with_extension("json");
        if !path.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        Ok(Some(serde_json::from_str(&text).with_context(|| path.display().to_string())?))
    }
}
