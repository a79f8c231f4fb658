//! From a window of the grid to the best one near it.

use crate::Window;
use crate::score::{BoxScorer, Scratch};

/// Refined windows have at least this many pixels a side.
const LEAST_SIDE: usize = 4;

/// Moves one side after the other, out or in, wherever the score rises, by half the step of the grid and then by half of
/// that, until the step is 2 pixels. `step_ratio` is the step of the grid over a window's side.
pub(crate) fn refined(
    scorer: &BoxScorer,
    start: Window,
    score: f32,
    step_ratio: f32,
    scratch: &mut Scratch,
) -> (Window, f32) {
    let (mut best, mut best_score) = (start, score);
    let mut step_x = (start.width() as f32 * step_ratio) as usize;
    let mut step_y = (start.height() as f32 * step_ratio) as usize;
    loop {
        (step_x, step_y) = (step_x / 2, step_y / 2);
        if step_x <= 2 && step_y <= 2 {
            return (best, best_score);
        }
        (step_x, step_y) = (step_x.max(1), step_y.max(1));
        for side in [Side::Top, Side::Bottom, Side::Left, Side::Right] {
            let step = if matches!(side, Side::Top | Side::Bottom) { step_y } else { step_x };
            // Inwards only where outwards did not help.
            for outwards in [true, false] {
                let moved = side.moved(&best, step, outwards, scorer.width(), scorer.height());
                if moved == best {
                    continue;
                }
                if let Some(better) = scorer.score_above(&moved, best_score, scratch) {
                    (best, best_score) = (moved, better);
                    break;
                }
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Side {
    Top,
    Bottom,
    Left,
    Right,
}

impl Side {
    /// The window with this side moved, not beyond the image; the same window where it would become too thin.
    fn moved(self, area: &Window, step: usize, outwards: bool, width: usize, height: usize) -> Window {
        let shifted = |at: usize, up: bool, limit: usize| {
            if up { (at + step).min(limit) } else { at.saturating_sub(step) }
        };
        let mut moved = *area;
        match self {
            Self::Top => moved.y0 = shifted(area.y0, !outwards, height),
            Self::Bottom => moved.y1 = shifted(area.y1, outwards, height),
            Self::Left => moved.x0 = shifted(area.x0, !outwards, width),
            Self::Right => moved.x1 = shifted(area.x1, outwards, width),
        }
        if moved.width() < LEAST_SIDE || moved.height() < LEAST_SIDE { *area } else { moved }
    }
}
