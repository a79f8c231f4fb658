//! Where every map of a pass lies: all of them in one arena, each with room for the padding that its readers ask for.

use super::plan::{Plan, Slot, Step};
use crate::Shape;

/// The maps of a group of items in the arena: `[items, height + 2 padding, width + 2 padding, channels]` from `offset` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct At {
    pub(crate) offset: usize,
    pub(crate) shape: Shape,
    pub(crate) padding: usize,
}

impl At {
    /// Values of a row, padding included.
    pub(crate) fn line(&self) -> usize {
        (self.shape.width + 2 * self.padding) * self.shape.channels
    }

    /// Values of one item's map, padding included.
    pub(crate) fn item(&self) -> usize {
        (self.shape.height + 2 * self.padding) * self.line()
    }

    /// Where a pixel of an item lies, counted from `offset`. Rows and columns count from `margin` pixels outside of the map.
    pub(crate) fn pixel(&self, item: usize, margin: usize, row: usize, column: usize) -> usize {
        let inward = self.padding - margin;
        item * self.item() + (row + inward) * self.line() + (column + inward) * self.shape.channels
    }

    /// Sets the padding to zero: the memory held other maps before.
    pub(crate) fn clear(&self, items: usize, values: &mut [f32]) {
        if self.padding == 0 {
            return;
        }
        let (line, side) = (self.line(), self.padding * self.shape.channels);
        for item in values[..items * self.item()].chunks_exact_mut(self.item().max(1)) {
            let (top, rest) = item.split_at_mut(self.padding * line);
            let (rows, bottom) = rest.split_at_mut(self.shape.height * line);
            top.fill(0.0);
            bottom.fill(0.0);
            for row in rows.chunks_exact_mut(line) {
                row[..side].fill(0.0);
                row[line - side..].fill(0.0);
            }
        }
    }
}

/// Where a step reads and writes. A step that works in place reads where it writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ends {
    pub(crate) input: At,
    pub(crate) output: At,
    /// Whether `output` is a new map, whose padding has to be cleared.
    pub(crate) fresh: bool,
}

/// All maps of a pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) input: At,
    pub(crate) output: At,
    /// One a step.
    pub(crate) ends: Vec<Ends>,
    /// Values of the arena.
    pub(crate) len: usize,
}

/// A map from the step that makes it to the last that reads it.
struct Life {
    shape: Shape,
    padding: usize,
    born: usize,
    last: usize,
}

impl Layout {
    /// Lays out the maps of `items` items of shape `input`. `None` when the arena would hold more than `most` values.
    pub(crate) fn new(plan: &Plan, input: Shape, items: usize, most: usize) -> Option<Self> {
        let mut lives = vec![Life { shape: input, padding: 0, born: 0, last: 0 }];
        let mut holds: Vec<usize> = vec![0; plan.slots];
        let mut maps = Vec::with_capacity(plan.steps.len());
        for (index, step) in plan.steps.iter().enumerate() {
            let (from, to) = (step.input(), step.slot());
            let read = holds[from];
            lives[read].padding = lives[read].padding.max(step.padding());
            lives[read].last = index + 1;
            let fresh = step.makes_a_map();
            if fresh {
                lives.push(Life {
                    shape: step.output(lives[read].shape),
                    padding: 0,
                    born: index + 1,
                    last: index + 1,
                });
                holds[to] = lives.len() - 1;
            } else {
                lives[holds[to]].last = index + 1;
            }
            maps.push((read, holds[to], fresh));
        }
        let last = holds[plan.output];
        lives[last].last = plan.steps.len() + 1;
        let (places, len) = place(&lives, items, most)?;
        let ends = maps.into_iter().map(|(input, output, fresh)| Ends {
            input: places[input],
            output: places[output],
            fresh,
        });
        Some(Self { input: places[0], output: places[last], ends: ends.collect(), len })
    }
}

/// Gives every map the lowest room that is free for as long as it lives. A map is born and read within one step at the earliest, so what a step
/// reads and what it makes never overlap.
fn place(lives: &[Life], items: usize, most: usize) -> Option<(Vec<At>, usize)> {
    let mut placed: Vec<(usize, usize, usize)> = Vec::new();
    let (mut places, mut len) = (Vec::with_capacity(lives.len()), 0);
    for life in lives {
        let at = At { offset: 0, shape: life.shape, padding: life.padding };
        let side = |n: usize| life.padding.checked_mul(2)?.checked_add(n);
        let pixels = side(life.shape.height)?.checked_mul(side(life.shape.width)?)?;
        let size =
            pixels.checked_mul(life.shape.channels)?.checked_mul(items)?.checked_next_multiple_of(ALIGNED)?;
        placed.retain(|(_, _, last)| *last >= life.born);
        let mut offset = 0usize;
        for (start, end, _) in &placed {
            if offset.checked_add(size)? <= *start {
                break;
            }
            offset = offset.max(*end);
        }
        let end = offset.checked_add(size).filter(|end| *end <= most)?;
        len = len.max(end);
        places.push(At { offset, ..at });
        placed.push((offset, end, life.last));
        placed.sort_unstable();
    }
    Some((places, len))
}

/// Maps begin at multiples of 64 bytes.
const ALIGNED: usize = 16;

impl Step {
    /// The slot that is read.
    pub(crate) fn input(&self) -> Slot {
        match self {
            Self::Convolve { input, .. }
            | Self::ConvolveCells { input, .. }
            | Self::Multiply { input, .. }
            | Self::Pool { input, .. }
            | Self::Copy { input, .. }
            | Self::Add { input, .. } => *input,
            Self::Normalise { slot, .. } | Self::Activate { slot, .. } => *slot,
        }
    }

    /// The slot that is written.
    fn slot(&self) -> Slot {
        match self {
            Self::Convolve { output, .. }
            | Self::ConvolveCells { output, .. }
            | Self::Multiply { output, .. }
            | Self::Pool { output, .. }
            | Self::Copy { output, .. } => *output,
            Self::Normalise { slot, .. } | Self::Activate { slot, .. } => *slot,
            Self::Add { into, .. } => *into,
        }
    }

    /// Whether it writes a new map rather than onto one that is there.
    fn makes_a_map(&self) -> bool {
        match self {
            Self::Convolve { accumulate, .. } => !accumulate,
            Self::ConvolveCells { .. } | Self::Multiply { .. } | Self::Pool { .. } | Self::Copy { .. } => {
                true
            }
            Self::Normalise { .. } | Self::Activate { .. } | Self::Add { .. } => false,
        }
    }

    /// Zeros that it reads around its input.
    fn padding(&self) -> usize {
        match self {
            Self::Convolve { convolution, .. } | Self::ConvolveCells { convolution, .. } => {
                convolution.window.padding
            }
            _ => 0,
        }
    }

    /// What becomes of a map of shape `input`.
    pub(crate) fn output(&self, input: Shape) -> Shape {
        match self {
            Self::Convolve { convolution, .. } | Self::ConvolveCells { convolution, .. } => {
                convolution.output(input)
            }
            Self::Multiply { matrix, .. } => Shape::new(matrix.outputs, 1, 1),
            Self::Pool { window, .. } => window.slide(input),
            Self::Copy { .. } | Self::Normalise { .. } | Self::Activate { .. } | Self::Add { .. } => input,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn life(channels: usize, padding: usize, born: usize, last: usize) -> Life {
        Life { shape: Shape::new(channels, 2, 2), padding, born, last }
    }

    #[test]
    fn maps_that_live_together_lie_apart_and_memory_is_used_again() {
        let lives = [life(4, 0, 0, 1), life(4, 1, 1, 2), life(4, 0, 2, 3)];
        let (places, len) = place(&lives, 1, 1000).unwrap();
        assert_eq!(places.iter().map(|at| at.offset).collect::<Vec<_>>(), [0, 16, 0]);
        assert_eq!(len, 16 + 64);
    }

    #[test]
    fn what_would_overflow_is_refused() {
        assert!(place(&[life(4, 0, 0, 1)], 1, 15).is_none());
        assert!(place(&[life(4, 0, 0, 1)], usize::MAX / 4, usize::MAX).is_none());
        assert!(place(&[life(usize::MAX, 0, 0, 1)], 1, usize::MAX).is_none());
        assert!(place(&[life(4, usize::MAX / 2, 0, 1)], 1, usize::MAX).is_none());
    }

    #[test]
    fn only_padding_is_cleared() {
        let at = At { offset: 0, shape: Shape::new(1, 1, 2), padding: 1 };
        let mut values = [1.0; 12];
        at.clear(1, &mut values);
        assert_eq!(values, [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(at.pixel(0, 0, 0, 1), 6);
        assert_eq!(at.pixel(0, 1, 0, 1), 1);
    }
}
