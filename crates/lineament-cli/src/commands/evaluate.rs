//! `lineament evaluate`: what a model is worth on labelled images.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use lineament::{OperatingPoint, Tagger, Threads};
use lineament_data::{Dataset, FindingKind, Framing, Layout, Split, boxes, folder, layout};
use lineament_lab::observe::Skipped;
use lineament_lab::{
    EvaluateError, EvaluateOptions, Evaluation, FaceFrom, Observations, Provenance, evaluate, results,
};

use super::{Outcome, evaluate_boxes, figures};
use crate::arguments::{FigureFormat, LayoutName, MeasureArguments, RunArguments, SearchArguments};
use crate::files::{self, Sink};
use crate::outputs::{self, ForceArguments, Kind, Output};
use crate::terminal::Colours;
use crate::{model, notes, progress};

#[derive(Debug, Args)]
pub struct EvaluateArguments {
    /// Labelled images: a folder in CelebA's or LFW's layout, a CSV or Parquet table, or JSON from Label Studio or in COCO's form
    ///
    /// A folder with images/ and boxes.csv (file,x,y,w,h, and invalid where a face is not asked for) is measured otherwise: whether every face
    /// is found, by its height. Nothing but --format, --output and the model matters then.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// The layout of the data [default: detected from what is there]
    #[arg(long, value_enum)]
    pub layout: Option<LayoutName>,
    #[command(flatten)]
    pub measure: MeasureArguments,
    /// A folder of images without a face, to count false alarms in (with --region located or --report): of those, the part
    /// that --split names; which image is in which part follows from its name
    #[arg(long, value_name = "DIR")]
    pub background: Option<PathBuf>,
    /// Measure both regions and both operating points, and write all figures to this Markdown file
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// How figures are written [default: text, or as the name of the output file ends]
    #[arg(long, value_enum)]
    pub format: Option<FigureFormat>,
    /// Write figures to a file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub force: ForceArguments,
    #[command(flatten)]
    pub search: SearchArguments,
    #[command(flatten)]
    pub run: RunArguments,
}

impl EvaluateArguments {
    /// How figures are written.
    pub fn format(&self) -> FigureFormat {
        FigureFormat::choose(self.format, self.output.as_deref())
    }
}

/// Skipped images that are named; the others are counted.
const NAMED: usize = 10;

/// What was typed, checked.
struct Options {
    split: Split,
    region: FaceFrom,
    point: OperatingPoint,
    format: FigureFormat,
    output: Option<PathBuf>,
    report: Option<PathBuf>,
    name: String,
    data: Dataset,
    background: Option<Dataset>,
}

pub fn run(arguments: EvaluateArguments) -> Result<Outcome> {
    check_outputs(&arguments)?;
    if arguments.layout.is_none() && boxes::detect(&arguments.data) {
        return evaluate_boxes::run(&arguments);
    }
    let tagger = arguments.search.of(&model::ready(&arguments.run)?)?;
    let options = Options::check(arguments)?;
    // Parts that nobody asks for were drawn for nothing.
    let is_idle = |kind| kind == FindingKind::SplitsDrawn && options.split == Split::All;
    for finding in options.data.report.findings().iter().filter(|finding| !is_idle(finding.kind)) {
        notes::note(format!("{} {}: {}", finding.count, finding.kind.words(), finding.examples.join("; ")));
    }
    // Opened first: a place that cannot be written to should not be found out after the measuring.
    let mut sink = Sink::open(options.output.as_deref())?;
    let asked = match &options.report {
        Some(report) => {
            let all = everything(&tagger, &options)?;
            write_report(report, &all, &options, tagger.threads())?;
            let asked = |evaluation: &Evaluation| {
                evaluation.region == options.region && evaluation.operating_point == options.point
            };
            all.into_iter()
                .find(asked)
                .context("the region asked for is not in the data; ask for the other with --region")?
        }
        None => {
            let background = options.background.as_ref();
            let all = measured(&tagger, &options, options.region, &[options.point], background)?;
            all.into_iter().next().context("nothing was measured")?
        }
    };
    match options.format {
        FigureFormat::Json => {
            serde_json::to_writer_pretty(&mut sink, &asked).map_err(io::Error::from)?;
            sink.write_all(b"\n")?;
        }
        FigureFormat::Text => {
            let colours = if options.output.is_none() { Colours::of(&io::stdout()) } else { Colours::NONE };
            sink.write_all(figures::text(&asked, &options.name, colours).as_bytes())?;
        }
    }
    sink.finish()?;
    Ok(named(&asked.skipped))
}

/// Refuses outputs that would destroy something.
fn check_outputs(arguments: &EvaluateArguments) -> Result<()> {
    let read =
        || outputs::named([&arguments.data].into_iter().chain(&arguments.background), arguments.run.files());
    let (fixed, force) = (true, arguments.force);
    if let Some(path) = &arguments.output {
        Output { path, kind: arguments.format().kind(), fixed, force }.check(read())?;
    }
    if let Some(path) = &arguments.report {
        Output { path, kind: Kind::Markdown, fixed, force }.check(read())?;
    }
    Ok(())
}

/// Says what was skipped.
pub fn named(skipped: &[Skipped]) -> Outcome {
    for skipped in skipped.iter().take(NAMED) {
        notes::unread(&skipped.reason);
    }
    if let Some(more) = skipped.len().checked_sub(NAMED).filter(|more| *more > 0) {
        notes::unread(format!("{more} more pictures; --format json lists them all"));
    }
    Outcome::with_unread(skipped.len() as u64)
}

impl Options {
    fn check(arguments: EvaluateArguments) -> Result<Self> {
        let region = FaceFrom::from(arguments.measure.region);
        if region == FaceFrom::Landmarks && arguments.background.is_some() && arguments.report.is_none() {
            bail!(
                "--background counts false alarms of the localizer; use it with --region located or with --report"
            );
        }
        let (layout, data) = read(&arguments.data, arguments.layout)?;
        let split = arguments.measure.part(layout, &data);
        if layout == Layout::Table {
            say_rows(&data, split);
        }
        // The other parts may have been learned from, or been used to choose the threshold.
        let background = arguments.background.as_deref().map(folder::read).transpose()?;
        Ok(Self {
            split,
            region,
            point: arguments.measure.operating_point.into(),
            format: arguments.format(),
            output: arguments.output,
            report: arguments.report,
            name: arguments.data.display().to_string(),
            background: background.map(|set| set.split(split)),
            data,
        })
    }
}

/// Reads labelled images, and says by which layout.
pub fn read(path: &Path, layout: Option<LayoutName>) -> Result<(Layout, Dataset)> {
    let layout = match layout {
        Some(name) => name.into(),
        None => layout::detect(path)?,
    };
    Ok((layout, layout::read(layout, path)?))
}

/// What a model says of every image of a part, with a bar while it looks, on the tagger's threads.
pub fn observe<'a>(
    tagger: &'a Tagger,
    data: &Dataset,
    split: Split,
    region: FaceFrom,
) -> Result<Observations<'a>, EvaluateError> {
    let what = EvaluateOptions { split, region, operating_points: &[], background: None };
    let bar = progress::bar(Some(evaluate::images(data, &what) as u64), false);
    let done = || bar.inc(1);
    let seen = tagger.threads().install(|| Observations::of(tagger, data, split, region, &done));
    bar.finish_and_clear();
    seen
}

/// Says which rows of a table are measured, and for how many people they are taken.
pub fn say_rows(data: &Dataset, split: Split) {
    let part = data.split(split);
    let known = part.samples.iter().any(|sample| sample.identity.is_some());
    let rows = match split {
        Split::All => format!("all {} rows", part.len()),
        split => format!("the {} rows of the {split} part", part.len()),
    };
    let people = match known {
        true => format!("{} people", part.people()),
        false => "as many people as pictures, since no column `identity` or `person` says who is on them"
            .to_owned(),
    };
    notes::note(format!("{}: {rows} are measured, taken for {people}", data.name));
}

/// Both regions, where the data has them, at both operating points.
fn everything(tagger: &Tagger, options: &Options) -> Result<Vec<Evaluation>> {
    let points = [OperatingPoint::Accuracy, OperatingPoint::Balanced];
    let part = options.data.split(options.split);
    let has = |framing| part.samples.iter().any(|sample| sample.framing == framing);
    let landmarks = part.samples.iter().any(|sample| sample.landmarks.is_some());
    let mut all = Vec::new();
    if landmarks && (has(Framing::Aligned) || options.region == FaceFrom::Landmarks) {
        all.extend(measured(tagger, options, FaceFrom::Landmarks, &points, None)?);
    }
    if has(Framing::Photo) || options.region == FaceFrom::Located {
        let background = options.background.as_ref();
        all.extend(measured(tagger, options, FaceFrom::Located, &points, background)?);
    }
    Ok(all)
}

fn measured(
    tagger: &Tagger,
    options: &Options,
    region: FaceFrom,
    operating_points: &[OperatingPoint],
    background: Option<&Dataset>,
) -> Result<Vec<Evaluation>, EvaluateError> {
    let what = EvaluateOptions { split: options.split, region, operating_points, background };
    let total = evaluate::images(&options.data, &what) as u64;
    let bar = progress::bar(Some(total), false);
    let done = || bar.inc(1);
    let figures = tagger.threads().install(|| evaluate(tagger, &options.data, &what, &done));
    bar.finish_and_clear();
    figures
}

fn write_report(path: &Path, all: &[Evaluation], options: &Options, threads: &Threads) -> Result<()> {
    let command: Vec<String> = env::args().skip(1).collect();
    let command = format!("lineament {}", command.join(" "));
    // The report belongs to the checkout that it is written into.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let provenance = Provenance::of(command, folder, threads.count());
    let page = results::results(all, &options.name, &provenance);
    files::write_whole(path, page.as_bytes())?;
    if io::stderr().is_terminal() {
        notes::note(format!("the report is in {}", path.display()));
    }
    Ok(())
}
