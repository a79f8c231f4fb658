//! How far probabilities can be believed: reliability curves and the expected calibration error.

use serde::Serialize;

use super::Answered;
use super::groups::Grouping;

/// Bins of equal width between 0 and 1.
pub const BINS: usize = 10;

/// The answers whose probabilities lie in one bin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Bin {
    /// How many there are.
    pub count: u64,
    /// The mean of their probabilities; 0 without any.
    pub probability: f64,
    /// The share of them that has the attribute; 0 without any.
    pub present: f64,
}

/// The reliability curve of probabilities (each from 0 to 1) and truths, in [`BINS`] bins; bin `b` holds `b/10 <= p <
/// (b+1)/10`, the last one 1, too.
pub fn curve(answers: impl IntoIterator<Item = (f32, bool)>) -> [Bin; BINS] {
    let mut bins = [Bin::default(); BINS];
    for (probability, truth) in answers {
        let place = (f64::from(probability) * BINS as f64).max(0.0) as usize;
        if let Some(bin) = bins.get_mut(place.min(BINS - 1)) {
            bin.count += 1;
            bin.probability += f64::from(probability);
            bin.present += f64::from(u8::from(truth));
        }
    }
    for bin in bins.iter_mut().filter(|bin| bin.count > 0) {
        bin.probability /= bin.count as f64;
        bin.present /= bin.count as f64;
    }
    bins
}

/// The expected calibration error of a curve: the distance of probability and share, averaged over answers. 0 of none.
pub fn expected_error(bins: &[Bin]) -> f64 {
    let count: u64 = bins.iter().map(|bin| bin.count).sum();
    let apart = |bin: &Bin| bin.count as f64 * (bin.probability - bin.present).abs();
    bins.iter().map(apart).sum::<f64>() / count.max(1) as f64
}

/// The curve of one attribute in one group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CalibrationRow {
    /// What images are grouped by.
    pub by: String,
    /// The group.
    pub group: String,
    /// The attribute.
    pub attribute: String,
    /// Labelled images.
    #[serde(rename = "pictures")]
    pub images: u64,
    /// The expected calibration error.
    pub expected_error: f64,
    /// The curve.
    pub bins: [Bin; BINS],
}

pub(super) fn rows(images: &[Answered], names: &[&str], groupings: &[Grouping]) -> Vec<CalibrationRow> {
    let mut rows = Vec::new();
    for grouping in groupings {
        for (group, members) in grouping.split(images) {
            for (index, name) in names.iter().enumerate() {
                let known = members.iter().filter_map(|image| {
                    let truth = (*image.tags.get(index)?)?;
                    Some((image.answers.get(index)?.probability, truth))
                });
                let bins = curve(known);
                let images = bins.iter().map(|bin| bin.count).sum();
                if images > 0 {
                    rows.push(CalibrationRow {
                        by: grouping.name(names),
                        group: group.to_owned(),
                        attribute: (*name).to_owned(),
                        images,
                        expected_error: expected_error(&bins),
                        bins,
                    });
                }
            }
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROBABILITIES: [f32; 20] = [
        0.02, 0.07, 0.13, 0.18, 0.24, 0.31, 0.36, 0.45, 0.47, 0.52, 0.58, 0.63, 0.71, 0.74, 0.79, 0.83, 0.88,
        0.92, 0.97, 0.99,
    ];
    const TRUTHS: [u8; 20] = [0, 0, 0, 1, 0, 0, 1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 0];

    /// What scikit-learn's `calibration_curve(truths, probabilities, n_bins=10)` gives.
    const PRESENT: [f64; 10] = [0.0, 0.5, 0.0, 0.5, 0.5, 0.5, 1.0, 0.666667, 1.0, 0.666667];
    const MEANS: [f64; 10] = [0.045, 0.155, 0.24, 0.335, 0.46, 0.55, 0.63, 0.746667, 0.855, 0.96];

    #[test]
    fn the_curve_is_that_of_scikit_learn() {
        let bins = curve(PROBABILITIES.into_iter().zip(TRUTHS.map(|truth| truth == 1)));
        for ((bin, present), mean) in bins.iter().zip(PRESENT).zip(MEANS) {
            assert!((bin.present - present).abs() < 1e-6 && (bin.probability - mean).abs() < 1e-6, "{bin:?}");
        }
        // numpy: the same bins' distances, weighted by their counts.
        assert!((expected_error(&bins) - 0.1655).abs() < 1e-6);
    }

    #[test]
    fn the_ends_belong_to_the_outermost_bins_and_nothing_has_no_error() {
        let bins = curve([(0.0, false), (1.0, true), (1.0, false)]);
        assert_eq!((bins[0].count, bins[BINS - 1].count), (1, 2));
        assert_eq!(expected_error(&curve([])), 0.0);
    }
}
