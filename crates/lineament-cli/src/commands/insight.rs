//! `lineament insight`: one page on what a model's nets know, with the audit.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use lineament::{Bundle, Face, Limits, Photo, Tagger, Threads};
use lineament_data::drawn::{self, DrawnOptions};
use lineament_data::{Dataset, Split, layout};
use lineament_lab::audit::{Audit, audit};
use lineament_lab::insight::explained::{self, Explained};
use lineament_lab::insight::look::Seen;
use lineament_lab::insight::page::{About, page};
use lineament_lab::insight::tables::tables;
use lineament_lab::insight::{Insight, InsightOptions, insight};
use lineament_lab::{EvaluateOptions, FaceFrom, Observations, Provenance, evaluate};

use super::Outcome;
use super::audit::{self as auditing, CompareArguments};
use crate::arguments::{
    LayoutName, MeasureArguments, ModelArguments, RegionName, SearchArguments, SplitName, ThreadArguments,
};
use crate::inputs::{Inputs, Unread};
use crate::outputs::{self, ForceArguments, Kind, Output};
use crate::{files, model, notes, progress};

/// What is drawn for `--drawn`: enough people for parts to learn from and to measure on.
const DRAWN: DrawnOptions =
    DrawnOptions { people: 300, images_each: 8, seed: 1, sides: [128, 208], most_faces: 1 };
/// Drawn faces that are explained where no image is named.
const EXPLAINED: u32 = 3;

#[derive(Debug, Args)]
pub struct InsightArguments {
    /// Labelled images: a folder in CelebA's or LFW's layout, a CSV or Parquet table, or JSON from Label Studio or in COCO's form
    #[arg(long, value_name = "DIR", required_unless_present = "drawn")]
    data: Option<PathBuf>,
    /// Draw 2,400 faces and use these: the page then shows no person
    #[arg(long, conflicts_with_all = ["data", "layout", "explain"])]
    drawn: bool,
    /// The layout of the data [default: detected from what is there]
    #[arg(long, value_enum)]
    layout: Option<LayoutName>,
    /// The part that SVMs, cuts and thresholds are fitted to and chosen on
    #[arg(long, value_enum, default_value = "validation")]
    fit: SplitName,
    #[command(flatten)]
    measure: MeasureArguments,
    #[command(flatten)]
    compare: CompareArguments,
    /// Labels listed for a second look
    #[arg(long, value_name = "N", default_value_t = 200)]
    doubts: usize,
    /// Groups that attributes are parted into
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u16).range(2..=40))]
    clusters: u16,
    /// Neurons whose mean faces are shown; 0 shows none
    #[arg(long, value_name = "N", default_value_t = 9)]
    mean_faces: usize,
    /// Explain the faces in these images on the page; they are shown there [default: three drawn faces]
    #[arg(long, value_name = "PATH", num_args = 1..)]
    explain: Vec<PathBuf>,
    /// Of who is left out together, and of groups of attributes
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Write all figures as CSV to this folder, too
    #[arg(long, value_name = "DIR")]
    tables: Option<PathBuf>,
    /// The page
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    force: ForceArguments,
    #[command(flatten)]
    search: SearchArguments,
    #[command(flatten)]
    model: ModelArguments,
    #[command(flatten)]
    threads: ThreadArguments,
}

pub fn run(arguments: InsightArguments) -> Result<Outcome> {
    let split = arguments.measure.split.unwrap_or(SplitName::Test);
    if arguments.fit == split || [arguments.fit, split].contains(&SplitName::All) {
        bail!(
            "--fit and --split name the same part; what is reported must not be what was chosen on: give two different ones"
        );
    }
    let read =
        outputs::named(arguments.data.iter().chain(&arguments.explain), [arguments.model.model.as_ref()]);
    Output { path: &arguments.output, kind: Kind::Html, fixed: true, force: arguments.force }.check(read)?;
    if let Some(folder) = &arguments.tables {
        auditing::may_write(folder, arguments.force)?;
    }
    let bundle = model::bundle(&arguments.model)?;
    model::check_explains(bundle.card())?;
    let tagger = arguments.search.of(&model::tagger(bundle.clone(), &arguments.threads)?)?;
    let threads = tagger.threads();
    let groupings = arguments.compare.groupings(&tagger)?;
    let rules = arguments.compare.rules(&tagger)?;
    let (data, _drawn) = data(&arguments, threads)?;
    let explained = explained(&arguments, &tagger)?;
    if let Some(folder) = &arguments.tables {
        files::make_folder(folder)?;
    }

    let region = FaceFrom::from(arguments.measure.region);
    let pass = |split: SplitName| look(&bundle, &tagger, &data, split.into(), region);
    let (fit_pass, fit) = pass(arguments.fit)?;
    let (asked_pass, asked) = pass(split)?;
    let point = arguments.measure.operating_point.into();
    let audit = threads.install(|| audit(&asked_pass, point, &groupings, &rules, arguments.doubts));
    notes::note(format!("{} faces to learn from, {} to ask about", fit.faces.len(), asked.faces.len()));
    let options = InsightOptions {
        groups: arguments.clusters.into(),
        mean_faces: arguments.mean_faces,
        point,
        seed: arguments.seed,
    };
    let found = threads.install(|| insight(&bundle, &fit, &asked, &options))?;
    if let Err(few) = &found.faces {
        notes::note(format!("no mean faces: {few}"));
    }
    write(&arguments, &bundle, &found, &audit, &explained, threads)?;
    Ok(Outcome::with_unread((audit.skipped + fit_pass.skipped()) as u64))
}

/// The data set, and the folder that drawn faces are in until the work is done.
fn data(arguments: &InsightArguments, threads: &Threads) -> Result<(Dataset, Option<tempfile::TempDir>)> {
    if let Some(data) = &arguments.data {
        let layout = arguments.layout.map_or_else(|| layout::detect(data), |name| Ok(name.into()))?;
        return Ok((layout::read(layout, data)?, None));
    }
    let folder = tempfile::tempdir().context("there is no room for drawn faces")?;
    threads.install(|| drawn::write_celeba(folder.path(), &DRAWN))?;
    let data = layout::read(layout::Layout::Celeba, folder.path())?;
    Ok((data, Some(folder)))
}

/// Finds and reads the faces of a part.
fn look<'a>(
    bundle: &Bundle,
    tagger: &'a Tagger,
    data: &Dataset,
    split: Split,
    region: FaceFrom,
) -> Result<(Observations<'a>, Seen)> {
    let what = EvaluateOptions { split, region, operating_points: &[], background: None };
    // Each image is looked at twice: faces and scores first, then layers.
    let bar = progress::bar(Some(2 * evaluate::images(data, &what) as u64), false);
    let done = || bar.inc(1);
    let both = tagger.threads().install(|| -> Result<_> {
        let pass = Observations::of(tagger, data, split, region, &done)?;
        let seen = Seen::of(bundle, tagger, &pass, &done)?;
        Ok((pass, seen))
    });
    bar.finish_and_clear();
    both
}

/// The faces of the images that were named, or of three drawn ones.
fn explained(arguments: &InsightArguments, tagger: &Tagger) -> Result<Vec<Explained>> {
    tagger.threads().install(|| {
        let mut found = Vec::new();
        if arguments.explain.is_empty() {
            for person in 0..EXPLAINED {
                let image = drawn::image(&DRAWN, DRAWN.people - 1 - person, 0);
                let Some(face) = image.faces.first() else { continue };
                let title = format!("Drawn face {}", person + 1);
                found.push(explained::explain(tagger, &image.photo, &Face::new(face.rect, 1.0), &title)?);
            }
        }
        let named = if arguments.explain.is_empty() { None } else { Some(Inputs::of(&arguments.explain)?) };
        for input in named.into_iter().flatten() {
            match input {
                Ok(input) => {
                    let title = input.place.display().to_string();
                    let photo = Photo::open(&input.path, &Limits::default())?;
                    for face in tagger.locate(&photo)? {
                        found.push(explained::explain(tagger, &photo, &face, &title)?);
                    }
                }
                Err(Unread(reason)) => bail!("a picture to explain cannot be read: {reason}"),
            }
        }
        Ok(found)
    })
}

fn write(
    arguments: &InsightArguments,
    bundle: &Bundle,
    found: &Insight,
    audit: &Audit,
    explained: &[Explained],
    threads: &Threads,
) -> Result<()> {
    if let Some(folder) = &arguments.tables {
        for (name, rows) in tables(found) {
            auditing::save(&folder.join(format!("{name}.csv")), &rows)?;
        }
        auditing::write(audit, folder)?;
    }
    let command: Vec<String> = env::args().skip(1).collect();
    let folder = arguments.output.parent().filter(|folder| !folder.as_os_str().is_empty());
    let provenance = Provenance::of(
        format!("lineament {}", command.join(" ")),
        folder.unwrap_or(Path::new(".")),
        threads.count(),
    );
    let about = About {
        card: bundle.card(),
        hash: &bundle.hash(),
        data: &arguments
            .data
            .as_ref()
            .map_or_else(|| "drawn faces".to_owned(), |data| data.display().to_string()),
        fit: Split::from(arguments.fit).to_string(),
        split: Split::from(arguments.measure.split.unwrap_or(SplitName::Test)).to_string(),
        region: match arguments.measure.region {
            RegionName::Located => "found in the photos",
            RegionName::Landmarks => "placed by the given landmarks",
        },
        seed: arguments.seed,
        drawn: arguments.drawn,
        provenance: &provenance,
    };
    files::write_whole(&arguments.output, page(found, audit, explained, &about).as_bytes())?;
    notes::note(format!("the page is {}", arguments.output.display()));
    Ok(())
}
