//! Nets whose convolutions are summed in eight-bit integers, against the same in single precision.
#![allow(clippy::unwrap_used)]

mod drawn;

use drawn::{bits, draw_input, draw_spec, draw_weights, item_bits, pool};
use lineament_net::{Arithmetic, Layer, Net, NetSpec, Shape, Tensor, Weights, reference};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn eight_bit(spec: &NetSpec, weights: &Weights) -> Net {
    Net::with_arithmetic(spec, weights, Arithmetic::EightBit).unwrap()
}

/// Mean difference over mean size.
fn apart(a: &Tensor, b: &Tensor) -> f32 {
    let size: f32 = b.data().iter().map(|v| v.abs()).sum();
    a.data().iter().zip(b.data()).map(|(a, b)| (a - b).abs()).sum::<f32>() / size.max(1e-6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn an_item_has_the_same_bits_alone_in_a_batch_and_on_any_threads(seed: u64, items in 2usize..12) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let spec = draw_spec(&mut rng);
        let net = eight_bit(&spec, &draw_weights(&spec, &mut rng));
        let mut input = draw_input(items, spec.input, &mut rng);
        // Items whose scales differ by far.
        let each = spec.input.elements();
        for (item, values) in input.data_mut().chunks_exact_mut(each).enumerate() {
            values.iter_mut().for_each(|v| *v *= (item + 1) as f32);
        }
        let [one, two, seven] = [1, 2, 7].map(|threads| pool(threads).install(|| net.forward(&input).unwrap()));
        prop_assert_eq!(bits(&one), bits(&two), "{:?}", spec);
        prop_assert_eq!(bits(&one), bits(&seven), "{:?}", spec);
        let item = rng.random_range(0..items);
        let Shape { channels, height, width } = spec.input;
        let alone = Tensor::from_vec([1, channels, height, width], input.item(item).unwrap().to_vec()).unwrap();
        let alone = net.forward(&alone).unwrap();
        prop_assert_eq!(bits(&alone), item_bits(&one, item), "{:?}", spec);
    }
}

/// What `reference` makes of one convolution whose input and filters are whole numbers that eight bits hold: nothing is lost, so both agree to rounding.
#[test]
fn a_convolution_of_whole_numbers_is_exact() {
    for (kernel, stride, padding, channels, filters) in [
        (3, 1, 1, 3, 16),
        (5, 2, 2, 3, 24),
        (3, 2, 0, 17, 33),
        (1, 1, 0, 40, 41),
        (1, 2, 0, 8, 48),
        (11, 4, 0, 3, 96),
    ] {
        let conv = Layer::Conv {
            name: "conv".into(),
            filters,
            kernel,
            stride,
            padding: [padding; 2],
            groups: 1,
            bias: true,
        };
        let spec = NetSpec { name: "one".into(), input: Shape::new(channels, 23, 19), layers: vec![conv] };
        let mut rng = ChaCha8Rng::seed_from_u64(kernel as u64);
        let mut weights = Weights::random(&spec, 3).unwrap();
        let mut array = weights.get("conv.weight").unwrap().clone();
        let inner = kernel * kernel * channels;
        for filter in array.data.chunks_exact_mut(inner) {
            filter.iter_mut().for_each(|w| *w = rng.random_range(-127..=127) as f32);
            filter[0] = 127.0;
        }
        weights.insert("conv.weight", array);
        let mut input = Tensor::zeros([2, channels, 23, 19]);
        for values in input.data_mut().chunks_exact_mut(channels * 23 * 19) {
            let zero = rng.random_range(0..=255);
            values.iter_mut().for_each(|v| *v = (rng.random_range(0..=255) - zero) as f32);
            // Every byte is needed.
            (values[0], values[1]) = (-zero as f32, (255 - zero) as f32);
        }
        let exact = reference::forward(&spec, &weights, &input).unwrap();
        let found = eight_bit(&spec, &weights).forward(&input).unwrap();
        let most = exact.data().iter().fold(0.0f32, |most, v| most.max(v.abs()));
        for (found, exact) in found.data().iter().zip(exact.data()) {
            assert!((found - exact).abs() <= 1e-5 * most, "{kernel} {stride}: {found} {exact}");
        }
    }
}

#[test]
fn a_deep_net_stays_close_to_single_precision() {
    let conv = |name: &str, filters, stride| Layer::Conv {
        name: name.into(),
        filters,
        kernel: 3,
        stride,
        padding: [1; 2],
        groups: 1,
        bias: true,
    };
    let block = |name: &str, filters, stride| Layer::Residual {
        name: name.into(),
        body: vec![conv("conv1", filters, stride), Layer::Relu, conv("conv2", filters, 1)],
        shortcut: vec![Layer::Conv {
            name: "conv".into(),
            filters,
            kernel: 1,
            stride,
            padding: [0; 2],
            groups: 1,
            bias: false,
        }],
    };
    let local = Layer::LocalConv {
        name: "local".into(),
        filters: 24,
        kernel: 3,
        stride: 1,
        padding: 1,
        grid: [2, 2],
        bias: true,
    };
    let layers = vec![
        conv("conv1", 16, 2),
        Layer::Relu,
        block("a", 32, 2),
        Layer::Relu,
        block("b", 48, 1),
        Layer::Prelu { name: "act".into() },
        Layer::MaxPool { kernel: 2, stride: 2, padding: 0 },
        local,
        Layer::Relu,
        Layer::Linear { name: "fc".into(), outputs: 40, bias: true },
    ];
    let spec = NetSpec { name: "deep".into(), input: Shape::new(3, 64, 64), layers };
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let weights = draw_weights(&spec, &mut rng);
    let input = draw_input(4, spec.input, &mut rng);
    let single = Net::new(&spec, &weights).unwrap().forward(&input).unwrap();
    let found = apart(&eight_bit(&spec, &weights).forward(&input).unwrap(), &single);
    assert!(found > 0.0 && found < 0.05, "{found}");
}
