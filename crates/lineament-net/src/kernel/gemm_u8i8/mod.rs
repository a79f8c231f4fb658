//! Products of windows of bytes with packed weights in bytes: exact sums, then scaled.
//!
//! Maps are unsigned and weights signed, each map and each output with a scale of its own (asymmetric and symmetric quantization of Jacob et al.,
//! "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference", CVPR 2018). Every kernel gives the same values: integers
//! are exact, and what follows is a product, a sum and a maximum.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
pub(crate) mod packing;
mod portable;
pub(crate) mod quantize;
#[cfg(target_arch = "x86_64")]
mod sse41;
#[cfg(test)]
mod tests;

use std::ops::Range;

pub(crate) use packing::PackedWeights;
use packing::Panel;
use portable::Portable;
use quantize::Scale;

use crate::kernel::indirection::{self, Rows, Windows};
use crate::kernel::tiling::{self, Packing};

tiling::kernels! { Strip of u8, else portable: Portable;
    #[cfg(target_arch = "x86_64")]
    avx512_vnni: avx512::Avx512U8I8;
    #[cfg(target_arch = "x86_64")]
    avx2_vnni: avx2::Avx2VnniU8I8;
    #[cfg(target_arch = "x86_64")]
    avx2: avx2::Avx2U8I8;
    #[cfg(target_arch = "x86_64")]
    sse41: sse41::Sse41U8I8;
}

/// As [`gemm_f32::multiply`](crate::kernel::gemm_f32::multiply), from a map of bytes that `scale` gives their meaning. The rows of windows are read up to a
/// multiple of [`Packing::inputs`].
///
/// # Panics
/// When a window reaches out of `map` or `out`: that would be a mistake in a plan, not in an input.
pub(crate) fn multiply<W: Windows>(
    weights: &PackedWeights,
    (map, scale): (&[u8], Scale),
    windows: &W,
    range: Range<usize>,
    out: &mut [f32],
    accumulate: bool,
) {
    let rows = windows.rows();
    assert_eq!(weights.rows(), rows, "windows and weights of different sizes");
    let Packing { inputs, outputs: wide } = weights.packing();
    let steps = weights.packing().steps(rows.run);
    indirection::check(windows, range.clone(), [steps * inputs, map.len()], [weights.outputs(), out.len()]);
    let strip = |index: usize| {
        let (first, panel) = (index * wide, weights.panel(index));
        let mut begin = [0; Packing::MOST_OUTPUTS];
        let zero = -i32::from(scale.zero);
        begin.iter_mut().zip(panel.sums).for_each(|(begin, sum)| *begin = zero * sum);
        let outputs = (weights.outputs() - first).min(wide);
        Strip { panel, begin, first, outputs, rows, steps, scale, accumulate }
    };
    // SAFETY: windows and outputs were checked; weights are packed for their instruction set, and have the windows' rows.
    unsafe { run(weights.isa(), (0..weights.panels(), strip), map, windows, range, out) };
}

/// One panel of weights, and what becomes of its products.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Strip<'a> {
    panel: Panel<'a>,
    /// What sums begin with: minus what the bytes of zero come to.
    begin: [i32; Packing::MOST_OUTPUTS],
    /// The panel's first output, and how many it has.
    first: usize,
    outputs: usize,
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
    rows: Rows,
    /// Groups of [`Packing::inputs`] of a row.
    steps: usize,
    scale: Scale,
    accumulate: bool,
}

impl Strip<'_> {
    /// Scale, offset, what is there already, and slope, for the sums of all outputs of a panel. Only those that there are go to `to`.
    #[inline(always)]
    fn finish<const N: usize>(&self, sums: &[i32; N], to: &mut [f32]) {
        let [scales, bias, slopes] =
            [self.panel.scales, self.panel.bias, self.panel.slopes].map(|list| &list[..N]);
        let each = sums.iter().zip(scales).zip(bias).zip(slopes);
        for (to, (((sum, scale), bias), slope)) in to.iter_mut().zip(each) {
            let sum = *sum as f32 * (self.scale.step * scale) + bias;
            let sum = if self.accumulate { sum + *to } else { sum };
            *to = self.panel.top.apply(if sum > 0.0 { sum } else { slope * sum });
        }
    }
}
