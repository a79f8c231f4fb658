//! The sums of convolutions and matrices: windows of a map times a bank of filters, read where they lie.
//!
//! A window is a number of rows, each one run of neighbouring values in memory (with channels innermost, `kernel` pixels of a row are one run), so nothing
//! is gathered first. This is the indirect convolution of Dukhan, "The Indirect Convolution Algorithm", 2019; a matrix product is the case of one row.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
pub(crate) mod packing;

use std::ops::Range;

use crate::kernel::aligned::LANES;
use crate::kernel::indirection::{self, Rows, Windows};
use crate::kernel::isa::Isa;
use packing::{Panel, Panels};

/// What any isa takes at once divides this.
pub(crate) const BLOCK: usize = 24;
/// Windows that the kernels take at once where there are few.
pub(crate) const FEW_WINDOWS: usize = 4;
/// Windows of a piece of work: a multiple of that, few enough for what they read to stay in a core's caches while panel after panel passes by.
pub(crate) const UNIT_WINDOWS: usize = 4 * BLOCK;

/// For each window of `places` the sums with all filters of `panels`, an offset added, negative ones multiplied with their slope. When `onto`, they are
/// added to what `out` holds before the slope is applied. Every sum runs through its window in order, whatever stands beside it.
///
/// # Panics
/// When a window reaches out of `map` or `out`: that would be a mistake in a plan, not in an input.
pub(crate) fn sums<W: Windows>(
    isa: Isa,
    panels: &Panels,
    map: &[f32],
    windows: &W,
    places: Range<usize>,
    out: &mut [f32],
    onto: bool,
) {
    of_blocks(isa, (panels, 0..panels.blocks().len()), map, windows, places, out, onto);
}

/// The same with the filters of some blocks of `panels` alone, as if there were no others.
pub(crate) fn of_blocks<W: Windows>(
    isa: Isa,
    (panels, blocks): (&Panels, Range<usize>),
    map: &[f32],
    windows: &W,
    places: Range<usize>,
    out: &mut [f32],
    onto: bool,
) {
    let rows = windows.rows();
    assert_eq!(panels.inner(), rows.count * rows.run, "windows and filters of different sizes");
    let outputs = panels.outputs_of(blocks.clone());
    indirection::check(windows, places.clone(), [rows.run, map.len()], [outputs.len(), out.len()]);
    let strips = panels.blocks()[blocks].iter().map(|block| Strip {
        panel: panels.panel(block),
        first: block.first - outputs.start,
        there: (outputs.end - block.first).min(block.vectors * LANES),
        rows,
        onto,
    });
    #[cfg(target_arch = "x86_64")]
    if let Some(proof) = isa.avx512() {
        return crate::kernel::tiling::by_pairs(proof, strips, map, windows, places, out);
    } else if let Some(proof) = isa.avx2() {
        let strips = strips.map(avx2::Vectors);
        return crate::kernel::tiling::by_sixes(proof, strips, map, windows, places, out);
    }
    strips.for_each(|strip| plain(strip, map, windows, places.clone(), out));
}

/// One panel of filters, and what its sums are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Strip<'a> {
    pub(crate) panel: Panel<'a>,
    /// The panel's first output, and how many it has.
    pub(crate) first: usize,
    pub(crate) there: usize,
    pub(crate) rows: Rows,
    pub(crate) onto: bool,
}

/// The plain twin.
fn plain<W: Windows>(strip: Strip<'_>, map: &[f32], windows: &W, places: Range<usize>, out: &mut [f32]) {
    let Strip { panel, first, there, rows, onto } = strip;
    let wide = panel.bias.len();
    let mut sums = [0.0; packing::WIDEST * LANES];
    for place in places {
        let sums = &mut sums[..wide];
        sums.fill(0.0);
        for (row, filters) in panel.values.chunks_exact((rows.run * wide).max(1)).enumerate() {
            let start = windows.from(place, row);
            for (value, filters) in map[start..start + rows.run].iter().zip(filters.chunks_exact(wide)) {
                sums.iter_mut().zip(filters).for_each(|(sum, filter)| *sum += value * filter);
            }
        }
        let out = &mut out[windows.to(place) + first..][..there];
        for (((out, sum), bias), slope) in out.iter_mut().zip(sums).zip(panel.bias).zip(panel.slopes) {
            let sum = *sum + bias + if onto { *out } else { 0.0 };
            *out = sum.max(0.0) + slope * sum.min(0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernel::activation::Activation;
    use crate::kernel::indirection::{AtPlace, Odd, OneByOne, TransformLayout};
    use crate::kernel::value;

    proptest! {
        #[test]
        fn every_path_agrees_with_three_loops(
            count in 1usize..5, run in 1usize..60, outputs in 1usize..70, places in 0usize..30, onto: bool, prelu: bool,
        ) {
            let rows = Rows { count, run };
            let inner = count * run;
            let windows = Odd { rows, outputs };
            let map: Vec<f32> = (0..3 * places + count * (run + 2)).map(value).collect();
            let weight: Vec<f32> = (0..inner * outputs).map(|i| value(i + 77)).collect();
            let bias: Vec<f32> = (0..outputs).map(|i| value(i + 5)).collect();
            let slopes: Vec<f32> = (0..outputs).map(|i| value(i + 9)).collect();
            let activation = if prelu { Activation::Prelu(slopes.clone()) } else { Activation::Relu };
            let panels = Panels::new(&weight, &bias, outputs, &activation);
            let before: Vec<f32> = (0..places * (outputs + 1)).map(|i| value(i + 991)).collect();
            let mut expected = before.clone();
            for place in 0..places {
                for output in 0..outputs {
                    let mut sum = f64::from(bias[output]);
                    for row in 0..count {
                        for at in 0..run {
                            let filter = weight[(row * run + at) * outputs + output];
                            sum += f64::from(map[windows.from(place, row) + at]) * f64::from(filter);
                        }
                    }
                    let out = &mut expected[windows.to(place) + output];
                    sum += if onto { f64::from(*out) } else { 0.0 };
                    *out = (if sum > 0.0 { sum } else if prelu { sum * f64::from(slopes[output]) } else { 0.0 }) as f32;
                }
            }
            for isa in Isa::available() {
                let mut found = before.clone();
                sums(isa, &panels, &map, &windows, 0..places, &mut found, onto);
                for (found, expected) in found.iter().zip(&expected) {
                    prop_assert!((found - expected).abs() < 1e-4, "{isa:?}: {found} {expected}");
                }
            }
        }
    }

    #[test]
    fn a_sum_has_the_same_bits_whatever_stands_beside_it() {
        let rows = Rows { count: 2, run: 37 };
        let windows = Odd { rows, outputs: 41 };
        let map: Vec<f32> = (0..200).map(value).collect();
        let weight: Vec<f32> = (0..74 * 41).map(value).collect();
        let panels = Panels::new(&weight, &[], 41, &Activation::Identity);
        for isa in Isa::available() {
            let mut together = vec![0.0; 20 * 42];
            let mut apart = together.clone();
            sums(isa, &panels, &map, &windows, 0..20, &mut together, false);
            for place in 0..20 {
                sums(isa, &panels, &map, &windows, place..place + 1, &mut apart, false);
            }
            assert_eq!(together, apart);
        }
    }

    #[test]
    fn windows_that_stand_evenly_have_the_sums_of_any_others() {
        let (inner, outputs) = (131, 45);
        let weight: Vec<f32> = (0..inner * outputs).map(value).collect();
        let panels = Panels::new(&weight, &[], outputs, &Activation::Identity);
        for (all, each) in [(12, 12), (31, 31), (40, 8), (40, 6), (29, 12)] {
            let pieces = TransformLayout { all, each, places: 2 };
            let map: Vec<f32> = (0..pieces.values(inner)).map(value).collect();
            for (isa, place) in Isa::available().into_iter().flat_map(|isa| [(isa, 0), (isa, 1)]) {
                let windows = AtPlace { pieces, place, inner, outputs };
                let [mut even, mut odd] = [(); 2].map(|()| vec![0.0; all * outputs]);
                sums(isa, &panels, &map, &windows, 0..all, &mut even, false);
                sums(isa, &panels, &map, &OneByOne(&windows), 0..all, &mut odd, false);
                assert_eq!(even, odd, "{isa:?}, {pieces:?}");
                // From the middle on, too.
                let mut late = vec![0.0; all * outputs];
                sums(isa, &panels, &map, &windows, 3..all, &mut late, false);
                assert_eq!(late[3 * outputs..], even[3 * outputs..], "{isa:?}, {pieces:?}");
            }
        }
    }

    #[test]
    fn some_blocks_are_summed_as_all_of_them_are() {
        let (inner, outputs, places) = (7, 53, 9);
        let rows = Rows { count: 1, run: inner };
        let map: Vec<f32> = (0..200).map(value).collect();
        let weight: Vec<f32> = (0..inner * outputs).map(value).collect();
        let bias: Vec<f32> = (0..outputs).map(value).collect();
        let panels = Panels::new(&weight, &bias, outputs, &Activation::Relu);
        for isa in Isa::available() {
            let mut all = vec![0.0; places * (outputs + 1)];
            sums(isa, &panels, &map, &Odd { rows, outputs }, 0..places, &mut all, false);
            for blocks in [0..1, 1..3, 2..4, 3..4, 0..4] {
                let part = panels.outputs_of(blocks.clone());
                let windows = Odd { rows, outputs: part.len() };
                let mut some = vec![0.0; places * (part.len() + 1)];
                of_blocks(isa, (&panels, blocks), &map, &windows, 0..places, &mut some, false);
                for (some, all) in some.chunks(part.len() + 1).zip(all.chunks(outputs + 1)) {
                    assert_eq!(some[..part.len()], all[part.clone()], "{isa:?}, {part:?}");
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "reaches out of its map")]
    fn a_window_outside_is_refused() {
        let rows = Rows { count: 1, run: 4 };
        let panels = Panels::new(&[0.0; 4], &[], 1, &Activation::Identity);
        sums(Isa::best(), &panels, &[0.0; 6], &Odd { rows, outputs: 1 }, 0..2, &mut [0.0; 4], false);
    }
}
