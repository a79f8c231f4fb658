//! The commands of the program; one a file.

pub mod audit;
pub mod calibrate;
pub mod compare;
pub mod data;
pub mod draw;
pub mod evaluate;
mod evaluate_boxes;
pub mod explain;
pub mod export;
mod figures;
pub mod insight;
pub mod locate;
pub mod model;
pub mod page;
pub mod predict;
pub mod reproduce;
pub mod serve;
pub mod shell;
mod stream;
pub mod teach;
pub mod train;
mod training;

use anyhow::Result;
use model::ModelCommand;

use crate::arguments::{Arguments, Command};
use crate::interrupt;

/// How a command ended that was not called wrongly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was read.
    AllRead,
    /// Some images could not be.
    SomeUnread,
    /// Ctrl-C stopped it in good order.
    #[cfg(feature = "train")]
    Interrupted,
}

impl Outcome {
    /// The same for a number of images that could not be read.
    pub fn with_unread(unread: u64) -> Self {
        if unread == 0 { Self::AllRead } else { Self::SomeUnread }
    }
}

/// Runs the command.
pub fn run(arguments: Arguments) -> Result<Outcome> {
    // Training stops at a checkpoint instead, the service when all is answered.
    if !matches!(arguments.command, Command::Train(_) | Command::Reproduce(_) | Command::Serve(_)) {
        interrupt::clean_up_on_interrupt();
    }
    match arguments.command {
        Command::Predict(arguments) => predict::run(arguments),
        Command::Locate(arguments) => locate::run(arguments),
        Command::Audit(arguments) => audit::run(arguments),
        Command::Compare(arguments) => compare::run(arguments),
        Command::Calibrate(arguments) => calibrate::run(arguments),
        Command::Data(command) => data::run(command),
        Command::Explain(arguments) => explain::run(arguments),
        Command::Insight(arguments) => insight::run(arguments),
        Command::Evaluate(arguments) => evaluate::run(arguments),
        Command::Train(arguments) => train::run(arguments),
        Command::Reproduce(arguments) => reproduce::run(arguments),
        Command::Teach(arguments) => teach::run(arguments),
        Command::Export(arguments) => export::run(arguments),
        Command::Model(ModelCommand::Show(arguments)) => model::show(arguments),
        Command::Model(ModelCommand::Verify(arguments)) => model::verify(arguments),
        Command::Draw(arguments) => draw::run(arguments),
        Command::Completions(arguments) => shell::completions(&arguments),
        Command::Man(arguments) => shell::man(&arguments),
        Command::Serve(arguments) => serve::run(arguments),
        Command::Page(arguments) => page::run(arguments),
    }
}
