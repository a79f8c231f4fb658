//! The page: where the figures come from, what was aimed at and what was measured, and all tables. Every section is kept as JSON beside it, so that one can be
//! measured again without the others.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::sections;
use crate::table::Table;

/// One aim beside what was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Target {
    what: String,
    aim: String,
    measured: String,
    met: bool,
}

/// What a section found, and where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    taken: Vec<String>,
    targets: Vec<Target>,
    tables: Vec<Table>,
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

    fn kept(page: &Path, section: &str) -> Result<Option<Self>> {
        let path = page.with_extension("").join(section).with_extension("json");
        if !path.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        Ok(Some(serde_json::from_str(&text).with_context(|| path.display().to_string())?))
    }
}

/// Writes the page of all sections that are kept beside it.
pub fn write(path: &Path) -> Result<()> {
    let kept = sections::ALL.iter().map(|section| Report::kept(path, section.name));
    let kept: Vec<Report> = kept.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
    fs::write(path, page(&kept, path)).with_context(|| path.display().to_string())
}

/// The page of some sections, as it is written to `path`.
pub fn page(sections: &[Report], path: &Path) -> String {
    let mut text = format!(
        "# Benchmarks\n\nWritten by `cargo run --release -p lineament-bench -- --report {}`; do not edit by hand. `--only NAME` measures one section again. \
         The line under each table states machine, commit and versions.\n\n\
         Times are milliseconds, median [first – third quartile]. The programs compared take turns, run by run, each after a pause and some untimed runs. \
         Ratios are the other program's time over ours, the median over the rounds in which both took their turn: above 1 we are faster. \"Of the peak\" is \
         the arithmetic done, relative to the most fused multiply-adds that the same threads reach in a loop of nothing else. The tables are also JSON in `{}/`.\n",
        path.display(),
        path.with_extension("").display()
    );
    if sections.iter().any(|section| !section.targets.is_empty()) {
        text.push_str("\n## Aims\n\n| what | aim | measured | reached |\n|---|---|---|---|\n");
    }
    for Target { what, aim, measured, met } in sections.iter().flat_map(|section| &section.targets) {
        let met = if *met { "yes" } else { "**no**" };
        let _ = writeln!(text, "| {what} | {aim} | {measured} | {met} |");
    }
    for section in sections {
        for table in &section.tables {
            let _ = write!(text, "\n{}", table.markdown());
        }
        let _ = writeln!(text, "\n*Measured on {}.*", section.taken.join("; "));
    }
    lineament_lab::markdown::wrap(&text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The repository's page is what the command writes from the JSON beside it.
    #[test]
    fn the_committed_page_is_written_from_its_tables() {
        let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/benchmarks.md");
        let kept = sections::ALL.iter().filter_map(|section| Report::kept(&committed, section.name).unwrap());
        let page = page(&kept.collect::<Vec<_>>(), Path::new("docs/benchmarks.md"));
        assert_eq!(page, fs::read_to_string(committed).unwrap());
    }
}
