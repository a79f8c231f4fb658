//! Depthwise convolutions: each filter reads one channel, so that neighbouring channels are neighbouring sums and nothing is multiplied twice.
//!
//! A register holds channels of one output; a tile is some neighbouring outputs of a row, which share what is read of the filters. The loops (`tile.rs`)
//! are written once over [`Vector`](super::simd::vector::Vector) and compiled for the registers of each instruction set.
#![allow(unsafe_code)]

mod listed;
mod tile;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use listed::listed;

use super::activation::{Activation, Top};
use super::aligned::Aligned;
use super::isa::Isa;
use super::simd::vector::Plain;
use super::window::Window;

/// Filters as kernels read them, with what follows the sums.
#[derive(Debug, Clone)]
pub(crate) struct Filters {
    window: Window,
    channels: usize,
    /// `[kernel, kernel, channels]`.
    weight: Aligned,
    /// `[channels]`, as are slopes: what a negative sum is multiplied with.
    bias: Aligned,
    slopes: Aligned,
    top: Top,
}

/// Neighbouring rows of outputs, and the map from the first tap of the first window on.
pub(crate) struct Rows<'a> {
    pub(crate) map: &'a [f32],
    /// Values from row to row.
    pub(crate) map_line: usize,
    pub(crate) out: &'a mut [f32],
    pub(crate) out_line: usize,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

impl Filters {
    /// From `weight` `[kernel, kernel, channels]` and `bias` `[channels]`.
    pub(crate) fn new(weight: &[f32], bias: &[f32], window: Window, activation: &Activation) -> Self {
        let copy = |from: &[f32]| {
            let mut to = Aligned::zeros(from.len());
            to.copy_from_slice(from);
            to
        };
        let channels = bias.len();
        Self {
            window,
            channels,
            weight: copy(weight),
            bias: copy(bias),
            slopes: copy(&activation.slopes(channels)),
            top: activation.top(),
        }
    }

    /// Computes some rows. Every sum runs through its window in order, whatever stands beside it.
    ///
    /// # Panics
    /// When a window reaches out of the map, or an output out of its own: that would be a mistake in a plan, not in an input.
    pub(crate) fn run(&self, isa: Isa, rows: Rows<'_>) {
        if rows.rows == 0 || rows.columns == 0 || self.channels == 0 {
            return;
        }
        self.check(&rows);
        #[cfg(target_arch = "x86_64")]
        // SAFETY: windows and outputs were checked, and the proofs are that the processor has the instructions.
        unsafe {
            if isa.avx512().is_some() {
                return x86::avx512(self, rows);
            } else if isa.avx2().is_some() {
                return x86::avx2(self, rows);
            } else if isa.sse41().is_some() {
                return x86::sse41(self, rows);
            }
        }
        let _ = isa;
        // SAFETY: as above; no instructions are needed that a processor may lack.
        unsafe { tile::every_width::<Plain<4>>(self, rows) };
    }

    /// That all windows and outputs are there.
    fn check(&self, rows: &Rows<'_>) {
        let Window { kernel, stride, .. } = self.window;
        let reach = |lines: usize, line: usize, pixels: usize| {
            let before = (lines - 1).checked_mul(line)?;
            pixels.checked_mul(self.channels)?.checked_add(before)
        };
        let side = |outputs: usize| (outputs - 1).checked_mul(stride)?.checked_add(kernel);
        let read = side(rows.rows)
            .zip(side(rows.columns))
            .and_then(|(lines, pixels)| reach(lines, rows.map_line, pixels));
        let written = reach(rows.rows, rows.out_line, rows.columns);
        assert!(read.is_some_and(|end| end <= rows.map.len()), "a window reaches out of its map");
        assert!(written.is_some_and(|end| end <= rows.out.len()), "a result reaches out of its map");
        let all = kernel * kernel * self.channels;
        assert!(
            kernel > 0 && stride > 0 && self.weight.len() == all,
            "filters of another size than their window"
        );
        let each = [self.bias.len(), self.slopes.len()];
        assert!(each == [self.channels; 2], "not one offset and slope a channel");
    }
}

#[cfg(test)]
mod tests;
