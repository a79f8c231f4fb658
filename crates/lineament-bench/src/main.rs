//! Measures what Lineament costs and writes the page that says so:
//!
//!     cargo run --release -p lineament-bench -- --report docs/benchmarks.md
//!
//! Rivals take turns run by run, so that whatever else the machine does meets them alike; figures are medians. Pictures are
//! made from `examples/astronaut.png`, nets of the paper's recipe have random weights (arithmetic does not care).

mod machine;
mod nets;
mod page;
mod peak;
mod pictures;
mod program;
mod sections;
mod settings;
mod table;
mod timing;

use anyhow::Result;
use clap::Parser;

use crate::page::Report;
use crate::settings::{Arguments, Settings};

fn main() -> Result<()> {
    let settings = Settings::of(Arguments::parse())?;
    let mut report = Report::new(&settings);
    for section in sections::ALL {
        if settings.wants(section.name) {
            eprintln!("== {}", section.name);
            (section.run)(&settings, &mut report)?;
        }
    }
    report.write(&settings)
}
