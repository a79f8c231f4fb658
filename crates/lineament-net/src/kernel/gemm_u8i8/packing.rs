//! Weights as eight-bit integers, in the order in which kernels read them.

use crate::kernel::activation::{Activation, Top};
use crate::kernel::aligned::Aligned;
use crate::kernel::indirection::Rows;
use crate::kernel::isa::Isa;
use crate::kernel::tiling::Packing;

/// The largest weight; -128 is left out, so that both signs reach as far.
const MOST: f32 = 127.0;

/// The longest sum that stays in the range of i32, with what its zeros come to: 2 x 255 x 127 x 32,768 is below 2^31.
pub(crate) const LONGEST: usize = 1 << 15;

/// Weights in bytes packed for the kernel of an instruction set, those of each output with a scale of their own, and what follows the sums.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PackedWeights {
    isa: Isa,
    packing: Packing,
    rows: Rows,
    outputs: usize,
    /// Panel after panel, `[rows, steps, outputs, inputs]` each as [`Packing`] says; beyond the last output and the end of a row there are zeros.
    values: Aligned,
    /// What one is worth, an output each; as many as the panels have places for, as all that follow.
    scales: Aligned,
    /// The sum of an output's weights.
    sums: Vec<i32>,
    bias: Aligned,
    /// As in [`crate::kernel::gemm_f32::PackedWeights`].
    slopes: Aligned,
    top: Top,
}

/// Weights of neighbouring outputs that are summed together, and what follows: [`Packing::outputs`] of all.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Panel<'a> {
    /// `[rows, steps, outputs, inputs]`.
    pub(crate) values: &'a [i8],
    pub(crate) scales: &'a [f32],
    pub(crate) sums: &'a [i32],
    pub(crate) bias: &'a [f32],
    pub(crate) slopes: &'a [f32],
    /// What follows the slope.
    pub(crate) top: Top,
}

impl PackedWeights {
    /// From `weight` `[rows.count, rows.run, outputs]` and `bias` `[outputs]`, for the kernel of `isa`.
    pub(crate) fn new(
        weight: &[f32],
        bias: &[f32],
        outputs: usize,
        rows: Rows,
        activation: &Activation,
        isa: Isa,
    ) -> Self {
        let packing = super::packing(isa);
        let (steps, group) = (packing.steps(rows.run), packing.outputs * packing.inputs);
        let panels = outputs.div_ceil(packing.outputs);
        let filled = panels * packing.outputs;
        let mut values = Aligned::zeros((panels * rows.count * steps * group).div_ceil(size_of::<f32>()));
        let [mut scales, mut offsets, mut slopes] = [filled; 3].map(Aligned::zeros);
        let mut sums = vec![0; filled];
        offsets[..bias.len().min(outputs)].copy_from_slice(&bias[..bias.len().min(outputs)]);
        slopes[..outputs].copy_from_slice(&activation.slopes(outputs));
        for row in weight.chunks_exact(outputs) {
            scales.iter_mut().zip(row).for_each(|(most, w)| *most = most.max(w.abs()));
        }
        // Weights of zeros, or of next to nothing, are zeros.
        scales
            .iter_mut()
            .for_each(|most| *most = if (*most / MOST).is_normal() { *most / MOST } else { 1.0 });
        let bytes: &mut [i8] = bytemuck::cast_slice_mut(&mut values);
        for (at, weights) in weight.chunks_exact(outputs).enumerate() {
            let (row, at) = (at / rows.run.max(1), at % rows.run.max(1));
            for (output, w) in weights.iter().enumerate() {
                let value = (w / scales[output]).round().clamp(-MOST, MOST) as i8;
                let step = (output / packing.outputs * rows.count + row) * steps + at / packing.inputs;
                let within = output % packing.outputs * packing.inputs + at % packing.inputs;
                bytes[step * group + within] = value;
                sums[output] += i32::from(value);
            }
        }
        Self {
            isa,
            packing,
            rows,
            outputs,
            values,
            scales,
            sums,
            bias: offsets,
            slopes,
            top: activation.top(),
        }
    }

    /// The instruction set whose kernel they are packed for.
    pub(crate) fn isa(&self) -> Isa {
        self.isa
    }

    /// How they are packed.
    pub(crate) fn packing(&self) -> Packing {
        self.packing
    }

    /// What its windows look like, in bytes.
    pub(crate) fn rows(&self) -> Rows {
        self.rows
    }

    /// Number of outputs.
    pub(crate) fn outputs(&self) -> usize {
        self.outputs
    }

    /// Number of panels.
    pub(crate) fn panels(&self) -> usize {
        self.outputs.div_ceil(self.packing.outputs)
    }

    /// One panel.
    pub(crate) fn panel(&self, panel: usize) -> Panel<'_> {
        let Packing { outputs, inputs } = self.packing;
        let each = self.rows.count * self.packing.steps(self.rows.run) * outputs * inputs;
        let own = panel * outputs..(panel + 1) * outputs;
        Panel {
            values: &bytemuck::cast_slice(&self.values)[panel * each..(panel + 1) * each],
            scales: &self.scales[own.clone()],
            sums: &self.sums[own.clone()],
            bias: &self.bias[own.clone()],
            slopes: &self.slopes[own],
            top: self.top,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_of_an_output_stand_together_as_kernels_ask() {
        let rows = Rows { count: 2, run: 5 };
        let weight: Vec<f32> = (0..2 * 5 * 18)
            .map(|i| ((i / 18) as f32 + 1.0) * if i % 18 == 17 { -1.0 } else { 2.0 })
            .collect();
        // The largest of ten is 127.
        let bytes: [i8; 10] = [13, 25, 38, 51, 64, 76, 89, 102, 114, 127];
        for isa in Isa::available() {
            let weights = PackedWeights::new(&weight, &[3.0; 18], 18, rows, &Activation::Relu, isa);
            let Packing { outputs, inputs } = weights.packing();
            let panels: Vec<Panel<'_>> = (0..weights.panels()).map(|panel| weights.panel(panel)).collect();
            assert_eq!(panels.len(), 18usize.div_ceil(outputs));
            // Rows are filled up with zeros.
            let whole = 5usize.next_multiple_of(inputs);
            let expected = |sign: i8| -> Vec<i8> {
                bytes
                    .chunks(5)
                    .flat_map(|row| (0..whole).map(|at| sign * row.get(at).copied().unwrap_or(0)))
                    .collect()
            };
            let of = |output: usize| -> Vec<i8> {
                let steps = panels[output / outputs].values.chunks(outputs * inputs);
                steps.flat_map(|step| step[output % outputs * inputs..][..inputs].to_vec()).collect()
            };
            assert_eq!(of(0), expected(1), "{isa}");
            assert_eq!(of(17), expected(-1), "{isa}");
            let (last, at) = (&panels[17 / outputs], 17 % outputs);
            assert_eq!((panels[0].sums[0], last.sums[at], last.sums[at + 1]), (699, -699, 0));
            assert!((panels[0].scales[0] - 20.0 / 127.0).abs() < 1e-6);
            assert!((last.scales[at] - 10.0 / 127.0).abs() < 1e-6);
            assert_eq!((last.bias[at], last.bias[at + 1], panels[0].slopes[0]), (3.0, 0.0, 0.0));
            assert!(of(18).iter().all(|v| *v == 0));
        }
    }

    #[test]
    fn weights_of_zeros_stay_zeros() {
        let rows = Rows { count: 1, run: 3 };
        let weight = [0.0, 1e-42, 0.0, 0.0, 0.0, 0.0];
        for isa in Isa::available() {
            let weights = PackedWeights::new(&weight, &[], 2, rows, &Activation::Identity, isa);
            let panel = weights.panel(0);
            assert!(panel.values.iter().all(|v| *v == 0) && panel.sums[0] == 0);
        }
    }
}
