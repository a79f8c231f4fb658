//! What teaching has shown, for people and as JSON.

use std::fmt::{Result as Written, Write};

use lineament::Bundle;
use lineament::attributes::Group;
use lineament_fit::{Figures, FitError, TrainedHead};
use serde::Serialize;

use super::TeachArguments;
use super::images::Looked;
use crate::terminal::{Colours, Style};

/// The file of `--report`.
#[derive(Serialize)]
pub struct Report {
    /// The model that was taught: name, version, SHA-256.
    model: Model,
    /// SHA-256 of the model that was written; nothing where none was.
    pub written: Option<String>,
    seed: u64,
    /// Images in which no face was found.
    without_face: Vec<String>,
    /// Images that could not be read.
    unread: Vec<Unread>,
    /// Images with several faces, of which the one found best counts.
    several_faces: usize,
    /// One entry for each NAME.
    pub attributes: Vec<AttributeReport>,
}

#[derive(Serialize)]
struct Model {
    name: String,
    version: String,
    hash: String,
}

#[derive(Serialize)]
struct Unread {
    path: String,
    reason: String,
}

/// One attribute.
#[derive(Serialize)]
pub struct AttributeReport {
    name: String,
    learned: bool,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Images given with it.
    given_with: usize,
    /// Images given without it.
    given_without: usize,
    /// Files of an image that is there already.
    repeated: Vec<String>,
    /// What was measured, where enough images were there.
    #[serde(skip_serializing_if = "Option::is_none")]
    figures: Option<Figures>,
}

impl Report {
    /// Before anything is learned.
    pub fn of(bundle: &Bundle, arguments: &TeachArguments, looked: &Looked<'_>) -> Self {
        let card = bundle.card();
        let unread = |(path, reason): &(std::path::PathBuf, String)| Unread {
            path: path.display().to_string(),
            reason: reason.clone(),
        };
        Self {
            model: Model { name: card.name.clone(), version: card.version.clone(), hash: bundle.hash() },
            written: None,
            seed: arguments.seed,
            without_face: looked.without_face.iter().map(|path| path.display().to_string()).collect(),
            unread: looked.unread.iter().map(unread).collect(),
            several_faces: looked.crowded,
            attributes: Vec::new(),
        }
    }
}

impl AttributeReport {
    /// From what came of it.
    pub fn of(
        name: &str,
        result: &Result<TrainedHead, FitError>,
        repeated: Vec<String>,
        given: [usize; 2],
    ) -> Self {
        let figures = match result {
            Ok(head) => Some(&head.figures),
            Err(error) => error.figures(),
        };
        let [given_with, given_without] = given;
        Self {
            name: name.to_owned(),
            learned: result.is_ok(),
            reason: result.as_ref().err().map(ToString::to_string),
            given_with,
            given_without,
            repeated,
            figures: figures.cloned(),
        }
    }
}

/// The figures of one attribute as text; nothing where none were measured.
pub fn text(report: &AttributeReport, by: Group, colours: Colours) -> String {
    let mut text = String::new();
    if let Some(figures) = &report.figures {
        // Writing to a string cannot fail.
        let _ = lines(&mut text, report, figures, by, colours);
    }
    text
}

fn lines(
    text: &mut String,
    report: &AttributeReport,
    figures: &Figures,
    by: Group,
    colours: Colours,
) -> Written {
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let verdict = if report.learned { "learned" } else { "not learned" };
    writeln!(text, "{}: {verdict}", colours.paint(Style::Title, &report.name))?;
    let Figures { with, without, folds, groups, .. } = figures;
    writeln!(
        text,
        "  {with} pictures with it and {without} without, {groups} {}; a part in {folds} of them left out in turn",
        by.plural()
    )?;
    let chance = *with as f64 / (with + without).max(1) as f64;
    let row = |text: &mut String, name: &str, value: f64, more: String| {
        writeln!(text, "  {name:<18} {:>7}  {}", percent(value), colours.paint(Style::Dim, &more))
    };
    let (low, high) = (percent(figures.interval.low), percent(figures.interval.high));
    let sure = format!("95 % interval by {} {low} to {high}; chance is 50 %", by.word());
    row(text, "balanced accuracy", figures.balanced_accuracy, sure)?;
    row(text, "average precision", figures.average_precision, format!("chance is {}", percent(chance)))?;
    let majority = format!("always giving the majority answer: {}", percent(figures.majority_accuracy));
    row(text, "accuracy", figures.accuracy, majority)?;
    let points: Vec<String> = figures
        .curve
        .iter()
        .map(|point| format!("{:.0} % of them {}", 100.0 * point.share, percent(point.balanced_accuracy)))
        .collect();
    writeln!(text, "  balanced accuracy learned from {}", points.join(", "))?;
    writeln!(text, "  {}", figures.advice.sentence())?;
    if by == Group::Image {
        let warning = "one person on several pictures would flatter these figures; say who is who with --data and --person";
        writeln!(text, "  {}", colours.paint(Style::Dim, warning))?;
    }
    Ok(())
}
