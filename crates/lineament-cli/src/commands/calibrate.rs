//! `lineament calibrate`: a model's thresholds and probabilities, fitted to one's own labels.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;
use lineament::{Bundle, Card};
use lineament_data::{FindingKind, Layout, Split};
use lineament_fit::recalibrate::{Change, LEAST};
use lineament_lab::calibrate::{Calibrated, CalibratedAttribute, Rise, calibrate};

use super::{Outcome, evaluate as evaluating};
use crate::arguments::{
    FigureFormat, LayoutName, ModelArguments, RegionName, SearchArguments, SplitName, ThreadArguments,
};
use crate::files::{self, Sink};
use crate::outputs::{self, ForceArguments, Kind, Output};
use crate::{model, notes};

#[derive(Debug, Args)]
pub struct CalibrateArguments {
    /// Labelled images: a folder in CelebA's or LFW's layout, a CSV or Parquet table, or JSON from Label Studio or in COCO's form
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The layout of the data [default: detected from what is there]
    #[arg(long, value_enum)]
    layout: Option<LayoutName>,
    /// The part of the data that is fitted to [default: validation; all of a table without a column `split`]
    #[arg(long, value_enum)]
    split: Option<SplitName>,
    /// Where face regions come from
    #[arg(long, value_enum, default_value = "located")]
    region: RegionName,
    /// Write the model with its new thresholds here
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// What the new model is called [default: as the old one]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// How figures are written to standard output
    #[arg(long, value_enum, default_value = "text")]
    format: FigureFormat,
    #[command(flatten)]
    force: ForceArguments,
    #[command(flatten)]
    search: SearchArguments,
    #[command(flatten)]
    model: ModelArguments,
    #[command(flatten)]
    threads: ThreadArguments,
}

pub fn run(arguments: CalibrateArguments) -> Result<Outcome> {
    let read = outputs::named([&arguments.data], [arguments.model.model.as_ref()]);
    Output { path: &arguments.output, kind: Kind::Model, fixed: true, force: arguments.force }.check(read)?;
    let bundle = model::bundle(&arguments.model)?;
    let tagger = arguments.search.of(&model::tagger(bundle.clone(), &arguments.threads)?)?;
    let (layout, data) = evaluating::read(&arguments.data, arguments.layout)?;
    let drawn = layout == Layout::Table && data.report.count(FindingKind::SplitsDrawn) > 0;
    let split = match arguments.split {
        Some(split) => split.into(),
        None if drawn => Split::All,
        None => Split::Validation,
    };
    if layout == Layout::Table {
        evaluating::say_rows(&data, split);
    }
    let region = arguments.region.into();
    let seen = evaluating::observe(&tagger, &data, split, region)?;
    let (found, attributes) = tagger.threads().install(|| calibrate(&seen))?;
    let changed = found.attributes.iter().filter(|row| row.change == Change::Fitted).count();
    if changed == 0 {
        print(&found, arguments.format)?;
        bail!(
            "nothing would become better on people who are left out, and no model is written; {LEAST} pictures with an attribute and {LEAST} \
             without are the least"
        );
    }
    let line = format!(
        "{changed} attributes calibrated on {} pictures of {} people of {}",
        found.images, found.people, data.name
    );
    let mut trained_on = bundle.card().trained_on.clone();
    trained_on.push(line);
    let card = Card { attributes, trained_on, ..bundle.card().clone() };
    let written: Bundle =
        bundle.with_svms(&card, &bundle.parts().svms).context("the new thresholds do not fit the model")?;
    let written = model::renamed(written, arguments.name.as_deref())?;
    files::write_whole(&arguments.output, written.bytes())?;
    print(&found, arguments.format)?;
    notes::note(format!("{changed} attributes have new thresholds: {}", arguments.output.display()));
    Ok(Outcome::with_unread(seen.skipped() as u64))
}

fn print(found: &Calibrated, format: FigureFormat) -> Result<()> {
    let mut sink = Sink::open(None)?;
    match format {
        FigureFormat::Json => {
            serde_json::to_writer_pretty(&mut sink, found).map_err(std::io::Error::from)?;
            sink.write_all(b"\n")?;
        }
        FigureFormat::Text => sink.write_all(text(found).as_bytes())?,
    }
    sink.finish()
}

fn text(found: &Calibrated) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = written(&mut text, found);
    text
}

fn written(text: &mut String, found: &Calibrated) -> std::fmt::Result {
    let percent = |value: f64| format!("{:.2}", 100.0 * value);
    writeln!(
        text,
        "{} pictures of {} people; {} without a face left out. All figures after: on people who were left out of the fit.\n",
        found.images, found.people, found.without_face
    )?;
    let (before, after) = (found.before, found.after);
    let mean = |name: &str, [before, after]: [f64; 2], rise: Option<Rise>| {
        let rise = rise.map_or_else(String::new, |Rise { mean, low, high }| {
            format!("  {:>+6.2}  ({:+.2} to {:+.2})", 100.0 * mean, 100.0 * low, 100.0 * high)
        });
        format!("{name:<42}  {:>6}  {:>6}{rise}", percent(before), percent(after))
    };
    let rise = |place: usize| found.rise.and_then(|both| both.get(place).copied());
    writeln!(text, "{:<42}  before   after  change (95 %)", "means over attributes, %")?;
    writeln!(
        text,
        "{}",
        mean("accuracy, at the point accuracy", [before.accuracy, after.accuracy], rise(0))
    )?;
    let balanced = [before.balanced_accuracy, after.balanced_accuracy];
    writeln!(text, "{}", mean("balanced accuracy, at the point balanced", balanced, rise(1)))?;
    writeln!(text, "{}", mean("expected calibration error", found.expected_error, None))?;
    writeln!(text, "{:<42}  {:>6.4}  {:>6.4}\n", "log loss", before.log_loss, after.log_loss)?;
    let width = found.attributes.iter().map(|row| row.name.chars().count()).max().unwrap_or(0).max(9);
    writeln!(
        text,
        "{:<width$}    with  without  accuracy       balanced       calibration    threshold of the score",
        "attribute"
    )?;
    for row in &found.attributes {
        writeln!(text, "{}", line(row, width))?;
    }
    if !found.unlabelled.is_empty() {
        writeln!(text, "\nnot labelled in this data, and left as they are: {}", found.unlabelled.join(", "))?;
    }
    Ok(())
}

fn line(row: &CalibratedAttribute, width: usize) -> String {
    let pair = |before: f64, after: f64| format!("{:>5.1} > {:<5.1}", 100.0 * before, 100.0 * after);
    let end = match row.change {
        Change::Fitted => format!("{:+.2} > {:+.2}", row.thresholds_before[0], row.thresholds[0]),
        Change::TooFew => format!("stays: fewer than {LEAST} of a kind"),
        Change::NoBetter => "stays: no better on people who were left out".to_owned(),
    };
    format!(
        "{:<width$}  {:>6}  {:>7}  {}  {}  {}  {end}",
        row.name,
        row.with,
        row.without,
        pair(row.before.accuracy, row.after.accuracy),
        pair(row.before.balanced_accuracy, row.after.balanced_accuracy),
        pair(row.expected_error[0], row.expected_error[1]),
    )
}
