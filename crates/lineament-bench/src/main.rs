//! Measures what Lineament costs and writes the page that says so:
//!
//!     cargo run --release -p lineament-bench -- --report docs/benchmarks.md
//!
//! Rivals take turns run by run, so that whatever else the machine does meets them alike; figures are medians. Images are
//! made from `examples/astronaut.png`, nets of the paper's recipe have random weights (arithmetic does not care).

mod images;
mod machine;
mod nets;
mod page;
mod peak;
mod program;
mod report;
mod sections;
mod settings;
mod table;
mod timing;
mod yunet;

use std::path::Path;

use anyhow::Result;
use clap::Parser;

use crate::report::Report;
use crate::settings::{Arguments, Settings};

fn main() -> Result<()> {
    let names: Vec<&str> = sections::ALL.iter().map(|section| section.name).collect();
    let settings = Settings::of(Arguments::parse(), &names)?;
    let mut taken = Vec::new();
    for section in sections::ALL.iter().filter(|section| settings.wants(section.name)) {
        eprintln!("== {}", section.name);
        let mut report = Report::new(machine::lines(&settings));
        (section.run)(&settings, &mut report)?;
        // One by one: what is done stays when a later one is stopped.
        if let Some(page) = &settings.arguments.report {
            report.keep(page, section.name)?;
            page::write(page)?;
        }
        taken.push(report);
    }
    if settings.arguments.report.is_none() {
        println!("{}", page::page(&taken, Path::new("docs/benchmarks.md")));
    }
    Ok(())
}
