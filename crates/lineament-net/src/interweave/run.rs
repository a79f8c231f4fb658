//! Runs an unrolled plan on one region. Maps lie one behind the other in one memory, and the threads of a pool go from operation to operation together
//! (`kernel/together.rs`).

use super::layout::{Does, Held, Layout, Stage};
use super::number::{Map, PADDING};
use super::operation::{OUTPUTS, Operation, VALUES};
use crate::Shape;
use crate::kernel::aligned::Aligned;
use crate::kernel::depthwise::{Filters, listed};
use crate::kernel::gemm_f32::{PackedWeights, multiply};
use crate::kernel::indirection::{ListedWindows, Rows};
use crate::kernel::isa::Isa;
use crate::kernel::pooling::Pixels;
use crate::kernel::transpose::to_pixels;
use crate::net::buffer_pool::BufferPool;
use crate::net::packed;
use crate::net::plan::Slot;
use crate::scheduler::{self, Steps};

/// A plan ready to run, with the memory of earlier runs.
pub(crate) struct Unrolled {
    operations: Vec<Operation>,
    /// What each operation multiplies with; nothing for most.
    packed: Vec<Packed>,
    layout: Layout,
    isa: Isa,
    output: Slot,
    /// Shape of one patch's output, and which values stand in the patches'.
    shape: Shape,
    numbers: Vec<u32>,
    memory: BufferPool<Aligned>,
}

/// The filters of an operation and where their windows lie.
struct Packed {
    weights: Vec<PackedWeights>,
    depthwise: Option<Filters>,
    sources: Vec<u32>,
    rows: Rows,
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
    fn new(operation: &Operation, isa: Isa) -> Self {
        let (weights, table, channels) = match operation {
            Operation::Convolve { convolution, table, inner, .. } => {
                let taps = convolution.window.kernel * convolution.window.kernel;
                let weights = packed::banks(convolution, isa);
                let own = inner / taps.max(1);
                if convolution.groups > 1 {
                    // Channels of a group are neighbours in one pixel only.
                    let rows = Rows { count: taps, run: own };
                    return Self { weights, depthwise: None, sources: table.sources().to_vec(), rows };
                }
                (weights, table, own)
            }
            Operation::Multiply { matrix, table, channels, .. } => {
                (packed::parts(matrix, OUTPUTS, isa), table, *channels)
            }
            Operation::Depthwise { depthwise, table, .. } => {
                let filters = Some(packed::filters(depthwise));
                let rows = Rows { count: table.taps(), run: 0 };
                return Self { weights: vec![], depthwise: filters, sources: table.sources().to_vec(), rows };
            }
            _ => {
                let rows = Rows { count: 0, run: 0 };
                return Self { weights: vec![], depthwise: None, sources: vec![], rows };
            }
        };
        let (sources, count, run) = table.runs(channels);
        Self { weights, depthwise: None, sources, rows: Rows { count, run } }
    }

    /// The windows of the values from `first` on, over a map.
    fn listed(&self, map: &Held, first: usize, outputs: usize) -> ListedWindows<'_> {
        let sources = &self.sources[first * self.rows.count..];
        ListedWindows {
            sources,
            rows: self.rows,
            channels: map.channels,
            values: map.values,
            outputs,
            first: [0; 2],
        }
    }
}

impl Unrolled {
    /// Of operations on a region of so many pixels and channels. `None` when their maps would not fit into memory.
    pub(crate) fn new(
        operations: Vec<Operation>,
        slots: usize,
        region: [usize; 2],
        (output, map): (Slot, Map),
        isa: Isa,
    ) -> Option<Self> {
        let layout = Layout::new(&operations, slots, region, output)?;
        let Map { shape, numbers, .. } = map;
        let packed = operations.iter().map(|operation| Packed::new(operation, isa)).collect();
        Some(Self { packed, layout, isa, operations, output, shape, numbers, memory: BufferPool::default() })
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
            let memory = memory.grown(self.layout.len);
            scheduler::run(&self.layout.schedule, &Pass { plan: self, region }, memory, threads);
            let map = self.layout.result.of(memory);
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
    plan: &'a Unrolled,
    region: &'a [f32],
}

impl Steps for Pass<'_> {
    fn begin(&self, memory: &mut [f32]) {
        let Held { start, values, channels } = self.plan.layout.region;
        let (map, zeros) = memory[start..][..(values + 1) * channels].split_at_mut(values * channels);
        to_pixels(self.plan.isa, (self.region, values), [channels, values], map);
        zeros.fill(0.0);
    }

    fn prepare(&self, stage: usize, written: &mut [f32]) {
        written[self.plan.layout.stages[stage].output.size()..].fill(0.0);
    }

    fn unit(&self, stage: usize, unit: usize, memory: &[f32], out: &mut [f32]) {
        let stage = &self.plan.layout.stages[stage];
        let there = stage.there(unit, out.len());
        self.run(stage, unit, memory, &mut out[..there]);
    }
}

impl Pass<'_> {
    fn run(&self, stage: &Stage, unit: usize, memory: &[f32], out: &mut [f32]) {
        let (isa, packed) = (self.plan.isa, &self.plan.packed[stage.operation]);
        let Stage { input, before, .. } = stage;
        match &self.plan.operations[stage.operation] {
            Operation::Normalise { affine, activation, .. } => {
                activation.apply_with_scale(out, &affine.scale, &affine.shift);
            }
            Operation::Activate { activation, channels, .. } => activation.apply(out, *channels),
            Operation::Convolve { convolution, pieces, addend, .. } => {
                let piece = &pieces[unit];
                if let Some(addend) = addend {
                    rows(before.of(memory), &addend[piece.first..], convolution.filters, out);
                }
                let windows = packed.listed(input, piece.first, convolution.filters);
                let (run, own) = (packed.rows.run, convolution.of_bank());
                let banks = packed.weights[piece.cell..].iter().take(convolution.groups);
                for (group, weights) in banks.enumerate() {
                    let windows = ListedWindows { first: [group * run, group * own], ..windows };
                    multiply(weights, input.of(memory), &windows, 0..piece.values, out, addend.is_some());
                }
            }
            Operation::Depthwise { channels, .. } => {
                if let Some(filters) = &packed.depthwise {
                    let sources = &packed.sources[unit * VALUES * packed.rows.count..];
                    debug_assert!(sources.len() >= out.len() / channels * packed.rows.count);
                    listed(isa, filters, (input.of(memory), input.values), sources, out);
                }
            }
            Operation::Multiply { values, .. } if stage.does == Does::Parts => {
                if let Some(weights) = packed.weights.get(unit) {
                    let windows = packed.listed(input, 0, weights.outputs());
                    multiply(weights, input.of(memory), &windows, 0..*values, out, false);
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
                pooling.windows(isa, input.of(memory), *channels, sources, out);
            }
            Operation::Copy { .. } => out.copy_from_slice(&input.of(memory)[..input.size()]),
            Operation::Add { table, addend, channels, activation, .. } => {
                let first = unit * VALUES;
                rows(before.of(memory), &addend[first..], *channels, out);
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
