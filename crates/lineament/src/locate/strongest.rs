//! Greedy non-maximum suppression of thousands of windows, which stops when there are enough.

use super::box_score::PixelBox;
use crate::geometry::Rect;

/// Windows looked at at a time.
const LANES: usize = 16;

/// Sides and areas of windows that are kept; those of no extent overlap nothing.
#[derive(Default)]
struct Kept {
    x0: [f32; LANES],
    y0: [f32; LANES],
    x1: [f32; LANES],
    y1: [f32; LANES],
    area: [f32; LANES],
}

impl Kept {
    fn put(&mut self, lane: usize, window: Rect) {
        self.x0[lane] = window.x;
        self.y0[lane] = window.y;
        self.x1[lane] = window.right();
        self.y1[lane] = window.bottom();
        self.area[lane] = window.area();
    }

    /// Whether any of them may overlap a window by more than `iou`: never wrong in saying no.
    fn may_overlap(&self, window: Rect, iou: f32) -> bool {
        let (x1, y1, area) = (window.right(), window.bottom(), window.area());
        let mut near = [0u32; LANES];
        for (lane, near) in near.iter_mut().enumerate() {
            let width = least(x1, self.x1[lane]) - most(window.x, self.x0[lane]);
            let height = least(y1, self.y1[lane]) - most(window.y, self.y0[lane]);
            let shared = most(width, 0.0) * most(height, 0.0);
            let either = area + self.area[lane] - shared;
            // Rounding is far below a thousandth.
            *near = u32::from(shared * 1.001 > iou * either);
        }
        near.into_iter().fold(0, |any, one| any | one) != 0
    }
}

/// As `f32::min` for numbers, in one instruction.
fn least(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

/// As `f32::max` for numbers, in one instruction.
fn most(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

/// The first `count` of windows, best first, of which no two overlap by more than `iou`.
pub(super) fn strongest(sorted: &[(PixelBox, f32)], iou: f32, count: usize) -> Vec<(Rect, f32)> {
    let mut found: Vec<(Rect, f32)> = Vec::new();
    let mut blocks: Vec<Kept> = Vec::new();
    for &(window, score) in sorted {
        if found.len() >= count {
            break;
        }
        let rect = window.rect();
        let overlaps = |better: &[(Rect, f32)]| better.iter().any(|(better, _)| better.iou(rect) > iou);
        let mut near =
            blocks.iter().zip(found.chunks(LANES)).filter(|(block, _)| block.may_overlap(rect, iou));
        if near.any(|(_, better)| overlaps(better)) {
            continue;
        }
        let lane = found.len() % LANES;
        if lane == 0 {
            blocks.push(Kept::default());
        }
        if let Some(block) = blocks.last_mut() {
            block.put(lane, rect);
        }
        found.push((rect, score));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The plain twin: every window against all that are kept.
    fn one_by_one(sorted: &[(PixelBox, f32)], iou: f32, count: usize) -> Vec<(Rect, f32)> {
        let mut kept: Vec<(Rect, f32)> = Vec::new();
        for &(window, score) in sorted {
            let rect = window.rect();
            if kept.len() < count && kept.iter().all(|(better, _)| better.iou(rect) <= iou) {
                kept.push((rect, score));
            }
        }
        kept
    }

    proptest! {
        #[test]
        fn windows_kept_are_those_of_the_plain_twin(
            places in prop::collection::vec((0usize..30, 0usize..30, 1usize..40, 1usize..40), 0..200),
            iou in prop::sample::select(vec![0.0f32, 0.25, 0.5, 0.65, 0.75, 1.0]), count in 1usize..100, far in 0usize..2,
        ) {
            // Far from the origin as well, where numbers are large.
            let windows: Vec<(PixelBox, f32)> = places
                .iter()
                .map(|&(x, y, w, h)| (x + far * 4000, y, w * (1 + far * 90), h))
                .map(|(x0, y0, w, h)| (PixelBox { x0, y0, x1: x0 + w, y1: y0 + h }, 1.0))
                .collect();
            prop_assert_eq!(strongest(&windows, iou, count), one_by_one(&windows, iou, count));
        }
    }
}
