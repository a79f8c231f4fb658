//! The kernels against plain loops in double precision.

use proptest::prelude::*;

use super::*;
use crate::kernel::value;

/// One output, channel by channel.
fn plain(
    (map, line): (&[f32], usize),
    (weight, bias, activation): (&[f32], &[f32], &Activation),
    Window { kernel, stride, .. }: Window,
    [row, column]: [usize; 2],
) -> Vec<f64> {
    let channels = bias.len();
    let sum = |channel: usize| {
        let taps = (0..kernel * kernel).map(|tap| {
            let from = (row * stride + tap / kernel) * line + (column * stride + tap % kernel) * channels;
            f64::from(map[from + channel]) * f64::from(weight[tap * channels + channel])
        });
        let sum = f64::from(bias[channel]) + taps.sum::<f64>();
        match activation {
            Activation::Identity => sum,
            Activation::Relu => sum.max(0.0),
            Activation::Relu6 => sum.clamp(0.0, 6.0),
            Activation::HardSwish => sum * (sum + 3.0).clamp(0.0, 6.0) / 6.0,
            Activation::Prelu(slopes) => {
                if sum > 0.0 {
                    sum
                } else {
                    sum * f64::from(slopes[channel])
                }
            }
        }
    };
    (0..channels).map(sum).collect()
}

fn activation(kind: usize, channels: usize) -> Activation {
    match kind {
        0 => Activation::Identity,
        1 => Activation::Relu,
        2 => Activation::Relu6,
        3 => Activation::HardSwish,
        _ => Activation::Prelu((0..channels).map(|i| value(i + 9)).collect()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_instruction_set_agrees_with_plain_loops(
        kernel in 1usize..7, stride in 1usize..4, channels in 1usize..40, rows in 1usize..4, columns in 1usize..30,
        gaps in (0usize..9, 0usize..9), kind in 0usize..5,
    ) {
        // More of the windows that have loops of their own.
        let kernel = if kernel == 6 { 5 } else { kernel };
        let window = Window { kernel, stride, padding: [0; 2] };
        let (map_line, out_line) = (((columns - 1) * stride + kernel) * channels + gaps.0, columns * channels + gaps.1);
        let map: Vec<f32> = (0..((rows - 1) * stride + kernel) * map_line).map(|i| 3.0 * value(i)).collect();
        let weight: Vec<f32> = (0..kernel * kernel * channels).map(|i| value(i + 77)).collect();
        let bias: Vec<f32> = (0..channels).map(|i| value(i + 5)).collect();
        let activation = activation(kind, channels);
        let filters = Filters::new(&weight, &bias, window, &activation);
        for isa in Isa::available() {
            let mut out = vec![7.0; rows * out_line];
            filters.run(isa, Rows { map: &map, map_line, out: &mut out, out_line, rows, columns });
            for (row, out) in out.chunks_exact(out_line).enumerate() {
                let (pixels, gap) = out.split_at(columns * channels);
                prop_assert!(gap.iter().all(|v| *v == 7.0));
                for (column, pixel) in pixels.chunks_exact(channels).enumerate() {
                    let expected = plain((&map, map_line), (&weight, &bias, &activation), window, [row, column]);
                    for (found, expected) in pixel.iter().zip(expected) {
                        prop_assert!((f64::from(*found) - expected).abs() < 2e-4, "{isa}: {found} {expected}");
                    }
                }
            }
        }
    }

    #[test]
    fn listed_windows_have_the_sums_of_those_in_a_map(
        kernel in 1usize..5, channels in 1usize..40, columns in 1usize..12, kind in 0usize..5,
    ) {
        let window = Window { kernel, stride: 1, padding: [0; 2] };
        let wide = columns + kernel - 1;
        let map: Vec<f32> = (0..kernel * wide * channels).map(|i| 3.0 * value(i)).collect();
        let weight: Vec<f32> = (0..kernel * kernel * channels).map(|i| value(i + 77)).collect();
        let bias: Vec<f32> = (0..channels).map(|i| value(i + 5)).collect();
        let filters = Filters::new(&weight, &bias, window, &activation(kind, channels));
        // The last pixel is padding in one of the two and a pixel of zeros in the other.
        let last = kernel * wide - 1;
        let mut map = map;
        map[last * channels..].fill(0.0);
        let sources: Vec<u32> = (0..columns)
            .flat_map(|column| (0..kernel * kernel).map(move |tap| tap / kernel * wide + column + tap % kernel))
            .map(|number| if number == last { u32::MAX } else { number as u32 })
            .collect();
        for isa in Isa::available() {
            let [mut found, mut expected] = [(); 2].map(|()| vec![0.0; columns * channels]);
            let line = wide * channels;
            let rows = Rows { map: &map, map_line: line, out: &mut expected, out_line: columns * channels, rows: 1, columns };
            filters.run(isa, rows);
            listed(isa, &filters, (&map, last), &sources, &mut found);
            for (found, expected) in found.iter().zip(&expected) {
                prop_assert!((found - expected).abs() < 1e-4, "{isa}: {found} {expected}");
            }
        }
    }
}

#[test]
#[should_panic(expected = "out of its map")]
fn windows_beyond_the_map_are_a_mistake() {
    let window = Window { kernel: 3, stride: 1, padding: [0; 2] };
    let filters = Filters::new(&[1.0; 9], &[0.0], window, &Activation::Identity);
    let rows = Rows { map: &[0.0; 11], map_line: 4, out: &mut [0.0; 3], out_line: 3, rows: 1, columns: 2 };
    filters.run(Isa::PORTABLE, Rows { columns: 3, ..rows });
}
