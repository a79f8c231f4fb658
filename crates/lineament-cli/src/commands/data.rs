//! `lineament data check`: whether data can be trained on.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use lineament_data::{Dataset, Split, layout};
use lineament_lab::audit::contradictions;
use lineament_lab::check::{BalanceRow, DataCheck, check};

use super::Outcome;
use crate::arguments::{FigureFormat, LayoutName, ThreadArguments};
use crate::files::Sink;
use crate::outputs::{ForceArguments, Output};
use crate::{examples, model, progress};

/// Findings of a kind that are listed in text.
const LISTED: usize = 10;

#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// Say what would spoil a training, before it is begun
    ///
    /// Opens every image and reads all labels. The exit status is 1 where something would spoil a training: images that cannot be read, the same
    /// image or the same person in two parts, an attribute of one kind only.
    #[command(after_help = examples::DATA_CHECK)]
    Check(CheckArguments),
}

#[derive(Debug, Args)]
pub struct CheckArguments {
    /// The data that is to be trained on together: folders in CelebA's, LFW's or ImageNet's layout, folders of images, tables, or JSON from Label
    /// Studio or in COCO's form
    #[arg(long, value_name = "DIR", required = true, num_args = 1..)]
    data: Vec<PathBuf>,
    /// The layout of all of them [default: detected from what is there]
    #[arg(long, value_enum)]
    layout: Option<LayoutName>,
    /// How findings are written; JSON has all of them [default: text, or as the name of the output file ends]
    #[arg(long, value_enum)]
    format: Option<FigureFormat>,
    /// Write findings to a file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    force: ForceArguments,
    #[command(flatten)]
    threads: ThreadArguments,
}

pub fn run(command: DataCommand) -> Result<Outcome> {
    let DataCommand::Check(arguments) = command;
    let format = FigureFormat::choose(arguments.format, arguments.output.as_deref());
    if let Some(path) = &arguments.output {
        let read = arguments.data.iter().map(PathBuf::as_path);
        Output { path, kind: format.kind(), fixed: true, force: arguments.force }.check(read)?;
    }
    let read = |path: &PathBuf| -> Result<Dataset> {
        let layout = match arguments.layout {
            Some(name) => name.into(),
            None => layout::detect(path)?,
        };
        // Sets of one name, as in two tables called the same, are told apart by where they are.
        Ok(Dataset { name: path.display().to_string(), ..layout::read(layout, path)? })
    };
    let sets: Vec<Dataset> = arguments.data.iter().map(read).collect::<Result<_>>()?;
    let rules = contradictions::celeba().context("the table of contradictions cannot be read")?;
    let threads = model::threads(&arguments.threads)?;
    let bar = progress::bar(Some(sets.iter().map(Dataset::len).sum::<usize>() as u64), false);
    let found = threads.install(|| check(&sets, &rules, &|| bar.inc(1)));
    bar.finish_and_clear();
    let mut sink = Sink::open(arguments.output.as_deref())?;
    match format {
        FigureFormat::Json => {
            serde_json::to_writer_pretty(&mut sink, &found).map_err(std::io::Error::from)?;
            sink.write_all(b"\n")?;
        }
        FigureFormat::Text => sink.write_all(text(&found).as_bytes())?,
    }
    sink.finish()?;
    Ok(Outcome::with_unread(found.problems.len() as u64))
}

fn text(found: &DataCheck) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = summary(&mut text, found);
    let _ = listed(&mut text, found);
    let _ = balance(&mut text, found);
    let _ = verdict(&mut text, found);
    text
}

fn summary(text: &mut String, found: &DataCheck) -> std::fmt::Result {
    for set in &found.sets {
        writeln!(text, "{}", set.name)?;
        for (split, images) in &set.images {
            let people = set.people.get(split).copied().unwrap_or_default();
            let people = if people > 0 { format!(" of {people} known people") } else { String::new() };
            writeln!(text, "  {split}: {images} pictures{people}")?;
        }
        for finding in &set.findings {
            writeln!(text, "  {} {}: {}", finding.count, finding.kind.words(), finding.examples.join("; "))?;
        }
        writeln!(text)?;
    }
    Ok(())
}

fn listed(text: &mut String, found: &DataCheck) -> std::fmt::Result {
    let unreadable = found.unreadable.iter().map(|image| image.reason.clone());
    list(text, "Not readable", unreadable)?;
    let doubles = |across: bool| {
        let those = found.doubles.iter().filter(move |double| double.across_parts == across);
        those.map(|double| {
            let file = |file: &lineament_lab::check::DoubledFile| {
                format!("{} ({})", file.path.display(), file.split)
            };
            let files: Vec<String> = double.files.iter().map(file).collect();
            let labels = match double.labelled_differently.is_empty() {
                true => String::new(),
                false => format!("; labelled differently: {}", double.labelled_differently.join(", ")),
            };
            format!("{}{labels}", files.join(" = "))
        })
    };
    list(text, "The same picture in more than one part", doubles(true))?;
    list(text, "The same picture more than once in its part", doubles(false))?;
    let people = found.people_in_several_parts.iter().map(|person| {
        let parts: Vec<String> =
            person.images.iter().map(|(split, images)| format!("{images} {split}")).collect();
        format!("{}: person {}: {}", person.set, person.person, parts.join(", "))
    });
    list(text, "People in more than one part", people)?;
    let contradictions = found.contradictions.iter().map(|row| {
        let share = 100.0 * row.both as f64 / row.labelled.max(1) as f64;
        format!(
            "{} and {}: {} of {} ({share:.1} %), such as {}",
            row.one,
            row.other,
            row.both,
            row.labelled,
            row.images.join(", ")
        )
    });
    list(text, "Labels that can hardly both be", contradictions)
}

fn list(text: &mut String, title: &str, entries: impl Iterator<Item = String>) -> std::fmt::Result {
    let entries: Vec<String> = entries.collect();
    if entries.is_empty() {
        return Ok(());
    }
    writeln!(text, "{title}: {}", entries.len())?;
    for entry in entries.iter().take(LISTED) {
        writeln!(text, "  {}", entry.replace(char::is_control, "?"))?;
    }
    if let Some(more) = entries.len().checked_sub(LISTED).filter(|more| *more > 0) {
        writeln!(text, "  and {more} more; --format json lists them all")?;
    }
    writeln!(text)
}

/// A line for each attribute: the share that has it, in each part.
fn balance(text: &mut String, found: &DataCheck) -> std::fmt::Result {
    for set in &found.sets {
        let own: Vec<&BalanceRow> = found.balance.iter().filter(|row| row.set == set.name).collect();
        let mut names: Vec<&str> = Vec::new();
        own.iter().for_each(|row| {
            if !names.contains(&row.attribute.as_str()) {
                names.push(&row.attribute);
            }
        });
        let Some(width) = names.iter().map(|name| name.chars().count()).max() else { continue };
        writeln!(text, "{:<width$}  train have it / labelled      %  validation %  test %", set.name)?;
        for name in names {
            let of = |split: Split| own.iter().find(|row| row.split == split && row.attribute == name);
            let percent = |split: Split| {
                let labelled = of(split).filter(|row| row.present + row.absent > 0);
                labelled.map_or("-".to_owned(), |row| {
                    format!("{:.1}", 100.0 * row.present as f64 / (row.present + row.absent) as f64)
                })
            };
            let (present, labelled) =
                of(Split::Train).map_or((0, 0), |row| (row.present, row.present + row.absent));
            let [train, validation, test] = [Split::Train, Split::Validation, Split::Test].map(percent);
            writeln!(
                text,
                "{name:<width$}  {present:>13} / {labelled:>8}  {train:>5}  {validation:>12}  {test:>6}"
            )?;
        }
        writeln!(text)?;
    }
    Ok(())
}

fn verdict(text: &mut String, found: &DataCheck) -> std::fmt::Result {
    for remark in &found.remarks {
        writeln!(text, "note: {remark}")?;
    }
    for problem in &found.problems {
        writeln!(text, "problem: {problem}")?;
    }
    match found.is_sound() {
        true => writeln!(text, "{} pictures: nothing would spoil a training", found.images()),
        false => writeln!(
            text,
            "{} pictures: {} problems would spoil a training",
            found.images(),
            found.problems.len()
        ),
    }
}
