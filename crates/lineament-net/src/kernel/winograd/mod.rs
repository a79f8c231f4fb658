//! Convolutions of stride 1 by Winograd's minimal filtering: F(4 x 4, 3 x 3) takes 36 multiplications for 16 sums instead of 144, F(2 x 2, 5 x 5) for 4
//! instead of 100, F(3 x 3, 3 x 3) 25 for 9 instead of 81. Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016.
//!
//! The map is cut into tiles of 6 x 6 or 5 x 5 that overlap. Each tile and each filter is transformed, the points of the transforms are matrix products of
//! their own (over channels), and the products are transformed back to results (`transform.rs`). A tile's side has the points 0, 1, -1, 2, (for six) -2, and
//! infinity.

pub(crate) mod layout;
mod tile;
mod transform;

use std::ops::Range;

use layout::{TransformLayout, TransformRows};
pub(crate) use tile::{Form, Grid, Tile, tiles};
use transform::{InputTransform, OutputTransform};

use crate::kernel::activation::{Activation, Top};
use crate::kernel::aligned::Aligned;
use crate::kernel::gemm_f32::{PackedWeights, multiply_panels, packing, prefetch};
use crate::kernel::indirection::MatrixRows;
use crate::kernel::isa::Isa;

/// The fewest outputs whose products are made together: two panels of any kernel.
pub(crate) const LEAST_OUTPUTS: usize = 32;
/// Values of products that stay near a core until they are brought back.
const PRODUCTS: usize = 64 << 10;

/// Weights transformed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Winograd {
    inputs: usize,
    outputs: usize,
    form: Form,
    /// One matrix a point of the transform.
    points: Vec<PackedWeights>,
    bias: Vec<f32>,
    slopes: Vec<f32>,
    top: Top,
}

impl Winograd {
    /// From `weight` `[kernel, kernel, inputs, outputs]`, where the kernel is what `form` is for, and `bias` `[outputs]`.
    pub(crate) fn new(
        weight: &[f32],
        bias: &[f32],
        form: Form,
        outputs: usize,
        activation: &Activation,
        isa: Isa,
    ) -> Self {
        /// The finite points, and what keeps the transform of a tile free of fractions.
        const SIX: [(f64, f64); 5] =
            [(0.0, 1.0 / 4.0), (1.0, -1.0 / 6.0), (-1.0, -1.0 / 6.0), (2.0, 1.0 / 24.0), (-2.0, 1.0 / 24.0)];
        const FIVE: [(f64, f64); 4] =
            [(0.0, 1.0 / 2.0), (1.0, -1.0 / 2.0), (-1.0, -1.0 / 6.0), (2.0, 1.0 / 6.0)];
        let Form { side, results } = form;
        let (kernel, finite) = (side + 1 - results, if side == 6 { &SIX[..] } else { &FIVE[..] });
        let each = weight.len() / (kernel * kernel);
        // Powers of a point; of infinity, the last tap.
        let factor = |point: usize, tap: usize| match finite.get(point) {
            Some((value, scale)) => scale * value.powi(tap as i32),
            None => f64::from(u8::from(tap + 1 == kernel)),
        };
        let points = (0..form.points()).map(|point| {
            let factors: Vec<f64> = (0..kernel * kernel)
                .map(|tap| factor(point % side, tap / kernel) * factor(point / side, tap % kernel))
                .collect();
            let matrix: Vec<f32> = (0..each)
                .map(|at| {
                    let taps = weight[at..].iter().step_by(each).zip(&factors);
                    taps.map(|(value, factor)| f64::from(*value) * factor).sum::<f64>() as f32
                })
                .collect();
            PackedWeights::new(&matrix, &[], outputs, &Activation::Identity, isa)
        });
        Self {
            inputs: each / outputs.max(1),
            outputs,
            form,
            points: points.collect(),
            bias: bias.to_vec(),
            slopes: activation.slopes(outputs),
            top: activation.top(),
        }
    }

    /// The results of `tiles`, whose inputs lie in `map` and outputs in `out`, which is what follows `base` of the whole output. With `accumulate`, they
    /// are added to what `out` holds.
    pub(crate) fn run(
        &self,
        map: &[f32],
        tiles: &[Tile],
        (out, base): (&mut [f32], usize),
        accumulate: bool,
        buffer: &mut Aligned,
    ) {
        let whole = TransformLayout::whole(tiles.len(), self.form.points());
        let (panels, together) = (self.panels().end, self.panels_together(tiles.len()));
        let most = self.outputs_of(0..together.min(panels)).len();
        let [wide, deep] = [self.inputs, most].map(|channels| whole.values(channels));
        let (transformed, products) = buffer.grown(wide + deep).split_at_mut(wide);
        self.transform_input(map, tiles, transformed);
        for first in (0..panels).step_by(together) {
            let panels = first..panels.min(first + together);
            let outputs = self.outputs_of(panels.clone());
            self.multiply(0..self.form.points(), panels, whole, transformed, products);
            self.transform_output((products, tiles.len()), (tiles, 0), outputs, (out, base), accumulate);
        }
    }

    /// All panels of weights.
    pub(crate) fn panels(&self) -> Range<usize> {
        0..self.points[0].panels()
    }

    /// Outputs of some panels: all points have the same.
    fn outputs_of(&self, panels: Range<usize>) -> Range<usize> {
        self.points[0].outputs_of(panels)
    }

    /// Panels whose products with so many tiles are transformed back before the next ones are made.
    fn panels_together(&self, tiles: usize) -> usize {
        let least = self.form.points() * tiles.max(1) * LEAST_OUTPUTS;
        let outputs = LEAST_OUTPUTS * (PRODUCTS / least).max(1);
        (outputs / packing(self.isa()).outputs).max(1)
    }

    fn isa(&self) -> Isa {
        self.points[0].isa()
    }

    /// Transforms `tiles` of `map`: fills `transformed`, a piece of [`TransformLayout`].
    pub(crate) fn transform_input(&self, map: &[f32], tiles: &[Tile], transformed: &mut [f32]) {
        let Form { side, results } = self.form;
        InputTransform { map, tiles, channels: self.inputs, results }.run(self.isa(), side, transformed);
    }

    /// Multiplies transforms, piece after piece as [`Winograd::transform_input`] leaves them, with the weights of some panels of some points: fills those
    /// points of one piece with all products.
    pub(crate) fn multiply(
        &self,
        points: Range<usize>,
        panels: Range<usize>,
        layout: TransformLayout,
        transformed: &[f32],
        products: &mut [f32],
    ) {
        let (inner, outputs) = (self.inputs, self.outputs_of(panels.clone()).len());
        let rows = products.chunks_mut(TransformLayout::whole(layout.all, layout.points).stride(0, outputs));
        for ((point, weights), products) in
            self.points.iter().enumerate().take(points.end).skip(points.start).zip(rows)
        {
            if let Some(next) = self.points.get(point + 1) {
                prefetch(next, panels.clone());
            }
            let (weights, tiles) = ((weights, panels.clone()), 0..layout.all);
            if layout.each < layout.all {
                let rows = TransformRows { layout, point, inner, outputs };
                multiply_panels(weights, transformed, &rows, tiles, products, false);
            } else {
                // To find a tile among pieces takes as long as a dozen sums.
                let rows = MatrixRows { start: point * layout.stride(0, inner), inner, outputs };
                multiply_panels(weights, transformed, &rows, tiles, products, false);
            }
        }
    }

    /// Transforms the products of `tiles` and some outputs back, which are those from number `first` on of `all` in the one piece `products`; `out` as in
    /// [`Winograd::run`].
    pub(crate) fn transform_output(
        &self,
        (products, all): (&[f32], usize),
        (tiles, first): (&[Tile], usize),
        outputs: Range<usize>,
        (out, base): (&mut [f32], usize),
        accumulate: bool,
    ) {
        let (channels, bias, slopes, top) = (self.outputs, &self.bias, &self.slopes, self.top);
        OutputTransform {
            products,
            all,
            tiles,
            first,
            channels,
            outputs,
            base,
            bias,
            slopes,
            top,
            accumulate,
        }
        .run(self.isa(), self.form, out);
    }
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
        fn every_instruction_set_agrees_with_plain_windows(
            form in 0usize..3, rows in 1usize..12, columns in 1usize..12, inputs in 1usize..20, outputs in 1usize..20, accumulate: bool, kind in 0usize..3,
        ) {
            let kernel = if form == 2 { 5 } else { 3 };
            let form = Form::of_kernel(kernel).nth(form % 2).unwrap();
            let [height, width] = [rows, columns].map(|side| side + kernel - 1);
            let map: Vec<f32> = (0..height * width * inputs).map(value).collect();
            let weight: Vec<f32> = (0..kernel * kernel * inputs * outputs).map(|i| value(i + 7)).collect();
            let bias: Vec<f32> = (0..outputs).map(|i| value(i + 3)).collect();
            let before: Vec<f32> = (0..rows * columns * outputs).map(|i| value(i + 99)).collect();
            let slopes: Vec<f32> = (0..outputs).map(|i| value(i + 1)).collect();
            let input = Grid { start: 0, line: width * inputs, rows: height, columns: width };
            let output = Grid { start: 50, line: columns * outputs, rows, columns };
            let parts = form.tiles(rows, columns);
            let tiles: Vec<Tile> = tiles(0..parts[0], |_| [input, output], parts).collect();
            for isa in Isa::available() {
                let activation = match kind {
                    0 => Activation::Relu6,
                    1 => Activation::HardSwish,
                    _ => Activation::Prelu(slopes.clone()),
                };
                let winograd = Winograd::new(&weight, &bias, form, outputs, &activation, isa);
                let (mut out, mut buffer) = (before.clone(), Aligned::default());
                winograd.run(&map, &tiles, (&mut out, 50), accumulate, &mut buffer);
                for (at, found) in out.iter().enumerate() {
                    let (pixel, filter) = (at / outputs, at % outputs);
                    let (row, column) = (pixel / columns, pixel % columns);
                    let mut sum = f64::from(bias[filter]) + if accumulate { f64::from(before[at]) } else { 0.0 };
                    for tap in 0..kernel * kernel {
                        for channel in 0..inputs {
                            let from = ((row + tap / kernel) * width + column + tap % kernel) * inputs + channel;
                            sum += f64::from(map[from]) * f64::from(weight[(tap * inputs + channel) * outputs + filter]);
                        }
                    }
                    let expected = match kind {
                        0 => sum.clamp(0.0, 6.0),
                        1 => sum * (sum + 3.0).clamp(0.0, 6.0) / 6.0,
                        _ => if sum > 0.0 { sum } else { sum * f64::from(slopes[filter]) },
                    };
                    prop_assert!((f64::from(*found) - expected).abs() < 2e-4 * expected.abs().max(1.0), "{isa:?}: {found} {expected}");
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
        let input = Grid { start: 0, line: (side + 2) * inputs, rows: side + 2, columns: side + 2 };
        let output = Grid { start: 0, line: side * outputs, rows: side, columns: side };
        let parts = form.tiles(side, side);
        let tiles: Vec<Tile> = tiles(0..parts[0], |_| [input, output], parts).collect();
        for isa in Isa::available() {
            let winograd = Winograd::new(&weight, &bias, form, outputs, &Activation::Relu, isa);
            // Else the test would not see products transformed back panel by panel.
            assert!(winograd.panels_together(tiles.len()) < winograd.panels().end);
            let mut buffer = Aligned::default();
            let [mut all, mut apart] = [(); 2].map(|()| vec![0.0; side * side * outputs]);
            winograd.run(&map, &tiles, (&mut all, 0), false, &mut buffer);
            tiles.iter().for_each(|tile| {
                winograd.run(&map, &[*tile], (&mut apart, 0), false, &mut buffer);
            });
            assert!(all == apart, "{isa:?}");
        }
    }
}
