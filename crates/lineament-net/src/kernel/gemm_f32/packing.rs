//! Weights in the order in which kernels read them.

use std::ops::Range;

use crate::kernel::activation::{Activation, Top};
use crate::kernel::aligned::{Aligned, LANES};
use crate::kernel::isa::Isa;
use crate::kernel::weight_memory::WeightMemory;

/// Weights (a matrix of `inner` x `outputs`) packed for the kernel of an instruction set, with what follows the sums: an offset and a slope below zero for
/// each output.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PackedWeights {
    isa: Isa,
    inner: usize,
    outputs: usize,
    /// Outputs of a panel. The last one has fewer where fewer are left, in whole [`LANES`].
    wide: usize,
    /// Panel after panel, `[inner, outputs]` each; beyond the last output there are zeros.
    values: WeightMemory,
    /// One for each output, filled up to whole panels.
    bias: Aligned,
    /// What a negative result is multiplied with: 1 for no activation, 0 for ReLU, PReLU's slope.
    slopes: Aligned,
    top: Top,
    bare: bool,
}

/// Weights of neighbouring outputs that are summed together, and what follows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Panel<'a> {
    /// `[inner, outputs]`, aligned to its rows.
    pub(crate) values: &'a [f32],
    /// `[outputs]`, in whole [`LANES`], as are all three.
    pub(crate) bias: &'a [f32],
    /// `[outputs]`.
    pub(crate) slopes: &'a [f32],
    /// What follows the slope.
    pub(crate) top: Top,
    /// Whether nothing follows the sums: no offset, no activation.
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
    pub(crate) bare: bool,
}

impl PackedWeights {
    /// From `weight` `[inner, outputs]` and `bias` `[outputs]` (or nothing), for the kernel of `isa`.
    pub(crate) fn new(
        weight: &[f32],
        bias: &[f32],
        outputs: usize,
        activation: &Activation,
        isa: Isa,
    ) -> Self {
        let (inner, wide) = (weight.len() / outputs.max(1), super::packing(isa).outputs);
        let filled = outputs.next_multiple_of(LANES);
        let values = WeightMemory::new(filled * inner, |values| {
            for first in (0..outputs).step_by(wide) {
                let panel = &mut values[first * inner..][..inner * wide.min(filled - first)];
                let there = wide.min(outputs - first);
                let rows = panel.chunks_exact_mut(wide.min(filled - first)).zip(weight.chunks_exact(outputs));
                rows.for_each(|(to, from)| to[..there].copy_from_slice(&from[first..first + there]));
            }
        });
        let [mut offsets, mut slopes] = [filled, filled].map(Aligned::zeros);
        offsets[..bias.len().min(outputs)].copy_from_slice(&bias[..bias.len().min(outputs)]);
        slopes[..outputs].copy_from_slice(&activation.slopes(outputs));
        let bare = bias.is_empty() && *activation == Activation::Identity;
        Self { isa, inner, outputs, wide, values, bias: offsets, slopes, top: activation.top(), bare }
    }

    /// The instruction set whose kernel they are packed for.
    pub(crate) fn isa(&self) -> Isa {
        self.isa
    }

    /// Length of a sum.
    pub(crate) fn inner(&self) -> usize {
        self.inner
    }

    /// Number of outputs.
    pub(crate) fn outputs(&self) -> usize {
        self.outputs
    }

    /// Number of panels.
    pub(crate) fn panels(&self) -> usize {
        self.outputs.div_ceil(self.wide)
    }

    /// The outputs of neighbouring panels.
    pub(crate) fn outputs_of(&self, panels: Range<usize>) -> Range<usize> {
        let begin = |panel: usize| self.outputs.min(panel * self.wide);
        begin(panels.start)..begin(panels.end)
    }

    /// One panel.
    pub(crate) fn panel(&self, panel: usize) -> Panel<'_> {
        let first = panel * self.wide;
        let outputs = first..self.bias.len().min(first + self.wide);
        Panel {
            values: &self.values[outputs.start * self.inner..outputs.end * self.inner],
            bias: &self.bias[outputs.clone()],
            slopes: &self.slopes[outputs],
            top: self.top,
            bare: self.bare,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_are_as_wide_as_kernels_ask_and_the_last_may_be_narrower() {
        for isa in Isa::available() {
            let wide = super::super::packing(isa).outputs;
            for outputs in [5, 8, 24, 32, 40, 41] {
                let weights =
                    PackedWeights::new(&vec![0.0; 3 * outputs], &[], outputs, &Activation::Relu, isa);
                assert_eq!(weights.panels(), outputs.div_ceil(wide));
                for panel in 0..weights.panels() {
                    let left = outputs - panel * wide;
                    let there = wide.min(left.next_multiple_of(LANES));
                    assert_eq!(weights.panel(panel).bias.len(), there);
                    assert_eq!(weights.panel(panel).values.len(), 3 * there);
                    assert_eq!(weights.outputs_of(panel..panel + 1).len(), wide.min(left));
                }
            }
        }
    }

    #[test]
    fn weights_stand_in_panels_filled_up_with_zeros() {
        let weight: Vec<f32> = (0..2 * 33).map(|v| v as f32).collect();
        let activation = Activation::Prelu(vec![0.5; 33]);
        for isa in Isa::available() {
            let weights = PackedWeights::new(&weight, &[9.0; 33], 33, &activation, isa);
            assert_eq!((weights.inner(), weights.outputs()), (2, 33));
            let last = weights.panel(weights.panels() - 1);
            assert_eq!(last.values[..9], [32.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 33.0 + 32.0]);
            assert_eq!((last.bias[0], last.bias[1], last.slopes[0], last.slopes[1]), (9.0, 0.0, 0.5, 0.0));
            let first = weights.panel(0);
            assert_eq!(first.values[first.bias.len()], 33.0);
        }
    }
}
