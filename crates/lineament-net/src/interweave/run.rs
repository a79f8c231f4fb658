//! Runs a woven plan on one region. Maps lie one behind the other in one memory, and the threads of a pool go from operation to operation together
//! (`kernel/together.rs`).

use super::number::{Map, PADDING, Table};
use crate::Shape;
use crate::kernel::activation::Activation;
use crate::kernel::aligned::Aligned;
use crate::kernel::panels::Panels;
use crate::kernel::path::Path;
use crate::kernel::places::{Listed, Rows};
use crate::kernel::pooling::{Pixels, Pooling};
use crate::kernel::sums::sums;
use crate::kernel::together::{self, Parts, Steps};
use crate::net::bank;
use crate::net::fold::Affine;
use crate::net::layout::ALIGNED;
use crate::net::plan::Slot;
use crate::net::program::MOST;
use crate::net::run::interleave;
use crate::net::scratch::Shelf;
use crate::net::step::{Convolution, Matrix};

/// Values that one unit of a cheap operation works on.
const VALUES: usize = 128;
/// Outputs of a matrix that one unit sums.
const OUTPUTS: usize = 16;

/// A step of the net on numbered values: the same as [`crate::net::plan::Step`], reading through tables.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operation {
    /// `onto`: the values of the map in `output` that the sums are added to.
    Convolve {
        convolution: Convolution,
        table: Table,
        pieces: Vec<Piece>,
        onto: Option<Vec<u32>>,
        inner: usize,
        input: Slot,
        output: Slot,
    },
    Multiply {
        matrix: Matrix,
        table: Table,
        values: usize,
        channels: usize,
        input: Slot,
        output: Slot,
    },
    Pool {
        pooling: Pooling,
        table: Table,
        values: usize,
        channels: usize,
        input: Slot,
        output: Slot,
    },
    Copy {
        values: usize,
        channels: usize,
        input: Slot,
        output: Slot,
    },
    Normalise {
        affine: Affine,
        activation: Activation,
        size: usize,
        slot: Slot,
    },
    Activate {
        activation: Activation,
        values: usize,
        channels: usize,
        slot: Slot,
    },
    Add {
        table: Table,
        onto: Vec<u32>,
        channels: usize,
        input: Slot,
        into: Slot,
        activation: Activation,
    },
}

/// Consecutive values under one filter bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) cell: usize,
    pub(crate) first: usize,
    pub(crate) values: usize,
}

impl Operation {
    /// The slot it gives a new map, with so many values of so many channels; nothing for what works in place.
    fn makes(&self) -> Option<(Slot, [usize; 2])> {
        match self {
            Self::Convolve { convolution, pieces, output, .. } => {
                let values = pieces.iter().map(|piece| piece.values).sum();
                Some((*output, [values, convolution.filters]))
            }
            Self::Multiply { matrix, values, output, .. } => Some((*output, [*values, matrix.outputs])),
            Self::Pool { values, channels, output, .. } | Self::Copy { values, channels, output, .. } => {
                Some((*output, [*values, *channels]))
            }
            Self::Add { onto, channels, into, .. } => Some((*into, [onto.len(), *channels])),
            Self::Normalise { .. } | Self::Activate { .. } => None,
        }
    }

    /// The slot it reads.
    fn reads(&self) -> Slot {
        match self {
            Self::Convolve { input, .. }
            | Self::Multiply { input, .. }
            | Self::Pool { input, .. }
            | Self::Copy { input, .. }
            | Self::Add { input, .. } => *input,
            Self::Normalise { slot, .. } | Self::Activate { slot, .. } => *slot,
        }
    }

    /// Values of a unit of work, where all but the last are alike.
    fn unit(&self) -> usize {
        match self {
            Self::Normalise { affine, .. } => VALUES * affine.scale.len(),
            Self::Activate { channels, .. } | Self::Pool { channels, .. } | Self::Add { channels, .. } => {
                VALUES * channels
            }
            Self::Multiply { values, .. } => values * OUTPUTS,
            Self::Convolve { .. } | Self::Copy { .. } => usize::MAX,
        }
    }
}

/// A plan ready to run, with the memory of earlier runs.
pub(crate) struct Woven {
    operations: Vec<Operation>,
    /// What each operation multiplies with; nothing for most.
    packed: Vec<Packed>,
    /// In their order; a matrix has two.
    stages: Vec<Stage>,
    parts: Parts,
    /// Values of the memory.
    len: usize,
    region: Held,
    result: Held,
    path: Path,
    output: Slot,
    /// Shape of one patch's output, and which values stand in the patches'.
    shape: Shape,
    numbers: Vec<u32>,
    memory: Shelf<Aligned>,
}

/// An operation, or a part of one.
struct Stage {
    operation: usize,
    /// Where the map that it reads lies, and that which its slot held before.
    input: Held,
    before: Held,
    /// What is written.
    output: Held,
    does: Does,
}

/// What a stage does of its operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    All,
    /// The results of a matrix, part by part of its outputs: each filter is read once, by one thread or another.
    Parts,
    /// Those, which are the input now, side by side.
    Join,
}

/// The filters of an operation and where their windows lie.
struct Packed {
    banks: Vec<Panels>,
    sources: Vec<u32>,
    rows: Rows,
}

/// Where a map lies in the memory: its values, and one more behind them that is zero, where padding is read.
#[derive(Debug, Clone, Copy, Default)]
struct Held {
    start: usize,
    values: usize,
    channels: usize,
}

impl Held {
    /// All of it but the zeros.
    fn size(&self) -> usize {
        self.values * self.channels
    }

    /// All of it.
    fn of<'a>(&self, memory: &'a [f32]) -> &'a [f32] {
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

/// The numbers of the values that a window has.
struct Sources<'a> {
    numbers: &'a [u32],
    channels: usize,
}

impl Pixels for Sources<'_> {
    #[inline(always)]
    fn each(&self, mut f: impl FnMut(usize)) {
        for &number in self.numbers {
            if number != PADDING {
                f(number as usize * self.channels);
            }
        }
    }
}

impl Packed {
    fn new(operation: &Operation) -> Self {
        let (banks, table, channels) = match operation {
            Operation::Convolve { convolution, table, inner, .. } => {
                let taps = convolution.window.kernel * convolution.window.kernel;
                (bank::cells(convolution), table, inner / taps.max(1))
            }
            Operation::Multiply { matrix, table, channels, .. } => {
                (bank::parts(matrix, OUTPUTS), table, *channels)
            }
            _ => return Self { banks: vec![], sources: vec![], rows: Rows { count: 0, run: 0 } },
        };
        let (sources, count, run) = table.runs(channels);
        Self { banks, sources, rows: Rows { count, run } }
    }

    /// The windows of the values from `first` on, over a map.
    fn listed(&self, map: &Held, first: usize, outputs: usize) -> Listed<'_> {
        let sources = &self.sources[first * self.rows.count..];
        Listed { sources, rows: self.rows, channels: map.channels, values: map.values, outputs }
    }
}

impl Woven {
    /// Of operations on a region of so many pixels and channels. `None` when their maps would not fit into memory.
    pub(crate) fn new(
        operations: Vec<Operation>,
        slots: usize,
        region: [usize; 2],
        (output, map): (Slot, Map),
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
                parts.push(([read, written], starts));
                stages.push(Stage { operation, input, before, output, does });
            };
            let Some((slot, made)) = what.makes() else {
                let starts = (input.start..input.start + input.size()).step_by(what.unit().max(1));
                stage(Does::All, [input, input, input], starts.collect());
                continue;
            };
            let before = *held.get(slot)?;
            let output = if let Operation::Multiply { .. } = what {
                let parted = laying.map(made)?;
                let starts = (parted.start..parted.start + parted.size()).step_by(what.unit().max(1));
                stage(Does::Parts, [input, before, parted], starts.collect());
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
                    _ => (output.start..output.start + output.size()).step_by(what.unit().max(1)).collect(),
                };
                stage(Does::All, [input, before, output], starts);
                output
            };
            *held.get_mut(slot)? = output;
        }
        let Map { shape, numbers, .. } = map;
        let packed = operations.iter().map(Packed::new).collect();
        Some(Self {
            packed,
            stages,
            parts: Parts::new(parts.into_iter()),
            len: laying.len,
            region,
            result: *held.get(output)?,
            path: Path::best(),
            operations,
            output,
            shape,
            numbers,
            memory: Shelf::default(),
        })
    }

    /// What runs, in this order, from the region's pixels in slot 0 on.
    pub(crate) fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The slot of the last map, and `[patches, height, width]`: which of its values stand in the patches' outputs.
    pub(crate) fn result(&self) -> (Slot, &[u32]) {
        (self.output, &self.numbers)
    }

    /// One region, C x H x W, to all patches' outputs, each C x H x W; up to `threads` threads work on it.
    pub(crate) fn region(&self, region: &[f32], output: &mut [f32], threads: usize) {
        self.memory.with(|memory: &mut Aligned| {
            let memory = memory.grown(self.len);
            together::run(&self.parts, &Pass { woven: self, region }, memory, threads);
            let map = self.result.of(memory);
            let (channels, pixels) = (self.shape.channels, self.shape.height * self.shape.width);
            let patches = output.chunks_exact_mut(self.shape.elements());
            for (output, numbers) in patches.zip(self.numbers.chunks_exact(pixels)) {
                for (pixel, &number) in numbers.iter().enumerate() {
                    let values = &map[number as usize * channels..][..channels];
                    let planes = output[pixel..].iter_mut().step_by(pixels);
                    planes.zip(values).for_each(|(o, &v)| *o = v);
                }
            }
        });
    }
}

/// One region on its way through.
struct Pass<'a> {
    woven: &'a Woven,
    region: &'a [f32],
}

impl Steps for Pass<'_> {
    fn begin(&self, memory: &mut [f32]) {
        let Held { start, values, channels } = self.woven.region;
        let (map, zeros) = memory[start..][..(values + 1) * channels].split_at_mut(values * channels);
        interleave(map, channels, |channel| &self.region[channel * values..][..values]);
        zeros.fill(0.0);
    }

    fn prepare(&self, stage: usize, written: &mut [f32]) {
        written[self.woven.stages[stage].output.size()..].fill(0.0);
    }

    fn unit(&self, stage: usize, unit: usize, memory: &[f32], out: &mut [f32]) {
        let stage = &self.woven.stages[stage];
        let operation = &self.woven.operations[stage.operation];
        let size = stage.output.size();
        // The last unit's part has the zeros behind it.
        let there = match operation {
            Operation::Convolve { pieces, .. } => pieces[unit].values * stage.output.channels,
            Operation::Copy { .. } => size,
            _ if stage.does == Does::Join => size,
            _ => operation.unit().min(size - unit * operation.unit()),
        };
        self.run(stage, unit, memory, &mut out[..there]);
    }
}

impl Pass<'_> {
    fn run(&self, stage: &Stage, unit: usize, memory: &[f32], out: &mut [f32]) {
        let (path, packed) = (self.woven.path, &self.woven.packed[stage.operation]);
        let Stage { input, before, .. } = stage;
        match &self.woven.operations[stage.operation] {
            Operation::Normalise { affine, activation, .. } => {
                activation.apply_with_scale(out, &affine.scale, &affine.shift);
            }
            Operation::Activate { activation, channels, .. } => activation.apply(out, *channels),
            Operation::Convolve { convolution, pieces, onto, .. } => {
                let piece = &pieces[unit];
                if let Some(onto) = onto {
                    rows(before.of(memory), &onto[piece.first..], convolution.filters, out);
                }
                if let Some(bank) = packed.banks.get(piece.cell) {
                    let windows = packed.listed(input, piece.first, convolution.filters);
                    sums(path, bank, input.of(memory), &windows, 0..piece.values, out, onto.is_some());
                }
            }
            Operation::Multiply { values, .. } if stage.does == Does::Parts => {
                if let Some(bank) = packed.banks.get(unit) {
                    let windows = packed.listed(input, 0, bank.outputs());
                    sums(path, bank, input.of(memory), &windows, 0..*values, out, false);
                }
            }
            Operation::Multiply { matrix, values, .. } => {
                let parted = &input.of(memory)[..input.size()];
                for (part, from) in parted.chunks((values * OUTPUTS).max(1)).enumerate() {
                    let wide = from.len() / values;
                    for (to, from) in out.chunks_exact_mut(matrix.outputs).zip(from.chunks_exact(wide)) {
                        to[part * OUTPUTS..][..wide].copy_from_slice(from);
                    }
                }
            }
            Operation::Pool { pooling, table, channels, .. } => {
                let sources =
                    |value| Sources { numbers: table.window(unit * VALUES + value), channels: *channels };
                pooling.windows(path, input.of(memory), *channels, sources, out);
            }
            Operation::Copy { .. } => out.copy_from_slice(&input.of(memory)[..input.size()]),
            Operation::Add { table, onto, channels, activation, .. } => {
                let first = unit * VALUES;
                rows(before.of(memory), &onto[first..], *channels, out);
                let map = input.of(memory);
                for (value, out) in out.chunks_exact_mut(*channels).enumerate() {
                    for &source in table.window(first + value) {
                        let added = &map[source as usize * channels..];
                        out.iter_mut().zip(added).for_each(|(v, a)| *v += a);
                    }
                }
                activation.apply(out, *channels);
            }
        }
    }
}

/// The values numbered so, one after the other.
fn rows(map: &[f32], numbers: &[u32], channels: usize, out: &mut [f32]) {
    for (out, &number) in out.chunks_exact_mut(channels).zip(numbers) {
        out.copy_from_slice(&map[number as usize * channels..][..channels]);
    }
}
