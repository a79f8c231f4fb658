//! Runs a woven plan on one region.

use rayon::prelude::*;

use super::number::{Map, PADDING, Table};
use crate::Shape;
use crate::kernel::activation::Activation;
use crate::kernel::gemm::multiply;
use crate::kernel::pooling::Pooling;
use crate::net::fold::Affine;
use crate::net::plan::Slot;
use crate::net::run::transpose;
use crate::net::scratch::{Shelf, grown};
use crate::net::step::{Convolution, Matrix, Means};

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
        size: usize,
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
    slots: usize,
    output: Slot,
    /// Shape of one patch's output, and which values stand in the patches'.
    shape: Shape,
    numbers: Vec<u32>,
    arenas: Shelf<Arena>,
    buffers: Shelf<Vec<f32>>,
}

/// The maps of one region on its way through. `spare` takes what an operation writes, then changes places with the map
/// that was there.
#[derive(Debug, Default)]
struct Arena {
    slots: Vec<Vec<f32>>,
    spare: Vec<f32>,
}

impl Woven {
    pub(crate) fn new(operations: Vec<Operation>, slots: usize, output: Slot, map: Map) -> Self {
        let Map { shape, numbers, .. } = map;
        let (arenas, buffers) = (Shelf::default(), Shelf::default());
        Self { operations, slots, output, shape, numbers, arenas, buffers }
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
        let means = Means { buffers: &self.buffers, parallel };
        self.arenas.with(|arena| {
            if arena.slots.len() < self.slots {
                arena.slots.resize_with(self.slots, Vec::new);
            }
            transpose(region, grown(&mut arena.slots[0], region.len()), channels);
            for operation in &self.operations {
                arena.run(operation, &means);
            }
            let map = &arena.slots[self.output];
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
    fn run(&mut self, operation: &Operation, means: &Means<'_>) {
        match operation {
            Operation::Normalise { affine, activation, size, slot } => {
                let piece = VALUES * affine.scale.len();
                means.pieces(&mut self.slots[*slot][..*size], piece, |_, piece| {
                    activation.apply_with_scale(piece, &affine.scale, &affine.shift);
                });
            }
            Operation::Activate { activation, values, channels, slot } => {
                means.pieces(&mut self.slots[*slot][..values * channels], VALUES * channels, |_, piece| {
                    activation.apply(piece, *channels);
                });
            }
            Operation::Convolve { convolution, table, pieces, onto, inner, input, output } => {
                let (map, before) = (&self.slots[*input], &self.slots[*output]);
                let filters = convolution.filters;
                let values = pieces.iter().map(|piece| piece.values).sum::<usize>();
                let out = grown(&mut self.spare, values * filters);
                in_pieces(pieces, filters, out, means.parallel, |piece, out| {
                    if let Some(onto) = onto {
                        rows(before, &onto[piece.first..], filters, out);
                    }
                    let bank = &convolution.weight[piece.cell * inner * filters..][..inner * filters];
                    let sizes = [piece.values, *inner, filters];
                    if table.identity {
                        let map = &map[piece.first * inner..][..piece.values * inner];
                        multiply(out, map, bank, sizes, onto.is_some());
                    } else {
                        means.buffers.with(|buffer| {
                            let gathered = grown(buffer, piece.values * inner);
                            let taps = convolution.window.kernel * convolution.window.kernel;
                            table.gather(map, inner / taps, piece.first, gathered);
                            multiply(out, gathered, bank, sizes, onto.is_some());
                        });
                    }
                    let bias = &convolution.bias[piece.cell * filters..][..filters];
                    convolution.activation.apply_with_bias(out, bias);
                });
                std::mem::swap(&mut self.slots[*output], &mut self.spare);
            }
            Operation::Multiply { matrix, table, values, channels, input, output } => {
                let map = &self.slots[*input];
                let out = grown(&mut self.spare, values * matrix.outputs);
                means.buffers.with(|buffer| {
                    let gathered = grown(buffer, values * matrix.inputs);
                    table.gather(map, *channels, 0, gathered);
                    matrix.run(gathered, out, means);
                });
                std::mem::swap(&mut self.slots[*output], &mut self.spare);
            }
            Operation::Pool { pooling, table, values, channels, input, output } => {
                let map = &self.slots[*input];
                let out = grown(&mut self.spare, values * channels);
                means.pieces(out, VALUES * channels, |index, piece| {
                    for (value, out) in piece.chunks_exact_mut(*channels).enumerate() {
                        let window = table.window(index * VALUES + value).iter();
                        let pixels = window.filter(|&&source| source != PADDING);
                        pooling.window(pixels.map(|&source| &map[source as usize * channels..]), out);
                    }
                });
                std::mem::swap(&mut self.slots[*output], &mut self.spare);
            }
            Operation::Copy { size, input, output } => {
                grown(&mut self.spare, *size).copy_from_slice(&self.slots[*input][..*size]);
                std::mem::swap(&mut self.slots[*output], &mut self.spare);
            }
            Operation::Add { table, onto, channels, input, into, activation } => {
                let (map, before) = (&self.slots[*input], &self.slots[*into]);
                let out = grown(&mut self.spare, onto.len() * channels);
                means.pieces(out, VALUES * channels, |index, piece| {
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
