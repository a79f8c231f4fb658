//! Candidate windows scored on a response map (paper, section 3.1): the sum of the responses inside a window
//! over its size; an image scores as its best window.

use super::super::response::ResponseMap;
use crate::geometry::{Rect, suppress};
use edgeboxes::Integral;

/// Scores windows on one map.
#[derive(Debug)]
pub struct WindowScorer<'a> {
    map: &'a ResponseMap,
    integral: Integral,
    size_power: f64,
}

impl<'a> WindowScorer<'a> {
    /// A scorer that divides sums by `size^size_power`, the size being a share of the map: 1 is the paper's
    /// mean of the responses inside; less lets large windows win over the few cells around a peak.
    pub fn new(map: &'a ResponseMap, size_power: f32) -> Self {
        Self { map, integral: map.integral(), size_power: f64::from(size_power) }
    }

    /// The score of a window, in pixels of the image: cells count by the part inside, and beyond the map
    /// there is no response. Zero for a window without extent.
    pub fn score(&self, window: Rect) -> f32 {
        let (x, y) = self.map.cells().span(window);
        let cells = (self.map.width() * self.map.height()) as f64;
        let share = (x.end - x.start) * (y.end - y.start) / cells;
        // Not `share <= 0`, so that what is not a number is turned away as well.
        if !(share > 0.0 && share.is_finite()) {
            return 0.0;
        }
        (self.integral.over(x, y) / cells / share.powf(self.size_power)) as f32
    }

    /// Each window with its score, in the order given.
    pub fn score_all(&self, windows: impl IntoIterator<Item = Rect>) -> Vec<(Rect, f32)> {
        windows.into_iter().map(|window| (window, self.score(window))).collect()
    }
}

/// The score of an image: that of its best window; none without windows.
pub fn image_score(scored: &[(Rect, f32)]) -> Option<f32> {
    best_window(scored).map(|(_, score)| score)
}

/// The best window, of equal ones the first; none without windows.
pub fn best_window(scored: &[(Rect, f32)]) -> Option<(Rect, f32)> {
    scored.iter().copied().reduce(|best, next| if next.1 > best.1 { next } else { best })
}

/// The windows that reach the threshold and overlap no better one by more than `iou`; best first, `limit` at
/// most.
pub fn best_windows(scored: Vec<(Rect, f32)>, threshold: f32, iou: f32, limit: usize) -> Vec<(Rect, f32)> {
    let reached = scored.into_iter().filter(|(_, score)| *score >= threshold).collect();
    let mut best = suppress(reached, iou);
    best.truncate(limit);
    best
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::geometry::Point;
    use crate::locate::Cells;
    use proptest::prelude::*;

    const CELLS: Cells = Cells { origin: Point::new(8.0, 8.0), stride: Point::new(16.0, 16.0) };

    fn map(values: Vec<f32>) -> ResponseMap {
        ResponseMap::new(4, 4, values, CELLS).unwrap()
    }

    #[test]
    fn the_papers_score_is_the_mean_inside() {
        let map = map((0..16).map(|v| v as f32).collect());
        let scorer = WindowScorer::new(&map, 1.0);
        assert_eq!(scorer.score(Rect::new(16.0, 16.0, 32.0, 32.0)), 7.5);
        assert_eq!(scorer.score(map.extent()), 7.5);
        assert_eq!(scorer.score(Rect::new(0.0, 0.0, 8.0, 8.0)), 0.0);
        assert_eq!(scorer.score(Rect::new(48.0, 48.0, 4.0, 4.0)), 15.0);
        // Half of the window lies beyond the map.
        assert_eq!(scorer.score(Rect::new(48.0, 48.0, 32.0, 16.0)), 7.5);
        for nothing in [Rect::new(3.0, 3.0, 0.0, 5.0), Rect::new(f32::NAN, 0.0, 1.0, f32::INFINITY)] {
            assert_eq!(scorer.score(nothing), 0.0);
        }
    }

    #[test]
    fn a_power_below_one_prefers_the_whole_blob_to_its_peak() {
        let blob = map(vec![0., 0., 0., 0., 0., 8., 9., 0., 0., 8., 8., 0., 0., 0., 0., 0.]);
        let (peak, whole) = (Rect::new(32.0, 16.0, 16.0, 16.0), Rect::new(16.0, 16.0, 32.0, 32.0));
        let mean = WindowScorer::new(&blob, 1.0);
        assert!(mean.score(peak) > mean.score(whole));
        let root = WindowScorer::new(&blob, 0.5);
        assert!(root.score(whole) > root.score(peak) && root.score(whole) > root.score(blob.extent()));
    }

    #[test]
    fn the_best_windows_reach_the_threshold_and_lie_apart() {
        let rect = |x: f32| Rect::new(x, 0.0, 10.0, 10.0);
        let scored = vec![(rect(0.0), 0.4), (rect(1.0), 0.9), (rect(30.0), 0.5), (rect(60.0), 0.1)];
        let best = best_windows(scored.clone(), 0.2, 0.3, 10);
        assert_eq!(best, [(rect(1.0), 0.9), (rect(30.0), 0.5)]);
        assert_eq!(best_windows(scored.clone(), 0.2, 0.3, 1).len(), 1);
        assert_eq!(image_score(&scored), Some(0.9));
        assert_eq!(image_score(&[]), None);
    }

    proptest! {
        #[test]
        fn a_mean_lies_between_the_extremes_and_two_halves_make_a_whole(
            values in prop::collection::vec(0.0f32..5.0, 16),
            x in 0.0f32..50.0, y in 0.0f32..50.0, w in 1.0f32..14.0, h in 1.0f32..14.0,
        ) {
            let map = map(values);
            let (least, most) = map.range();
            let scorer = WindowScorer::new(&map, 1.0);
            let whole = Rect::new(x, y, w, h);
            let score = scorer.score(whole);
            prop_assert!(score >= least - 1e-3 && score <= most + 1e-3);
            let left = scorer.score(Rect::new(x, y, w / 2.0, h));
            let right = scorer.score(Rect::new(x + w / 2.0, y, w / 2.0, h));
            prop_assert!((f32::midpoint(left, right) - score).abs() < 1e-3);
        }
    }
}
