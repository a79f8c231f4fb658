//! The page: where the figures come from, what was aimed at and what was measured, and all tables.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result};

use crate::machine;
use crate::settings::Settings;
use crate::table::Table;

/// One aim beside what was measured.
struct Target {
    what: String,
    aim: String,
    measured: String,
    met: bool,
}

/// What all sections found.
pub struct Report {
    head: Vec<String>,
    targets: Vec<Target>,
    tables: Vec<Table>,
}

impl Report {
    /// An empty one.
    pub fn new(settings: &Settings) -> Self {
        Self { head: machine::lines(settings), targets: Vec::new(), tables: Vec::new() }
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

    /// Writes page and CSVs, or the page to standard output.
    pub fn write(&self, settings: &Settings) -> Result<()> {
        let page = self.page(settings);
        let Some(path) = &settings.arguments.report else {
            println!("{page}");
            return Ok(());
        };
        let folder = path.with_extension("");
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        for table in &self.tables {
            table.write_csv(&folder)?;
        }
        fs::write(path, page).with_context(|| path.display().to_string())
    }

    fn page(&self, settings: &Settings) -> String {
        let mut text = "# Benchmarks\n\nWritten by the command below; do not edit by hand.\n\n".to_owned();
        for line in &self.head {
            let _ = writeln!(text, "* {line}");
        }
        if settings.arguments.quick {
            text.push_str("\n**Taken with `--quick`: a glance, no measurement.**\n");
        }
        text.push_str(
            "\nTimes are milliseconds, median [first – third quartile]. Rivals take turns run by run, each after a pause and a run that \
             is not timed. Ratios are the rival's median over ours: above 1 we are faster. \"Of the peak\" is arithmetic done over the \
             most fused multiply-adds that the same threads reach in a loop of nothing else. Tables lie as CSV in `docs/benchmarks/`.\n",
        );
        if !self.targets.is_empty() {
            text.push_str("\n## Aims\n\n| what | aim | measured | reached |\n|---|---|---|---|\n");
            for Target { what, aim, measured, met } in &self.targets {
                let _ = writeln!(
                    text,
                    "| {what} | {aim} | {measured} | {} |",
                    if *met { "yes" } else { "**no**" }
                );
            }
        }
        for table in &self.tables {
            let _ = write!(text, "\n{}", table.markdown());
        }
        text
    }
}
