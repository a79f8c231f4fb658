//! How long the program takes to build from nothing. Not in a glance, unless it is asked for by name.

use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Result, ensure};

use crate::report::Report;
use crate::settings::Settings;
use crate::table::Table;

pub fn run(settings: &Settings, report: &mut Report) -> Result<()> {
    if settings.arguments.quick && settings.arguments.only.is_empty() {
        return Ok(());
    }
    let target = tempfile::tempdir()?;
    let begun = Instant::now();
    let built = Command::new("cargo")
        .args(["build", "--release", "--locked", "--target-dir"])
        .arg(target.path())
        .current_dir(&settings.root)
        .stderr(Stdio::null())
        .status()?;
    let minutes = begun.elapsed().as_secs_f64() / 60.0;
    ensure!(built.success(), "the program cannot be built");
    let mut table = Table::new(
        "Building",
        "Into an empty folder, with all crates fetched before; one run.",
        &["command", "minutes"],
    );
    table.row(vec!["`cargo build --release`".to_owned(), format!("{minutes:.1}")]);
    report.at_most("`cargo build --release` from clean", 5.0, minutes, " minutes");
    report.table(table);
    Ok(())
}
