//! Where every map of a pass lies: all of them in one arena, each with room for the padding that its readers ask for.

use super::plan::{Plan, Slot, Step};
use super::step::Depthwise;
use crate::Shape;
use crate::kernel::gemm_u8i8::quantize::Scale;

/// The maps of a group of items in the arena: `[items, height + 2 padding, width + 2 padding, channels]` from `offset` on. Maps of bytes have lines of whole
/// numbers of the arena's values, and behind each item what its bytes stand for ([`Scale`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct At {
    pub(crate) offset: usize,
    pub(crate) shape: Shape,
    pub(crate) padding: usize,
    /// Whether lines and places count bytes; values of the arena, if not.
    pub(crate) bytes: bool,
}

/// Bytes of one of the arena's values.
const BYTES: usize = size_of::<f32>();
/// Bytes behind an item that say what the others stand for: a step and the byte of zero. A window may be read up to three bytes beyond the last line.
pub(crate) const SCALE: usize = 2 * BYTES;

impl At {
    /// Length of a row, padding included.
    pub(crate) fn line(&self) -> usize {
        let line = (self.shape.width + 2 * self.padding) * self.shape.channels;
        if self.bytes { line.next_multiple_of(BYTES) } else { line }
    }

    /// Length of one item's map, padding included.
    pub(crate) fn item(&self) -> usize {
        (self.shape.height + 2 * self.padding) * self.line() + if self.bytes { SCALE } else { 0 }
    }

    /// Values of the arena that `items` of them fill; `None` when there can't be as many.
    pub(crate) fn values(&self, items: usize) -> Option<usize> {
        let side = |n: usize| self.padding.checked_mul(2)?.checked_add(n);
        let line = side(self.shape.width)?.checked_mul(self.shape.channels)?;
        if self.bytes {
            let line = line.checked_next_multiple_of(BYTES)?;
            let item = side(self.shape.height)?.checked_mul(line)?.checked_add(SCALE)?;
            return (item / BYTES).checked_mul(items);
        }
        side(self.shape.height)?.checked_mul(line)?.checked_mul(items)
    }

    /// A place among the bytes or values as one among the arena's values.
    pub(crate) fn value(&self, place: usize) -> usize {
        if self.bytes { place / BYTES } else { place }
    }

    /// What the bytes of an item stand for. `map` begins at `offset`.
    pub(crate) fn scale(&self, item: usize, map: &[f32]) -> Scale {
        let end = (item + 1) * self.item() / BYTES;
        match map.get(end - 2..end) {
            Some([step, zero]) => Scale { step: *step, zero: *zero as u8 },
            _ => Scale { step: 1.0, zero: 0 },
        }
    }

    /// Where a pixel of an item lies, counted from `offset`. Rows and columns count from `margin` pixels outside of the map.
    pub(crate) fn pixel(&self, item: usize, margin: usize, row: usize, column: usize) -> usize {
        let inward = self.padding - margin;
        item * self.item() + (row + inward) * self.line() + (column + inward) * self.shape.channels
    }

    /// Sets the padding to zero: the memory held other maps before. That of bytes is written with them.
    pub(crate) fn clear(&self, items: usize, values: &mut [f32]) {
        if self.padding == 0 || self.bytes {
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
    /// Its offset is not known yet.
    at: At,
    born: usize,
    last: usize,
}

impl Layout {
    /// Lays out the maps of `items` items of shape `input`. `None` when the arena would hold more than `most` values.
    pub(crate) fn new(plan: &Plan, input: Shape, items: usize, most: usize) -> Option<Self> {
        let map = |shape, bytes| At { offset: 0, shape, padding: 0, bytes };
        let mut lives = vec![Life { at: map(input, false), born: 0, last: 0 }];
        let mut holds: Vec<usize> = vec![0; plan.slots];
        let mut maps = Vec::with_capacity(plan.steps.len());
        for (index, step) in plan.steps.iter().enumerate() {
            let (from, to) = (step.input(), step.slot());
            let read = holds[from];
            lives[read].at.padding = lives[read].at.padding.max(step.padding());
            lives[read].last = index + 1;
            let fresh = step.makes_a_map();
            if fresh {
                let bytes = matches!(step, Step::ToBytes { .. });
                let at = map(step.output(lives[read].at.shape), bytes);
                lives.push(Life { at, born: index + 1, last: index + 1 });
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
        let size = life.at.values(items)?.checked_next_multiple_of(ALIGNED)?;
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
        places.push(At { offset, ..life.at });
        placed.push((offset, end, life.last));
        placed.sort_unstable();
    }
    Some((places, len))
}

/// Maps begin at multiples of 64 bytes.
pub(crate) const ALIGNED: usize = 16;

impl Step {
    /// The slot that is read.
    pub(crate) fn input(&self) -> Slot {
        match self {
            Self::Convolve { input, .. }
            | Self::ConvolveCells { input, .. }
            | Self::Depthwise { input, .. }
            | Self::Multiply { input, .. }
            | Self::Pool { input, .. }
            | Self::Copy { input, .. }
            | Self::ToBytes { input, .. }
            | Self::Add { input, .. } => *input,
            Self::Normalise { slot, .. } | Self::Activate { slot, .. } => *slot,
        }
    }

    /// The slot that is written.
    pub(crate) fn slot(&self) -> Slot {
        match self {
            Self::Convolve { output, .. }
            | Self::ConvolveCells { output, .. }
            | Self::Depthwise { output, .. }
            | Self::Multiply { output, .. }
            | Self::Pool { output, .. }
            | Self::Copy { output, .. }
            | Self::ToBytes { output, .. } => *output,
            Self::Normalise { slot, .. } | Self::Activate { slot, .. } => *slot,
            Self::Add { into, .. } => *into,
        }
    }

    /// Whether it writes a new map rather than onto one that is there.
    fn makes_a_map(&self) -> bool {
        match self {
            Self::Convolve { accumulate, .. } => !accumulate,
            Self::ConvolveCells { .. }
            | Self::Depthwise { .. }
            | Self::Multiply { .. }
            | Self::Pool { .. }
            | Self::Copy { .. }
            | Self::ToBytes { .. } => true,
            Self::Normalise { .. } | Self::Activate { .. } | Self::Add { .. } => false,
        }
    }

    /// Zeros that it reads around its input.
    fn padding(&self) -> usize {
        match self {
            Self::Convolve { convolution, .. } | Self::ConvolveCells { convolution, .. } => {
                convolution.window.room()
            }
            Self::Depthwise { depthwise, .. } => depthwise.window.room(),
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
            Self::Depthwise { depthwise: Depthwise { window, .. }, .. } | Self::Pool { window, .. } => {
                window.slide(input)
            }
            Self::Copy { .. }
            | Self::ToBytes { .. }
            | Self::Normalise { .. }
            | Self::Activate { .. }
            | Self::Add { .. } => input,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn life(channels: usize, padding: usize, born: usize, last: usize) -> Life {
        let at = At { offset: 0, shape: Shape::new(channels, 2, 2), padding, bytes: false };
        Life { at, born, last }
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
        let bytes =
            |channels| Life { at: At { bytes: true, ..life(channels, 0, 0, 1).at }, born: 0, last: 1 };
        assert!(place(&[bytes(usize::MAX / 4)], 1, usize::MAX).is_none());
        assert!(place(&[bytes(4)], usize::MAX / 4, usize::MAX).is_none());
        assert_eq!(place(&[bytes(3)], 2, 16).unwrap().1, 16);
    }

    #[test]
    fn only_padding_is_cleared() {
        let at = At { offset: 0, shape: Shape::new(1, 1, 2), padding: 1, bytes: false };
        let mut values = [1.0; 12];
        at.clear(1, &mut values);
        assert_eq!(values, [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(at.pixel(0, 0, 0, 1), 6);
        assert_eq!(at.pixel(0, 1, 0, 1), 1);
    }
}
