//! What every kernel of single precision has to do. `tiling::kernels!` makes a module of these tests for each that is listed.

use proptest::prelude::*;

use super::*;
use crate::kernel::activation::Activation;
use crate::kernel::indirection::{Odd, OneByOne};
use crate::kernel::isa::Isa;
use crate::kernel::tiling::Kernel;
use crate::kernel::value;
use crate::kernel::winograd::layout::{TransformLayout, TransformRows};

/// The tests of one kernel.
macro_rules! suite {
    ($kernel:ty) => {
        use crate::kernel::gemm_f32::tests;

        #[test]
        fn it_agrees_with_three_loops() {
            tests::agrees_with_three_loops::<$kernel>();
        }

        #[test]
        fn a_sum_has_the_same_bits_whatever_stands_beside_it() {
            tests::has_the_same_bits_alone::<$kernel>();
        }

        #[test]
        fn windows_that_stand_evenly_have_the_sums_of_any_others() {
            tests::has_the_sums_of_any_windows::<$kernel>();
        }

        #[test]
        fn some_panels_are_summed_as_all_of_them_are() {
            tests::sums_some_panels_as_all::<$kernel>();
        }
    };
}
pub(super) use suite;

/// The instruction sets of this processor that run the kernel: none where it lacks the instructions.
fn isas<K: Kernel>() -> Vec<Isa> {
    let isas: Vec<Isa> = Isa::available().into_iter().filter(|isa| name(*isa) == K::NAME).collect();
    assert!(isas.iter().all(|isa| K::new(*isa).is_some() && packing(*isa) == K::PACKING));
    if isas.is_empty() {
        eprintln!("this processor does not run the kernel {}", K::NAME);
    }
    isas
}

pub(super) fn agrees_with_three_loops<K: Kernel>() {
    let isas = isas::<K>();
    proptest!(|(
        count in 1usize..5, run in 1usize..60, outputs in 1usize..70, all in 0usize..30, accumulate: bool, kind in 0usize..4,
    )| {
        let rows = Rows { count, run };
        let inner = count * run;
        let windows = Odd { rows, outputs };
        let map: Vec<f32> = (0..3 * all + count * (run + 2)).map(value).collect();
        let weight: Vec<f32> = (0..inner * outputs).map(|i| value(i + 77)).collect();
        let bias: Vec<f32> = (0..outputs).map(|i| value(i + 5)).collect();
        let slopes: Vec<f32> = (0..outputs).map(|i| value(i + 9)).collect();
        let activation = match kind {
            0 => Activation::Relu,
            1 => Activation::Relu6,
            2 => Activation::HardSwish,
            _ => Activation::Prelu(slopes.clone()),
        };
        let before: Vec<f32> = (0..all * (outputs + 1)).map(|i| value(i + 991)).collect();
        let mut expected = before.clone();
        for window in 0..all {
            for output in 0..outputs {
                let mut sum = f64::from(bias[output]);
                for row in 0..count {
                    for at in 0..run {
                        let weight = weight[(row * run + at) * outputs + output];
                        sum += f64::from(map[windows.input(window, row) + at]) * f64::from(weight);
                    }
                }
                let out = &mut expected[windows.output(window) + output];
                sum += if accumulate { f64::from(*out) } else { 0.0 };
                *out = match kind {
                    0 => sum.max(0.0),
                    1 => sum.clamp(0.0, 6.0),
                    2 => sum * (sum + 3.0).clamp(0.0, 6.0) / 6.0,
                    _ => if sum > 0.0 { sum } else { sum * f64::from(slopes[output]) },
                } as f32;
            }
        }
        for isa in &isas {
            let weights = PackedWeights::new(&weight, &bias, outputs, &activation, *isa);
            let mut found = before.clone();
            multiply(&weights, &map, &windows, 0..all, &mut found, accumulate);
            for (found, expected) in found.iter().zip(&expected) {
                prop_assert!((found - expected).abs() < 1e-4 * expected.abs().max(1.0), "{isa}: {found} {expected}");
            }
        }
    });
}

pub(super) fn has_the_same_bits_alone<K: Kernel>() {
    let rows = Rows { count: 2, run: 37 };
    let windows = Odd { rows, outputs: 41 };
    let map: Vec<f32> = (0..200).map(value).collect();
    let weight: Vec<f32> = (0..74 * 41).map(value).collect();
    for isa in isas::<K>() {
        let weights = PackedWeights::new(&weight, &[], 41, &Activation::Identity, isa);
        let mut together = vec![0.0; 20 * 42];
        let mut apart = together.clone();
        multiply(&weights, &map, &windows, 0..20, &mut together, false);
        for window in 0..20 {
            multiply(&weights, &map, &windows, window..window + 1, &mut apart, false);
        }
        assert_eq!(together, apart, "{isa}");
    }
}

pub(super) fn has_the_sums_of_any_windows<K: Kernel>() {
    let (inner, outputs) = (131, 45);
    let weight: Vec<f32> = (0..inner * outputs).map(value).collect();
    for (all, each) in [(12, 12), (31, 31), (40, 8), (40, 6), (29, 12)] {
        let layout = TransformLayout { all, each, points: 2 };
        let map: Vec<f32> = (0..layout.values(inner)).map(value).collect();
        for (isa, point) in isas::<K>().into_iter().flat_map(|isa| [(isa, 0), (isa, 1)]) {
            let weights = PackedWeights::new(&weight, &[], outputs, &Activation::Identity, isa);
            let windows = TransformRows { layout, point, inner, outputs };
            let [mut even, mut odd] = [(); 2].map(|()| vec![0.0; all * outputs]);
            multiply(&weights, &map, &windows, 0..all, &mut even, false);
            multiply(&weights, &map, &OneByOne(&windows), 0..all, &mut odd, false);
            assert_eq!(even, odd, "{isa}, {layout:?}");
            // From the middle on, too.
            let mut late = vec![0.0; all * outputs];
            multiply(&weights, &map, &windows, 3..all, &mut late, false);
            assert_eq!(late[3 * outputs..], even[3 * outputs..], "{isa}, {layout:?}");
        }
    }
}

pub(super) fn sums_some_panels_as_all<K: Kernel>() {
    let (inner, outputs, all) = (7, 53, 9);
    let rows = Rows { count: 1, run: inner };
    let map: Vec<f32> = (0..200).map(value).collect();
    let weight: Vec<f32> = (0..inner * outputs).map(value).collect();
    let bias: Vec<f32> = (0..outputs).map(value).collect();
    for isa in isas::<K>() {
        let weights = PackedWeights::new(&weight, &bias, outputs, &Activation::Relu, isa);
        let mut whole = vec![0.0; all * (outputs + 1)];
        multiply(&weights, &map, &Odd { rows, outputs }, 0..all, &mut whole, false);
        let last = weights.panels();
        for panels in [0..1, 1..3, 2..last, last - 1..last, 0..last] {
            let part = weights.outputs_of(panels.clone());
            let windows = Odd { rows, outputs: part.len() };
            let mut some = vec![0.0; all * (part.len() + 1)];
            multiply_panels((&weights, panels), &map, &windows, 0..all, &mut some, false);
            for (some, whole) in some.chunks(part.len() + 1).zip(whole.chunks(outputs + 1)) {
                assert_eq!(some[..part.len()], whole[part.clone()], "{isa}, {part:?}");
            }
        }
    }
}

#[test]
fn an_instruction_set_runs_its_kernel() {
    for isa in Isa::available() {
        let expected = match isa.to_string().as_str() {
            "avx2-vnni" => "avx2",
            "avx512-vnni" => "avx512",
            other => other,
        }
        .to_owned();
        assert_eq!(name(isa), expected);
    }
}

#[test]
#[should_panic(expected = "reaches out of its map")]
fn a_window_outside_is_refused() {
    let rows = Rows { count: 1, run: 4 };
    let weights = PackedWeights::new(&[0.0; 4], &[], 1, &Activation::Identity, Isa::best());
    multiply(&weights, &[0.0; 6], &Odd { rows, outputs: 1 }, 0..2, &mut [0.0; 4], false);
}
