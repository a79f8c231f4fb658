//! Start-up, memory for one image, and the size of the program.

use std::fs;

use anyhow::{Context, Result};

use crate::images;
use crate::program;
use crate::report::Report;
use crate::settings::Settings;
use crate::table::Table;
use crate::timing::Times;

pub fn run(settings: &Settings, report: &mut Report) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let image = folder.path().join("face.jpg");
    fs::write(&image, images::square(&images::astronaut(settings)?, 224)?)?;
    let image = image.to_str().context("the folder for temporary files has an odd name")?;
    let mut table = Table::new(
        "Start-up, memory, size",
        "From the start of the process to its end.",
        &["call", "milliseconds", "peak memory, MB"],
    );
    for (name, call) in [
        ("`lineament --version`", vec!["--version"]),
        ("`lineament model show`", vec!["model", "show"]),
        ("`lineament predict` of one 224 px JPEG, one thread", vec!["predict", image, "--threads", "1"]),
        ("`lineament predict` of one 224 px JPEG, two threads", vec!["predict", image, "--threads", "2"]),
    ] {
        let costs = (0..settings.pick(3, 25))
            .map(|_| program::run(&settings.program, &call))
            .collect::<Result<Vec<_>>>()?;
        let times = Times::new(costs.iter().map(|cost| cost.seconds).collect());
        let memory = costs.iter().map(|cost| cost.megabytes).fold(f64::NAN, f64::max);
        table.row(vec![name.to_owned(), times.text(), format!("{memory:.1}")]);
    }
    let size = fs::metadata(&settings.program)?.len() as f64 / 1e6;
    table.note =
        format!("From the start of the process to its end. The program, without `train`, is {size:.1} MB.");
    report.at_most("the program without `train`", 25.0, size, " MB");
    report.table(table);
    Ok(())
}
