//! Non-maximum suppression by votes: what is suppressed has a say in where the face is.

use std::collections::HashMap;

use super::parameters::WindowToBox;
use super::window::Window;
use crate::geometry::{Point, Rect};

/// The best of windows whose faces overlap, best first; of two that are kept, the face boxes that they had overlapped by no
/// more than `overlap`.
///
/// A kept window lies at the mean of itself and those that gave way to it, each weighted by its odds (the exponential of its
/// response), and keeps its own response. The order in which windows come changes nothing.
pub(super) fn thinned(mut windows: Vec<Window>, to_box: &WindowToBox, overlap: f32) -> Vec<Window> {
    let key = |w: &Window| [-w.score, w.centre.y, w.centre.x, w.side, w.roll];
    windows.sort_by(|a, b| {
        let pairs = key(a).into_iter().zip(key(b));
        pairs.map(|(a, b)| a.total_cmp(&b)).find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
    });
    let mut index = Index::new(overlap);
    let mut kept: Vec<Votes> = Vec::new();
    for window in windows {
        let face = window.face(to_box);
        match index.best_over(face, overlap).and_then(|better| kept.get_mut(better)) {
            Some(better) => better.add(&window),
            None => {
                index.insert(face);
                kept.push(Votes::of(window));
            }
        }
    }
    kept.iter().map(Votes::mean).collect()
}

/// A window and what others say about its place, relative to its own.
struct Votes {
    window: Window,
    weight: f64,
    centre: [f64; 2],
    /// Logarithms.
    side: f64,
    /// Degrees.
    roll: f64,
}

impl Votes {
    fn of(window: Window) -> Self {
        Self { window, weight: 1.0, centre: [0.0; 2], side: 0.0, roll: 0.0 }
    }

    fn add(&mut self, other: &Window) {
        let Self { window, .. } = self;
        let weight = f64::from(other.score - window.score).exp();
        let turned = f64::from(other.roll - window.roll);
        self.weight += weight;
        self.centre[0] += weight * f64::from(other.centre.x - window.centre.x);
        self.centre[1] += weight * f64::from(other.centre.y - window.centre.y);
        self.side += weight * f64::from(other.side / window.side).ln();
        self.roll += weight * (turned - 360.0 * (turned / 360.0).round());
    }

    fn mean(&self) -> Window {
        let Self { window, weight, centre: [x, y], side, roll } = self;
        let turned = window.roll + (roll / weight) as f32;
        Window {
            centre: Point::new(window.centre.x + (x / weight) as f32, window.centre.y + (y / weight) as f32),
            side: window.side * (side / weight).exp() as f32,
            roll: turned - 360.0 * (turned / 360.0).round(),
            score: window.score,
        }
    }
}

/// Boxes by size and place, so that a box meets only those that it may overlap: a photo of noise has a hundred thousand.
struct Index {
    boxes: Vec<Rect>,
    /// By the power of two below the longer side, and the square of twice that side that the centre lies in.
    cells: HashMap<[i32; 3], Vec<usize>>,
    /// Boxes with more powers of two between them overlap by less.
    reach: i32,
}

impl Index {
    fn new(overlap: f32) -> Self {
        // Boxes of one shape have an IoU of at most the square of the ratio of their sides; those of a turned face are somewhat
        // shorter and wider.
        let reach = overlap.clamp(1e-3, 1.0).sqrt().log2().abs().ceil() as i32 + 1;
        Self { boxes: Vec::new(), cells: HashMap::new(), reach }
    }

    fn power(rect: Rect) -> i32 {
        rect.width.max(rect.height).max(f32::MIN_POSITIVE).log2().floor() as i32
    }

    fn insert(&mut self, rect: Rect) {
        let (power, centre) = (Self::power(rect), rect.centre());
        let cell = 2f32.powi(power + 1);
        let key = [power, (centre.x / cell).floor() as i32, (centre.y / cell).floor() as i32];
        self.cells.entry(key).or_default().push(self.boxes.len());
        self.boxes.push(rect);
    }

    /// The first of the boxes that overlaps `rect` by more than `overlap`.
    fn best_over(&self, rect: Rect, overlap: f32) -> Option<usize> {
        let power = Self::power(rect);
        let mut best: Option<usize> = None;
        for power in power - self.reach..=power + self.reach {
            let cell = 2f32.powi(power + 1);
            // Boxes of the cell reach half of it beyond their centres.
            let cells = |from: f32, to: f32| {
                ((from - cell / 2.0) / cell).floor() as i32..=((to + cell / 2.0) / cell).floor() as i32
            };
            for row in cells(rect.y, rect.bottom()) {
                for column in cells(rect.x, rect.right()) {
                    let Some(near) = self.cells.get(&[power, column, row]) else { continue };
                    let over = |&&number: &&usize| {
                        self.boxes.get(number).is_some_and(|other| other.iou(rect) > overlap)
                    };
                    let first = near.iter().find(over).copied();
                    best = best.into_iter().chain(first).min();
                }
            }
        }
        best
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::geometry::suppress;
    use proptest::prelude::*;

    const TO_BOX: WindowToBox = WindowToBox { right: 0.01, down: 0.06, width: 0.6, height: 0.8 };

    fn windows() -> impl Strategy<Value = Vec<Window>> {
        let one = (0.0f32..300.0, 0.0f32..300.0, 1.0f32..6.0, -180.0f32..180.0, -8.0f32..8.0);
        let window = |(x, y, size, roll, score): (f32, f32, f32, f32, f32)| Window {
            centre: Point::new(x, y),
            side: size.exp(),
            roll,
            score,
        };
        prop::collection::vec(one.prop_map(window), 0..60)
    }

    proptest! {
        #[test]
        fn what_is_kept_is_what_plain_suppression_keeps(windows in windows(), overlap in 0.05f32..1.0) {
            let plain = suppress(windows.iter().map(|w| (w.face(&TO_BOX), w.score)).collect(), overlap);
            let kept = thinned(windows, &TO_BOX, overlap);
            let scores = |kept: Vec<f32>| kept;
            prop_assert_eq!(
                scores(kept.iter().map(|w| w.score).collect()),
                scores(plain.iter().map(|(_, score)| *score).collect())
            );
        }

        #[test]
        fn the_order_changes_nothing(mut windows in windows()) {
            let before = thinned(windows.clone(), &TO_BOX, 0.3);
            windows.reverse();
            prop_assert_eq!(before, thinned(windows, &TO_BOX, 0.3));
        }
    }

    #[test]
    fn windows_that_give_way_have_a_vote() {
        let window = |x: f32, side: f32, roll: f32, score: f32| Window {
            centre: Point::new(x, 50.0),
            side,
            roll,
            score,
        };
        let alone = thinned(vec![window(50.0, 20.0, 5.0, 3.0)], &TO_BOX, 0.3);
        assert_eq!(alone, [window(50.0, 20.0, 5.0, 3.0)]);
        // Equal responses, equal weights; angles are averaged the short way around.
        let both = vec![window(50.0, 20.0, 178.0, 3.0), window(51.0, 20.0, -178.0, 3.0)];
        let [mean] = thinned(both, &TO_BOX, 0.3).try_into().unwrap();
        assert!((mean.centre.x - 50.5).abs() < 1e-4 && (mean.roll.abs() - 180.0).abs() < 1e-3, "{mean:?}");
        // One that is far weaker hardly counts.
        let weak = vec![window(50.0, 20.0, 0.0, 9.0), window(52.0, 25.0, 20.0, -3.0)];
        let [mean] = thinned(weak, &TO_BOX, 0.3).try_into().unwrap();
        assert!((mean.centre.x - 50.0).abs() < 1e-3 && (mean.side - 20.0).abs() < 1e-3, "{mean:?}");
        assert_eq!(mean.score, 9.0);
    }
}
