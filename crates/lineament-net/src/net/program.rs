//! A plan for inputs of one shape: its maps laid out, its work cut into units.

use super::bank::OUTPUTS;
use super::layout::{At, Ends, Layout};
use super::plan::{Plan, Step};
use crate::Shape;
use crate::kernel::places::Place;
use crate::kernel::sums::{TOGETHER, WINDOWS};
use crate::kernel::together::Parts;
use crate::kernel::winograd::{Form, Grid, Tile, tiles};

/// Values that the transforms of one unit's tiles may fill, and how few tiles are worth it.
const TRANSFORMED: usize = 192 << 10;
const FEWEST_TILES: usize = 12;
/// Rows of a unit of cheap work.
const ROWS: usize = 8;
/// Bytes that are worth a unit of their own, and the most units of an item.
const BAND: usize = 8 << 10;
const BANDS: usize = 2;
/// What it costs to bring one value of a tile there and back, in multiplications: measured on the nets of the compact recipe, with AVX2 and AVX-512.
const TRANSFORM: usize = 16;
/// What it costs to read one filter's value, in multiplications: tiles have up to four times as many of them. Measured on the compact ANet: six patches are
/// a fifth faster than without it, two (one face) equal; one alone takes a quarter longer when filters lie in a core's cache, and is faster when not.
const READ: usize = 8;
/// Windows that are summed at once; fewer take as long.
const AT_ONCE: usize = 6;
/// The fewest channels for which transforms pay.
const CHANNELS: usize = 16;

/// The most values of an arena (1 GiB). Windows are listed beside it, so an input may be far smaller than that and still cost as much.
pub(crate) const MOST: usize = 1 << 28;

/// A plan for a group of items of one shape.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) items: usize,
    pub(crate) layout: Layout,
    /// One a step.
    pub(crate) work: Vec<Work>,
    /// What each unit writes.
    pub(crate) parts: Parts,
}

/// What a step does, unit by unit. Units follow each other in the output's memory.
#[derive(Debug)]
pub(crate) enum Work {
    /// Sums of windows.
    Sums { places: Vec<Place>, runs: Vec<Run>, units: Vec<Unit> },
    /// Sums of tiles.
    Tiles { form: Form, tiles: Vec<Tile>, units: Vec<Unit> },
    /// Rows of the output (counted through all items).
    Rows { units: Vec<Unit> },
}

impl Work {
    /// Its units.
    pub(crate) fn units(&self) -> &[Unit] {
        match self {
            Self::Sums { units, .. } | Self::Tiles { units, .. } | Self::Rows { units } => units,
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

/// A piece of work: runs, tiles or rows `first..end`, whose outputs begin at `start` in the output's memory.
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
        let steps = plan.steps.iter().zip(&layout.ends);
        let work: Vec<Work> = steps.map(|(step, ends)| work(step, ends, items)).collect();
        let parts = Parts::new(layout.ends.iter().zip(&work).map(|(ends, work)| {
            let stretch = |at: At| at.offset..at.offset + at.value(items * at.item());
            let written = stretch(ends.output);
            // A step in place has nothing else to read.
            let in_place = ends.input.offset == ends.output.offset;
            let read = if in_place { written.start..written.start } else { stretch(ends.input) };
            let starts =
                work.units().iter().map(|unit| written.start + ends.output.value(unit.start)).collect();
            ([read, written], starts)
        }));
        Some(Self { items, layout, work, parts })
    }
}

fn work(step: &Step, ends: &Ends, items: usize) -> Work {
    let Ends { input, output, .. } = *ends;
    match step {
        Step::Convolve { convolution, .. } => {
            let window = convolution.window;
            let to = output.shape;
            let wide = input.shape.channels >= CHANNELS && convolution.filters >= CHANNELS;
            let (inputs, filters) = (input.shape.channels, convolution.filters);
            // For one item, however many there are: a batch must not be reckoned otherwise than its items alone.
            let products = |windows: usize| (windows.next_multiple_of(AT_ONCE) + READ) * inputs * filters;
            let cost = |form: &Form| {
                let [down, across] = form.tiles(to.height, to.width);
                let tiles = down * across;
                form.places() * (products(tiles) + TRANSFORM * tiles * (inputs + filters))
            };
            let plain = window.kernel * window.kernel * products(to.height * to.width);
            let tiled = window.stride == 1 && wide && !input.bytes;
            let forms = Form::of_kernel(window.kernel).filter(|_| tiled);
            if let Some(form) = forms.min_by_key(cost).filter(|form| cost(form) < plain) {
                return in_tiles(input, output, window.padding, form, items);
            }
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
            in_windows(places, together)
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
            for group in (0..items).step_by(TOGETHER) {
                let group = group..items.min(group + TOGETHER);
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

/// Even parts of `all` things, at most `most` each, of multiples of `step`.
fn part(all: usize, most: usize, step: usize) -> usize {
    // Two parts at least where there is enough for two cores.
    let parts = all.div_ceil(most.max(1)).max(if all >= 2 * step { 2 } else { 1 });
    all.div_ceil(parts).next_multiple_of(step)
}

/// Windows of which each `together` may be one run.
fn in_windows(places: Vec<Place>, together: usize) -> Work {
    let size = part(places.len(), WINDOWS, TOGETHER);
    let (mut runs, mut units) = (Vec::new(), Vec::new());
    for first in (0..places.len()).step_by(size.max(1)) {
        let (start, begin, end) = (places[first].to as usize, runs.len(), places.len().min(first + size));
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

fn in_tiles(input: At, output: At, padding: usize, form: Form, items: usize) -> Work {
    let to = output.shape;
    let grids = move |item: usize| {
        let Shape { height, width, .. } = input.shape;
        let margin = 2 * padding;
        let from = Grid {
            start: input.pixel(item, padding, 0, 0),
            line: input.line(),
            rows: height + margin,
            columns: width + margin,
        };
        let into = Grid {
            start: output.pixel(item, 0, 0, 0),
            line: output.line(),
            rows: to.height,
            columns: to.width,
        };
        [from, into]
    };
    let [down, across] = form.tiles(to.height, to.width);
    let all: Vec<Tile> = tiles(0..items * down, grids, [down, across]).collect();
    let most = (TRANSFORMED / (form.places() * (input.shape.channels + to.channels))).max(FEWEST_TILES);
    let rows = part(items * down, most.div_ceil(across).max(1), 1);
    let units = (0..items * down).step_by(rows.max(1)).map(|row| Unit {
        start: output.pixel(row / down, 0, row % down * form.results, 0),
        first: row * across,
        end: (items * down).min(row + rows) * across,
    });
    Work::Tiles { form, units: units.collect(), tiles: all }
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
    let units = (0..all).step_by(ROWS).map(|row| Unit {
        start: output.pixel(row / height, 0, row % height, 0),
        first: row,
        end: all.min(row + ROWS),
    });
    Work::Rows { units: units.collect() }
}
