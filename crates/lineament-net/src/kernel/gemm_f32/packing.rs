//! Filters in the order in which the sums read them.

use std::ops::Range;

use crate::kernel::activation::Activation;
use crate::kernel::aligned::{Aligned, LANES};

/// The most vectors of eight outputs that one panel has: two of them times six windows fill AVX2's registers, and both are one of
/// AVX-512's. (Three times four would fill them to the last
/// one; compilers then move sums to memory and back.)
pub(crate) const WIDEST: usize = 2;

/// A bank of filters (a matrix of `inner` x `outputs`), with what follows the sums: an offset and a slope below zero for each output.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Panels {
    inner: usize,
    outputs: usize,
    blocks: Vec<Block>,
    /// Block after block, `[inner, 8 * vectors]` each; beyond the last output there are zeros.
    values: Aligned,
    /// One for each output, filled up to whole vectors.
    bias: Aligned,
    /// What a negative result is multiplied with: 1 for no activation, 0 for ReLU, PReLU's slope.
    slopes: Aligned,
    bare: bool,
}

/// Neighbouring outputs that are summed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Block {
    /// The first output.
    pub(crate) first: usize,
    /// Vectors of eight outputs.
    pub(crate) vectors: usize,
    /// Where its values begin.
    at: usize,
}

/// What one block multiplies with, and what follows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Panel<'a> {
    /// `[inner, 8 * vectors]`, aligned to its rows.
    pub(crate) values: &'a [f32],
    /// `[8 * vectors]`.
    pub(crate) bias: &'a [f32],
    /// `[8 * vectors]`.
    pub(crate) slopes: &'a [f32],
    /// Whether nothing follows the sums: no offset, no activation.
    pub(crate) bare: bool,
}

impl Panels {
    /// From `weight` `[inner, outputs]` and `bias` `[outputs]` (or nothing).
    pub(crate) fn new(weight: &[f32], bias: &[f32], outputs: usize, activation: &Activation) -> Self {
        let inner = weight.len() / outputs.max(1);
        let mut blocks = Vec::new();
        let (mut first, mut at) = (0, 0);
        while first < outputs {
            let vectors = (outputs - first).div_ceil(LANES).min(WIDEST);
            blocks.push(Block { first, vectors, at });
            first += vectors * LANES;
            at += vectors * LANES * inner;
        }
        let (mut values, filled) = (Aligned::zeros(at), first);
        for block in &blocks {
            let wide = block.vectors * LANES;
            let there = wide.min(outputs - block.first);
            let rows = values[block.at..].chunks_exact_mut(wide).zip(weight.chunks_exact(outputs));
            rows.for_each(|(to, from)| {
                to[..there].copy_from_slice(&from[block.first..block.first + there]);
            });
        }
        let [mut offsets, mut slopes] = [filled, filled].map(Aligned::zeros);
        offsets[..bias.len().min(outputs)].copy_from_slice(&bias[..bias.len().min(outputs)]);
        slopes[..outputs].copy_from_slice(&activation.slopes(outputs));
        let bare = bias.is_empty() && *activation == Activation::Identity;
        Self { inner, outputs, blocks, values, bias: offsets, slopes, bare }
    }

    /// Length of a sum.
    pub(crate) fn inner(&self) -> usize {
        self.inner
    }

    /// Number of filters.
    pub(crate) fn outputs(&self) -> usize {
        self.outputs
    }

    pub(crate) fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The outputs of neighbouring blocks.
    pub(crate) fn outputs_of(&self, blocks: Range<usize>) -> Range<usize> {
        let begin = |block: usize| self.blocks.get(block).map_or(self.outputs, |block| block.first);
        begin(blocks.start)..begin(blocks.end)
    }

    pub(crate) fn panel(&self, block: &Block) -> Panel<'_> {
        let wide = block.vectors * LANES;
        let outputs = block.first..block.first + wide;
        Panel {
            values: &self.values[block.at..block.at + self.inner * wide],
            bias: &self.bias[outputs.clone()],
            slopes: &self.slopes[outputs],
            bare: self.bare,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_are_two_vectors_wide_and_the_last_may_be_one() {
        let vectors = |outputs: usize| -> Vec<usize> {
            let panels = Panels::new(&vec![0.0; outputs], &[], outputs, &Activation::Relu);
            panels.blocks().iter().map(|block| block.vectors).collect()
        };
        assert_eq!(vectors(5), [1]);
        assert_eq!(vectors(24), [2, 1]);
        assert_eq!(vectors(32), [2, 2]);
        assert_eq!(vectors(40), [2, 2, 1]);
        assert_eq!(vectors(41), [2, 2, 2]);
    }

    #[test]
    fn filters_stand_in_panels_filled_up_with_zeros() {
        let weight: Vec<f32> = (0..2 * 33).map(|v| v as f32).collect();
        let panels = Panels::new(&weight, &[9.0; 33], 33, &Activation::Prelu(vec![0.5; 33]));
        assert_eq!((panels.inner(), panels.outputs()), (2, 33));
        let last = panels.panel(&panels.blocks()[2]);
        assert_eq!(last.values[..9], [32.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 33.0 + 32.0]);
        assert_eq!((last.bias[0], last.bias[1], last.slopes[0], last.slopes[1]), (9.0, 0.0, 0.5, 0.0));
    }
}
