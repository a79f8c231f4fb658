//! How the work of a step is cut into units, which threads take.

use std::ops::Range;
use std::sync::Arc;

use super::layout::{At, Ends};
use super::packed::ranges;
use super::plan::Step;
use super::step::Matrix;
use crate::kernel::indirection::Offsets;
use crate::kernel::tiling::{BLOCK, FEW_WINDOWS, UNIT_WINDOWS};
use crate::kernel::winograd::layout::TransformLayout;
use crate::kernel::winograd::{Form, Tile};

/// Multiplications that are not worth a second thread: two or three microseconds.
const ALONE: usize = 300_000;
/// The most rows of a unit of cheap work.
const ROWS: usize = 8;
/// Bytes that are worth a unit of their own, and the most units of an item.
const BAND: usize = 8 << 10;
const BANDS: usize = 2;
/// What a stage does, unit by unit. Units follow each other in the memory that is written.
#[derive(Debug)]
pub(crate) enum Work {
    /// Rows of a large input (counted through all items), brought to their places.
    Inward { units: Vec<Unit> },
    /// Products of windows.
    Sums { windows: Vec<Offsets>, runs: Vec<Run>, units: Vec<Unit> },
    /// Products of tiles, transformed and transformed back.
    Tiles { form: Form, tiles: Arc<[Tile]>, units: Vec<Unit> },
    /// Tiles transformed.
    TransformInput { form: Form, tiles: Arc<[Tile]>, units: Vec<Unit> },
    /// Their products, point by point.
    Products { form: Form, layout: TransformLayout, units: Vec<Unit> },
    /// Products transformed back.
    TransformOutput { form: Form, tiles: Arc<[Tile]>, units: Vec<Unit> },
    /// Parts of a matrix's outputs, brought side by side (items).
    Join { units: Vec<Unit> },
    /// Rows of the output (counted through all items).
    Rows { units: Vec<Unit> },
}

impl Work {
    /// Its units.
    pub(crate) fn units(&self) -> &[Unit] {
        match self {
            Self::Inward { units }
            | Self::Sums { units, .. }
            | Self::Tiles { units, .. }
            | Self::TransformInput { units, .. }
            | Self::Products { units, .. }
            | Self::TransformOutput { units, .. }
            | Self::Join { units }
            | Self::Rows { units } => units,
        }
    }
}

/// Neighbouring windows that are multiplied with the same weights.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    pub(crate) weights: usize,
    pub(crate) first: usize,
    pub(crate) end: usize,
}

/// A piece of work: runs, tiles, points or rows `first..end`, whose outputs begin at `start` in the memory that is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unit {
    pub(crate) start: usize,
    pub(crate) first: usize,
    pub(crate) end: usize,
}

/// That of a step that is not done in tiles.
pub(crate) fn of(step: &Step, ends: &Ends, items: usize) -> Work {
    let Ends { input, output, .. } = *ends;
    match step {
        Step::Convolve { convolution, .. } => {
            let window = convolution.window;
            let to = output.shape;
            let window_at = |item, row, column| Offsets {
                input: input.pixel(item, window.padding[0], row * window.stride, column * window.stride)
                    as u32,
                output: output.pixel(item, 0, row, column) as u32,
            };
            let pixels = (0..items).flat_map(|item| {
                (0..to.height).flat_map(move |row| (0..to.width).map(move |column| (item, row, column)))
            });
            let windows: Vec<Offsets> =
                pixels.map(|(item, row, column)| window_at(item, row, column)).collect();
            // What bytes stand for differs from item to item.
            let together = if input.bytes { to.height * to.width } else { windows.len() };
            in_windows(
                windows,
                together,
                (convolution.rows().count * convolution.rows().run * convolution.filters, convolution.groups),
            )
        }
        Step::ConvolveCells { convolution, grid, .. } => {
            in_cells(input, output, convolution.window.padding[0], convolution.window.stride, *grid, items)
        }
        Step::Multiply { matrix, .. } => {
            in_parts(matrix, input, items, items == 1, |item, part| output.pixel(item, 0, 0, 0) + part.start)
        }
        Step::ToBytes { .. } => in_bands(output, items),
        Step::Depthwise { depthwise, .. } => {
            let rows = in_two(items * output.shape.height, output.shape.width * depthwise.weight.len());
            in_rows(output, items, rows)
        }
        _ => in_rows(output, items, ROWS),
    }
}

/// A matrix of several items with enough for two cores, in two stages: each part of its outputs `[items, outputs]` by itself, so that parts are units, and
/// then all of them side by side. Also the number of those values.
pub(crate) fn staged(step: &Step, ends: &Ends, items: usize) -> Option<([Work; 2], usize)> {
    let Step::Multiply { matrix, .. } = step else { return None };
    if items == 1 || items * matrix.inputs * matrix.outputs < ALONE {
        return None;
    }
    let to = |item, part: &Range<usize>| part.start * items + item * part.len();
    let products = in_parts(matrix, ends.input, items, true, to);
    let unit = Unit { start: ends.output.pixel(0, 0, 0, 0), first: 0, end: items };
    Some(([products, Work::Join { units: vec![unit] }], items * matrix.outputs))
}

/// A matrix part by part, each of them a unit or all of them one. `to` is where an item's outputs of a part begin.
fn in_parts(
    matrix: &Matrix,
    input: At,
    items: usize,
    apart: bool,
    to: impl Fn(usize, &Range<usize>) -> usize,
) -> Work {
    let (mut windows, mut runs, mut units) = (Vec::new(), Vec::new(), Vec::new());
    for (weights, part) in ranges(matrix.outputs).enumerate() {
        let first = windows.len();
        windows.extend((0..items).map(|item| Offsets {
            input: input.pixel(item, 0, 0, 0) as u32,
            output: to(item, &part) as u32,
        }));
        if apart || weights == 0 {
            units.push(Unit { start: to(0, &part), first: weights, end: weights });
        }
        runs.push(Run { weights, first, end: windows.len() });
        if let Some(unit) = units.last_mut() {
            unit.end = runs.len();
        }
    }
    Work::Sums { windows, runs, units }
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

/// Windows of so many multiplications, of which each `together` may be one run, for each group of filters.
fn in_windows(windows: Vec<Offsets>, together: usize, (multiplications, groups): (usize, usize)) -> Work {
    let all = windows.len();
    // Two parts at least where there is enough for two cores.
    let enough = all > 2 * FEW_WINDOWS && all * multiplications >= ALONE;
    let count = evenly(all.div_ceil(UNIT_WINDOWS).max(if enough { 2 } else { 1 }));
    let block = if all >= 2 * BLOCK * count { BLOCK } else { FEW_WINDOWS };
    let (mut runs, mut units) = (Vec::new(), Vec::new());
    for blocks in parts(all.div_ceil(block), count) {
        let (first, end) = (blocks.start * block, all.min(blocks.end * block));
        let (start, begin) = (windows[first].output as usize, runs.len());
        let mut at = first;
        while at < end {
            let next = ((at / together + 1) * together).min(end);
            runs.extend((0..groups).map(|weights| Run { weights, first: at, end: next }));
            at = next;
        }
        units.push(Unit { start, first: begin, end: runs.len() });
    }
    Work::Sums { windows, runs, units }
}

fn in_cells(input: At, output: At, padding: usize, stride: usize, grid: [usize; 2], items: usize) -> Work {
    let [height, width] = [output.shape.height / grid[0], output.shape.width / grid[1]];
    let (mut windows, mut runs, mut units) = (Vec::new(), Vec::new(), Vec::new());
    for item in 0..items {
        for band in 0..grid[0] {
            let rows = band * height..(band + 1) * height;
            units.push(Unit {
                start: output.pixel(item, 0, rows.start, 0),
                first: runs.len(),
                end: runs.len() + grid[1],
            });
            for cell in 0..grid[1] {
                let first = windows.len();
                for row in rows.clone() {
                    windows.extend((cell * width..(cell + 1) * width).map(|column| Offsets {
                        input: input.pixel(item, padding, row * stride, column * stride) as u32,
                        output: output.pixel(item, 0, row, column) as u32,
                    }));
                }
                runs.push(Run { weights: band * grid[1] + cell, first, end: windows.len() });
            }
        }
    }
    Work::Sums { windows, runs, units }
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

/// The most rows of a unit of `all`, each of so many multiplications: half of them where that is enough for two cores.
fn in_two(all: usize, multiplications: usize) -> usize {
    if all * multiplications < ALONE { ROWS } else { all.div_ceil(2).clamp(1, ROWS) }
}

fn in_rows(output: At, items: usize, most: usize) -> Work {
    let height = output.shape.height;
    let all = items * height;
    let units = parts(all, evenly(all.div_ceil(most))).map(|rows| Unit {
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
