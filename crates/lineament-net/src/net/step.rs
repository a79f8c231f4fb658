//! The steps of a plan: what a layer, or several folded into one, does to maps with channels innermost.

use std::ops::{Range, RangeInclusive};

use rayon::prelude::*;

use super::scratch::{Shelf, grown};
use crate::Shape;
use crate::kernel::activation::Activation;
use crate::kernel::gemm::multiply;
use crate::kernel::window::Window;

/// Values of the window matrix that one piece of a convolution works on: 256 KiB, so that it stays in a core's second
/// cache between being gathered and being multiplied.
const GATHERED: usize = 1 << 16;
/// The most values of a piece's window matrix (64 MiB), however large its windows are.
const LARGEST: usize = 1 << 24;
/// The fewest and the most output pixels of one piece: too few, and the filters are packed for next to nothing; too
/// many, and there is nothing to share between cores.
const PIXELS: RangeInclusive<usize> = 96..=512;
/// Outputs of a matrix that are computed together.
pub(crate) const OUTPUTS: usize = 64;
/// Items that meet a matrix together. Short batches are filled with zeros: an item's result then never depends on how
/// many others came with it, and reading the matrix costs more than the products do.
pub(crate) const ITEMS: usize = 8;

/// Means that all steps of one pass share.
pub(crate) struct Means<'a> {
    /// Buffers for window matrices and products.
    pub(crate) buffers: &'a Shelf<Vec<f32>>,
    /// Whether pieces of a step may run at the same time. Pieces are the same either way.
    pub(crate) parallel: bool,
}

impl Means<'_> {
    /// Runs `f` on consecutive pieces of `out`, each `size` values (the last may be shorter).
    pub(crate) fn pieces(&self, out: &mut [f32], size: usize, f: impl Fn(usize, &mut [f32]) + Sync) {
        if self.parallel && out.len() > size {
            out.par_chunks_mut(size).enumerate().for_each(|(index, piece)| f(index, piece));
        } else {
            out.chunks_mut(size).enumerate().for_each(|(index, piece)| f(index, piece));
        }
    }
}

/// A convolution with all that is folded into it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Convolution {
    /// The layer's path, for reports.
    pub(crate) path: String,
    pub(crate) window: Window,
    pub(crate) filters: usize,
    /// `[kernel, kernel, inputs, filters]`; for a locally shared convolution one such bank a cell.
    pub(crate) weight: Vec<f32>,
    /// `[filters]`, a cell each.
    pub(crate) bias: Vec<f32>,
    pub(crate) activation: Activation,
}

impl Convolution {
    /// Inputs that one output sums.
    pub(crate) fn inner(&self, input: Shape) -> usize {
        self.window.kernel * self.window.kernel * input.channels
    }

    pub(crate) fn output(&self, input: Shape) -> Shape {
        Shape { channels: self.filters, ..self.window.slide(input) }
    }

    /// Output pixels that one piece works on.
    pub(crate) fn pixels(&self, inner: usize) -> usize {
        if self.window.is_pixel() {
            *PIXELS.end()
        } else {
            let most = (LARGEST / inner).max(1);
            (GATHERED / inner).clamp(*PIXELS.start(), *PIXELS.end()).min(most)
        }
    }

    /// One filter bank over the whole map; added to what `out` holds when `accumulate`.
    pub(crate) fn run(
        &self,
        map: &[f32],
        input: Shape,
        out: &mut [f32],
        accumulate: bool,
        means: &Means<'_>,
    ) {
        let inner = self.inner(input);
        let pixels = self.pixels(inner);
        means.pieces(out, pixels * self.filters, |index, piece| {
            let start = index * pixels;
            let count = piece.len() / self.filters;
            let sizes = [count, inner, self.filters];
            if self.window.is_pixel() {
                let from = &map[start * inner..(start + count) * inner];
                multiply(piece, from, &self.weight, sizes, accumulate);
            } else {
                means.buffers.with(|buffer| {
                    let gathered = grown(buffer, count * inner);
                    self.window.gather_run(map, input, start..start + count, gathered);
                    multiply(piece, gathered, &self.weight, sizes, accumulate);
                });
            }
            self.activation.apply_with_bias(piece, &self.bias);
        });
    }

    /// A filter bank for each cell of the output map.
    pub(crate) fn run_in_cells(
        &self,
        grid: [usize; 2],
        map: &[f32],
        input: Shape,
        out: &mut [f32],
        means: &Means<'_>,
    ) {
        let (inner, to) = (self.inner(input), self.output(input));
        let [height, width] = [to.height / grid[0], to.width / grid[1]];
        let line = to.width * self.filters;
        // Whole rows of a cell at a time; with one column of cells this is the split of `run` as near as may be.
        let rows = (self.pixels(inner) / width).clamp(1, height);
        let bank = inner * self.filters;
        means.pieces(out, height * line, |band, piece| {
            means.buffers.with(|buffer| {
                let (gathered, product) =
                    grown(buffer, rows * width * (inner + self.filters)).split_at_mut(rows * width * inner);
                for column in 0..grid[1] {
                    let cell = band * grid[1] + column;
                    let weight = &self.weight[cell * bank..(cell + 1) * bank];
                    let bias = &self.bias[cell * self.filters..(cell + 1) * self.filters];
                    for first in (0..height).step_by(rows) {
                        let count = rows.min(height - first);
                        let gathered = &mut gathered[..count * width * inner];
                        let product = &mut product[..count * width * self.filters];
                        for (row, windows) in gathered.chunks_exact_mut(width * inner).enumerate() {
                            let row = band * height + first + row;
                            self.window.gather(
                                map,
                                input,
                                row,
                                column * width..(column + 1) * width,
                                windows,
                            );
                        }
                        multiply(product, gathered, weight, [count * width, inner, self.filters], false);
                        self.activation.apply_with_bias(product, bias);
                        for (row, values) in product.chunks_exact(width * self.filters).enumerate() {
                            let at = (first + row) * line + column * width * self.filters;
                            piece[at..at + values.len()].copy_from_slice(values);
                        }
                    }
                }
            });
        });
    }
}

/// A fully connected layer with all that is folded into it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Matrix {
    /// The layer's path, for reports.
    pub(crate) path: String,
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    /// Blocks of [`OUTPUTS`] outputs (the last may be narrower), each `[inputs, block]`, inputs in the order of the map
    /// (rows, columns, channels).
    pub(crate) weight: Vec<f32>,
    pub(crate) bias: Vec<f32>,
    pub(crate) activation: Activation,
}

impl Matrix {
    /// `maps` are flattened items one after the other, `out` takes `outputs` values an item.
    pub(crate) fn run(&self, maps: &[f32], out: &mut [f32], means: &Means<'_>) {
        let items = out.len() / self.outputs;
        let groups = items.div_ceil(ITEMS);
        let (group_in, piece) = (ITEMS * self.inputs, ITEMS * OUTPUTS);
        let short = &maps[items / ITEMS * group_in..];
        means.buffers.with(|filled| {
            let filled = grown(filled, if short.is_empty() { 0 } else { group_in });
            filled[..short.len()].copy_from_slice(short);
            filled[short.len()..].fill(0.0);
            let filled = &*filled;
            means.buffers.with(|products| {
                let products = grown(products, groups * self.outputs.div_ceil(OUTPUTS) * piece);
                // All groups of one block first: the block is then read from memory once.
                means.pieces(products, piece, |index, product| {
                    let (block, group) = (index / groups, index % groups);
                    let wide = self.block(block).len();
                    let start = block * OUTPUTS * self.inputs;
                    let weight = &self.weight[start..start + wide * self.inputs];
                    let maps = maps.get(group * group_in..(group + 1) * group_in).unwrap_or(filled);
                    multiply(&mut product[..ITEMS * wide], maps, weight, [ITEMS, self.inputs, wide], false);
                });
                for (index, product) in products.chunks_exact(piece).enumerate() {
                    let (block, group) = (index / groups, index % groups);
                    let block = self.block(block);
                    let rows = out[group * ITEMS * self.outputs..].chunks_exact_mut(self.outputs).take(ITEMS);
                    for (row, values) in rows.zip(product.chunks_exact(block.len())) {
                        row[block.clone()].copy_from_slice(values);
                    }
                }
            });
        });
        self.activation.apply_with_bias(out, &self.bias);
    }

    /// The weight as one `[inputs, outputs]`.
    pub(crate) fn whole(&self) -> Vec<f32> {
        let mut whole = vec![0.0; self.inputs * self.outputs];
        for (index, packed) in self.weight.chunks(OUTPUTS * self.inputs).enumerate() {
            let block = self.block(index);
            let rows = whole.chunks_exact_mut(self.outputs).zip(packed.chunks_exact(block.len()));
            rows.for_each(|(row, values)| row[block.clone()].copy_from_slice(values));
        }
        whole
    }

    fn block(&self, index: usize) -> Range<usize> {
        index * OUTPUTS..self.outputs.min((index + 1) * OUTPUTS)
    }
}
