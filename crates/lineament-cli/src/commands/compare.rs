//! `lineament compare`: two models on the same labelled images.

use std::env;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use lineament::Tagger;
use lineament_data::{Dataset, Layout};
use lineament_lab::compare::{ComparedRow, Comparison, Figures, compare, page};
use lineament_lab::{Observations, Provenance};

use super::audit::GroupArguments;
use super::{Outcome, evaluate as evaluating};
use crate::arguments::{
    FigureFormat, LayoutName, MeasureArguments, ModelArguments, SearchArguments, ThreadArguments,
};
use crate::files::{self, Sink};
use crate::model;
use crate::outputs::{self, ForceArguments, Kind, Output};

#[derive(Debug, Args)]
pub struct CompareArguments {
    /// The first model; `default` is the one this program carries
    #[arg(value_name = "A")]
    first: PathBuf,
    /// The second model; differences are its figures less those of the first
    #[arg(value_name = "B")]
    second: PathBuf,
    /// Labelled images: a folder in CelebA's or LFW's layout, a CSV or Parquet table, or JSON from Label Studio or in COCO's form
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The layout of the data [default: detected from what is there]
    #[arg(long, value_enum)]
    layout: Option<LayoutName>,
    #[command(flatten)]
    measure: MeasureArguments,
    #[command(flatten)]
    groups: GroupArguments,
    /// Different answers that are listed, those furthest apart
    #[arg(long, value_name = "N", default_value_t = 50)]
    disagreements: usize,
    /// Write one page with all figures
    #[arg(long, value_name = "FILE.html")]
    page: Option<PathBuf>,
    /// How figures are written; JSON has all groups [default: text, or as the name of the output file ends]
    #[arg(long, value_enum)]
    format: Option<FigureFormat>,
    /// Write figures to a file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    force: ForceArguments,
    #[command(flatten)]
    search: SearchArguments,
    #[command(flatten)]
    threads: ThreadArguments,
}

pub fn run(arguments: CompareArguments) -> Result<Outcome> {
    let format = FigureFormat::choose(arguments.format, arguments.output.as_deref());
    let (fixed, force) = (true, arguments.force);
    let read = || outputs::named([&arguments.first, &arguments.second, &arguments.data], []);
    if let Some(path) = &arguments.output {
        Output { path, kind: format.kind(), fixed, force }.check(read())?;
    }
    if let Some(path) = &arguments.page {
        Output { path, kind: Kind::Html, fixed, force }.check(read())?;
    }
    let first = ready(&arguments.first, &arguments)?;
    let second = ready(&arguments.second, &arguments)?;
    let groupings = arguments.groups.groupings(&first)?;
    let (layout, data) = evaluating::read(&arguments.data, arguments.layout)?;
    let (one, other) = (seen(&first, &data, layout, &arguments)?, seen(&second, &data, layout, &arguments)?);
    let point = arguments.measure.operating_point.into();
    let found =
        first.threads().install(|| compare([&one, &other], point, &groupings, arguments.disagreements))?;
    let name = arguments.data.display().to_string();
    let mut sink = Sink::open(arguments.output.as_deref())?;
    match format {
        FigureFormat::Json => {
            serde_json::to_writer_pretty(&mut sink, &found).map_err(std::io::Error::from)?;
            sink.write_all(b"\n")?;
        }
        FigureFormat::Text => sink.write_all(text(&found, &name).as_bytes())?,
    }
    if let Some(path) = &arguments.page {
        let command: Vec<String> = env::args().skip(1).collect();
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let provenance =
            Provenance::of(format!("lineament {}", command.join(" ")), folder, first.threads().count());
        files::write_whole(path, page(&found, &name, &provenance).as_bytes())?;
    }
    sink.finish()?;
    Ok(Outcome::with_unread(one.skipped() as u64))
}

fn ready(path: &Path, arguments: &CompareArguments) -> Result<Tagger> {
    // As in `train --from default`.
    let named = (path != Path::new("default") || path.exists()).then(|| path.to_owned());
    let bundle = model::bundle(&ModelArguments { model: named })?;
    let tagger = model::tagger(bundle, &arguments.threads).with_context(|| path.display().to_string())?;
    Ok(arguments.search.of(&tagger)?)
}

fn seen<'a>(
    tagger: &'a Tagger,
    data: &Dataset,
    layout: Layout,
    arguments: &CompareArguments,
) -> Result<Observations<'a>> {
    let (split, region) = (arguments.measure.part(layout, data), arguments.measure.region.into());
    Ok(evaluating::observe(tagger, data, split, region)?)
}

fn text(found: &Comparison, data: &str) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = written(&mut text, found, data);
    text
}

fn written(text: &mut String, found: &Comparison, data: &str) -> std::fmt::Result {
    let name = |side: usize| {
        found.models.get(side).map_or_else(String::new, |model| {
            format!("{} {} ({})", model.name, model.version, model::short(&model.hash))
        })
    };
    writeln!(text, "A  {}\nB  {}", name(0), name(1))?;
    writeln!(text, "{data}, {} part: {} pictures of {} people", found.split, found.images, found.people)?;
    writeln!(
        text,
        "{} faces missed by A, {} by B, counted as the majority answer",
        found.faces_missed[0], found.faces_missed[1]
    )?;
    writeln!(text, "{} of {} answers differ\n", found.different_answers, found.answers)?;
    let width = found.rows.iter().map(|row| row.attribute.chars().count()).max().unwrap_or(0).max(22);
    writeln!(text, "{:<width$}       A       B    B - A            95 %", "")?;
    writeln!(text, "{:<width$}  {}", "mean accuracy", figures(&found.mean_accuracy))?;
    writeln!(text, "{:<width$}  {}\n", "mean balanced accuracy", figures(&found.mean_balanced_accuracy))?;
    let mut last = (String::new(), String::new());
    for row in &found.rows {
        let own = (row.by.clone(), row.group.clone());
        if own != last {
            let title = if row.by == "all" {
                "balanced accuracy".to_owned()
            } else {
                format!("\n{}: {}", row.by, row.group)
            };
            writeln!(text, "{title}")?;
            last = own;
        }
        writeln!(text, "{}", line(row, width))?;
    }
    if !found.disagreements.is_empty() {
        writeln!(text, "\nwhere they disagree most: label, A %, B %")?;
    }
    for row in &found.disagreements {
        let label = if row.label { "yes" } else { "no" };
        let [first, second] = row.probabilities.map(|probability| 100.0 * probability);
        let path = row.path.display().to_string().replace(char::is_control, "?");
        writeln!(text, "  {:<width$}  {label:<3}  {first:>5.1}  {second:>5.1}  {path}", row.attribute)?;
    }
    for (side, names) in ["A", "B"].iter().zip(&found.known_to_one).filter(|(_, names)| !names.is_empty()) {
        writeln!(text, "\nonly {side} knows {}", names.join(", "))?;
    }
    writeln!(text, "\nall in %; * marks an interval without zero")
}

fn line(row: &ComparedRow, width: usize) -> String {
    format!("{:<width$}  {}", row.attribute, figures(&row.balanced_accuracy))
}

fn figures(figures: &Figures) -> String {
    let percent = |value: f64| format!("{:.2}", 100.0 * value);
    let interval = figures.interval.map_or_else(String::new, |interval| {
        format!("{:>6} to {:>6}", percent(interval.low), percent(interval.high))
    });
    let mark = if figures.verdict() == 0 { "" } else { " *" };
    let (first, second) = (percent(figures.first), percent(figures.second));
    format!("{first:>6}  {second:>6}  {:>7}  {interval}{mark}", percent(figures.difference))
}
