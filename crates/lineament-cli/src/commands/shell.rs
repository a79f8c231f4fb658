//! `lineament completions` and `lineament man`: what shells and manuals need, made from the arguments themselves.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args, Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;

use super::Outcome;
use crate::arguments::Arguments;
use crate::files::{self, Sink};
use crate::notes;

#[derive(Debug, Args)]
pub struct CompletionsArguments {
    /// Whose completions are written to standard output
    #[arg(value_enum)]
    pub shell: Shell,
}

#[derive(Debug, Args)]
pub struct ManArguments {
    /// The command whose page is written [default: the program's]
    #[arg(value_name = "COMMAND", conflicts_with = "output")]
    pub command: Vec<String>,
    /// Write the pages of all commands to this folder, instead of one to standard output
    #[arg(long, short, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

/// `lineament completions`.
pub fn completions(arguments: &CompletionsArguments) -> Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "lineament", &mut script);
    standard(&script)
}

/// `lineament man`.
pub fn man(arguments: &ManArguments) -> Result<Outcome> {
    let program = built();
    if let Some(folder) = &arguments.output {
        files::make_folder(folder)?;
        let count = write_all(&program, folder)?;
        notes::note(format!("{count} pages are in {}", folder.display()));
        return Ok(Outcome::AllRead);
    }
    let mut command = &program;
    for name in &arguments.command {
        let inner = command.get_subcommands().find(|inner| inner.get_name() == name);
        let Some(inner) = inner else {
            let names: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
            bail!("{} has no command {name}; there are {}", command.get_name(), names.join(", "));
        };
        command = inner;
    }
    standard(&page(command)?)
}

/// The program with the names that its pages refer to each other by.
fn built() -> Command {
    let mut program = Arguments::command().disable_help_subcommand(true);
    program.build();
    program
}

fn page(command: &Command) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    Man::new(command.clone()).render(&mut bytes).context("the page cannot be made")?;
    Ok(bytes)
}

/// Writes `lineament.1`, `lineament-predict.1` and so on.
fn write_all(command: &Command, folder: &Path) -> Result<usize> {
    let name = command.get_display_name().unwrap_or(command.get_name());
    files::write_whole(&folder.join(format!("{name}.1")), &page(command)?)?;
    command.get_subcommands().try_fold(1, |count, inner| Ok(count + write_all(inner, folder)?))
}

fn standard(bytes: &[u8]) -> Result<Outcome> {
    use std::io::Write;

    let mut sink = Sink::open(None)?;
    sink.write_all(bytes)?;
    sink.finish()?;
    Ok(Outcome::AllRead)
}
