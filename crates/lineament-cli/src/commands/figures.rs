//! The figures of an evaluation as text.

use std::fmt::{Result, Write};

use lineament_data::Split;
use lineament_lab::bootstrap::Interval;
use lineament_lab::{Evaluation, FaceFrom};

use crate::model;
use crate::terminal::{Colours, Style};

/// A summary, the localization, and a line for each attribute.
pub fn text(figures: &Evaluation, data: &str, colours: Colours) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = summary(&mut text, figures, data, colours);
    let _ = localisation(&mut text, figures, colours);
    let _ = attributes(&mut text, figures, colours);
    let _ = closing(&mut text, figures, colours);
    text
}

fn summary(text: &mut String, figures: &Evaluation, data: &str, colours: Colours) -> Result {
    let region = match figures.region {
        FaceFrom::Located => "faces found in the photos",
        FaceFrom::Landmarks => "face regions from landmarks",
    };
    let part = match figures.split {
        Split::All => "all parts".to_owned(),
        split => format!("{split} part"),
    };
    let title = format!("{data}, {part}, {region}");
    writeln!(text, "{}", colours.paint(Style::Title, &title))?;
    writeln!(text, "  {} pictures of {} people", figures.images, figures.people)?;
    if figures.region == FaceFrom::Located {
        writeln!(text, "  {} faces missed, counted as the majority answer", figures.faces_missed)?;
    }
    if figures.without_landmarks > 0 {
        writeln!(
            text,
            "  {} pictures without landmarks, read in the usual region",
            figures.without_landmarks
        )?;
    }
    writeln!(text)?;
    let interval = |pick: fn(&lineament_lab::bootstrap::Intervals) -> Interval| {
        figures.intervals.as_ref().map(pick).map_or_else(String::new, |Interval { low, high }| {
            colours.paint(Style::Dim, &format!("   95 %: {} to {}", percent(low), percent(high)))
        })
    };
    row(text, "mean accuracy", figures.mean_accuracy, &interval(|both| both.accuracy))?;
    row(
        text,
        "mean balanced accuracy",
        figures.mean_balanced_accuracy,
        &interval(|both| both.balanced_accuracy),
    )?;
    row(text, "mean average precision", figures.mean_average_precision, "")?;
    row(text, "majority answer", figures.majority_accuracy, "")?;
    writeln!(text)
}

fn localisation(text: &mut String, figures: &Evaluation, colours: Colours) -> Result {
    if let Some(found) = &figures.localisation {
        let title = format!("Localisation, {} given boxes", found.images);
        writeln!(text, "{}", colours.paint(Style::Title, &title))?;
        row(text, "dominant face, IoU from 0.5", found.iou_0_5, "")?;
        row(text, "mean IoU", found.mean_iou, "")?;
        row(text, "found at 0.01 false a photo", found.tpr_at_fppi_0_01, "")?;
        row(text, "found at 0.1 false a photo", found.tpr_at_fppi_0_1, "")?;
        writeln!(text)?;
    }
    if let Some(background) = &figures.background {
        let title = format!(
            "{} face photos against {} background pictures",
            background.face_images, background.images
        );
        writeln!(text, "{}", colours.paint(Style::Title, &title))?;
        row(text, "found at 1 alarm in 100", background.tpr_at_1_in_100, "")?;
        row(text, "found at the model's threshold", background.true_positive_rate, "")?;
        let alarms = background.alarms as f64 / background.images.max(1) as f64;
        row(text, "false alarms at the same", alarms, "")?;
        writeln!(text)?;
    }
    Ok(())
}

fn row(text: &mut String, name: &str, value: f64, more: &str) -> Result {
    writeln!(text, "  {name:<30} {:>6}{more}", percent(value))
}

fn attributes(text: &mut String, figures: &Evaluation, colours: Colours) -> Result {
    let width =
        figures.attributes.iter().map(|figures| figures.name.chars().count()).max().unwrap_or(0).max(9);
    let heading =
        format!("{:<width$}  accuracy  majority  balanced  precision      F1  positive", "attribute");
    writeln!(text, "{}", colours.paint(Style::Title, &heading))?;
    for attribute in &figures.attributes {
        let line = format!(
            "{:<width$}  {:>8}  {:>8}  {:>8}  {:>9}  {:>6}  {:>8}",
            attribute.name,
            percent(attribute.accuracy),
            percent(attribute.majority_accuracy),
            percent(attribute.balanced_accuracy),
            percent(attribute.average_precision),
            percent(attribute.f1),
            percent(attribute.positives),
        );
        // No better than never looking.
        let beaten = attribute.accuracy < attribute.majority_accuracy;
        writeln!(text, "{}", if beaten { colours.paint(Style::Warning, &line) } else { line })?;
    }
    if !figures.unlabelled.is_empty() {
        writeln!(text, "\nnot labelled in this data: {}", figures.unlabelled.join(", "))?;
    }
    if !figures.unknown_to_model.is_empty() {
        writeln!(text, "\nlabelled, but unknown to the model: {}", figures.unknown_to_model.join(", "))?;
    }
    writeln!(text)
}

fn closing(text: &mut String, figures: &Evaluation, colours: Colours) -> Result {
    let model = &figures.model;
    let point = match figures.operating_point {
        lineament::OperatingPoint::Accuracy => "accuracy",
        lineament::OperatingPoint::Balanced => "balanced accuracy",
    };
    let line = format!(
        "all in % · thresholds for {point} · {} {} ({})",
        model.name,
        model.version,
        model::short(&model.hash)
    );
    writeln!(text, "{}", colours.paint(Style::Dim, &line))
}

fn percent(value: f64) -> String {
    format!("{:.2}", 100.0 * value)
}
