//! Convolutions of stride 1 by Winograd's minimal filtering: F(4 x 4, 3 x 3) takes 36 multiplications for 16 sums instead of 144, F(2 x 2, 5 x 5) for 4
//! instead of 100, F(3 x 3, 3 x 3) 25 for 9 instead of 81. Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016.
//!
//! The map is cut into tiles of 6 x 6 or 5 x 5 that overlap. Each tile and each filter is transformed, the places of the transforms are matrix products of
//! their own (over channels), and the products are transformed back to results (`transform.rs`). The points of a tile's side are 0, 1, -1, 2, (for six) -2, and
//! infinity.

mod transform;

use std::ops::Range;

use crate::kernel::activation::Activation;
use crate::kernel::aligned::{Aligned, LANES};
use crate::kernel::gemm_f32::of_blocks;
use crate::kernel::gemm_f32::packing::{Panels, WIDEST};
use crate::kernel::indirection::{AtPlace, Lines, TransformLayout};
use crate::kernel::isa::Isa;
use transform::{InputTransform, OutputTransform};

/// Blocks that kernels take together, and their outputs.
const PAIR: usize = 2;
pub(crate) const LEAST_OUTPUTS: usize = PAIR * WIDEST * LANES;
/// Values of products that stay near a core until they are brought back.
const PRODUCTS: usize = 64 << 10;

/// A size of tiles for a size of kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Form {
    /// Pixels on a side of a tile: 6, or 5 for kernels of 3.
    pub(crate) side: usize,
    /// Results on a side of a tile.
    pub(crate) results: usize,
}

impl Form {
    /// The forms for a kernel; none for most.
    pub(crate) fn of_kernel(kernel: usize) -> impl Iterator<Item = Self> {
        let sides: &[usize] = match kernel {
            3 => &[6, 5],
            5 => &[6],
            _ => &[],
        };
        sides.iter().map(move |&side| Self { side, results: side + 1 - kernel })
    }

    /// Multiplications for one tile of one channel: the places of a transform.
    pub(crate) fn places(self) -> usize {
        self.side * self.side
    }

    /// Tiles down and across a map of so many results.
    pub(crate) fn tiles(self, rows: usize, columns: usize) -> [usize; 2] {
        [rows, columns].map(|side| side.div_ceil(self.results))
    }
}

/// Filters made ready.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Winograd {
    inputs: usize,
    outputs: usize,
    form: Form,
    /// One matrix a place of the transform.
    places: Vec<Panels>,
    bias: Vec<f32>,
    slopes: Vec<f32>,
}

/// A map in memory, padding included: where its first value stands, values between rows, rows and columns that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grid {
    pub(crate) start: usize,
    pub(crate) line: usize,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

/// One tile: which map of the batch, and its row and column among the tiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tile {
    pub(crate) input: Grid,
    pub(crate) output: Grid,
    pub(crate) row: usize,
    pub(crate) column: usize,
}

impl Winograd {
    /// From `weight` `[kernel, kernel, inputs, outputs]`, where the kernel is what `form` is for, and `bias` `[outputs]`.
    pub(crate) fn new(
        weight: &[f32],
        bias: &[f32],
        form: Form,
        outputs: usize,
        activation: &Activation,
    ) -> Self {
        /// The finite points, and what keeps the transform of a tile free of fractions.
        const SIX: [(f64, f64); 5] =
            [(0.0, 1.0 / 4.0), (1.0, -1.0 / 6.0), (-1.0, -1.0 / 6.0), (2.0, 1.0 / 24.0), (-2.0, 1.0 / 24.0)];
        const FIVE: [(f64, f64); 4] =
            [(0.0, 1.0 / 2.0), (1.0, -1.0 / 2.0), (-1.0, -1.0 / 6.0), (2.0, 1.0 / 6.0)];
        let Form { side, results } = form;
        let (kernel, points) = (side + 1 - results, if side == 6 { &SIX[..] } else { &FIVE[..] });
        let bank = weight.len() / (kernel * kernel);
        // Powers of a point; of infinity, the last tap.
        let factor = |place: usize, tap: usize| match points.get(place) {
            Some((point, scale)) => scale * point.powi(tap as i32),
            None => f64::from(u8::from(tap + 1 == kernel)),
        };
        let places = (0..form.places()).map(|place| {
            let factors: Vec<f64> = (0..kernel * kernel)
                .map(|tap| factor(place % side, tap / kernel) * factor(place / side, tap % kernel))
                .collect();
            let matrix: Vec<f32> = (0..bank)
                .map(|at| {
                    let taps = weight[at..].iter().step_by(bank).zip(&factors);
                    taps.map(|(value, factor)| f64::from(*value) * factor).sum::<f64>() as f32
                })
                .collect();
            Panels::new(&matrix, &[], outputs, &Activation::Identity)
        });
        Self {
            inputs: bank / outputs.max(1),
            outputs,
            form,
            places: places.collect(),
            bias: bias.to_vec(),
            slopes: activation.slopes(outputs),
        }
    }

    /// The results of `tiles`, whose inputs lie in `map` and outputs in `out`, which is what follows `base` of the whole output. When `onto`, they
    /// are added to what `out` holds.
    pub(crate) fn run(
        &self,
        isa: Isa,
        map: &[f32],
        tiles: &[Tile],
        (out, base): (&mut [f32], usize),
        onto: bool,
        buffer: &mut Aligned,
    ) {
        let whole = TransformLayout::whole(tiles.len(), self.form.places());
        // All places have the same blocks.
        let filters = &self.places[0];
        let (blocks, together) = (self.blocks().end, together(self.form, tiles.len()));
        let most = filters.outputs_of(0..together.min(blocks)).len();
        let [wide, deep] = [self.inputs, most].map(|channels| whole.values(channels));
        let (transformed, products) = buffer.grown(wide + deep).split_at_mut(wide);
        self.transform_input(isa, map, tiles, transformed);
        for first in (0..blocks).step_by(together) {
            let blocks = first..blocks.min(first + together);
            let outputs = filters.outputs_of(blocks.clone());
            self.multiply(isa, 0..self.form.places(), blocks, whole, transformed, products);
            self.transform_output(isa, (products, tiles.len()), (tiles, 0), outputs, (out, base), onto);
        }
    }

    /// All blocks of filters.
    pub(crate) fn blocks(&self) -> Range<usize> {
        0..self.places[0].blocks().len()
    }

    /// Transforms `tiles` of `map`: fills `transformed`, a piece of [`TransformLayout`].
    pub(crate) fn transform_input(&self, isa: Isa, map: &[f32], tiles: &[Tile], transformed: &mut [f32]) {
        let Form { side, results } = self.form;
        InputTransform { map, tiles, channels: self.inputs, results }.run(isa, side, transformed);
    }

    /// Multiplies the transforms `transformed`, piece after piece as [`Winograd::transform_input`] leaves them, with the filters `blocks` of `places`: fills
    /// those places of one piece with all products.
    pub(crate) fn multiply(
        &self,
        isa: Isa,
        places: Range<usize>,
        blocks: Range<usize>,
        pieces: TransformLayout,
        transformed: &[f32],
        products: &mut [f32],
    ) {
        let (inner, outputs) = (self.inputs, self.places[0].outputs_of(blocks.clone()).len());
        let rows = products.chunks_mut(TransformLayout::whole(pieces.all, pieces.places).apart(0, outputs));
        for ((place, panels), products) in
            self.places.iter().enumerate().take(places.end).skip(places.start).zip(rows)
        {
            let (panels, tiles) = ((panels, blocks.clone()), 0..pieces.all);
            if pieces.each < pieces.all {
                let rows = AtPlace { pieces, place, inner, outputs };
                of_blocks(isa, panels, transformed, &rows, tiles, products, false);
            } else {
                // To find a tile among pieces takes as long as a dozen sums.
                let rows = Lines { start: place * pieces.apart(0, inner), inner, outputs };
                of_blocks(isa, panels, transformed, &rows, tiles, products, false);
            }
        }
    }

    /// Transforms the products of `tiles` and the filters `outputs` back, which are those from number `first` on of `all` in the one piece `products`; `out`
    /// as in [`Winograd::run`].
    pub(crate) fn transform_output(
        &self,
        isa: Isa,
        (products, all): (&[f32], usize),
        (tiles, first): (&[Tile], usize),
        outputs: Range<usize>,
        (out, base): (&mut [f32], usize),
        onto: bool,
    ) {
        let (channels, bias, slopes) = (self.outputs, &self.bias, &self.slopes);
        OutputTransform { products, all, tiles, first, channels, outputs, base, bias, slopes, onto }
            .run(isa, self.form, out);
    }
}

/// Blocks of filters whose products with so many tiles are brought back before the next ones are made.
fn together(form: Form, tiles: usize) -> usize {
    let pair = form.places() * tiles.max(1) * LEAST_OUTPUTS;
    PAIR * (PRODUCTS / pair).max(1)
}

/// The tiles of tile rows `rows` (counted through all maps of a batch); a map has `down` rows of `across` tiles.
pub(crate) fn tiles(
    rows: Range<usize>,
    grids: impl Fn(usize) -> [Grid; 2],
    [down, across]: [usize; 2],
) -> impl Iterator<Item = Tile> {
    rows.flat_map(move |index| {
        let [input, output] = grids(index / down);
        (0..across).map(move |column| Tile { input, output, row: index % down, column })
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernel::value;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]
        #[test]
        fn every_path_agrees_with_plain_windows(
            form in 0usize..3, rows in 1usize..12, columns in 1usize..12, inputs in 1usize..20, outputs in 1usize..20, onto: bool,
        ) {
            let kernel = if form == 2 { 5 } else { 3 };
            let form = Form::of_kernel(kernel).nth(form % 2).unwrap();
            let [height, width] = [rows, columns].map(|side| side + kernel - 1);
            let map: Vec<f32> = (0..height * width * inputs).map(value).collect();
            let weight: Vec<f32> = (0..kernel * kernel * inputs * outputs).map(|i| value(i + 7)).collect();
            let bias: Vec<f32> = (0..outputs).map(|i| value(i + 3)).collect();
            let before: Vec<f32> = (0..rows * columns * outputs).map(|i| value(i + 99)).collect();
            let slopes: Vec<f32> = (0..outputs).map(|i| value(i + 1)).collect();
            let winograd = Winograd::new(&weight, &bias, form, outputs, &Activation::Prelu(slopes.clone()));
            let input = Grid { start: 0, line: width * inputs, rows: height, columns: width };
            let output = Grid { start: 50, line: columns * outputs, rows, columns };
            let parts = form.tiles(rows, columns);
            let tiles: Vec<Tile> = tiles(0..parts[0], |_| [input, output], parts).collect();
            for isa in Isa::available() {
                let (mut out, mut buffer) = (before.clone(), Aligned::default());
                winograd.run(isa, &map, &tiles, (&mut out, 50), onto, &mut buffer);
                for (at, found) in out.iter().enumerate() {
                    let (pixel, filter) = (at / outputs, at % outputs);
                    let (row, column) = (pixel / columns, pixel % columns);
                    let mut sum = f64::from(bias[filter]) + if onto { f64::from(before[at]) } else { 0.0 };
                    for tap in 0..kernel * kernel {
                        for channel in 0..inputs {
                            let from = ((row + tap / kernel) * width + column + tap % kernel) * inputs + channel;
                            sum += f64::from(map[from]) * f64::from(weight[(tap * inputs + channel) * outputs + filter]);
                        }
                    }
                    let expected = if sum > 0.0 { sum } else { sum * f64::from(slopes[filter]) };
                    prop_assert!((f64::from(*found) - expected).abs() < 2e-4, "{isa:?}: {found} {expected}");
                }
            }
        }
    }

    #[test]
    fn many_tiles_have_the_bits_of_each_alone() {
        let (side, inputs, outputs, form) = (26, 19, 150, Form { side: 6, results: 4 });
        let map: Vec<f32> = (0..(side + 2) * (side + 2) * inputs).map(value).collect();
        let weight: Vec<f32> = (0..9 * inputs * outputs).map(value).collect();
        let bias: Vec<f32> = (0..outputs).map(value).collect();
        let winograd = Winograd::new(&weight, &bias, form, outputs, &Activation::Relu);
        let input = Grid { start: 0, line: (side + 2) * inputs, rows: side + 2, columns: side + 2 };
        let output = Grid { start: 0, line: side * outputs, rows: side, columns: side };
        let parts = form.tiles(side, side);
        let tiles: Vec<Tile> = tiles(0..parts[0], |_| [input, output], parts).collect();
        // Else the test would not see products brought back block by block.
        assert!(together(form, tiles.len()) < winograd.places[0].blocks().len());
        for isa in Isa::available() {
            let mut buffer = Aligned::default();
            let [mut all, mut apart] = [(); 2].map(|()| vec![0.0; side * side * outputs]);
            winograd.run(isa, &map, &tiles, (&mut all, 0), false, &mut buffer);
            tiles.iter().for_each(|tile| {
                winograd.run(isa, &map, &[*tile], (&mut apart, 0), false, &mut buffer);
            });
            assert!(all == apart, "{isa:?}");
        }
    }
}
