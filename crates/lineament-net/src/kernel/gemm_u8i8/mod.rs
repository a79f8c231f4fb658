//! The sums of convolutions in eight-bit integers: windows of bytes times a bank of filters in bytes, exact, then scaled.
//!
//! Maps are unsigned and filters signed, each map and each filter with a scale of its own (asymmetric and symmetric quantisation of Jacob et al.,
//! "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference", CVPR 2018). Every isa gives the same bits: integers are
//! exact, and what follows is a product, a sum and a maximum.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
pub(crate) mod packing;
pub(crate) mod quantize;

use std::ops::Range;

use crate::kernel::indirection::{self, Rows, Windows};
use crate::kernel::isa::Isa;
use packing::{BytePanel, BytePanels, INPUTS, OUTPUTS, STEP, steps};
use quantize::Scale;

/// As [`crate::kernel::gemm_f32::sums`], from a map of bytes that `scale` gives their meaning. The rows of windows are read up to whole [`INPUTS`].
///
/// # Panics
/// When a window reaches out of `map` or `out`: that would be a mistake in a plan, not in an input.
#[allow(clippy::too_many_arguments)]
pub(crate) fn byte_sums<W: Windows>(
    isa: Isa,
    panels: &BytePanels,
    (map, scale): (&[u8], Scale),
    windows: &W,
    places: Range<usize>,
    out: &mut [f32],
    onto: bool,
) {
    let rows = windows.rows();
    assert_eq!(panels.rows(), rows, "windows and filters of different sizes");
    indirection::check(
        windows,
        places.clone(),
        [steps(rows) * INPUTS, map.len()],
        [panels.outputs(), out.len()],
    );
    let strips = panels.panels().enumerate().map(|(number, panel)| {
        let first = number * OUTPUTS;
        ByteStrip { panel, first, there: (panels.outputs() - first).min(OUTPUTS), rows, scale, onto }
    });
    #[cfg(target_arch = "x86_64")]
    if let Some(proof) = isa.avx512_vnni() {
        return crate::kernel::tiling::by_pairs(proof, strips, map, windows, places, out);
    } else if let Some(proof) = isa.avx2() {
        return avx2::sums(proof, isa.avx2_vnni(), strips, map, windows, places, out);
    }
    strips.for_each(|strip| plain(strip, map, windows, places.clone(), out));
}

/// One panel of filters, and what its sums are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ByteStrip<'a> {
    pub(crate) panel: BytePanel<'a>,
    /// The panel's first output, and how many it has.
    pub(crate) first: usize,
    pub(crate) there: usize,
    pub(crate) rows: Rows,
    pub(crate) scale: Scale,
    pub(crate) onto: bool,
}

impl ByteStrip<'_> {
    /// What sums begin with: minus what the bytes of zero come to.
    pub(crate) fn begin(&self) -> [i32; OUTPUTS] {
        self.panel.sums.map(|sum| -i32::from(self.scale.zero) * sum)
    }

    /// Scale, offset, what is there already, and slope.
    #[inline(always)]
    pub(crate) fn finish(&self, sums: &[i32; OUTPUTS], to: &mut [f32]) {
        let panel = &self.panel;
        let each = sums.iter().zip(panel.scales).zip(panel.bias).zip(panel.slopes);
        for (to, (((sum, scale), bias), slope)) in to.iter_mut().zip(each) {
            let sum = *sum as f32 * (self.scale.step * scale) + bias;
            let sum = if self.onto { sum + *to } else { sum };
            *to = if sum > 0.0 { sum } else { slope * sum };
        }
    }
}

/// The plain twin.
fn plain<W: Windows>(strip: ByteStrip<'_>, map: &[u8], windows: &W, places: Range<usize>, out: &mut [f32]) {
    let ByteStrip { panel, first, there, rows, .. } = strip;
    for place in places {
        let mut sums = strip.begin();
        for (row, filters) in panel.values.chunks_exact((steps(rows) * STEP).max(1)).enumerate() {
            let bytes = &map[windows.from(place, row)..][..steps(rows) * INPUTS];
            for (bytes, filters) in bytes.chunks_exact(INPUTS).zip(filters.chunks_exact(STEP)) {
                for (sum, filter) in sums.iter_mut().zip(filters.chunks_exact(INPUTS)) {
                    let products = bytes.iter().zip(filter).map(|(&b, &f)| i32::from(b) * i32::from(f));
                    *sum += products.sum::<i32>();
                }
            }
        }
        strip.finish(&sums, &mut out[windows.to(place) + first..][..there]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernel::activation::Activation;
    use crate::kernel::indirection::Odd;
    use crate::kernel::value;

    proptest! {
        #[test]
        fn every_path_gives_the_bits_of_three_loops(
            count in 1usize..5, run in 1usize..60, outputs in 1usize..70, places in 0usize..30, zero: u8, onto: bool, prelu: bool,
        ) {
            let rows = Rows { count, run };
            let inner = count * run;
            let windows = Odd { rows, outputs };
            // Bytes behind the last window are read, and multiplied with nothing.
            let map: Vec<u8> = (0..3 * places + count * (run + 2) + 3).map(|i| (i * 97 % 256) as u8).collect();
            // Whole numbers up to 127 are their own bytes.
            let weight: Vec<f32> = (0..inner * outputs).map(|i| if i < outputs { 127.0 } else { (127.0 * value(i)).round() }).collect();
            let bias: Vec<f32> = (0..outputs).map(|i| value(i + 5)).collect();
            let slopes: Vec<f32> = (0..outputs).map(|i| value(i + 9)).collect();
            let activation = if prelu { Activation::Prelu(slopes.clone()) } else { Activation::Relu };
            let scale = Scale { step: 0.037, zero };
            let panels = BytePanels::new(&weight, &bias, outputs, rows, &activation);
            let before: Vec<f32> = (0..places * (outputs + 1)).map(|i| value(i + 991)).collect();
            let mut expected = before.clone();
            for place in 0..places {
                for output in 0..outputs {
                    let mut sum = 0i64;
                    for row in 0..count {
                        for at in 0..run {
                            let byte = i64::from(map[windows.from(place, row) + at]) - i64::from(zero);
                            sum += byte * weight[(row * run + at) * outputs + output] as i64;
                        }
                    }
                    let out = &mut expected[windows.to(place) + output];
                    let sum = sum as f32 * scale.step + bias[output] + if onto { *out } else { 0.0 };
                    *out = if sum > 0.0 { sum } else if prelu { sum * slopes[output] } else { 0.0 };
                }
            }
            for isa in Isa::available() {
                let mut found = before.clone();
                byte_sums(isa, &panels, (&map, scale), &windows, 0..places, &mut found, onto);
                prop_assert_eq!(&found, &expected, "{:?}", isa);
            }
        }
    }

    #[test]
    fn the_longest_sum_stays_in_range() {
        let rows = Rows { count: 1, run: super::packing::LONGEST };
        let (map, weight) = (vec![255u8; rows.run], vec![-1.0; rows.run]);
        let panels = BytePanels::new(&weight, &[], 1, rows, &Activation::Identity);
        for zero in [0u8, 255] {
            for isa in Isa::available() {
                let mut found = [0.0];
                let scale = Scale { step: 1.0, zero };
                byte_sums(isa, &panels, (&map, scale), &Odd { rows, outputs: 1 }, 0..1, &mut found, false);
                let exact = -(f64::from(255 - zero) * rows.run as f64);
                assert!(
                    (f64::from(found[0]) - exact).abs() <= 1e-6 * exact.abs(),
                    "{isa:?} {zero}: {found:?}"
                );
            }
        }
    }

    #[test]
    #[should_panic(expected = "reaches out of its map")]
    fn a_window_outside_is_refused() {
        let rows = Rows { count: 1, run: 4 };
        let panels = BytePanels::new(&[0.0; 4], &[], 1, rows, &Activation::Identity);
        let scale = Scale { step: 1.0, zero: 0 };
        byte_sums(
            Isa::best(),
            &panels,
            (&[0; 6], scale),
            &Odd { rows, outputs: 1 },
            0..2,
            &mut [0.0; 4],
            false,
        );
    }
}
