//! `lineament explain`: what answers rest on.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use lineament::explain::{ExplainOptions, Explanation, MapSource};
use lineament::prediction::BoundingBox;
use lineament::{Encoding, Face, Limits, Photo, Rect, Selection, Tagger, path_text};
use serde::Serialize;

use super::Outcome;
use crate::arguments::{FigureFormat, RunArguments, SearchArguments};
use crate::files::{self, Sink};
use crate::format::percent;
use crate::inputs::{Input, Inputs, Names, Unread};
use crate::outputs::{self, ForceArguments, Output};
use crate::{marked, model, notes, ordered, summary};

/// How much of the image gives way to the map.
const OPACITY: f32 = 0.55;

#[derive(Debug, Args)]
pub struct ExplainArguments {
    /// Images, folders (walked), patterns, or - for a list of paths on standard input
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// Only these attributes, in this order, separated by commas
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    attributes: Option<Vec<String>>,
    /// Neurons named for each attribute, those that said most first
    #[arg(long, value_name = "N", default_value_t = 5)]
    neurons: usize,
    /// Where the regions come from
    #[arg(long, value_enum, default_value = "hidden")]
    regions: Regions,
    /// How explanations are written [default: text, or as the name of the output file ends]
    #[arg(long, value_enum)]
    format: Option<FigureFormat>,
    /// Write explanations to a file, whole or not at all, instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write each face with the map of each attribute over it to this folder, as NAME.FACE.ATTRIBUTE.png; without
    /// --attributes, of the attributes that the face has
    #[arg(long, value_name = "DIR")]
    annotate: Option<PathBuf>,
    #[command(flatten)]
    force: ForceArguments,
    #[command(flatten)]
    search: SearchArguments,
    #[command(flatten)]
    run: RunArguments,
}

/// Where regions come from.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Regions {
    /// What the score loses when a place is hidden
    Hidden,
    /// What an LNet with a channel for each attribute responds to, where the model has one
    Responses,
}

/// One image, explained.
#[derive(Serialize)]
struct ExplainedImage {
    path: String,
    width: u32,
    height: u32,
    faces: Vec<ExplainedFace>,
    /// Faces that `--max-faces` cut.
    faces_left_out: usize,
}

#[derive(Serialize)]
struct ExplainedFace {
    r#box: Rect,
    score: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    roll: Option<f64>,
    attributes: Vec<Explanation>,
}

/// What all images are explained with.
struct Look {
    tagger: Tagger,
    chosen: bool,
    options: ExplainOptions,
    annotate: bool,
}

pub fn run(arguments: ExplainArguments) -> Result<Outcome> {
    let inputs = Inputs::of(&arguments.paths)?;
    let format = FigureFormat::choose(arguments.format, arguments.output.as_deref());
    if let Some(path) = &arguments.output {
        let read = outputs::named(&arguments.paths, arguments.run.files());
        Output { path, kind: format.kind(), fixed: true, force: arguments.force }.check(read)?;
    }
    let chosen = arguments.attributes.is_some();
    let selection = Selection { attributes: arguments.attributes, ..arguments.search.selection() };
    let tagger = super::predict::select(&model::ready_to_explain(&arguments.run)?, &selection)?;
    let options = ExplainOptions {
        neurons: arguments.neurons,
        source: match arguments.regions {
            Regions::Hidden => MapSource::Hidden,
            Regions::Responses => MapSource::Responses,
        },
    };
    if let Some(folder) = &arguments.annotate {
        files::make_folder(folder)?;
    }
    let look = Look { tagger, chosen, options, annotate: arguments.annotate.is_some() };
    let mut sink = Sink::open(arguments.output.as_deref())?;
    let mut names = Names::default();
    let (mut unread, mut written) = (0, 0);
    let work = |input: Result<Input, Unread>| match input {
        Ok(input) => look.at(&input).map_err(|error| format!("{error:#}")),
        Err(Unread(reason)) => Err(reason),
    };
    ordered::for_each(look.tagger.threads(), inputs.into_iter(), work, |answer| {
        match answer {
            Ok((image, crops)) => {
                if let Some(folder) = &arguments.annotate {
                    for (path, kind, crop) in &crops {
                        if let Some(kept) = marked::save(
                            crop,
                            &folder.join(names.of(path, kind)),
                            Encoding::Png,
                            arguments.force,
                        )? {
                            unread += 1;
                            notes::unwritten(kept);
                        }
                    }
                }
                match format {
                    FigureFormat::Text => write_text(&mut sink, &image)?,
                    FigureFormat::Json => {
                        sink.write_all(if written == 0 { b"[\n" } else { b",\n" })?;
                        serde_json::to_writer(&mut sink, &image).map_err(std::io::Error::from)?;
                    }
                }
                written += 1;
            }
            Err(reason) => {
                unread += 1;
                notes::unread(reason);
            }
        }
        anyhow::Ok(())
    })?;
    if format == FigureFormat::Json {
        sink.write_all(if written == 0 { b"[]\n" } else { b"\n]\n" })?;
    }
    sink.finish()?;
    Ok(Outcome::with_unread(unread))
}

/// Where a crop comes from, what it shows, and itself.
type Crop = (PathBuf, String, Photo);

impl Look {
    fn at(&self, input: &Input) -> Result<(ExplainedImage, Vec<Crop>)> {
        let photo = Photo::open(&input.path, &Limits::default())?;
        let (mut faces, mut crops) = (Vec::new(), Vec::new());
        let failed = || input.path.display().to_string();
        let found = self.tagger.locate(&photo).with_context(failed)?;
        let faces_left_out = found.left_out;
        for face in found {
            let Face { rect, score, roll, .. } = face;
            let explanations = self.tagger.explain(&photo, &face, &self.options).with_context(failed)?;
            if self.annotate {
                for one in explanations.iter().filter(|one| self.chosen || one.present) {
                    let kind = format!("{}.{}", faces.len() + 1, file_name(&one.name));
                    crops.push((input.place.clone(), kind, one.over(&photo, OPACITY)));
                }
            }
            let roll = roll.map(|roll| (f64::from(roll) * 10.0).round() / 10.0);
            faces.push(ExplainedFace { r#box: rect, score, roll, attributes: explanations });
        }
        let path = path_text::to_text(&input.path).into_owned();
        let (width, height) = (photo.width(), photo.height());
        Ok((ExplainedImage { path, width, height, faces, faces_left_out }, crops))
    }
}

/// A name that no file system reads as a path.
fn file_name(attribute: &str) -> String {
    attribute.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect()
}

fn write_text(out: &mut impl Write, image: &ExplainedImage) -> Result<()> {
    let count = image.faces.len();
    write!(out, "{}: {count} {}", image.path, if count == 1 { "face" } else { "faces" })?;
    match image.faces_left_out {
        0 => writeln!(out)?,
        more => writeln!(out, ", {}", summary::left_out(more as u64))?,
    }
    for (index, face) in image.faces.iter().enumerate() {
        let Rect { x, y, width, height } = face.r#box;
        let roll = face.roll.map_or_else(String::new, |roll| format!(", roll {roll:.1}°"));
        writeln!(out, "  face {} at {x:.0}, {y:.0}, {width:.0} x {height:.0}{roll}", index + 1)?;
        for one in &face.attributes {
            let sign = if one.present { '+' } else { '-' };
            // As it stands in JSON.
            let (at, probability) = (BoundingBox::from(one.region), (one.probability * 1e4).round() / 1e4);
            writeln!(
                out,
                "    {sign} {} {}%, strongest at {:.0}, {:.0}, {:.0} x {:.0}",
                one.name,
                percent(probability),
                at.x,
                at.y,
                at.width,
                at.height
            )?;
            let said: Vec<String> =
                one.neurons.strongest.iter().map(|c| format!("{} {:+.3}", c.neuron, c.amount)).collect();
            let verdict = if one.neurons.same_answer { "same answer" } else { "another answer" };
            writeln!(
                out,
                "      neurons {}: {:.0}% of all that was said; with the bias {:+.3} they give {:+.3} of {:+.3}, {verdict}",
                said.join(", "),
                one.neurons.share * 100.0,
                one.neurons.bias,
                one.neurons.partial_score,
                one.score
            )?;
        }
    }
    Ok(())
}
