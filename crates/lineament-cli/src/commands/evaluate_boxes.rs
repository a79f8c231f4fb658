//! `lineament evaluate` on photos whose faces have boxes: whether every one is found.

use std::fmt::Write as _;
use std::io::{self, Write};

use anyhow::{Result, bail};
use lineament_data::boxes;
use lineament_lab::detection::HeightFigures;
use lineament_lab::{BoxEvaluation, evaluate_boxes};

use super::Outcome;
use super::evaluate::{EvaluateArguments, named};
use crate::arguments::FigureFormat;
use crate::files::Sink;
use crate::terminal::{Colours, Style};
use crate::{model, notes, progress};

pub fn run(arguments: &EvaluateArguments) -> Result<Outcome> {
    if arguments.background.is_some() || arguments.report.is_some() {
        bail!(
            "{} has boxes and no attributes: leave out --background and --report; false alarms are counted in the photos themselves",
            arguments.data.display()
        );
    }
    let set = boxes::read(&arguments.data)?;
    for finding in set.report.findings() {
        notes::note(format!("{} {}: {}", finding.count, finding.kind.words(), finding.examples.join("; ")));
    }
    let (tagger, threshold) = model::ready_for_curves(&arguments.run)?;
    let tagger = arguments.search.of(&tagger)?;
    // Opened first: a place that cannot be written to should not be found out after the measuring.
    let mut sink = Sink::open(arguments.output.as_deref())?;
    let bar = progress::bar(Some(set.images.len() as u64), false);
    let done = || bar.inc(1);
    let figures = tagger.threads().install(|| evaluate_boxes(&tagger, &set, threshold, &done));
    bar.finish_and_clear();
    let figures = figures?;
    match arguments.format() {
        FigureFormat::Json => {
            serde_json::to_writer_pretty(&mut sink, &figures).map_err(io::Error::from)?;
            sink.write_all(b"\n")?;
        }
        FigureFormat::Text => {
            let colours = if arguments.output.is_none() { Colours::of(&io::stdout()) } else { Colours::NONE };
            sink.write_all(text(&figures, colours).as_bytes())?;
        }
    }
    sink.finish()?;
    Ok(named(&figures.skipped))
}

/// A summary, and a line for each range of heights.
fn text(figures: &BoxEvaluation, colours: Colours) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut text, figures, colours);
    text
}

fn write(text: &mut String, figures: &BoxEvaluation, colours: Colours) -> std::fmt::Result {
    let found = &figures.detection;
    let by = match figures.trained_on_boxes {
        true => format!("{}, a detector of others, which was trained on boxes", figures.localizer),
        false => "the model's LNets, which were trained without a box".to_owned(),
    };
    let title = format!("{}, faces found by {by}", figures.data);
    writeln!(text, "{}", colours.paint(Style::Title, &title))?;
    writeln!(
        text,
        "  {} pictures, {} of them with a face that is asked for\n",
        figures.images, found.images_with_faces
    )?;
    writeln!(text, "  {:<34} {:>6}", "best box meets a face", percent(found.best_box_meets_a_face))?;
    if let Some(alarms) = found.alarms_at_threshold {
        writeln!(text, "  {:<34} {alarms:>6.2}", "false alarms a picture (threshold)")?;
    }
    writeln!(text)?;
    let heading = format!(
        "{:<16}  {:>6}  {:>9}  {:>7}  {:>6}  {:>5}  {:>9}",
        "height of face", "faces", "precision", "at 0.01", "at 0.1", "at 1", "threshold"
    );
    writeln!(text, "{}", colours.paint(Style::Title, &heading))?;
    for line in &found.heights {
        let HeightFigures {
            height,
            faces,
            average_precision,
            recall_at_0_01,
            recall_at_0_1,
            recall_at_1,
            ..
        } = line;
        // No face, no share.
        let share = |value: f64| if *faces == 0 { "–".to_owned() } else { percent(value) };
        let at_threshold = line.recall_at_threshold.map_or_else(|| "–".to_owned(), share);
        writeln!(
            text,
            "{height:<16}  {faces:>6}  {:>9}  {:>7}  {:>6}  {:>5}  {at_threshold:>9}",
            share(*average_precision),
            share(*recall_at_0_01),
            share(*recall_at_0_1),
            share(*recall_at_1),
        )?;
    }
    let model = &figures.model;
    let closing = format!(
        "all in % · average precision; recall at so many false alarms a picture, and from the threshold on · overlap of half · {} {} ({})",
        model.name,
        model.version,
        model::short(&model.hash)
    );
    writeln!(text, "\n{}", colours.paint(Style::Dim, &closing))
}

fn percent(value: f64) -> String {
    format!("{:.1}", 100.0 * value)
}
