//! This build against another one, such as that of an earlier commit, on the same image and in turns.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::images;
use crate::program;
use crate::report::Report;
use crate::settings::Settings;
use crate::table::Table;
use crate::timing::Times;

/// Side of the image.
const SIDE: u32 = 300;
/// How many times as long the other build takes, at least.
const AIM: f64 = 1.18;

/// What one image costs each program; nothing where no other one is named (`--against`).
pub fn run(settings: &Settings, report: &mut Report) -> Result<()> {
    let Some(other) = &settings.arguments.against else { return Ok(()) };
    let count = settings.pick(60, 300);
    let jpeg = images::square(&images::astronaut(settings)?, SIDE)?;
    let folders = [copies(&jpeg, 1)?, copies(&jpeg, count)?];
    let programs = [settings.program.as_path(), other.program.as_path()];
    let mut rounds = [Vec::new(), Vec::new()];
    for _ in 0..settings.pick(3, 25) {
        for (program, seconds) in programs.iter().zip(&mut rounds) {
            // Starting and reading the model stand in both.
            let [one, many] = [predict(program, folders[0].path())?, predict(program, folders[1].path())?];
            seconds.push((many - one) / (count - 1) as f64);
        }
    }
    let [ours, theirs] = rounds.map(Times::new);
    let mut table = Table::new(
        "Against another build",
        format!(
            "One {SIDE} x {SIDE} JPEG of one face from its bytes to forty attributes, compact model, one thread: `lineament predict FOLDER` on \
             {count} copies less that on one, programs in turns."
        ),
        &["build", "milliseconds", "least", "the other's time over this one's"],
    );
    let ratio = theirs.over(&ours);
    let times = [("this one", &ours, format!("{ratio:.2}")), (&other.name, &theirs, String::new())];
    for (name, times, ratio) in times {
        let least = format!("{:.3}", 1e3 * times.least());
        table.row(vec![name.to_owned(), times.text(), least, ratio]);
    }
    report.table(table);
    report.at_least(
        format!("a {SIDE} px image, one thread: time of build {} over ours", other.name),
        AIM,
        ratio,
        "",
    );
    Ok(())
}

/// A folder of so many copies of one file.
fn copies(jpeg: &[u8], count: usize) -> Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    for index in 0..count {
        fs::write(folder.path().join(format!("{index:04}.jpg")), jpeg)?;
    }
    Ok(folder)
}

/// Seconds of a program on a folder.
fn predict(program: &Path, folder: &Path) -> Result<f64> {
    let folder = folder.to_str().context("the folder for temporary files has an odd name")?;
    Ok(program::run(program, &["predict", folder, "--format", "jsonl", "--threads", "1"])?.seconds)
}
