//! Runs a program on a group of items.

use super::Net;
use super::bank::Bank;
use super::layout::At;
use super::plan::Step;
use super::program::{Program, Unit, Work};
use super::scratch::Shelf;
use crate::kernel::aligned::Aligned;
use crate::kernel::path::Path;
use crate::kernel::places::{Placed, Rows};
use crate::kernel::sums::sums;

/// Means that all steps of one pass share.
#[derive(Clone, Copy)]
struct Means<'a> {
    path: Path,
    /// Buffers for transforms.
    buffers: &'a Shelf<Aligned>,
    /// Whether units of a step may run at the same time. Units are the same either way.
    parallel: bool,
}

impl Means<'_> {
    /// Runs `f` on each of `units` and its part of `out`, which begins at `base` in the output's memory: a part begins where the unit's outputs do and
    /// ends where the next unit's do.
    fn units(
        self,
        units: &[Unit],
        out: &mut [f32],
        base: usize,
        f: &(impl Fn(&Unit, &mut [f32], usize) + Sync),
    ) {
        match units {
            [] => {}
            [unit] => f(unit, out, base),
            _ => {
                let (left, right) = units.split_at(units.len() / 2);
                let middle = right.first().map_or(base, |unit| unit.start);
                let (low, high) = out.split_at_mut(middle - base);
                let mut lower = || self.units(left, low, base, f);
                let mut upper = || self.units(right, high, middle, f);
                if self.parallel {
                    rayon::join(lower, upper);
                } else {
                    lower();
                    upper();
                }
            }
        }
    }
}

impl Net {
    /// `input` and `output` are the group's items, C x H x W each.
    pub(super) fn group(&self, program: &Program, input: &[f32], output: &mut [f32], parallel: bool) {
        let means = Means { path: self.path, buffers: &self.buffers, parallel };
        let Program { items, layout, work } = program;
        self.arenas.with(|arena: &mut Aligned| {
            let arena = arena.grown(layout.len);
            let from = layout.input;
            let map = &mut arena[from.offset..];
            from.clear(*items, map);
            for (item, planes) in input.chunks_exact(from.shape.elements()).enumerate() {
                for row in 0..from.shape.height {
                    let start = from.pixel(item, 0, row, 0);
                    let line = &mut map[start..start + from.shape.width * from.shape.channels];
                    let row = row * from.shape.width;
                    for (channel, plane) in
                        planes.chunks_exact(from.shape.height * from.shape.width).enumerate()
                    {
                        let values = line[channel..].iter_mut().step_by(from.shape.channels);
                        values.zip(&plane[row..]).for_each(|(to, from)| *to = *from);
                    }
                }
            }
            let steps = self.plan.steps.iter().zip(&self.banks).zip(&layout.ends).zip(work);
            for (((step, bank), ends), work) in steps {
                let (map, out) = apart(arena, ends.input, ends.output, *items);
                if ends.fresh {
                    ends.output.clear(*items, out);
                }
                run(step, bank, [ends.input, ends.output], work, map, out, means);
            }
            let to = layout.output;
            let map = &arena[to.offset..];
            for (item, planes) in output.chunks_exact_mut(to.shape.elements()).enumerate() {
                for row in 0..to.shape.height {
                    let line = &map[to.pixel(item, 0, row, 0)..][..to.shape.width * to.shape.channels];
                    let row = row * to.shape.width;
                    for (channel, plane) in
                        planes.chunks_exact_mut(to.shape.height * to.shape.width).enumerate()
                    {
                        let values = line[channel..].iter().step_by(to.shape.channels);
                        plane[row..].iter_mut().zip(values).for_each(|(to, from)| *to = *from);
                    }
                }
            }
        });
    }
}

/// What a step reads and what it writes, which the layout keeps apart. A step in place has nothing to read.
fn apart(arena: &mut [f32], input: At, output: At, items: usize) -> (&[f32], &mut [f32]) {
    let (read, written) = (items * input.item(), items * output.item());
    if input.offset < output.offset {
        let (low, high) = arena.split_at_mut(output.offset);
        (&low[input.offset..][..read], &mut high[..written])
    } else if input.offset > output.offset {
        let (low, high) = arena.split_at_mut(input.offset);
        (&high[..read], &mut low[output.offset..][..written])
    } else {
        (&[], &mut arena[output.offset..][..written])
    }
}

fn run(
    step: &Step,
    bank: &Bank,
    [from, to]: [At; 2],
    work: &Work,
    map: &[f32],
    out: &mut [f32],
    means: Means<'_>,
) {
    match (step, work) {
        (Step::Convolve { convolution, accumulate, .. }, Work::Tiles { tiles, units }) => {
            let winograd = bank.winograd(convolution);
            in_units(units, out, means, |unit, out, base| {
                means.buffers.with(|buffer| {
                    winograd.run(
                        means.path,
                        map,
                        &tiles[unit.first..unit.end],
                        (out, base),
                        *accumulate,
                        buffer,
                    );
                });
            });
        }
        (_, Work::Sums { places, runs, units }) => {
            let convolved = |kernel: usize| Rows { count: kernel, run: kernel * from.shape.channels };
            let (banks, rows, onto) = match step {
                Step::Convolve { convolution, accumulate, .. } => {
                    (bank.cells(convolution), convolved(convolution.window.kernel), *accumulate)
                }
                Step::ConvolveCells { convolution, .. } => {
                    (bank.cells(convolution), convolved(convolution.window.kernel), false)
                }
                Step::Multiply { matrix, .. } => {
                    let whole =
                        Rows { count: from.shape.height, run: from.shape.width * from.shape.channels };
                    (bank.parts(matrix), whole, false)
                }
                // Nothing else sums windows.
                _ => return,
            };
            in_units(units, out, means, |unit, out, base| {
                let placed = Placed { places, line: from.line(), rows, base };
                for run in &runs[unit.first..unit.end] {
                    if let Some(bank) = banks.get(run.bank) {
                        sums(means.path, bank, map, &placed, run.first..run.end, out, onto);
                    }
                }
            });
        }
        (_, Work::Rows { units }) => in_units(units, out, means, |unit, out, base| {
            let wide = to.shape.width * to.shape.channels;
            for index in unit.first..unit.end {
                let (item, row) = (index / to.shape.height, index % to.shape.height);
                let line = &mut out[to.pixel(item, 0, row, 0) - base..][..wide];
                row_of(step, item, row, map, from, line, means.path);
            }
        }),
        // The program is made from the steps, kind by kind.
        _ => {}
    }
}

/// One row of a cheap step.
fn row_of(step: &Step, item: usize, row: usize, map: &[f32], from: At, line: &mut [f32], path: Path) {
    let read = || &map[from.pixel(item, 0, row, 0)..][..line.len()];
    match step {
        Step::Pool { pooling, window, .. } => {
            let map = &map[from.pixel(item, 0, 0, 0)..];
            on!(path, pooling.row(*window, map, from.shape, from.line(), row, line));
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
        Step::Convolve { .. } | Step::ConvolveCells { .. } | Step::Multiply { .. } => {}
    }
}

fn in_units(units: &[Unit], out: &mut [f32], means: Means<'_>, f: impl Fn(&Unit, &mut [f32], usize) + Sync) {
    let Some(first) = units.first() else { return };
    means.units(units, &mut out[first.start..], first.start, &f);
}
