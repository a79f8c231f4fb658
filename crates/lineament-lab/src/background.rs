//! Telling faces from everything else: face photos against images without a face (the paper's section 4, "Threshold").

use serde::{Deserialize, Serialize};

/// How well the best score of an image tells face photos from background images.
///
/// A found box is above the bundle's own threshold already. Where fewer background images alarm at that threshold
/// than are allowed, the rate is the rate at that threshold: a lower bound of what a looser one would give.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Background {
    /// Background images looked at.
    #[serde(rename = "pictures")]
    pub images: usize,
    /// Background images in which a face was found at the bundle's own threshold.
    pub alarms: usize,
    /// Face photos looked at.
    #[serde(rename = "face_pictures")]
    pub face_images: usize,
    /// The share of face photos with a face found at the bundle's own threshold, wherever it is.
    pub true_positive_rate: f64,
    /// The share of face photos whose best score is above the threshold that lets at most one in a hundred background
    /// images alarm.
    pub tpr_at_1_in_100: f64,
    /// That threshold (scores above it count); absent where the bundle's own threshold lets no more through.
    pub threshold_at_1_in_100: Option<f32>,
}

/// Compares the best score of each image (`None`: no face was found).
pub fn background(faces: &[Option<f32>], background: &[Option<f32>]) -> Background {
    let found = faces.iter().flatten().count();
    let mut alarms: Vec<f32> = background.iter().flatten().copied().collect();
    alarms.sort_by(|a, b| b.total_cmp(a));
    let allowed = background.len() / 100;
    let threshold = alarms.get(allowed).copied();
    let above = match threshold {
        Some(threshold) => faces.iter().flatten().filter(|&&score| score > threshold).count(),
        None => found,
    };
    let share = |count: usize| if faces.is_empty() { 0.0 } else { count as f64 / faces.len() as f64 };
    Background {
        images: background.len(),
        alarms: alarms.len(),
        face_images: faces.len(),
        true_positive_rate: share(found),
        tpr_at_1_in_100: share(above),
        threshold_at_1_in_100: threshold,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_alarm_in_a_hundred_sets_the_threshold() {
        let mut empty = vec![None; 97];
        empty.extend([Some(0.9), Some(0.6), Some(0.2)]);
        let faces = [Some(0.95), Some(0.7), Some(0.6), None];
        let figures = background(&faces, &empty);
        assert_eq!(figures.threshold_at_1_in_100, Some(0.6));
        assert_eq!(figures.alarms, 3);
        // 0.95 and 0.7; 0.6 only equals the alarm.
        assert_eq!(figures.tpr_at_1_in_100, 0.5);
        assert_eq!(figures.true_positive_rate, 0.75);
    }

    #[test]
    fn few_alarms_leave_the_bundles_own_threshold() {
        let mut empty = vec![None; 199];
        empty.push(Some(0.9));
        let figures = background(&[Some(0.1), None], &empty);
        assert_eq!(figures.threshold_at_1_in_100, None);
        assert_eq!(figures.tpr_at_1_in_100, 0.5);
    }

    #[test]
    fn nothing_at_all_is_zero() {
        let figures = background(&[], &[]);
        assert_eq!((figures.tpr_at_1_in_100, figures.true_positive_rate), (0.0, 0.0));
    }
}
