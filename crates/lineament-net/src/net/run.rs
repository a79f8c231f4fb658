//! Runs a program on a group of items.

use super::Net;
use super::buffer_pool::BufferPool;
use super::conversion::{Outward, bring};
use super::layout::{At, SCALE};
use super::packed::{PackedLayer, ranges};
use super::plan::Step;
use super::program::{Program, Stage};
use super::step::{Convolution, Depthwise};
use super::work::{Unit, Work};
use crate::kernel::aligned::Aligned;
use crate::kernel::gemm_u8i8::quantize::{Scale, extremes};
use crate::kernel::indirection::{GroupedWindows, IndirectWindows, Rows};
use crate::kernel::isa::Isa;
use crate::kernel::window::Window;
use crate::kernel::{depthwise, gemm_f32, gemm_u8i8};
use crate::scheduler::{self, Steps};

impl Net {
    /// `input` and `output` are the group's items, C x H x W each; up to `threads` threads work on it. Units are the same for any number of them.
    pub(super) fn group(&self, program: &Program, input: &[f32], output: &mut [f32], threads: usize) {
        self.arenas.with(|arena: &mut Aligned| {
            let arena = arena.grown(program.len);
            let pass = Pass {
                input,
                steps: &self.plan.steps,
                packed: &self.packed,
                program,
                isa: self.isa,
                buffers: &self.buffers,
            };
            scheduler::run(&program.schedule, &pass, arena, threads);
            let outward =
                Outward { isa: self.isa, planes: &program.planes, from: program.layout.output, arena };
            scheduler::run(&program.planes.schedule, &outward, output, threads);
        });
    }
}

/// The steps of one pass.
struct Pass<'a> {
    input: &'a [f32],
    steps: &'a [Step],
    packed: &'a [PackedLayer],
    program: &'a Program,
    isa: Isa,
    /// Buffers for transforms.
    buffers: &'a BufferPool<Aligned>,
}

impl Steps for Pass<'_> {
    fn begin(&self, arena: &mut [f32]) {
        // A large input is brought in by all threads.
        if !self.program.brings_input() {
            let (from, items) = (self.program.layout.input, self.program.items);
            let map = &mut arena[from.offset..];
            from.clear(items, map);
            bring(self.isa, from, 0..items * from.shape.height, self.input, (map, 0));
        }
    }

    fn prepare(&self, stage: usize, written: &mut [f32]) {
        let stage = &self.program.stages[stage];
        if let Work::Inward { .. } = stage.work {
            return self.program.layout.input.clear(self.program.items, written);
        }
        let ends = self.program.layout.ends[stage.step];
        if ends.fresh && stage.writes_map {
            ends.output.clear(self.program.items, written);
        }
    }

    fn unit(&self, stage: usize, unit: usize, map: &[f32], out: &mut [f32]) {
        let Stage { step, work, .. } = &self.program.stages[stage];
        if let Work::Inward { units } = work {
            let Unit { start, first, end } = units[unit];
            return bring(self.isa, self.program.layout.input, first..end, self.input, (out, start));
        }
        let (ends, unit) = (&self.program.layout.ends[*step], &work.units()[unit]);
        self.run(&self.steps[*step], &self.packed[*step], [ends.input, ends.output], (work, unit), map, out);
    }
}

impl Pass<'_> {
    fn run(
        &self,
        step: &Step,
        packed: &PackedLayer,
        [from, to]: [At; 2],
        (work, unit): (&Work, &Unit),
        map: &[f32],
        out: &mut [f32],
    ) {
        match (step, work) {
            (Step::Convolve { convolution, accumulate, .. }, Work::Tiles { form, tiles, .. }) => {
                let winograd = packed.winograd(convolution, *form);
                self.buffers.with(|buffer| {
                    let tiles = &tiles[unit.first..unit.end];
                    winograd.run(map, tiles, (out, unit.start), *accumulate, buffer);
                });
            }
            (Step::Convolve { convolution, .. }, Work::TransformInput { form, tiles, .. }) => {
                let winograd = packed.winograd(convolution, *form);
                winograd.transform_input(map, &tiles[unit.first..unit.end], out);
            }
            (Step::Convolve { convolution, .. }, Work::Products { form, layout, .. }) => {
                let winograd = packed.winograd(convolution, *form);
                winograd.multiply(unit.first..unit.end, winograd.panels(), *layout, map, out);
            }
            (Step::Convolve { convolution, accumulate, .. }, Work::TransformOutput { form, tiles, .. }) => {
                let winograd = packed.winograd(convolution, *form);
                let own = (&tiles[unit.first..unit.end], unit.first);
                let outputs = 0..convolution.filters;
                winograd.transform_output((map, tiles.len()), own, outputs, (out, unit.start), *accumulate);
            }
            (Step::ToBytes { .. }, Work::Rows { .. }) => {
                bytes_of([from, to], unit, map, bytemuck::cast_slice_mut(out), self.isa);
            }
            (
                Step::Convolve { convolution, .. } | Step::ConvolveCells { convolution, .. },
                Work::Sums { windows, runs, .. },
            ) if from.bytes => {
                let accumulate = matches!(step, Step::Convolve { accumulate: true, .. });
                let banks = packed.byte_banks(convolution);
                let (offsets, rows) = (windows.as_slice(), convolution.rows());
                let windows = IndirectWindows { offsets, line: from.line(), rows, base: unit.start };
                let bytes = bytemuck::cast_slice(map);
                for run in &runs[unit.first..unit.end] {
                    if let (Some(weights), Some(first)) = (banks.get(run.weights), offsets.get(run.first)) {
                        let map = (bytes, from.scale(first.input as usize / from.item(), map));
                        let range = run.first..run.end;
                        if convolution.groups == 1 {
                            gemm_u8i8::multiply(weights, map, &windows, range, out, accumulate);
                        } else {
                            let windows = grouped(windows, convolution, from, run.weights);
                            gemm_u8i8::multiply(weights, map, &windows, range, out, accumulate);
                        }
                    }
                }
            }
            (Step::Convolve { convolution, accumulate, .. }, Work::Sums { windows, runs, .. })
                if convolution.groups > 1 =>
            {
                let (banks, rows) = (packed.banks(convolution), convolution.rows());
                let windows = IndirectWindows { offsets: windows, line: from.line(), rows, base: unit.start };
                for run in &runs[unit.first..unit.end] {
                    if let Some(weights) = banks.get(run.weights) {
                        let windows = grouped(windows, convolution, from, run.weights);
                        gemm_f32::multiply(weights, map, &windows, run.first..run.end, out, *accumulate);
                    }
                }
            }
            (_, Work::Sums { windows, runs, .. }) => {
                let (packed, rows, accumulate) = match step {
                    Step::Convolve { convolution, accumulate, .. } => {
                        (packed.banks(convolution), convolution.rows(), *accumulate)
                    }
                    Step::ConvolveCells { convolution, .. } => {
                        (packed.banks(convolution), convolution.rows(), false)
                    }
                    Step::Multiply { matrix, .. } => {
                        let whole =
                            Rows { count: from.shape.height, run: from.shape.width * from.shape.channels };
                        (packed.parts(matrix), whole, false)
                    }
                    // Nothing else multiplies windows.
                    _ => return,
                };
                let windows = IndirectWindows { offsets: windows, line: from.line(), rows, base: unit.start };
                for run in &runs[unit.first..unit.end] {
                    if let Some(weights) = packed.get(run.weights) {
                        gemm_f32::multiply(weights, map, &windows, run.first..run.end, out, accumulate);
                    }
                }
            }
            (Step::Multiply { matrix, .. }, Work::Join { .. }) => {
                let items = unit.end - unit.first;
                for part in ranges(matrix.outputs) {
                    let values = &map[part.start * items..part.end * items];
                    for (item, values) in values.chunks_exact(part.len()).enumerate() {
                        let start = to.pixel(item, 0, 0, 0) - unit.start;
                        out[start + part.start..start + part.end].copy_from_slice(values);
                    }
                }
            }
            (Step::Depthwise { depthwise, .. }, Work::Rows { .. }) => {
                depthwise_rows((depthwise, packed), [from, to], unit, map, out, self.isa);
            }
            (_, Work::Rows { .. }) => {
                let wide = to.shape.width * to.shape.channels;
                for index in unit.first..unit.end {
                    let (item, row) = (index / to.shape.height, index % to.shape.height);
                    let line = &mut out[to.pixel(item, 0, row, 0) - unit.start..][..wide];
                    row_of(step, item, row, map, from, line, self.isa);
                }
            }
            // The program is made from the steps, kind by kind.
            _ => {}
        }
    }
}

/// The windows of one group of a convolution's channels.
fn grouped<'a>(
    windows: IndirectWindows<'a>,
    convolution: &Convolution,
    from: At,
    group: usize,
) -> GroupedWindows<'a> {
    GroupedWindows {
        windows,
        kernel: convolution.window.kernel,
        channels: from.shape.channels,
        input: group * windows.rows.run,
        output: group * convolution.of_bank(),
    }
}

/// Rows of a depthwise convolution, those of each item together.
fn depthwise_rows(
    (depthwise, packed): (&Depthwise, &PackedLayer),
    [from, to]: [At; 2],
    unit: &Unit,
    map: &[f32],
    out: &mut [f32],
    isa: Isa,
) {
    let height = to.shape.height;
    let Window { stride, padding, .. } = depthwise.window;
    let filters = packed.depthwise(depthwise);
    let mut next = unit.first;
    while next < unit.end {
        let (item, row) = (next / height, next % height);
        let rows = (height - row).min(unit.end - next);
        let rows = depthwise::Rows {
            map: &map[from.pixel(item, padding[0], row * stride, 0)..],
            map_line: from.line(),
            out: &mut out[to.pixel(item, 0, row, 0) - unit.start..],
            out_line: to.line(),
            rows,
            columns: to.shape.width,
        };
        next += rows.rows;
        filters.run(isa, rows);
    }
}

/// A band of rows of one item as bytes, with the padding around it, and behind the last one what the bytes stand for.
fn bytes_of([from, to]: [At; 2], unit: &Unit, map: &[f32], out: &mut [u8], isa: Isa) {
    let (height, row) = (from.shape.height, from.shape.width * from.shape.channels);
    let (item, side) = (unit.first / height, to.padding * to.shape.channels);
    let (low, high) = extremes(isa, &map[from.pixel(item, 0, 0, 0)..], height, row, from.line());
    let scale = Scale::of(low, high);
    // Padding is all that is not written here.
    out.fill(scale.zero);
    for number in unit.first % height..unit.first % height + (unit.end - unit.first) {
        let values = &map[from.pixel(item, 0, number, 0)..][..row];
        let start = to.pixel(item, to.padding, number + to.padding, 0) - unit.start;
        scale.bytes(isa, values, &mut out[start + side..][..row]);
    }
    if unit.end.is_multiple_of(height)
        && let Some(behind) = out.last_chunk_mut()
    {
        *behind = bytemuck::cast::<_, [u8; SCALE]>([scale.step, f32::from(scale.zero)]);
    }
}

/// One row of a cheap step.
fn row_of(step: &Step, item: usize, row: usize, map: &[f32], from: At, line: &mut [f32], isa: Isa) {
    let read = || &map[from.pixel(item, 0, row, 0)..][..line.len()];
    match step {
        Step::Pool { pooling, window, .. } => {
            let map = &map[from.pixel(item, 0, 0, 0)..];
            pooling.row(isa, *window, (map, from.shape, from.line()), row, line);
        }
        Step::Copy { .. } => line.copy_from_slice(read()),
        Step::Normalise { affine, activation, .. } => {
            activation.apply_with_scale(line, &affine.scale, &affine.shift);
        }
        Step::Activate { activation, .. } => activation.apply(line, from.shape.channels),
        Step::Add { activation, .. } => {
            let added = read();
            line.iter_mut().zip(added).for_each(|(v, a)| *v += a);
            activation.apply(line, from.shape.channels);
        }
        Step::Convolve { .. }
        | Step::ConvolveCells { .. }
        | Step::Depthwise { .. }
        | Step::Multiply { .. }
        | Step::ToBytes { .. } => {}
    }
}
