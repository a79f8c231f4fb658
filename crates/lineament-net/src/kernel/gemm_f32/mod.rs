//! Products of windows with packed weights, in single precision: convolutions, matrices, and the products inside of Winograd's tiles.
//!
//! A matrix product is the case of windows of one row. One kernel a file.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
pub(crate) mod packing;
mod portable;
#[cfg(target_arch = "x86_64")]
pub(crate) mod sse41;
#[cfg(test)]
mod tests;

use std::ops::Range;

pub(crate) use packing::PackedWeights;
use packing::Panel;
use portable::Portable;

use crate::kernel::aligned;
use crate::kernel::indirection::{self, Rows, Windows};
use crate::kernel::tiling;

tiling::kernels! { Strip of f32, else portable: Portable;
    #[cfg(target_arch = "x86_64")]
    avx512: avx512::Avx512F32;
    #[cfg(target_arch = "x86_64")]
    avx2: avx2::Avx2F32;
    #[cfg(target_arch = "x86_64")]
    sse41: sse41::Sse41F32;
}

/// How far ahead of their use weights are asked for, in values: they fill more pages than the processor follows by itself. No harm where there is nothing.
#[cfg(target_arch = "x86_64")]
const AHEAD: usize = 512;

/// Asks for the first values of some panels, so that they are near when they are multiplied with. Kernels ask for what follows them.
pub(crate) fn prefetch(weights: &PackedWeights, panels: Range<usize>) {
    #[cfg(target_arch = "x86_64")]
    for panel in panels.take(2) {
        let values = weights.panel(panel).values;
        for line in values[..values.len().min(AHEAD)].chunks(aligned::LINE) {
            // SAFETY: asking reads nothing, and SSE, which it is of, is part of x86-64.
            unsafe {
                use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
                _mm_prefetch::<_MM_HINT_T1>(line.as_ptr().cast());
            }
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (weights, panels);
}

/// Multiplies the windows of `range` with all weights, adds an offset and multiplies negative sums with their slope, and what else the activation asks for. With
/// `accumulate`, sums are added to what `out` holds before the activation is applied. Every sum runs through its window in order, whatever stands beside it.
///
/// # Panics
/// When a window reaches out of `map` or `out`: that would be a mistake in a plan, not in an input.
pub(crate) fn multiply<W: Windows>(
    weights: &PackedWeights,
    map: &[f32],
    windows: &W,
    range: Range<usize>,
    out: &mut [f32],
    accumulate: bool,
) {
    multiply_panels((weights, 0..weights.panels()), map, windows, range, out, accumulate);
}

/// The same with some panels of the weights alone, as if there were no others.
pub(crate) fn multiply_panels<W: Windows>(
    (weights, panels): (&PackedWeights, Range<usize>),
    map: &[f32],
    windows: &W,
    range: Range<usize>,
    out: &mut [f32],
    accumulate: bool,
) {
    let rows = windows.rows();
    assert_eq!(weights.inner(), rows.count * rows.run, "windows and weights of different sizes");
    let outputs = weights.outputs_of(panels.clone());
    indirection::check(windows, range.clone(), [rows.run, map.len()], [outputs.len(), out.len()]);
    let strip = |panel: usize| {
        let own = weights.outputs_of(panel..panel + 1);
        Strip {
            panel: weights.panel(panel),
            first: own.start - outputs.start,
            outputs: own.len(),
            rows,
            accumulate,
        }
    };
    // SAFETY: windows and outputs were checked; weights are packed for their instruction set, and have as many inputs as the windows have values.
    unsafe { run(weights.isa(), (panels, strip), map, windows, range, out) };
}

/// One panel of weights, and what becomes of its products.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Strip<'a> {
    panel: Panel<'a>,
    /// The panel's first output, and how many it has.
    first: usize,
    outputs: usize,
    rows: Rows,
    accumulate: bool,
}

impl Strip<'_> {
    /// What follows the sums, one by one.
    #[inline(always)]
    fn finish(&self, sums: &[f32], to: &mut [f32]) {
        let each = sums.iter().zip(self.panel.bias).zip(self.panel.slopes);
        for (to, ((sum, bias), slope)) in to.iter_mut().zip(each) {
            let sum = sum + bias + if self.accumulate { *to } else { 0.0 };
            *to = self.panel.top.apply(sum.max(0.0) + slope * sum.min(0.0));
        }
    }
}
