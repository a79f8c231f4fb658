//! A plan for inputs of one shape: its maps laid out, its work cut into units.

use std::ops::Range;
use std::sync::Arc;

use super::layout::{At, Ends, Layout};
use super::packed::OUTPUTS;
use super::plan::{Plan, Step};
use super::tiled::{self, Tiled};
use crate::Shape;
use crate::kernel::gemm_f32::{BLOCK, FEW_WINDOWS, UNIT_WINDOWS};
use crate::kernel::indirection::{Place, TransformLayout};
use crate::kernel::winograd::{Form, Tile};
use crate::scheduler::Schedule;

/// Multiplications that are not worth a second thread: two or three microseconds.
const ALONE: usize = 300_000;
/// The most rows of a unit of cheap work.
const ROWS: usize = 8;
/// Bytes that are worth a unit of their own, and the most units of an item.
const BAND: usize = 8 << 10;
const BANDS: usize = 2;
/// The most values of a step's transforms that are not laid over those of other steps.
const OWN: usize = 64 << 10;
/// The most values of an arena (1 GiB). Windows are listed beside it, so an input may be far smaller than that and still cost as much.
pub(crate) const MOST: usize = 1 << 28;

/// A plan for a group of items of one shape.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) items: usize,
    pub(crate) layout: Layout,
    /// Values of the arena: the maps, and behind them what steps need for themselves.
    pub(crate) len: usize,
    /// In the plan's order; most steps are one of them.
    pub(crate) stages: Vec<Stage>,
    /// What the units of each stage read and write.
    pub(crate) schedule: Schedule,
}

/// A step of the plan, or a part of it that has to be done by all threads before the next begins.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) step: usize,
    /// Whether it is what writes the step's output.
    pub(crate) writes_map: bool,
    pub(crate) work: Work,
}

/// What a stage does, unit by unit. Units follow each other in the memory that is written.
#[derive(Debug)]
pub(crate) enum Work {
    /// Sums of windows.
    Sums { places: Vec<Place>, runs: Vec<Run>, units: Vec<Unit> },
    /// Sums of tiles, there and back.
    Tiles { form: Form, tiles: Arc<[Tile]>, units: Vec<Unit> },
    /// Tiles transformed.
    TransformInput { form: Form, tiles: Arc<[Tile]>, units: Vec<Unit> },
    /// Their products, place by place.
    Products { form: Form, pieces: TransformLayout, units: Vec<Unit> },
    /// Products transformed back.
    TransformOutput { form: Form, tiles: Arc<[Tile]>, units: Vec<Unit> },
    /// Rows of the output (counted through all items).
    Rows { units: Vec<Unit> },
}

impl Work {
    /// Its units.
    pub(crate) fn units(&self) -> &[Unit] {
        match self {
            Self::Sums { units, .. }
            | Self::Tiles { units, .. }
            | Self::TransformInput { units, .. }
            | Self::Products { units, .. }
            | Self::TransformOutput { units, .. }
            | Self::Rows { units } => units,
        }
    }
}

/// Neighbouring places under one bank.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    pub(crate) bank: usize,
    pub(crate) first: usize,
    pub(crate) end: usize,
}

/// A piece of work: runs, tiles, places or rows `first..end`, whose outputs begin at `start` in the memory that is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unit {
    pub(crate) start: usize,
    pub(crate) first: usize,
    pub(crate) end: usize,
}

impl Program {
    /// `None` when it would need more memory than there can be.
    pub(crate) fn new(plan: &Plan, input: Shape, items: usize) -> Option<Self> {
        let layout = Layout::new(plan, input, items, MOST)?;
        let (mut stages, mut parts, mut len) = (Vec::new(), Vec::new(), layout.len);
        for (index, (step, ends)) in plan.steps.iter().zip(&layout.ends).enumerate() {
            let stretch = |at: At| at.offset..at.offset + at.value(items * at.item());
            let written = stretch(ends.output);
            let mut stage = |work: Work, read: Range<usize>, written: Range<usize>, to: Option<At>| {
                let value = |start| to.map_or(start, |at| at.value(start));
                let starts = work.units().iter().map(|unit| written.start + value(unit.start)).collect();
                parts.push(([read, written], starts));
                stages.push(Stage { step: index, writes_map: to.is_some(), work });
            };
            // A step in place has nothing else to read.
            let in_place = ends.input.offset == ends.output.offset;
            let read = if in_place { written.start..written.start } else { stretch(ends.input) };
            match tiled::of(step, ends, items) {
                Some(Tiled::Staged { works: [input, products, output], values: [wide, deep] }) => {
                    // Small transforms have memory of their own: each thread then finds what it wrote in an earlier pass in its cache.
                    let start = if wide + deep <= OWN { len } else { layout.len };
                    let transformed = start..start + wide;
                    let multiplied = transformed.end..transformed.end + deep;
                    len = len.max(multiplied.end);
                    stage(input, read, transformed.clone(), None);
                    stage(products, transformed, multiplied.clone(), None);
                    stage(output, multiplied, written, Some(ends.output));
                }
                Some(Tiled::Fused(work)) => stage(work, read, written, Some(ends.output)),
                None => stage(work(step, ends, items), read, written, Some(ends.output)),
            }
        }
        Some(Self { items, layout, len, stages, schedule: Schedule::new(parts.into_iter()) })
    }
}

fn work(step: &Step, ends: &Ends, items: usize) -> Work {
    let Ends { input, output, .. } = *ends;
    match step {
        Step::Convolve { convolution, .. } => {
            let window = convolution.window;
            let to = output.shape;
            let place = |item, row, column| Place {
                from: input.pixel(item, window.padding, row * window.stride, column * window.stride) as u32,
                to: output.pixel(item, 0, row, column) as u32,
            };
            let pixels = (0..items).flat_map(|item| {
                (0..to.height).flat_map(move |row| (0..to.width).map(move |column| (item, row, column)))
            });
            let places: Vec<Place> = pixels.map(|(item, row, column)| place(item, row, column)).collect();
            // What bytes stand for differs from item to item.
            let together = if input.bytes { to.height * to.width } else { places.len() };
            in_windows(
                places,
                together,
                convolution.rows().count * convolution.rows().run * convolution.filters,
            )
        }
        Step::ConvolveCells { convolution, grid, .. } => {
            in_cells(input, output, convolution.window.padding, convolution.window.stride, *grid, items)
        }
        Step::Multiply { matrix, .. } => {
            let from = |item| input.pixel(item, 0, 0, 0) as u32;
            let parts = matrix.outputs.div_ceil(OUTPUTS);
            let to = |item, part| (output.pixel(item, 0, 0, 0) + part * OUTPUTS) as u32;
            let (mut places, mut runs, mut units) = (Vec::new(), Vec::new(), Vec::new());
            // One item: each part is a unit. More: each group of items is, as their parts lie apart.
            for group in (0..items).step_by(BLOCK) {
                let group = group..items.min(group + BLOCK);
                for part in 0..parts {
                    let first = places.len();
                    places.extend(group.clone().map(|item| Place { from: from(item), to: to(item, part) }));
                    if part == 0 || items == 1 {
                        units.push(Unit {
                            start: to(group.start, part) as usize,
                            first: runs.len(),
                            end: runs.len(),
                        });
                    }
                    runs.push(Run { bank: part, first, end: places.len() });
                    if let Some(unit) = units.last_mut() {
                        unit.end = runs.len();
                    }
                }
            }
            Work::Sums { places, runs, units }
        }
        Step::ToBytes { .. } => in_bands(output, items),
        _ => in_rows(output, items),
    }
}

/// `all` things one after the other in `count` parts as even as can be, none of them empty.
pub(crate) fn parts(all: usize, count: usize) -> impl Iterator<Item = Range<usize>> {
    let count = count.min(all);
    (0..count).map(move |part| part * all / count..(part + 1) * all / count)
}

/// An even number of parts where there are several, so that two threads have as much to do each.
pub(crate) fn evenly(count: usize) -> usize {
    if count > 1 { count.next_multiple_of(2) } else { 1 }
}

/// Windows of so many multiplications, of which each `together` may be one run.
fn in_windows(places: Vec<Place>, together: usize, multiplications: usize) -> Work {
    let all = places.len();
    // Two parts at least where there is enough for two cores.
    let enough = all > 2 * FEW_WINDOWS && all * multiplications >= ALONE;
    let count = evenly(all.div_ceil(UNIT_WINDOWS).max(if enough { 2 } else { 1 }));
    let block = if all >= 2 * BLOCK * count { BLOCK } else { FEW_WINDOWS };
    let (mut runs, mut units) = (Vec::new(), Vec::new());
    for blocks in parts(all.div_ceil(block), count) {
        let (first, end) = (blocks.start * block, all.min(blocks.end * block));
        let (start, begin) = (places[first].to as usize, runs.len());
        let mut at = first;
        while at < end {
            let next = ((at / together + 1) * together).min(end);
            runs.push(Run { bank: 0, first: at, end: next });
            at = next;
        }
        units.push(Unit { start, first: begin, end: runs.len() });
    }
    Work::Sums { places, runs, units }
}

fn in_cells(input: At, output: At, padding: usize, stride: usize, grid: [usize; 2], items: usize) -> Work {
    let [height, width] = [output.shape.height / grid[0], output.shape.width / grid[1]];
    let (mut places, mut runs, mut units) = (Vec::new(), Vec::new(), Vec::new());
    for item in 0..items {
        for band in 0..grid[0] {
            let rows = band * height..(band + 1) * height;
            units.push(Unit {
                start: output.pixel(item, 0, rows.start, 0),
                first: runs.len(),
                end: runs.len() + grid[1],
            });
            for cell in 0..grid[1] {
                let first = places.len();
                for row in rows.clone() {
                    places.extend((cell * width..(cell + 1) * width).map(|column| Place {
                        from: input.pixel(item, padding, row * stride, column * stride) as u32,
                        to: output.pixel(item, 0, row, column) as u32,
                    }));
                }
                runs.push(Run { bank: band * grid[1] + cell, first, end: places.len() });
            }
        }
    }
    Work::Sums { places, runs, units }
}

/// Each item in a few bands of rows: the extremes of all of it are looked for with each of them. The padding above and below belongs to the first and the
/// last.
fn in_bands(output: At, items: usize) -> Work {
    let height = output.shape.height;
    let bands = (height * output.line()).div_ceil(BAND).clamp(1, BANDS);
    let rows = height.div_ceil(bands).max(1);
    let units = (0..items * height).filter(|row| (row % height).is_multiple_of(rows)).map(|row| Unit {
        start: if row % height == 0 {
            row / height * output.item()
        } else {
            output.pixel(row / height, output.padding, row % height + output.padding, 0)
        },
        first: row,
        end: (row + rows).min((row / height + 1) * height),
    });
    Work::Rows { units: units.collect() }
}

fn in_rows(output: At, items: usize) -> Work {
    let height = output.shape.height;
    let all = items * height;
    let units = parts(all, evenly(all.div_ceil(ROWS))).map(|rows| Unit {
        start: output.pixel(rows.start / height, 0, rows.start % height, 0),
        first: rows.start,
        end: rows.end,
    });
    Work::Rows { units: units.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn parts_are_even_and_leave_nothing_out(all in 0usize..500, count in 1usize..60) {
            let parts: Vec<Range<usize>> = parts(all, count).collect();
            prop_assert_eq!(parts.len(), count.min(all));
            prop_assert_eq!(parts.iter().map(ExactSizeIterator::len).sum::<usize>(), all);
            prop_assert!(parts.windows(2).all(|pair| pair[0].end == pair[1].start));
            let each = || parts.iter().map(ExactSizeIterator::len);
            prop_assert!(each().max() <= each().min().map(|least| least + 1));
            prop_assert!(!each().any(|len| len == 0));
        }
    }
}
