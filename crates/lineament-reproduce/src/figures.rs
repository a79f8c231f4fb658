//! Rows that compare whole systems on test crops, regions by landmarks: what experiments on ANet have in common.

use std::fmt::Write;

use lineament::{OperatingPoint, Tagger};
use lineament_data::Split;
use lineament_fit::bootstrap::{RESAMPLES, SEED};
use lineament_lab::bootstrap::People;
use lineament_lab::{EvaluateOptions, Evaluation, FaceFrom, Observations, evaluate};

use crate::error::ReproduceError;
use crate::lab::Lab;
use crate::results::{Results, percent, share};

/// What a system answered about a set of images.
pub struct Answers {
    /// At the operating point for accuracy.
    pub accurate: Evaluation,
    /// At the balanced one.
    pub balanced: Evaluation,
    people: People,
}

impl Answers {
    /// The figures of one pass.
    pub fn of(seen: &Observations<'_>) -> Self {
        Self {
            accurate: seen.evaluate(OperatingPoint::Accuracy),
            balanced: seen.evaluate(OperatingPoint::Balanced),
            people: seen.people(OperatingPoint::Accuracy),
        }
    }

    /// How many images were asked about, and in how many no face was found.
    pub fn counts(&self) -> [String; 2] {
        [self.accurate.images, self.accurate.faces_missed].map(|count| count.to_string())
    }

    /// The cells of the columns that a table of figures ends in.
    pub fn figures(&self) -> [String; COLUMNS.len()] {
        of(Some(&self.accurate), Some(&self.balanced))
    }

    /// By how much its mean accuracy is above the other's, and the 95 % interval over people, the same on both sides.
    pub fn ahead_of(&self, other: &Self) -> [f64; 3] {
        self.people.ahead_of(&other.people, RESAMPLES, SEED).map_or([f64::NAN; 3], |ahead| {
            [ahead.accuracy, ahead.intervals.accuracy.low, ahead.intervals.accuracy.high]
        })
    }
}

/// The columns that [`cells`] fills.
const COLUMNS: [&str; 6] = ["accuracy", "low", "high", "balanced_accuracy", "average_precision", "majority"];

/// A table with the columns `own` before those of the figures.
pub fn table(lab: &Lab<'_>, own: &[&str]) -> Results {
    lab.results(&[own, &COLUMNS].concat())
}

/// Mean accuracy with its interval over people, balanced accuracy at the balanced operating point, average precision, the majority answer.
///
/// # Errors
/// Data that cannot be read.
pub fn cells(lab: &Lab<'_>, tagger: &Tagger) -> Result<Vec<String>, ReproduceError> {
    let options = EvaluateOptions {
        split: Split::Test,
        region: FaceFrom::Landmarks,
        operating_points: &[OperatingPoint::Accuracy, OperatingPoint::Balanced],
        background: None,
    };
    let evaluations = evaluate(tagger, &lab.celeba, &options, &|| {})?;
    let at = |point| evaluations.iter().find(|evaluation| evaluation.operating_point == point);
    Ok(of(at(OperatingPoint::Accuracy), at(OperatingPoint::Balanced)).to_vec())
}

/// The cells of the columns, from what was measured at both operating points.
fn of(accurate: Option<&Evaluation>, balanced: Option<&Evaluation>) -> [String; COLUMNS.len()] {
    let interval = accurate.and_then(|found| found.intervals.as_ref()).map(|found| found.accuracy);
    let figures = [
        accurate.map(|found| found.mean_accuracy),
        interval.map(|found| found.low),
        interval.map(|found| found.high),
        balanced.map(|found| found.mean_balanced_accuracy),
        accurate.map(|found| found.mean_average_precision),
        accurate.map(|found| found.majority_accuracy),
    ];
    figures.map(|figure| share(figure.unwrap_or(f64::NAN)))
}

/// The rows as a table of the page, with headings for the columns `own`.
pub fn section(results: &Results, own: &[(&str, &str)]) -> String {
    let heads: String = own.iter().map(|(_, head)| format!(" {head} |")).collect();
    let rule = "---|".repeat(own.len());
    let mut page = format!(
        "|{heads} accuracy | interval | balanced accuracy, balanced point | average precision | majority answer |\n|{rule}---:|---|---:|---:|---:|\n"
    );
    for row in &results.rows {
        let value = |column| percent(results.number(row, column));
        let names: String =
            own.iter().map(|(column, _)| format!(" {} |", results.cell(row, column))).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(
            page,
            "|{names} {} | {} – {} | {} | {} | {} |",
            value("accuracy"),
            value("low"),
            value("high"),
            value("balanced_accuracy"),
            value("average_precision"),
            value("majority"),
        );
    }
    page + &results.origin.note()
}
