//! The command line of Lineament: arguments in, one call down, output out.
//!
//! `arguments` holds what was typed, `commands` checks it and runs it, `format` writes what came out. Results go to
//! standard output and everything else to standard error.

mod annotate;
mod arguments;
mod commands;
mod crops;
mod embeddings;
mod endings;
mod engine;
mod examples;
mod export_readme;
mod export_whole;
mod files;
mod format;
mod inputs;
mod interrupt;
mod marked;
mod model;
mod notes;
mod ordered;
mod outputs;
mod progress;
mod runtime;
mod shards;
mod site;
mod summary;
mod terminal;
mod training_start;
mod xmp;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::Arguments;
use crate::commands::Outcome;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    notes::set_quiet(arguments.quiet);
    arguments.limits().make_default();
    // A wrong LINEAMENT_ISA is no fault of a model, so it is refused before one is opened.
    let ran = lineament_net::Isa::selected().map_err(Into::into).and_then(|_| commands::run(arguments));
    match ran {
        Ok(Outcome::AllRead) => ExitCode::SUCCESS,
        Ok(Outcome::SomeUnread) => ExitCode::from(1),
        #[cfg(feature = "train")]
        Ok(Outcome::Interrupted) => ExitCode::from(130),
        // Whoever reads us has read enough (`lineament predict photos | head`): no reason to complain.
        Err(error) if notes::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            notes::failure(&error);
            ExitCode::from(2)
        }
    }
}
