//! `lineament model`: what a bundle holds, and whether it is sound.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use lineament::attributes::Extractor;
use lineament::locate::{LnetMethod, LocalizerSpec};
use lineament::{Bundle, Card, Engine, Photo, Point};
use lineament_net::NetSpec;

use super::Outcome;
use crate::arguments::{FigureFormat, ModelArguments};
use crate::examples;
use crate::files::Sink;
use crate::model;
use crate::terminal::{Colours, Style};

#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// Show a model's card: nets, attributes, what it learnt from, how it scored, its licence
    #[command(after_help = examples::SHOW)]
    Show(ShowArguments),
    /// Check a model's file from the first byte to the last, and that it answers
    #[command(after_help = examples::VERIFY)]
    Verify(VerifyArguments),
}

#[derive(Debug, Args)]
pub struct ShowArguments {
    /// The model [default: the one this program carries]
    #[arg(value_name = "BUNDLE")]
    pub bundle: Option<PathBuf>,
    /// How the card is written
    #[arg(long, value_enum, default_value = "text")]
    pub format: FigureFormat,
    #[command(flatten)]
    pub model: ModelArguments,
}

#[derive(Debug, Args)]
pub struct VerifyArguments {
    /// The model [default: the one this program carries]
    #[arg(value_name = "BUNDLE")]
    pub bundle: Option<PathBuf>,
    /// The SHA-256 that the file must have
    #[arg(long, value_name = "HASH")]
    pub sha256: Option<String>,
    #[command(flatten)]
    pub model: ModelArguments,
}

/// `lineament model show`.
pub fn show(arguments: ShowArguments) -> Result<Outcome> {
    let bundle = model::named_bundle(arguments.bundle.as_ref(), &arguments.model)?;
    let text = match arguments.format {
        FigureFormat::Json => {
            let mut json = serde_json::to_string_pretty(bundle.card())?;
            json.push('\n');
            json
        }
        FigureFormat::Text => describe(&bundle, Colours::of(&io::stdout()))?,
    };
    let mut sink = Sink::open(None)?;
    sink.write_all(text.as_bytes())?;
    sink.finish()?;
    Ok(Outcome::AllRead)
}

/// `lineament model verify`.
pub fn verify(arguments: VerifyArguments) -> Result<Outcome> {
    // Opening checks everything that can be checked without running: checksum, card, names, shapes, finite weights.
    let bundle = model::named_bundle(arguments.bundle.as_ref(), &arguments.model)?;
    let hash = bundle.hash();
    if let Some(wanted) = arguments.sha256.as_deref().map(str::trim)
        && !wanted.eq_ignore_ascii_case(&hash)
    {
        bail!("the model has SHA-256 {hash}, not {wanted}: it is another model, or a damaged one");
    }
    let (name, version) = (bundle.card().name.clone(), bundle.card().version.clone());
    let tagger = model::builder(bundle, Engine::Native)?.build()?;
    let grey = Photo::filled(128, 128, [127; 3]);
    // Without a localizer there is nothing to ask it.
    if tagger.card().localizer != LocalizerSpec::Given {
        tagger.locate(&grey).context("the model does not answer")?;
    }
    let face =
        [(44, 50), (84, 50), (64, 74), (47, 92), (81, 92)].map(|(x, y)| Point::new(x as f32, y as f32));
    let place = tagger.region_of_landmarks(&face)?;
    let scores = tagger.scores(&grey, place).context("the model does not answer")?;
    if let Some(place) = scores.iter().position(|score| !score.is_finite()) {
        let name =
            tagger.card().attributes.get(place).map_or("an attribute", |attribute| attribute.name.as_str());
        bail!(
            "the model's score for {name} is not finite: its weights are out of range, train or export it anew"
        );
    }
    let mut sink = Sink::open(None)?;
    writeln!(sink, "sound: {name} {version}\nsha256 {hash}")?;
    sink.finish()?;
    Ok(Outcome::AllRead)
}

fn describe(bundle: &Bundle, colours: Colours) -> Result<String> {
    let card = bundle.card();
    let mut text = String::new();
    let title = colours.paint(Style::Title, &format!("{} {}", card.name, card.version));
    writeln!(text, "{title}")?;
    let mut row = |name: &str, value: &str| writeln!(text, "  {name:<14} {value}");
    row("sha256", &bundle.hash())?;
    row("size", &format!("{:.1} MB", bundle.bytes().len() as f64 / 1e6))?;
    if let Some(created) = &card.created {
        row("created", created)?;
    }
    row("licence", &card.licence)?;
    row("trained on", &card.trained_on.join("; "))?;
    for (name, spec, _) in card.nets() {
        let name = match name.as_str() {
            "lnet_o" => "LNet_o",
            "lnet_s" => "LNet_s",
            "anet" => "ANet",
            other => other,
        };
        row(name, &net(spec)?)?;
    }
    row("localisation", &localizer(&card.localizer))?;
    row("description", extractor(&card.extractor))?;
    if let Some(quality) = &card.quality {
        row(
            "quality",
            &format!("from how certain {} attributes are, and the size of the face", quality.certainty.len()),
        )?;
    }
    if !card.note.trim().is_empty() {
        writeln!(text, "\n{}", card.note.trim())?;
    }
    if !card.scores.is_empty() {
        writeln!(text, "\n{}", colours.paint(Style::Title, "Scores"))?;
        let width = card.scores.keys().map(|name| name.chars().count()).max().unwrap_or(0);
        for (name, score) in &card.scores {
            writeln!(text, "  {name:<width$}  {score:.4}")?;
        }
    }
    attributes(&mut text, card, colours)?;
    Ok(text)
}

fn attributes(text: &mut String, card: &Card, colours: Colours) -> Result<()> {
    let title = format!("{} attributes", card.attributes.len());
    writeln!(text, "\n{}", colours.paint(Style::Title, &title))?;
    let width = card.attributes.iter().map(|attribute| attribute.name.chars().count()).max().unwrap_or(0);
    let heading = format!("  {:<width$}  positive  present from, accuracy  present from, balanced", "");
    writeln!(text, "{}", colours.paint(Style::Dim, &heading))?;
    for attribute in &card.attributes {
        // Thresholds lie on scores; as probabilities they can be read.
        let from = |threshold| 100.0 * attribute.platt.probability(threshold);
        writeln!(
            text,
            "  {:<width$}  {:>6.1} %  {:>20.1} %  {:>20.1} %",
            attribute.name,
            100.0 * attribute.prevalence,
            from(attribute.thresholds.accuracy),
            from(attribute.thresholds.balanced)
        )?;
    }
    let taught =
        card.attributes.iter().filter_map(|attribute| Some((attribute, attribute.provenance.as_ref()?)));
    for (place, (attribute, taught)) in taught.enumerate() {
        if place == 0 {
            writeln!(text, "\n{}", colours.paint(Style::Title, "Taught on the finished nets"))?;
        }
        writeln!(
            text,
            "  {}: {} pictures with it, {} without; left out by {}: balanced accuracy {:.1} % (95 % interval {:.1} to {:.1} %)",
            attribute.name,
            taught.with,
            taught.without,
            taught.by.word(),
            100.0 * taught.balanced_accuracy,
            100.0 * taught.low,
            100.0 * taught.high
        )?;
    }
    Ok(())
}

fn net(spec: &NetSpec) -> Result<String> {
    let input = spec.input;
    let parameters: usize =
        spec.parameters()?.iter().map(|parameter| parameter.shape.iter().product::<usize>()).sum();
    let work = spec.multiply_adds(input.height, input.width)?;
    Ok(format!(
        "{}: {} × {} px, {:.2} M parameters, {:.2} G multiply-adds",
        spec.name,
        input.width,
        input.height,
        parameters as f64 / 1e6,
        work as f64 / 1e9
    ))
}

fn localizer(spec: &LocalizerSpec) -> String {
    match spec {
        LocalizerSpec::Lnets(lnets) => kind(&lnets.method).to_owned(),
        LocalizerSpec::Detector(detector) => {
            let canvas =
                detector.canvas.map(|[width, height]| format!(", on a canvas of {width} × {height} px"));
            format!(
                "{}, a detector of others, trained on boxes{}, from a score of {}",
                detector.family.name(),
                canvas.unwrap_or_default(),
                detector.threshold
            )
        }
        LocalizerSpec::Given => "none: the landmarks of a face are to be given".to_owned(),
        _ => "of the recipe's own kind; `--format json` shows it".to_owned(),
    }
}

fn extractor(extractor: &Extractor) -> &str {
    match extractor {
        Extractor::Anet(_) => "ANet on overlapping patches of the face",
        Extractor::Custom(custom) => &custom.about,
        _ => "of the recipe's own kind; `--format json` shows it",
    }
}

fn kind(method: &LnetMethod) -> &'static str {
    match method {
        LnetMethod::Paper(_) => "as in the paper: windows on response maps, density peaks",
        LnetMethod::Pyramid(_) => {
            "window classifiers: one slid over a pyramid of the photo, one that looks at what it finds"
        }
        LnetMethod::Whole => "none: the whole picture is what is asked about",
        _ => "of the recipe's own kind; `--format json` shows it",
    }
}
