//! Runs a program on a group of items.

use super::Net;
use super::buffer_pool::BufferPool;
use super::layout::{At, SCALE};
use super::packed::Bank;
use super::plan::Step;
use super::program::{Program, Stage, Unit, Work};
use crate::Shape;
use crate::kernel::aligned::Aligned;
use crate::kernel::gemm_f32::sums;
use crate::kernel::gemm_u8i8::byte_sums;
use crate::kernel::gemm_u8i8::quantize::{Scale, extremes};
use crate::kernel::indirection::{Placed, Rows};
use crate::kernel::isa::Isa;
use crate::scheduler::{self, Steps};

impl Net {
    /// `input` and `output` are the group's items, C x H x W each; up to `threads` threads work on it. Units are the same for any number of them.
    pub(super) fn group(&self, program: &Program, input: &[f32], output: &mut [f32], threads: usize) {
        self.arenas.with(|arena: &mut Aligned| {
            let arena = arena.grown(program.len);
            let pass = Pass {
                input,
                steps: &self.plan.steps,
                banks: &self.banks,
                program,
                isa: self.isa,
                buffers: &self.buffers,
            };
            scheduler::run(&program.schedule, &pass, arena, threads);
            outward(program, arena, output);
        });
    }
}

/// Brings the input, channels innermost, to its place.
fn inward(program: &Program, input: &[f32], arena: &mut [f32]) {
    let from = program.layout.input;
    let Shape { channels, height, width } = from.shape;
    let map = &mut arena[from.offset..];
    from.clear(program.items, map);
    for (item, planes) in input.chunks_exact(from.shape.elements()).enumerate() {
        for row in 0..height {
            let line = &mut map[from.pixel(item, 0, row, 0)..][..width * channels];
            let plane = |channel| &planes[(channel * height + row) * width..][..width];
            interleave(line, channels, plane);
        }
    }
}

/// Values of `channels` planes side by side.
pub(crate) fn interleave<'a>(line: &mut [f32], channels: usize, plane: impl Fn(usize) -> &'a [f32]) {
    if channels == 3 {
        // Pictures: all planes in one walk through the line.
        let pixels = line.as_chunks_mut().0.iter_mut().zip(plane(0)).zip(plane(1)).zip(plane(2));
        pixels.for_each(|(((pixel, red), green), blue)| *pixel = [*red, *green, *blue]);
        return;
    }
    for channel in 0..channels {
        let values = line[channel..].iter_mut().step_by(channels);
        values.zip(plane(channel)).for_each(|(to, from)| *to = *from);
    }
}

/// Brings the output, channels outermost, to whoever asked.
fn outward(program: &Program, arena: &[f32], output: &mut [f32]) {
    let to = program.layout.output;
    let map = &arena[to.offset..];
    for (item, planes) in output.chunks_exact_mut(to.shape.elements()).enumerate() {
        for row in 0..to.shape.height {
            let line = &map[to.pixel(item, 0, row, 0)..][..to.shape.width * to.shape.channels];
            let row = row * to.shape.width;
            for (channel, plane) in planes.chunks_exact_mut(to.shape.height * to.shape.width).enumerate() {
                let values = line[channel..].iter().step_by(to.shape.channels);
                plane[row..].iter_mut().zip(values).for_each(|(to, from)| *to = *from);
            }
        }
    }
}

/// The steps of one pass.
struct Pass<'a> {
    input: &'a [f32],
    steps: &'a [Step],
    banks: &'a [Bank],
    program: &'a Program,
    isa: Isa,
    /// Buffers for transforms.
    buffers: &'a BufferPool<Aligned>,
}

impl Steps for Pass<'_> {
    fn begin(&self, arena: &mut [f32]) {
        inward(self.program, self.input, arena);
    }

    fn prepare(&self, stage: usize, written: &mut [f32]) {
        let stage = &self.program.stages[stage];
        let ends = self.program.layout.ends[stage.step];
        if ends.fresh && stage.writes_map {
            ends.output.clear(self.program.items, written);
        }
    }

    fn unit(&self, stage: usize, unit: usize, map: &[f32], out: &mut [f32]) {
        let Stage { step, work, .. } = &self.program.stages[stage];
        let (ends, unit) = (&self.program.layout.ends[*step], &work.units()[unit]);
        self.run(&self.steps[*step], &self.banks[*step], [ends.input, ends.output], (work, unit), map, out);
    }
}

impl Pass<'_> {
    fn run(
        &self,
        step: &Step,
        bank: &Bank,
        [from, to]: [At; 2],
        (work, unit): (&Work, &Unit),
        map: &[f32],
        out: &mut [f32],
    ) {
        match (step, work) {
            (Step::Convolve { convolution, accumulate, .. }, Work::Tiles { form, tiles, .. }) => {
                let winograd = bank.winograd(convolution, *form);
                self.buffers.with(|buffer| {
                    let tiles = &tiles[unit.first..unit.end];
                    winograd.run(self.isa, map, tiles, (out, unit.start), *accumulate, buffer);
                });
            }
            (Step::Convolve { convolution, .. }, Work::TransformInput { form, tiles, .. }) => {
                let winograd = bank.winograd(convolution, *form);
                winograd.transform_input(self.isa, map, &tiles[unit.first..unit.end], out);
            }
            (Step::Convolve { convolution, .. }, Work::Products { form, pieces, .. }) => {
                let winograd = bank.winograd(convolution, *form);
                let places = unit.first..unit.end;
                winograd.multiply(self.isa, places, winograd.blocks(), *pieces, map, out);
            }
            (Step::Convolve { convolution, accumulate, .. }, Work::TransformOutput { form, tiles, .. }) => {
                let winograd = bank.winograd(convolution, *form);
                let own = (&tiles[unit.first..unit.end], unit.first);
                let outputs = 0..convolution.filters;
                winograd.transform_output(
                    self.isa,
                    (map, tiles.len()),
                    own,
                    outputs,
                    (out, unit.start),
                    *accumulate,
                );
            }
            (Step::ToBytes { .. }, Work::Rows { .. }) => {
                bytes_of([from, to], unit, map, bytemuck::cast_slice_mut(out), self.isa);
            }
            (
                Step::Convolve { convolution, .. } | Step::ConvolveCells { convolution, .. },
                Work::Sums { places, runs, .. },
            ) if from.bytes => {
                let onto = matches!(step, Step::Convolve { accumulate: true, .. });
                let banks = bank.byte_cells(convolution);
                let placed = Placed { places, line: from.line(), rows: convolution.rows(), base: unit.start };
                let bytes = bytemuck::cast_slice(map);
                for run in &runs[unit.first..unit.end] {
                    if let (Some(bank), Some(first)) = (banks.get(run.bank), places.get(run.first)) {
                        let scale = from.scale(first.from as usize / from.item(), map);
                        let places = run.first..run.end;
                        byte_sums(self.isa, bank, (bytes, scale), &placed, places, out, onto);
                    }
                }
            }
            (_, Work::Sums { places, runs, .. }) => {
                let (banks, rows, onto) = match step {
                    Step::Convolve { convolution, accumulate, .. } => {
                        (bank.cells(convolution), convolution.rows(), *accumulate)
                    }
                    Step::ConvolveCells { convolution, .. } => {
                        (bank.cells(convolution), convolution.rows(), false)
                    }
                    Step::Multiply { matrix, .. } => {
                        let whole =
                            Rows { count: from.shape.height, run: from.shape.width * from.shape.channels };
                        (bank.parts(matrix), whole, false)
                    }
                    // Nothing else sums windows.
                    _ => return,
                };
                let placed = Placed { places, line: from.line(), rows, base: unit.start };
                for run in &runs[unit.first..unit.end] {
                    if let Some(bank) = banks.get(run.bank) {
                        sums(self.isa, bank, map, &placed, run.first..run.end, out, onto);
                    }
                }
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
        Step::Convolve { .. } | Step::ConvolveCells { .. } | Step::Multiply { .. } | Step::ToBytes { .. } => {
        }
    }
}
