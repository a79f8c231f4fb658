//! Whether the faces found lie where the faces are: the paper's section 4, "Evaluation".
//!
//! The paper counts a face as found at an intersection over union of 0.5 and draws the true positive rate against false
//! positives per image (FPPI), and recall against the overlap asked for at 0.1 FPPI.

use lineament::Rect;
use serde::{Deserialize, Serialize};

use crate::metrics;

/// The overlap from which a found box is a face found.
pub const OVERLAP: f32 = 0.5;

/// One image: what was found in it and what is there.
#[derive(Debug, Clone, Default)]
pub struct Located {
    /// Found boxes with their scores, best first.
    pub found: Vec<(Rect, f32)>,
    /// The given boxes.
    pub given: Vec<Rect>,
}

impl Located {
    /// The overlap of the dominant face (the best-scored box) with the given box it fits best; 0 when nothing was
    /// found or nothing is given.
    pub fn dominant_overlap(&self) -> f32 {
        let Some((dominant, _)) = self.found.first() else { return 0.0 };
        self.given.iter().map(|given| finite(dominant.iou(*given))).fold(0.0, f32::max)
    }
}

/// The figures of the `localisation` block of an evaluation, fractions between 0 and 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Localization {
    /// The share of images whose dominant face overlaps its given box by half.
    pub iou_0_5: f64,
    /// The true positive rate at one false positive in a hundred images.
    pub tpr_at_fppi_0_01: f64,
    /// The true positive rate at one false positive in ten images.
    pub tpr_at_fppi_0_1: f64,
    /// The mean overlap of the dominant face, a miss counting 0.
    pub mean_iou: f64,
    /// Images that have a given box: what the shares are taken of.
    #[serde(rename = "pictures")]
    pub images: usize,
    /// Recall at 0.1 FPPI against the overlap asked for (the paper's second curve).
    pub recall_against_overlap: Vec<RecallAt>,
}

/// One point of the recall curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RecallAt {
    /// The intersection over union asked for.
    pub overlap: f64,
    /// The share of given boxes found at 0.1 false positives per image.
    pub recall: f64,
}

/// All figures over the images that have a given box; `None` when none has.
pub fn localization(images: &[Located]) -> Option<Localization> {
    let boxed: Vec<&Located> = images.iter().filter(|image| !image.given.is_empty()).collect();
    if boxed.is_empty() {
        return None;
    }
    let overlaps: Vec<f64> = boxed.iter().map(|image| f64::from(image.dominant_overlap())).collect();
    let curve = curve(&boxed, OVERLAP);
    Some(Localization {
        iou_0_5: metrics::mean(overlaps.iter().map(|&overlap| f64::from(overlap >= f64::from(OVERLAP)))),
        tpr_at_fppi_0_01: rate_at(&curve, 0.01),
        tpr_at_fppi_0_1: rate_at(&curve, 0.1),
        mean_iou: metrics::mean(overlaps),
        images: boxed.len(),
        recall_against_overlap: recall_against_overlap(&boxed, 0.1),
    })
}

/// One point of the curve of true positive rate against false positives per image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurvePoint {
    /// Boxes count from this score on.
    pub threshold: f32,
    /// False positives, divided by the number of images.
    pub false_positives_per_image: f64,
    /// The share of given boxes that were found.
    pub true_positive_rate: f64,
}

/// The curve, one point a distinct score, from the highest score down. A found box, best first, takes the free given
/// box it overlaps most, if by `overlap` at least; a box that finds none left is a false positive.
pub fn curve(images: &[&Located], overlap: f32) -> Vec<CurvePoint> {
    let given: usize = images.iter().map(|image| image.given.len()).sum();
    let mut answers: Vec<(f32, bool)> = images.iter().flat_map(|image| matched(image, overlap)).collect();
    answers.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut found, mut wrong) = (0_usize, 0_usize);
    answers
        .chunk_by(|a, b| a.0 == b.0)
        .map(|tied| {
            found += tied.iter().filter(|(_, hit)| *hit).count();
            wrong += tied.iter().filter(|(_, hit)| !*hit).count();
            CurvePoint {
                threshold: tied.first().map_or(f32::NEG_INFINITY, |(score, _)| *score),
                false_positives_per_image: ratio(wrong, images.len()),
                true_positive_rate: ratio(found, given),
            }
        })
        .collect()
}

/// The best true positive rate of the curve with at most so many false positives per image.
pub fn rate_at(curve: &[CurvePoint], false_positives_per_image: f64) -> f64 {
    curve
        .iter()
        .filter(|point| point.false_positives_per_image <= false_positives_per_image)
        .map(|point| point.true_positive_rate)
        .fold(0.0, f64::max)
}

/// Recall at so many false positives per image, for overlaps from 0.3 to 0.9 in steps of 0.1.
pub fn recall_against_overlap(images: &[&Located], false_positives_per_image: f64) -> Vec<RecallAt> {
    (3..=9_u8)
        .map(|tenths| {
            let overlap = f64::from(tenths) / 10.0;
            let recall = rate_at(&curve(images, overlap as f32), false_positives_per_image);
            RecallAt { overlap, recall }
        })
        .collect()
}

/// Score and whether it is a true positive, for every box found in one image.
fn matched(image: &Located, overlap: f32) -> Vec<(f32, bool)> {
    let mut found = image.found.clone();
    found.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut free: Vec<&Rect> = image.given.iter().collect();
    found
        .into_iter()
        .map(|(rect, score)| {
            let best = free
                .iter()
                .enumerate()
                .map(|(index, given)| (index, finite(rect.iou(**given))))
                .max_by(|a, b| a.1.total_cmp(&b.1));
            match best {
                Some((index, iou)) if iou >= overlap => {
                    free.swap_remove(index);
                    (score, true)
                }
                _ => (score, false),
            }
        })
        .collect()
}

fn finite(overlap: f32) -> f32 {
    if overlap.is_finite() { overlap } else { 0.0 }
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn square(x: f32, y: f32, side: f32) -> Rect {
        Rect { x, y, width: side, height: side }
    }

    fn image(found: &[(Rect, f32)], given: &[Rect]) -> Located {
        Located { found: found.to_vec(), given: given.to_vec() }
    }

    #[test]
    fn figures_by_hand() {
        let face = square(10.0, 10.0, 10.0);
        let images = [
            // Exact, with a weaker false alarm beside it.
            image(&[(face, 0.9), (square(60.0, 60.0, 10.0), 0.3)], &[face]),
            // Shifted by half a side: 50 / 150, a miss.
            image(&[(square(15.0, 10.0, 10.0), 0.8)], &[face]),
            // Shifted by a fifth: 80 / 120.
            image(&[(square(12.0, 10.0, 10.0), 0.7)], &[face]),
            image(&[], &[face]),
            // Without a given box: says nothing about localization.
            image(&[(face, 0.95)], &[]),
        ];
        let figures = localization(&images).unwrap();
        assert_eq!(figures.images, 4);
        assert!((figures.iou_0_5 - 0.5).abs() < 1e-6);
        assert!((figures.mean_iou - (1.0 + 1.0 / 3.0 + 2.0 / 3.0) / 4.0).abs() < 1e-6);
        // Before the first false alarm (0.8) one of four faces is found.
        assert!((figures.tpr_at_fppi_0_01 - 0.25).abs() < 1e-6);
        let all: Vec<&Located> = images[..4].iter().collect();
        assert!((rate_at(&curve(&all, OVERLAP), 0.25) - 0.5).abs() < 1e-6);
        assert!((rate_at(&curve(&all, 0.3), 0.0) - 0.75).abs() < 1e-6);
        assert!(figures.recall_against_overlap.windows(2).all(|pair| pair[0].recall >= pair[1].recall));
    }

    #[test]
    fn one_given_box_is_found_once() {
        let face = square(0.0, 0.0, 10.0);
        let twice = image(&[(face, 0.9), (face, 0.8)], &[face]);
        let points = curve(&[&twice], OVERLAP);
        assert_eq!(points.len(), 2);
        assert_eq!(points[0].false_positives_per_image, 0.0);
        assert_eq!(points[1].false_positives_per_image, 1.0);
        assert_eq!(points[1].true_positive_rate, 1.0);
    }

    #[test]
    fn equal_scores_are_one_point() {
        let face = square(0.0, 0.0, 10.0);
        let hit = image(&[(face, 0.5)], &[face]);
        let alarm = image(&[(square(50.0, 0.0, 10.0), 0.5)], &[face]);
        assert_eq!(curve(&[&hit, &alarm], OVERLAP).len(), 1);
        assert_eq!(rate_at(&curve(&[&hit, &alarm], OVERLAP), 0.1), 0.0);
    }

    #[test]
    fn without_boxes_there_is_no_localization() {
        assert_eq!(localization(&[image(&[(square(0.0, 0.0, 1.0), 1.0)], &[])]), None);
        assert_eq!(localization(&[]), None);
    }
}
