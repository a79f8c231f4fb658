//! The fast forward against the plain one, on nets drawn at random.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod drawn;

use drawn::{bits, draw_input, draw_spec, draw_weights, item_bits, pool};
use lineament_net::{Arithmetic, Isa, Layer, Net, NetSpec, Shape, SpecError, Tensor, Weights, reference};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn largest_difference(a: &Tensor, b: &Tensor) -> f32 {
    assert_eq!(a.shape(), b.shape());
    // Sums of terms of the order of 1 may cancel out to next to nothing, but their rounding does not.
    let scale = b.data().iter().fold(0.1f32, |most, v| most.max(v.abs()));
    a.data().iter().zip(b.data()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) / scale
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_net_agrees_with_the_plain_loops(seed: u64, items in 1usize..4) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let spec = draw_spec(&mut rng);
        let weights = draw_weights(&spec, &mut rng);
        let input = draw_input(items, spec.input, &mut rng);
        let fast = Net::new(&spec, &weights).unwrap().forward(&input).unwrap();
        let plain = reference::forward(&spec, &weights, &input).unwrap();
        let difference = largest_difference(&fast, &plain);
        prop_assert!(difference < 1e-4, "{difference} in {spec:?}");
    }
}

#[test]
fn the_drawn_nets_have_every_kind_of_layer() {
    fn kinds(layers: &[Layer], seen: &mut std::collections::BTreeSet<&'static str>) {
        for layer in layers {
            seen.insert(layer.kind());
            if let Layer::Residual { body, shortcut, .. } = layer {
                kinds(body, seen);
                kinds(shortcut, seen);
            }
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..50 {
        kinds(&draw_spec(&mut ChaCha8Rng::seed_from_u64(seed)).layers, &mut seen);
    }
    assert_eq!(seen.len(), 11, "{seen:?}");
}

#[test]
fn one_two_and_seven_threads_give_the_same_bits() {
    let pools = [pool(1), pool(2), pool(7)];
    for seed in 0..60 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let spec = draw_spec(&mut rng);
        let net = Net::new(&spec, &draw_weights(&spec, &mut rng)).unwrap();
        let input = draw_input(rng.random_range(1..12), spec.input, &mut rng);
        let [one, two, seven] = pools.each_ref().map(|pool| pool.install(|| net.forward(&input).unwrap()));
        assert_eq!(bits(&one), bits(&two), "{spec:?}");
        assert_eq!(bits(&one), bits(&seven), "{spec:?}");
    }
}

#[test]
fn an_item_gives_the_same_bits_alone_and_in_a_batch() {
    for seed in 100..130 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let spec = draw_spec(&mut rng);
        let net = Net::new(&spec, &draw_weights(&spec, &mut rng)).unwrap();
        let input = draw_input(11, spec.input, &mut rng);
        let together = net.forward(&input).unwrap();
        let Shape { channels, height, width } = spec.input;
        for item in [0, 7, 10] {
            let alone = Tensor::from_vec([1, channels, height, width], input.item(item).unwrap().to_vec());
            let alone = net.forward(&alone.unwrap()).unwrap();
            assert_eq!(bits(&alone), item_bits(&together, item), "{spec:?}");
        }
    }
}

#[test]
fn a_net_of_real_size_splits_into_many_pieces_with_the_same_bits() {
    let layers = vec![
        conv("conv1", 32, 5, 2, 2),
        Layer::Relu,
        conv("conv2", 40, 3, 1, 1),
        Layer::Prelu { name: "act2".into() },
        Layer::MaxPool { kernel: 3, stride: 2, padding: 1 },
        conv("conv3", 48, 1, 1, 0),
        Layer::LocalConv {
            name: "local".into(),
            filters: 33,
            kernel: 3,
            stride: 1,
            padding: 1,
            grid: [4, 4],
            bias: true,
        },
        Layer::Linear { name: "fc".into(), outputs: 130, bias: true },
    ];
    let spec = NetSpec { name: "real".into(), input: Shape::new(3, 96, 80), layers };
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let weights = draw_weights(&spec, &mut rng);
    let net = Net::new(&spec, &weights).unwrap();
    let input = draw_input(3, spec.input, &mut rng);
    let plain = reference::forward(&spec, &weights, &input).unwrap();
    let fast = [1, 2, 7].map(|threads| pool(threads).install(|| net.forward(&input).unwrap()));
    assert!(largest_difference(&fast[0], &plain) < 1e-5);
    assert_eq!(bits(&fast[0]), bits(&fast[1]));
    assert_eq!(bits(&fast[0]), bits(&fast[2]));
}

#[test]
fn wide_convolutions_of_every_kind_agree_with_the_plain_loops() {
    for (kernel, stride, padding) in
        [(3, 1, 0), (3, 1, 1), (5, 1, 2), (5, 1, 0), (3, 2, 1), (1, 1, 0), (7, 3, 2)]
    {
        // The last is wide enough to be summed place by place.
        for (side, filters) in [(7, 20), (13, 20), (22, 20), (9, 70)] {
            let layers = vec![
                conv("conv1", filters, 3, 1, 1),
                Layer::Residual {
                    name: "block".into(),
                    body: vec![conv("conv2", filters, 3, 1, 1)],
                    shortcut: vec![],
                },
                Layer::Relu,
                conv("conv3", filters + 13, kernel, stride, padding),
                Layer::Prelu { name: "act".into() },
            ];
            let spec = NetSpec { name: "wide".into(), input: Shape::new(17, side, side + 2), layers };
            let mut rng = ChaCha8Rng::seed_from_u64(side as u64);
            let weights = draw_weights(&spec, &mut rng);
            let net = Net::new(&spec, &weights).unwrap();
            let input = draw_input(5, spec.input, &mut rng);
            let plain = reference::forward(&spec, &weights, &input).unwrap();
            let fast = [1, 2, 7].map(|threads| pool(threads).install(|| net.forward(&input).unwrap()));
            let difference = largest_difference(&fast[0], &plain);
            assert!(difference < 2e-5, "{difference} for a {kernel} x {kernel} kernel on {side}");
            assert_eq!(bits(&fast[0]), bits(&fast[1]));
            assert_eq!(bits(&fast[0]), bits(&fast[2]));
            let alone = Tensor::from_vec([1, 17, side, side + 2], input.item(3).unwrap().to_vec()).unwrap();
            let alone = [1, 2].map(|threads| pool(threads).install(|| net.forward(&alone).unwrap()));
            alone.iter().for_each(|alone| assert_eq!(bits(alone), item_bits(&fast[0], 3)));
        }
    }
}

#[test]
fn depthwise_and_grouped_convolutions_agree_with_the_plain_loops() {
    let grouped = |name: &str, filters, kernel, stride, padding, groups| Layer::Conv {
        name: name.into(),
        filters,
        kernel,
        stride,
        padding,
        groups,
        bias: true,
    };
    for (kernel, stride, padding) in
        [(3, 1, [1, 1]), (3, 2, [0, 1]), (5, 1, [2, 2]), (5, 2, [1, 2]), (7, 1, [3, 3]), (2, 3, [1, 0])]
    {
        for (side, channels) in [(7, 48), (14, 40), (17, 21), (30, 16), (9, 3)] {
            let layers = vec![
                conv("expand", channels, 1, 1, 0),
                Layer::Relu6,
                grouped("depthwise", channels, kernel, stride, padding, channels),
                Layer::BatchNorm { name: "norm".into(), epsilon: 1e-3 },
                Layer::HardSwish,
                Layer::Residual {
                    name: "block".into(),
                    body: vec![
                        grouped("depthwise", channels, 3, 1, [1, 1], channels),
                        Layer::BatchNorm { name: "norm".into(), epsilon: 1e-3 },
                    ],
                    shortcut: vec![],
                },
                grouped(
                    "two",
                    2 * channels.next_multiple_of(2),
                    3,
                    1,
                    [1, 0],
                    if channels % 2 == 0 { 2 } else { 1 },
                ),
                Layer::Prelu { name: "act".into() },
            ];
            let spec = NetSpec { name: "groups".into(), input: Shape::new(5, side, side + 3), layers };
            let mut rng = ChaCha8Rng::seed_from_u64(side as u64);
            let weights = draw_weights(&spec, &mut rng);
            let input = draw_input(3, spec.input, &mut rng);
            let plain = reference::forward(&spec, &weights, &input).unwrap();
            for isa in Isa::available() {
                let net = Net::for_isa(&spec, &weights, Arithmetic::Single, isa).unwrap();
                let fast = [1, 2, 7].map(|threads| pool(threads).install(|| net.forward(&input).unwrap()));
                let difference = largest_difference(&fast[0], &plain);
                assert!(difference < 2e-5, "{difference} for {kernel} x {kernel} on {side}, {isa}");
                assert_eq!(bits(&fast[0]), bits(&fast[1]));
                assert_eq!(bits(&fast[0]), bits(&fast[2]));
            }
        }
    }
}

#[test]
fn large_inputs_and_outputs_are_brought_in_and_out_by_all_threads() {
    for padding in [0, 1] {
        let layers = vec![conv("conv", 50, 1 + 2 * padding, 1, padding), Layer::Relu];
        let spec = NetSpec { name: "large".into(), input: Shape::new(21, 64, 61), layers };
        let mut rng = ChaCha8Rng::seed_from_u64(8);
        let net = Net::new(&spec, &draw_weights(&spec, &mut rng)).unwrap();
        let weights = draw_weights(&spec, &mut ChaCha8Rng::seed_from_u64(8));
        for items in [1, 3] {
            let input = draw_input(items, spec.input, &mut rng);
            let fast = [1, 2, 7].map(|threads| pool(threads).install(|| net.forward(&input).unwrap()));
            assert_eq!(bits(&fast[0]), bits(&fast[1]));
            assert_eq!(bits(&fast[0]), bits(&fast[2]));
            let plain = reference::forward(&spec, &weights, &input).unwrap();
            assert!(largest_difference(&fast[0], &plain) < 1e-5);
        }
    }
}

#[test]
fn a_net_whose_maps_fit_into_no_arena_is_refused() {
    let body = vec![conv("conv2", 1, 3, 1, 1), Layer::Relu, conv("conv3", 1, 3, 1, 1)];
    let layers =
        vec![conv("conv1", 1, 3, 1, 1), Layer::Residual { name: "block".into(), body, shortcut: vec![] }];
    let spec = NetSpec { name: "vast".into(), input: Shape::new(1, 12_000, 12_000), layers };
    spec.check().unwrap();
    let error = Net::new(&spec, &Weights::random(&spec, 1).unwrap()).unwrap_err();
    assert!(error.to_string().contains("vast"), "{error}");
    // The same net on small maps runs, and refuses those maps one by one.
    let small = NetSpec { input: Shape::new(1, 8, 8), ..spec };
    assert!(Net::new(&small, &Weights::random(&small, 1).unwrap()).is_ok());
}

#[test]
fn one_net_serves_many_threads_at_once_and_again() {
    let spec = NetSpec {
        name: "shared".into(),
        input: Shape::new(3, 20, 20),
        layers: vec![conv("conv1", 8, 3, 1, 1), Layer::Relu, conv("conv2", 4, 3, 2, 1)],
    };
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let net = Net::new(&spec, &draw_weights(&spec, &mut rng)).unwrap();
    let input = draw_input(2, spec.input, &mut rng);
    let first = net.forward(&input).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20 {
                    assert_eq!(bits(&net.forward(&input).unwrap()), bits(&first));
                }
            });
        }
    });
}

#[test]
fn a_convolutional_net_takes_any_size() {
    let spec = NetSpec {
        name: "wide".into(),
        input: Shape::new(3, 16, 16),
        layers: vec![
            conv("conv1", 6, 3, 2, 1),
            Layer::BatchNorm { name: "norm1".into(), epsilon: 1e-5 },
            Layer::Relu,
            Layer::AvgPool { kernel: 2, stride: 2, padding: 0 },
        ],
    };
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let weights = draw_weights(&spec, &mut rng);
    let net = Net::new(&spec, &weights).unwrap();
    for (height, width) in [(16, 16), (40, 33), (7, 90), (3, 3)] {
        let input = draw_input(2, Shape::new(3, height, width), &mut rng);
        let fast = net.forward(&input).unwrap();
        let out = spec.output_for(height, width).unwrap();
        assert_eq!(fast.map(), out);
        assert!(largest_difference(&fast, &reference::forward(&spec, &weights, &input).unwrap()) < 1e-5);
    }
    let error = net.forward(&Tensor::zeros([1, 3, 1, 16])).unwrap_err().to_string();
    assert!(error.contains("avg_pool#3"), "{error}");
}

#[test]
fn inputs_that_do_not_fit_are_refused() {
    let layers = vec![conv("conv1", 6, 3, 2, 1), Layer::Linear { name: "fc".into(), outputs: 5, bias: true }];
    let spec = NetSpec { name: "fixed".into(), input: Shape::new(3, 16, 16), layers };
    let weights = draw_weights(&spec, &mut ChaCha8Rng::seed_from_u64(4));
    let net = Net::new(&spec, &weights).unwrap();
    for tensor in [Tensor::zeros([1, 3, 17, 16]), Tensor::zeros([1, 1, 16, 16])] {
        let fast = net.forward(&tensor).unwrap_err();
        assert_eq!(fast, reference::forward(&spec, &weights, &tensor).unwrap_err());
    }
    let error = net.forward(&Tensor::zeros([1, 3, 17, 16])).unwrap_err();
    assert!(
        matches!(error, lineament_net::ForwardError::Spec(SpecError::FixedSize { ref layer, .. }) if layer == "fc")
    );
    assert_eq!(net.forward(&Tensor::zeros([0, 3, 16, 16])).unwrap().shape(), [0, 5, 1, 1]);
}

#[test]
fn a_grid_of_one_cell_is_a_convolution() {
    let local = |grid| Layer::LocalConv {
        name: "conv".into(),
        filters: 9,
        kernel: 3,
        stride: 2,
        padding: 1,
        grid,
        bias: true,
    };
    let net = |layer| NetSpec { name: "one".into(), input: Shape::new(4, 13, 17), layers: vec![layer] };
    let mut rng = ChaCha8Rng::seed_from_u64(12);
    let (shared, cells) = (net(conv("conv", 9, 3, 2, 1)), net(local([1, 1])));
    let weights = draw_weights(&shared, &mut rng);
    let in_cells = weights
        .iter()
        .map(|(name, array)| {
            let mut array = array.clone();
            // A bank of its own for each cell, of which there is one.
            array.shape.insert(0, 1);
            (name.to_owned(), array)
        })
        .collect();
    let input = draw_input(2, shared.input, &mut rng);
    let expected = reference::forward(&shared, &weights, &input).unwrap();
    assert_eq!(reference::forward(&cells, &in_cells, &input).unwrap(), expected);
    let fast = Net::new(&cells, &in_cells).unwrap().forward(&input).unwrap();
    assert!(largest_difference(&fast, &expected) < 1e-5);
}

fn conv(name: &str, filters: usize, kernel: usize, stride: usize, padding: usize) -> Layer {
    Layer::Conv { name: name.into(), filters, kernel, stride, padding: [padding; 2], groups: 1, bias: true }
}
