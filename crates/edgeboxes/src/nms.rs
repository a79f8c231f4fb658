//! Greedy non-maximum suppression of thousands of windows, which stops when there are enough.

use crate::{Proposal, Window};

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
    fn put(&mut self, lane: usize, window: &Window) {
        let [x0, y0, x1, y1] = sides(window);
        self.x0[lane] = x0;
        self.y0[lane] = y0;
        self.x1[lane] = x1;
        self.y1[lane] = y1;
        self.area[lane] = (x1 - x0) * (y1 - y0);
    }

    /// Whether any of them may overlap a window by more than `iou`: never wrong in saying no.
    fn may_overlap(&self, window: &Window, iou: f32) -> bool {
        let [x0, y0, x1, y1] = sides(window);
        let area = (x1 - x0) * (y1 - y0);
        let mut near = [0u32; LANES];
        for (lane, near) in near.iter_mut().enumerate() {
            let width = least(x1, self.x1[lane]) - most(x0, self.x0[lane]);
            let height = least(y1, self.y1[lane]) - most(y0, self.y0[lane]);
            let shared = most(width, 0.0) * most(height, 0.0);
            let either = area + self.area[lane] - shared;
            // Rounding is far below a thousandth.
            *near = u32::from(shared * 1.001 > iou * either);
        }
        near.into_iter().fold(0, |any, one| any | one) != 0
    }
}

/// Numbers of pixels are exact in single precision, an image having fewer than 2^24 a side.
fn sides(window: &Window) -> [f32; 4] {
    [window.x0, window.y0, window.x1, window.y1].map(|side| side as f32)
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
pub(crate) fn strongest(sorted: &[(Window, f32)], iou: f32, count: usize) -> Vec<Proposal> {
    let mut found: Vec<Proposal> = Vec::new();
    let mut blocks: Vec<Kept> = Vec::new();
    for &(window, score) in sorted {
        if found.len() >= count {
            break;
        }
        let overlaps = |better: &[Proposal]| better.iter().any(|better| better.window.iou(&window) > iou);
        let mut near =
            blocks.iter().zip(found.chunks(LANES)).filter(|(block, _)| block.may_overlap(&window, iou));
        if near.any(|(_, better)| overlaps(better)) {
            continue;
        }
        let lane = found.len() % LANES;
        if lane == 0 {
            blocks.push(Kept::default());
        }
        if let Some(block) = blocks.last_mut() {
            block.put(lane, &window);
        }
        found.push(Proposal { window, score });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The plain twin: every window against all that are kept.
    fn one_by_one(sorted: &[(Window, f32)], iou: f32, count: usize) -> Vec<Proposal> {
        let mut kept: Vec<Proposal> = Vec::new();
        for &(window, score) in sorted {
            if kept.len() < count && kept.iter().all(|better| better.window.iou(&window) <= iou) {
                kept.push(Proposal { window, score });
            }
        }
        kept
    }

    proptest! {
        #[test]
        fn windows_kept_are_those_of_the_plain_twin(
            corners in prop::collection::vec((0usize..30, 0usize..30, 1usize..40, 1usize..40), 0..200),
            iou in prop::sample::select(vec![0.0f32, 0.25, 0.5, 0.65, 0.75, 1.0]), count in 1usize..100, far in 0usize..2,
        ) {
            // Far from the origin as well, where numbers are large.
            let windows: Vec<(Window, f32)> = corners
                .iter()
                .map(|&(x, y, w, h)| (x + far * 4000, y, w * (1 + far * 90), h))
                .map(|(x0, y0, w, h)| (Window { x0, y0, x1: x0 + w, y1: y0 + h }, 1.0))
                .collect();
            prop_assert_eq!(strongest(&windows, iou, count), one_by_one(&windows, iou, count));
        }
    }
}
