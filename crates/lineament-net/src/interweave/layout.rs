//! Where the maps of interweaved patches lie, and how the work on them is cut into units.

use super::operation::Operation;
use crate::net::layout::ALIGNED;
use crate::net::plan::Slot;
use crate::net::program::MOST;
use crate::scheduler::Schedule;

/// All maps of a pass, one behind the other in one memory.
pub(super) struct Layout {
    /// In the order of the operations; a matrix has two.
    pub(super) stages: Vec<Stage>,
    /// What the units of each stage read and write.
    pub(super) schedule: Schedule,
    /// Values of the memory.
    pub(super) len: usize,
    pub(super) region: Held,
    pub(super) result: Held,
}

/// An operation, or a part of one.
pub(super) struct Stage {
    pub(super) operation: usize,
    /// Where the map that it reads lies, and that which its slot held before.
    pub(super) input: Held,
    pub(super) before: Held,
    /// What is written.
    pub(super) output: Held,
    pub(super) does: Does,
    pub(super) units: usize,
}

/// What a stage does of its operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Does {
    All,
    /// The results of a matrix, part by part of its outputs: each filter is read once, by one thread or another.
    Parts,
    /// Those, which are the input now, side by side.
    Join,
}

/// Where a map lies in the memory: its values, and one more behind them that is zero, where padding is read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Held {
    pub(super) start: usize,
    pub(super) values: usize,
    pub(super) channels: usize,
}

impl Held {
    /// All of it but the zeros.
    pub(super) fn size(&self) -> usize {
        self.values * self.channels
    }

    /// Where units of so many of its values begin.
    fn units(&self, of: usize) -> Vec<usize> {
        (self.start..self.start + self.size()).step_by(of.max(1)).collect()
    }

    /// All of it.
    pub(super) fn of<'a>(&self, memory: &'a [f32]) -> &'a [f32] {
        &memory[self.start..][..self.size() + self.channels]
    }
}

/// Lays maps behind each other.
struct Laying {
    len: usize,
}

impl Laying {
    /// Room for a map, if there is any left.
    fn map(&mut self, [values, channels]: [usize; 2]) -> Option<Held> {
        let start = self.len.checked_next_multiple_of(ALIGNED)?;
        let size = values.checked_add(1)?.checked_mul(channels)?;
        self.len = start.checked_add(size).filter(|&len| len <= MOST)?;
        Some(Held { start, values, channels })
    }
}

impl Layout {
    /// Of operations on a region of so many pixels and channels, in slot 0. `None` when their maps would not fit into memory.
    pub(super) fn new(
        operations: &[Operation],
        slots: usize,
        region: [usize; 2],
        output: Slot,
    ) -> Option<Self> {
        let mut laying = Laying { len: 0 };
        let mut held = vec![Held::default(); slots];
        let region = laying.map(region)?;
        *held.first_mut()? = region;
        let (mut stages, mut parts) = (Vec::new(), Vec::new());
        for (operation, what) in operations.iter().enumerate() {
            let input = *held.get(what.reads())?;
            let mut stage = |does, [input, before, output]: [Held; 3], starts: Vec<usize>| {
                // Everything before it may be read; in place, nothing has to be.
                let fresh = output.start > input.start;
                let read = if fresh { 0..output.start } else { output.start..output.start };
                let written = output.start..output.start + output.size() + output.channels;
                stages.push(Stage { operation, input, before, output, does, units: starts.len() });
                parts.push(([read, written], starts));
            };
            let Some((slot, made)) = what.makes() else {
                stage(Does::All, [input, input, input], input.units(what.unit()));
                continue;
            };
            let before = *held.get(slot)?;
            let output = if let Operation::Multiply { .. } = what {
                let parted = laying.map(made)?;
                stage(Does::Parts, [input, before, parted], parted.units(what.unit()));
                let output = laying.map(made)?;
                stage(Does::Join, [parted, before, output], vec![output.start]);
                output
            } else {
                let output = laying.map(made)?;
                let starts = match what {
                    Operation::Convolve { pieces, .. } => {
                        pieces.iter().map(|piece| output.start + piece.first * output.channels).collect()
                    }
                    Operation::Copy { .. } => vec![output.start],
                    _ => output.units(what.unit()),
                };
                stage(Does::All, [input, before, output], starts);
                output
            };
            *held.get_mut(slot)? = output;
        }
        let (schedule, result) = (Schedule::new(parts.into_iter()), *held.get(output)?);
        Some(Self { stages, schedule, len: laying.len, region, result })
    }
}

impl Stage {
    /// How many of the `given` values of a unit's part are the unit's: the last one's has the zeros behind it.
    pub(super) fn there(&self, unit: usize, given: usize) -> usize {
        given - if unit + 1 == self.units { self.output.channels } else { 0 }
    }
}
