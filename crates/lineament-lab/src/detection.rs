//! Whether every face of a photo is found: average precision, and recall against false alarms, by the height of the faces.
//!
//! Boxes are compared as WIDER FACE does it: a found box, strongest first, belongs to the given box that it overlaps most, if by
//! half at least. It is the face's find if it is its first, and a false alarm otherwise. A found box that belongs to a given one that is
//! not asked for (marked invalid, or of another height) counts as neither; one that belongs to none is a false alarm,
//! whatever its own height.

use lineament::Rect;
use lineament_data::GivenBox;
use serde::{Deserialize, Serialize};

use crate::localization::OVERLAP;
use crate::metrics;

/// Faces of some heights, in pixels of the file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heights {
    /// What they are called.
    pub name: &'static str,
    /// The least.
    pub least: f32,
    /// Smaller than this.
    pub below: f32,
}

/// The heights that are reported.
pub const HEIGHTS: [Heights; 7] = [
    Heights { name: "all", least: 0.0, below: f32::INFINITY },
    Heights { name: "24 px and more", least: 24.0, below: f32::INFINITY },
    Heights { name: "40 px and more", least: 40.0, below: f32::INFINITY },
    Heights { name: "16 to 24 px", least: 16.0, below: 24.0 },
    Heights { name: "24 to 40 px", least: 24.0, below: 40.0 },
    Heights { name: "40 to 80 px", least: 40.0, below: 80.0 },
    Heights { name: "80 px and more", least: 80.0, below: f32::INFINITY },
];

impl Heights {
    fn ask_for(&self, given: &GivenBox) -> bool {
        !given.invalid && given.rect.height >= self.least && given.rect.height < self.below
    }
}

/// One image: what was found in it, and all faces that are there.
#[derive(Debug, Clone, Default)]
pub struct Searched {
    /// Found boxes with their scores.
    pub found: Vec<(Rect, f32)>,
    /// The boxes of its faces.
    pub given: Vec<GivenBox>,
}

/// How well faces are found, as fractions between 0 and 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Detection {
    /// The share of images with a face whose strongest box overlaps one by half, whatever its height.
    pub best_box_meets_a_face: f64,
    /// Images with a face that is asked for: what that share is taken of.
    #[serde(rename = "pictures_with_faces")]
    pub images_with_faces: usize,
    /// False alarms an image from the localizer's own threshold on, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarms_at_threshold: Option<f64>,
    /// The figures by height, all heights first.
    pub heights: Vec<HeightFigures>,
}

/// The figures of faces of some heights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeightFigures {
    /// Which heights.
    pub height: String,
    /// Faces of such a height.
    pub faces: usize,
    /// The area under the curve of precision against recall, precision taken as the best at this recall or a higher one.
    pub average_precision: f64,
    /// The share of faces that is found at one false alarm in a hundred images.
    pub recall_at_0_01: f64,
    /// At one in ten images.
    pub recall_at_0_1: f64,
    /// At one an image.
    pub recall_at_1: f64,
    /// The share that is found by all boxes, however weak.
    pub recall: f64,
    /// The share that is found from the localizer's own threshold on, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recall_at_threshold: Option<f64>,
}

/// All figures; `threshold`: from which score on the localizer usually calls something a face.
pub fn detection(images: &[Searched], threshold: Option<f32>) -> Detection {
    let meets: Vec<f64> =
        images.iter().filter_map(best_box_meets).map(|met| f64::from(u8::from(met))).collect();
    let [all, ..] = &HEIGHTS;
    let alarms = |threshold| ratio(counts_from(&curve(images, all), threshold).alarms, images.len());
    Detection {
        best_box_meets_a_face: metrics::mean(meets.iter().copied()),
        images_with_faces: meets.len(),
        alarms_at_threshold: threshold.map(alarms),
        heights: HEIGHTS.iter().map(|heights| figures(images, heights, threshold)).collect(),
    }
}

/// Whether the strongest box, those of invalid faces aside, belongs to a face; nothing of an image in which no face is asked for.
pub fn best_box_meets(image: &Searched) -> Option<bool> {
    let [all, ..] = &HEIGHTS;
    image.given.iter().any(|given| all.ask_for(given)).then(|| {
        let best =
            outcomes(image, all).into_iter().map(|(_, outcome)| outcome).find(|one| *one != Outcome::Ignored);
        best == Some(Outcome::Find)
    })
}

/// What a found box is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// The first of a face that is asked for.
    Find,
    /// One of a face that is not asked for.
    Ignored,
    /// Anything else.
    Alarm,
}

/// What each found box is, with its score, strongest first.
fn outcomes(image: &Searched, heights: &Heights) -> Vec<(f32, Outcome)> {
    let mut found = image.found.clone();
    found.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut taken = vec![false; image.given.len()];
    let outcome = |(rect, score): (Rect, f32)| {
        let overlaps =
            image.given.iter().zip(&mut taken).map(|(given, taken)| (rect.iou(given.rect), given, taken));
        let most = overlaps
            .filter(|(overlap, ..)| *overlap >= OVERLAP)
            .reduce(|most, one| if one.0 > most.0 { one } else { most });
        let outcome = match most {
            Some((_, given, _)) if !heights.ask_for(given) => Outcome::Ignored,
            Some((.., taken)) => {
                if std::mem::replace(taken, true) {
                    Outcome::Alarm
                } else {
                    Outcome::Find
                }
            }
            None => Outcome::Alarm,
        };
        (score, outcome)
    };
    found.into_iter().map(outcome).collect()
}

/// Faces found and false alarms with boxes from some score on.
#[derive(Debug, Clone, Copy)]
struct Counts {
    score: f32,
    found: usize,
    alarms: usize,
}

impl Counts {
    fn precision(self) -> f64 {
        ratio(self.found, self.found + self.alarms)
    }
}

/// The counts at each distinct score, from the highest down.
fn curve(images: &[Searched], heights: &Heights) -> Vec<Counts> {
    let mut boxes: Vec<(f32, Outcome)> = images.iter().flat_map(|image| outcomes(image, heights)).collect();
    boxes.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut found, mut alarms) = (0, 0);
    let steps = boxes.chunk_by(|a, b| a.0 == b.0).map(|tied| {
        let of = |wanted| tied.iter().filter(|(_, outcome)| *outcome == wanted).count();
        (found, alarms) = (found + of(Outcome::Find), alarms + of(Outcome::Alarm));
        Counts { score: tied.first().map_or(0.0, |(score, _)| *score), found, alarms }
    });
    steps.collect()
}

/// The counts with all boxes from a score on.
fn counts_from(curve: &[Counts], least: f32) -> Counts {
    let above = curve.iter().take_while(|counts| counts.score >= least).last().copied();
    above.unwrap_or(Counts { score: least, found: 0, alarms: 0 })
}

fn figures(images: &[Searched], heights: &Heights, threshold: Option<f32>) -> HeightFigures {
    let faces = images.iter().flat_map(|image| &image.given).filter(|given| heights.ask_for(given)).count();
    let curve = curve(images, heights);
    let recall_at = |alarms_per_image: f64| {
        let allowed = |counts: &&Counts| counts.alarms as f64 <= alarms_per_image * images.len() as f64;
        curve.iter().take_while(allowed).last().map_or(0.0, |counts| ratio(counts.found, faces))
    };
    HeightFigures {
        height: heights.name.to_owned(),
        faces,
        average_precision: average_precision(&curve, faces),
        recall_at_0_01: recall_at(0.01),
        recall_at_0_1: recall_at(0.1),
        recall_at_1: recall_at(1.0),
        recall: curve.last().map_or(0.0, |counts| ratio(counts.found, faces)),
        recall_at_threshold: threshold.map(|least| ratio(counts_from(&curve, least).found, faces)),
    }
}

fn average_precision(curve: &[Counts], faces: usize) -> f64 {
    let (mut area, mut precision, mut found) = (0.0, 0.0_f64, curve.last().map_or(0, |last| last.found));
    for pair in curve.windows(2).rev() {
        let &[before, now] = pair else { continue };
        precision = precision.max(now.precision());
        area += ratio(found - before.found, faces) * precision;
        found = before.found;
    }
    area + curve.first().map_or(0.0, |first| ratio(found, faces) * precision.max(first.precision()))
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
