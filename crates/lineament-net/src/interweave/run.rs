//! Runs a woven plan on one region.

use rayon::prelude::*;

use super::number::{Map, PADDING, Table};
use crate::Shape;
use crate::kernel::activation::Activation;
use crate::kernel::aligned::Aligned;
use crate::kernel::panels::Panels;
use crate::kernel::path::Path;
use crate::kernel::places::{Listed, Rows};
use crate::kernel::pooling::{Pixels, Pooling};
use crate::kernel::sums::sums;
use crate::net::bank::{self, OUTPUTS};
use crate::net::fold::Affine;
use crate::net::plan::Slot;
use crate::net::scratch::Shelf;
use crate::net::step::{Convolution, Matrix};

/// Values that one piece of a cheap operation works on.
const VALUES: usize = 512;

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

/// A plan ready to run, with the buffers of earlier runs.
pub(crate) struct Woven {
    operations: Vec<Operation>,
    /// What each operation multiplies with; nothing for most.
    packed: Vec<Packed>,
    path: Path,
    slots: usize,
    output: Slot,
    /// Shape of one patch's output, and which values stand in the patches'.
    shape: Shape,
    numbers: Vec<u32>,
    arenas: Shelf<Arena>,
}

/// The filters of an operation and where their windows lie.
struct Packed {
    banks: Vec<Panels>,
    sources: Vec<u32>,
    rows: Rows,
}

/// The maps of one region on its way through. `spare` takes what an operation writes, then changes places with the map
/// that was there.
#[derive(Debug, Default)]
struct Arena {
    slots: Vec<Held>,
    spare: Held,
    /// Results of a matrix, part by part.
    parted: Held,
}

/// The values of a map, and one more behind them that is zero: padding is read there.
#[derive(Debug, Default)]
struct Held {
    buffer: Aligned,
    values: usize,
}

impl Held {
    /// Room for `values` with `channels` each.
    fn room(&mut self, values: usize, channels: usize) -> &mut [f32] {
        self.values = values;
        let (map, zeros) = self.buffer.grown((values + 1) * channels).split_at_mut(values * channels);
        zeros.fill(0.0);
        map
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
            Operation::Multiply { matrix, table, channels, .. } => (bank::parts(matrix), table, *channels),
            _ => return Self { banks: vec![], sources: vec![], rows: Rows { count: 0, run: 0 } },
        };
        let (sources, count, run) = table.runs(channels);
        Self { banks, sources, rows: Rows { count, run } }
    }

    /// The windows of the values from `first` on, over a map of `channels` a value.
    fn listed(&self, map: &Held, first: usize, channels: usize, outputs: usize) -> Listed<'_> {
        let sources = &self.sources[first * self.rows.count..];
        Listed { sources, rows: self.rows, channels, values: map.values, outputs }
    }
}

/// Runs `f` on consecutive pieces of `out`, each `size` values (the last may be shorter).
fn pieces(parallel: bool, out: &mut [f32], size: usize, f: impl Fn(usize, &mut [f32]) + Sync) {
    if parallel && out.len() > size {
        out.par_chunks_mut(size).enumerate().for_each(|(index, piece)| f(index, piece));
    } else {
        out.chunks_mut(size).enumerate().for_each(|(index, piece)| f(index, piece));
    }
}

impl Woven {
    pub(crate) fn new(operations: Vec<Operation>, slots: usize, output: Slot, map: Map) -> Self {
        let Map { shape, numbers, .. } = map;
        let packed = operations.iter().map(Packed::new).collect();
        Self {
            operations,
            packed,
            path: Path::best(),
            slots,
            output,
            shape,
            numbers,
            arenas: Shelf::default(),
        }
    }

    /// What runs, in this order, from the region's pixels in slot 0 on.
    pub(crate) fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The slot of the last map, and `[patches, height, width]`: which of its values stand in the patches' outputs.
    pub(crate) fn result(&self) -> (Slot, &[u32]) {
        (self.output, &self.numbers)
    }

    /// One region, C x H x W, to all patches' outputs, each C x H x W.
    pub(crate) fn region(&self, region: &[f32], channels: usize, output: &mut [f32], parallel: bool) {
        self.arenas.with(|arena: &mut Arena| {
            if arena.slots.len() < self.slots {
                arena.slots.resize_with(self.slots, Held::default);
            }
            let pixels = region.len() / channels.max(1);
            let map = arena.slots[0].room(pixels, channels);
            for (channel, plane) in region.chunks_exact(pixels.max(1)).enumerate() {
                map[channel..].iter_mut().step_by(channels).zip(plane).for_each(|(to, from)| *to = *from);
            }
            for (operation, packed) in self.operations.iter().zip(&self.packed) {
                arena.run(operation, packed, self.path, parallel);
            }
            let map = &arena.slots[self.output].buffer;
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

impl Arena {
    fn run(&mut self, operation: &Operation, packed: &Packed, path: Path, parallel: bool) {
        match operation {
            Operation::Normalise { affine, activation, size, slot } => {
                let piece = VALUES * affine.scale.len();
                pieces(parallel, &mut self.slots[*slot].buffer[..*size], piece, |_, piece| {
                    activation.apply_with_scale(piece, &affine.scale, &affine.shift);
                });
            }
            Operation::Activate { activation, values, channels, slot } => {
                pieces(
                    parallel,
                    &mut self.slots[*slot].buffer[..values * channels],
                    VALUES * channels,
                    |_, piece| {
                        activation.apply(piece, *channels);
                    },
                );
            }
            Operation::Convolve { convolution, pieces: parts, onto, inner, input, output, .. } => {
                let (map, before) = (&self.slots[*input], &self.slots[*output].buffer);
                let filters = convolution.filters;
                let taps = convolution.window.kernel * convolution.window.kernel;
                let values = parts.iter().map(|piece| piece.values).sum::<usize>();
                let out = self.spare.room(values, filters);
                in_pieces(parts, filters, out, parallel, |piece, out| {
                    if let Some(onto) = onto {
                        rows(before, &onto[piece.first..], filters, out);
                    }
                    if let Some(bank) = packed.banks.get(piece.cell) {
                        let windows = packed.listed(map, piece.first, inner / taps, filters);
                        sums(path, bank, &map.buffer, &windows, 0..piece.values, out, onto.is_some());
                    }
                });
                std::mem::swap(&mut self.slots[*output], &mut self.spare);
            }
            Operation::Multiply { matrix, values, channels, input, output, .. } => {
                let map = &self.slots[*input];
                let out = self.spare.room(*values, matrix.outputs);
                // Part by part of the outputs: each filter is read once, by one thread or another.
                let parted = self.parted.room(*values, matrix.outputs);
                pieces(parallel, parted, (values * OUTPUTS).max(1), |part, out| {
                    if let Some(bank) = packed.banks.get(part) {
                        let windows = packed.listed(map, 0, *channels, bank.outputs());
                        sums(path, bank, &map.buffer, &windows, 0..*values, out, false);
                    }
                });
                for (part, from) in parted.chunks((values * OUTPUTS).max(1)).enumerate() {
                    let wide = from.len() / values;
                    for (to, from) in out.chunks_exact_mut(matrix.outputs).zip(from.chunks_exact(wide)) {
                        to[part * OUTPUTS..][..wide].copy_from_slice(from);
                    }
                }
                std::mem::swap(&mut self.slots[*output], &mut self.spare);
            }
            Operation::Pool { pooling, table, values, channels, input, output } => {
                let map = &self.slots[*input].buffer;
                let out = self.spare.room(*values, *channels);
                pieces(parallel, out, VALUES * channels, |index, piece| {
                    let sources = |value| Sources {
                        numbers: table.window(index * VALUES + value),
                        channels: *channels,
                    };
                    pooling.windows(path, map, *channels, sources, piece);
                });
                std::mem::swap(&mut self.slots[*output], &mut self.spare);
            }
            Operation::Copy { values, channels, input, output } => {
                let size = values * channels;
                self.spare.room(*values, *channels).copy_from_slice(&self.slots[*input].buffer[..size]);
                std::mem::swap(&mut self.slots[*output], &mut self.spare);
            }
            Operation::Add { table, onto, channels, input, into, activation } => {
                let (map, before) = (&self.slots[*input].buffer, &self.slots[*into].buffer);
                let out = self.spare.room(onto.len(), *channels);
                pieces(parallel, out, VALUES * channels, |index, piece| {
                    let first = index * VALUES;
                    rows(before, &onto[first..], *channels, piece);
                    for (value, out) in piece.chunks_exact_mut(*channels).enumerate() {
                        for &source in table.window(first + value) {
                            let added = &map[source as usize * channels..];
                            out.iter_mut().zip(added).for_each(|(v, a)| *v += a);
                        }
                    }
                    activation.apply(piece, *channels);
                });
                std::mem::swap(&mut self.slots[*into], &mut self.spare);
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

/// Runs `f` on each piece and its part of `out`, which are in the same order.
fn in_pieces(
    pieces: &[Piece],
    channels: usize,
    out: &mut [f32],
    parallel: bool,
    f: impl Fn(&Piece, &mut [f32]) + Sync,
) {
    let mut rest = out;
    let parts = pieces.iter().map(|piece| {
        let (part, later) = std::mem::take(&mut rest).split_at_mut(piece.values * channels);
        rest = later;
        (piece, part)
    });
    if parallel && pieces.len() > 1 {
        let parts: Vec<_> = parts.collect();
        parts.into_par_iter().for_each(|(piece, part)| f(piece, part));
    } else {
        parts.for_each(|(piece, part)| f(piece, part));
    }
}
