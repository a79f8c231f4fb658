//! Folders: photos per second, and time and memory against the number of images.

use std::path::Path;

use anyhow::{Context, Result};

use crate::images;
use crate::program::{self, Cost};
use crate::report::Report;
use crate::settings::Settings;
use crate::table::Table;
use crate::timing::{Times, power, slope};

/// Throughput on one thread and on two, in single precision and in eight bits, in turns.
pub fn run(settings: &Settings, report: &mut Report) -> Result<()> {
    let count = settings.pick(60, 2000);
    let folder = tempfile::tempdir()?;
    images::folder(settings, folder.path(), count)?;
    let mut runs =
        [("native", 1), ("native", 2), ("int8", 1), ("int8", 2)].map(|run| (run, Vec::new(), 0.0f64));
    for _ in 0..settings.pick(1, 5) {
        for ((engine, threads), seconds, memory) in &mut runs {
            let cost = predict(settings, folder.path(), *threads, engine)?;
            seconds.push(cost.seconds);
            *memory = memory.max(cost.megabytes);
        }
    }
    let mut table = Table::new(
        "A folder of photos",
        format!(
            "`lineament predict FOLDER --format jsonl` on {count} JPEGs of 224 x 224 with a face each; start-up and reading files included."
        ),
        &["engine", "threads", "milliseconds", "photos per second", "peak memory, MB"],
    );
    for ((engine, threads), seconds, memory) in runs {
        let times = Times::new(seconds);
        let rate = count as f64 / times.median();
        table.row(vec![
            engine.to_owned(),
            threads.to_string(),
            times.text(),
            format!("{rate:.1}"),
            format!("{memory:.1}"),
        ]);
        if threads == 2 {
            let how = if engine == "native" { "" } else { ", int8" };
            report.at_least(
                format!("a folder of 224 px photos, two threads{how}"),
                200.0,
                rate,
                " per second",
            );
        }
    }
    report.table(table);
    Ok(())
}

/// Time and memory against the size of the folder.
pub fn curve(settings: &Settings, report: &mut Report) -> Result<()> {
    let counts: &[usize] = settings.pick(&[10, 40, 160], &[10, 100, 1_000, 10_000, 100_000]);
    let mut table = Table::new(
        "Cost by folder size",
        "",
        &["photos", "seconds", "milliseconds per photo", "peak memory, MB"],
    );
    let (mut points, mut memory) = (Vec::new(), Vec::new());
    let mut last = Cost { seconds: f64::NAN, megabytes: f64::NAN };
    for &count in counts {
        let folder = tempfile::tempdir()?;
        images::folder(settings, folder.path(), count)?;
        last = predict(settings, folder.path(), 2, "native")?;
        let each = 1e3 * last.seconds / count as f64;
        table.row(vec![
            count.to_string(),
            format!("{:.2}", last.seconds),
            format!("{each:.2}"),
            format!("{:.1}", last.megabytes),
        ]);
        points.push((count as f64, last.seconds));
        memory.push(last.megabytes);
    }
    let most = counts.last().copied().unwrap_or_default();
    let behind_start = points.get(points.len().saturating_sub(3)..).unwrap_or_default();
    table.note = format!(
        "Two threads, 224 px JPEGs, one run each. Over the last three sizes time grows with the power {:.2} of the number of photos, {:.2} ms per photo.",
        power(behind_start),
        1e3 * slope(behind_start)
    );
    report.at_most(format!("peak memory over {most} photos"), 200.0, last.megabytes, " MB");
    if let [.., before, after] = memory.as_slice() {
        report.at_most("peak memory: the largest folder over the next smaller one", 1.1, after / before, "");
    }
    report.table(table);
    Ok(())
}

fn predict(settings: &Settings, folder: &Path, threads: usize, engine: &str) -> Result<Cost> {
    let folder = folder.to_str().context("the folder for temporary files has an odd name")?;
    let threads = threads.to_string();
    program::run(
        &settings.program,
        &["predict", folder, "--format", "jsonl", "--threads", &threads, "--engine", engine],
    )
}
