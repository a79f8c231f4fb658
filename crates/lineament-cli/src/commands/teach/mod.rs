//! `lineament teach`: custom attributes on the nets of a finished model.

mod images;
mod report;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use lineament::attributes::Group;
use lineament::{Bundle, Card};
use lineament_fit::{
    Example, FitError, LabelledImage, TrainOptions, TrainedHead, add_attributes, examples, train_head,
};

use super::Outcome;
use crate::arguments::{LayoutName, RunArguments, SearchArguments};
use crate::files::{self, Sink};
use crate::outputs::{self, ForceArguments, Kind, Output};
use crate::terminal::Colours;
use crate::{model, notes};
use images::{Images, Looked};
use report::{AttributeReport, Report};

/// Images that are named on standard error; the report file names all.
const NAMED: usize = 10;

#[derive(Debug, Args)]
pub struct TeachArguments {
    /// The attributes to teach: any name with two folders, names of columns with a table
    #[arg(value_name = "NAME", required = true)]
    pub names: Vec<String>,
    /// Images that have it: folders (walked), files or patterns
    #[arg(long, value_name = "DIR", num_args = 1.., requires = "negative", conflicts_with = "data")]
    pub positive: Vec<PathBuf>,
    /// Images that do not have it
    #[arg(long, value_name = "DIR", num_args = 1.., requires = "positive", conflicts_with = "data")]
    pub negative: Vec<PathBuf>,
    /// A CSV or Parquet table with a column for the path and one for each attribute, JSON from Label Studio or in COCO's form, or a folder in
    /// CelebA's layout
    #[arg(long, value_name = "FILE", required_unless_present = "positive")]
    pub data: Option<PathBuf>,
    /// The layout of the data [default: detected from what is there]
    #[arg(long, value_enum, requires = "data")]
    pub layout: Option<LayoutName>,
    /// The column of the table that says who is on an image [default: `identity` or `person`, where there is one]
    #[arg(long, value_name = "COLUMN", requires = "data")]
    pub person: Option<String>,
    /// The part of the data to learn from [default: train, where the data says what that is; else all of it]
    #[arg(long, value_enum, requires = "data")]
    pub split: Option<PartName>,
    /// At most so many images with each attribute and as many without, drawn at random
    #[arg(long = "pictures", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub images: Option<u32>,
    /// How common the attribute is where it will be asked for, such as 0.05 [default: as in the images given]
    ///
    /// Probabilities, and values at the operating point for accuracy, are true for faces of which so many have it. Half of the images given
    /// have it, as a rule; few faces have freckles.
    #[arg(long, value_name = "P")]
    pub share: Option<f32>,
    /// What the new model is called [default: as the one that it is taught on]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Teach attributes anew that the model knows already
    #[arg(long)]
    pub replace: bool,
    /// Where the model with the new attributes goes
    #[arg(long, short, value_name = "BUNDLE")]
    pub output: PathBuf,
    /// Write all figures, and the images that were left out, to this file as JSON
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    #[command(flatten)]
    pub force: ForceArguments,
    /// Another seed draws other images, and leaves out others together
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    #[command(flatten)]
    pub search: SearchArguments,
    #[command(flatten)]
    pub run: RunArguments,
}

/// A part of a data set, or all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PartName {
    /// What models learn from (CelebA's partition 0)
    Train,
    /// What thresholds are chosen on (partition 1)
    #[value(alias = "val")]
    Validation,
    /// What figures are reported of (partition 2)
    Test,
    /// Everything
    All,
}

pub fn run(arguments: TeachArguments) -> Result<Outcome> {
    check_outputs(&arguments)?;
    let bundle = model::bundle(&arguments.run.model)?;
    check_names(&arguments, bundle.card())?;
    let images = Images::find(&arguments)?;
    // Opened first: a place that cannot be written to should not be found out after the work.
    let mut output = Sink::open(Some(&arguments.output))?;
    let tagger = arguments.search.of(&model::of_bundle(bundle.clone(), &arguments.run)?)?;

    let looked = images.look(&tagger);
    say_left_out(&looked);
    let mut heads = Vec::new();
    let mut refused = Vec::new();
    let mut report = Report::of(&bundle, &arguments, &looked);
    let colours = Colours::of(&io::stderr());
    for (place, name) in arguments.names.iter().enumerate() {
        let asked = looked.asked(place);
        let (result, repeated) = tagger.threads().install(|| taught(name, &asked, images.by, &arguments));
        if !repeated.is_empty() {
            let are = if repeated.len() == 1 { "is" } else { "are" };
            notes::note(format!("{name}: {} {are} there twice and counts once", counted(repeated.len())));
        }
        let said = AttributeReport::of(name, &result, repeated, looked.given(place));
        // Nothing is left to be said where standard error is closed.
        let _ = io::stderr().write_all(report::text(&said, images.by, colours).as_bytes());
        report.attributes.push(said);
        match result {
            Ok(head) => heads.push(head),
            Err(error) => refused.push(error),
        }
    }
    let written =
        if heads.is_empty() { None } else { Some(add_attributes(&bundle, &heads, arguments.replace)?) };
    let written = written.map(|bundle| model::renamed(bundle, arguments.name.as_deref())).transpose()?;
    report.written = written.as_ref().map(Bundle::hash);
    if let Some(path) = &arguments.report {
        files::write_whole(path, &serde_json::to_vec_pretty(&report)?)?;
    }
    let Some(written) = written else {
        let reasons: Vec<String> = refused.iter().map(ToString::to_string).collect();
        bail!("{}; no model was written", reasons.join("\n"));
    };
    output.write_all(written.bytes())?;
    output.finish()?;
    for error in &refused {
        notes::unread(error);
    }
    let card = written.card();
    let (path, count) = (arguments.output.display(), card.attributes.len());
    notes::note(format!(
        "{} {} with {count} attributes, SHA-256 {}: {path}",
        card.name,
        card.version,
        written.hash()
    ));
    Ok(Outcome::with_unread((looked.unread.len() + refused.len()) as u64))
}

/// Refuses outputs that would destroy something.
fn check_outputs(arguments: &TeachArguments) -> Result<()> {
    let sides = arguments.positive.iter().chain(&arguments.negative).chain(&arguments.data);
    // A model may get attributes in place, where --force says so: it is read before.
    let read = outputs::named(sides, [arguments.run.detector.as_ref()]);
    let (fixed, force) = (true, arguments.force);
    Output { path: &arguments.output, kind: Kind::Model, fixed, force }.check(read.iter().copied())?;
    if let Some(path) = &arguments.report {
        Output { path, kind: Kind::Json, fixed, force }.check(read)?;
    }
    Ok(())
}

/// Refuses names before any image is looked at.
fn check_names(arguments: &TeachArguments, card: &Card) -> Result<()> {
    let names = &arguments.names;
    if !arguments.positive.is_empty() && names.len() > 1 {
        bail!("two folders teach one attribute; give one NAME, or a table with --data to teach several");
    }
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(FitError::Twice(name.clone()).into());
        }
        if !arguments.replace && card.find(name).is_ok() {
            return Err(FitError::Known(name.clone()).into());
        }
    }
    Ok(())
}

fn taught(
    name: &str,
    asked: &[LabelledImage],
    by: Group,
    arguments: &TeachArguments,
) -> (Result<TrainedHead, FitError>, Vec<String>) {
    let (examples, repeated): (Vec<Example>, Vec<String>) = match examples(name, asked) {
        Ok(found) => found,
        Err(error) => return (Err(error), Vec::new()),
    };
    let options =
        TrainOptions { by, share: arguments.share, seed: arguments.seed, ..TrainOptions::default() };
    (train_head(name, &examples, &options), repeated)
}

fn say_left_out(looked: &Looked<'_>) {
    let more = |count: usize| count.checked_sub(NAMED).filter(|more| *more > 0);
    for (_, reason) in looked.unread.iter().take(NAMED) {
        notes::unread(reason);
    }
    if let Some(more) = more(looked.unread.len()) {
        notes::unread(format!("{more} more pictures; --report FILE names them all"));
    }
    if !looked.without_face.is_empty() {
        let names: Vec<String> =
            looked.without_face.iter().take(NAMED).map(|path| path.display().to_string()).collect();
        let rest = more(looked.without_face.len()).map_or(String::new(), |more| format!(" and {more} more"));
        let count = counted(looked.without_face.len());
        notes::note(format!("no face was found in {count}: {}{rest}; left out", names.join(", ")));
    }
    if looked.crowded > 0 {
        notes::note(format!("several faces in {}; the one found best counts", counted(looked.crowded)));
    }
}

fn counted(images: usize) -> String {
    if images == 1 { "1 picture".to_owned() } else { format!("{images} pictures") }
}
