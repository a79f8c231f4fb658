//! What every kernel of bytes has to do. `tiling::kernels!` makes a module of these tests for each that is listed.

use proptest::prelude::*;

use super::*;
use crate::kernel::activation::Activation;
use crate::kernel::indirection::Odd;
use crate::kernel::isa::Isa;
use crate::kernel::tiling::Kernel;
use crate::kernel::value;

/// The tests of one kernel.
macro_rules! suite {
    ($kernel:ty) => {
        use crate::kernel::gemm_u8i8::tests;

        #[test]
        fn it_gives_the_values_of_three_loops() {
            tests::gives_the_values_of_three_loops::<$kernel>();
        }

        #[test]
        fn the_longest_sum_stays_in_range() {
            tests::keeps_the_longest_sum_in_range::<$kernel>();
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

pub(super) fn gives_the_values_of_three_loops<K: Kernel>() {
    let isas = isas::<K>();
    proptest!(|(
        count in 1usize..5, run in 1usize..60, outputs in 1usize..70, all in 0usize..30, zero: u8, accumulate: bool, kind in 0usize..4,
    )| {
        let rows = Rows { count, run };
        let inner = count * run;
        let windows = Odd { rows, outputs };
        // Bytes behind the last window are read, and multiplied with nothing.
        let map: Vec<u8> = (0..3 * all + count * (run + 2) + 3).map(|i| (i * 97 % 256) as u8).collect();
        // Whole numbers up to 127 are their own bytes.
        let weight: Vec<f32> =
            (0..inner * outputs).map(|i| if i < outputs { 127.0 } else { (127.0 * value(i)).round() }).collect();
        let bias: Vec<f32> = (0..outputs).map(|i| value(i + 5)).collect();
        let slopes: Vec<f32> = (0..outputs).map(|i| value(i + 9)).collect();
        let activation = match kind {
            0 => Activation::Relu,
            1 => Activation::Relu6,
            2 => Activation::HardSwish,
            _ => Activation::Prelu(slopes.clone()),
        };
        let scale = Scale { step: 0.037, zero };
        let before: Vec<f32> = (0..all * (outputs + 1)).map(|i| value(i + 991)).collect();
        let mut expected = before.clone();
        for window in 0..all {
            for output in 0..outputs {
                let mut sum = 0i64;
                for row in 0..count {
                    for at in 0..run {
                        let byte = i64::from(map[windows.input(window, row) + at]) - i64::from(zero);
                        sum += byte * weight[(row * run + at) * outputs + output] as i64;
                    }
                }
                let out = &mut expected[windows.output(window) + output];
                let sum = sum as f32 * scale.step + bias[output] + if accumulate { *out } else { 0.0 };
                *out = match kind {
                    3 => if sum > 0.0 { sum } else { sum * slopes[output] },
                    2 => activation.top().apply(sum),
                    _ => activation.top().apply(if sum > 0.0 { sum } else { 0.0 }),
                };
            }
        }
        for isa in &isas {
            let weights = PackedWeights::new(&weight, &bias, outputs, rows, &activation, *isa);
            let mut found = before.clone();
            multiply(&weights, (&map, scale), &windows, 0..all, &mut found, accumulate);
            prop_assert_eq!(&found, &expected, "{}", isa);
        }
    });
}

pub(super) fn keeps_the_longest_sum_in_range<K: Kernel>() {
    let rows = Rows { count: 1, run: packing::LONGEST };
    let (map, weight) = (vec![255u8; rows.run], vec![-1.0; rows.run]);
    for isa in isas::<K>() {
        let weights = PackedWeights::new(&weight, &[], 1, rows, &Activation::Identity, isa);
        for zero in [0u8, 255] {
            let mut found = [0.0];
            let scale = Scale { step: 1.0, zero };
            multiply(&weights, (&map, scale), &Odd { rows, outputs: 1 }, 0..1, &mut found, false);
            let exact = -(f64::from(255 - zero) * rows.run as f64);
            assert!((f64::from(found[0]) - exact).abs() <= 1e-6 * exact.abs(), "{isa} {zero}: {found:?}");
        }
    }
}

#[test]
fn an_instruction_set_runs_its_kernel() {
    for isa in Isa::available() {
        let expected = if isa.to_string() == "avx512" { "avx2".to_owned() } else { isa.to_string() };
        assert_eq!(name(isa), expected);
    }
}

#[test]
#[should_panic(expected = "reaches out of its map")]
fn a_window_outside_is_refused() {
    let rows = Rows { count: 1, run: 4 };
    let weights = PackedWeights::new(&[0.0; 4], &[], 1, rows, &Activation::Identity, Isa::best());
    let scale = Scale { step: 1.0, zero: 0 };
    multiply(&weights, (&[0; 6], scale), &Odd { rows, outputs: 1 }, 0..2, &mut [0.0; 4], false);
}
