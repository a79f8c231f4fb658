//! Gradients against finite differences, and burn's forward against the native engine's.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use burn::tensor::{Device, Int, Tensor, TensorData};
use lineament_net::{Layer, Net, NetSpec, Shape, Weights};
use lineament_train::local_conv::local_conv;
use lineament_train::losses::{binary_cross_entropy, similarity, smooth_l1, softmax_cross_entropy};
use lineament_train::module::{Mode, Module};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn device() -> Device {
    Device::flex().autodiff()
}

fn random(count: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
    (0..count).map(|_| rng.random_range(-1.0..1.0)).collect()
}

fn flat(values: &[f32]) -> Tensor<1> {
    Tensor::from_data(TensorData::from(values), &device())
}

/// Compares burn's gradient of `loss` with central differences at every entry of `at`.
fn check(at: &[f32], loss: impl Fn(Tensor<1>) -> Tensor<1>) {
    let value = flat(at).require_grad();
    let gradients = loss(value.clone()).backward();
    let found: Vec<f32> = value.grad(&gradients).unwrap().to_data().iter::<f32>().collect();
    let step = 1e-2;
    for (index, found) in found.iter().enumerate() {
        let moved = |by: f32| {
            let mut moved = at.to_vec();
            moved[index] += by;
            f64::from(loss(flat(&moved)).into_scalar::<f32>())
        };
        let expected = (moved(step) - moved(-step)) / (2.0 * f64::from(step));
        let close = (expected - f64::from(*found)).abs() <= 2e-2 * expected.abs().max(0.05);
        assert!(close, "entry {index}: {found} by burn, {expected} by differences");
    }
}

#[test]
fn local_convolution_has_the_gradients_of_finite_differences() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    // 2 x 2 cells of 2 x 3 places, stride 1, padding 1.
    let (x, weight, bias) =
        (random(2 * 4 * 6, &mut rng), random(4 * 2 * 2 * 9, &mut rng), random(4 * 2, &mut rng));
    let mix = random(2 * 4 * 6, &mut rng);
    let run = |x: Tensor<1>, weight: Tensor<1>, bias: Tensor<1>| {
        let out = local_conv(
            x.reshape([1, 2, 4, 6]),
            weight.reshape([4, 2, 2, 3, 3]),
            Some(bias.reshape([4, 2])),
            [2, 2],
            1,
            1,
        );
        // The square makes the second derivative count, so that a wrong forward can't hide behind a linear loss.
        (out.reshape([48]).powf_scalar(2.0) * flat(&mix)).sum()
    };
    check(&x, |x| run(x, flat(&weight), flat(&bias)));
    check(&weight, |weight| run(flat(&x), weight, flat(&bias)));
    check(&bias, |bias| run(flat(&x), flat(&weight), bias));
}

/// Runs a net of one convolution on burn: 4 channels of 5 x 6, with parameters as the spec lists them.
fn one_convolution(groups: usize, filters: usize, kernel: usize, stride: usize) -> (Module, [usize; 2]) {
    let layer = Layer::Conv {
        name: "conv".to_owned(),
        filters,
        kernel,
        stride,
        padding: [kernel / 2 - 1, kernel / 2],
        groups,
        bias: true,
    };
    let input = Shape { channels: 4, height: 5, width: 6 };
    let spec = NetSpec { name: "one".to_owned(), input, layers: vec![layer] };
    let sizes = [kernel * kernel * filters * 4 / groups, spec.output().unwrap().elements()];
    (Module::new(&spec, 0).unwrap(), sizes)
}

#[test]
fn grouped_and_depthwise_convolutions_have_the_gradients_of_finite_differences() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    for (groups, filters, kernel, stride) in [(4, 4, 3, 1), (4, 4, 5, 2), (2, 6, 3, 2), (4, 8, 3, 1)] {
        let (module, [weights, outputs]) = one_convolution(groups, filters, kernel, stride);
        let (x, weight, bias) = (random(120, &mut rng), random(weights, &mut rng), random(filters, &mut rng));
        let mix = random(outputs, &mut rng);
        let run = |x: Tensor<1>, weight: Tensor<1>, bias: Tensor<1>| {
            let pass = module.forward(&[weight, bias], x.reshape([1, 4, 5, 6]), Mode::Train);
            (pass.output.reshape([outputs]).powf_scalar(2.0) * flat(&mix)).sum()
        };
        check(&x, |x| run(x, flat(&weight), flat(&bias)));
        check(&weight, |weight| run(flat(&x), weight, flat(&bias)));
        check(&bias, |bias| run(flat(&x), flat(&weight), bias));
    }
}

#[test]
fn activations_that_end_have_the_gradients_of_finite_differences() {
    // On both sides of every bend, none nearer than the step of the differences.
    let at = [-4.0, -3.1, -2.9, -1.5, -0.1, 0.1, 1.4, 2.9, 3.1, 5.9, 6.1, 8.0];
    for layer in [Layer::Relu6, Layer::HardSwish] {
        let input = Shape { channels: 12, height: 1, width: 1 };
        let spec = NetSpec { name: "one".to_owned(), input, layers: vec![layer] };
        let module = Module::new(&spec, 0).unwrap();
        check(&at, |x| {
            let out = module.forward(&[], x.reshape([1, 12, 1, 1]), Mode::Train).output;
            (out.reshape([12]).powf_scalar(2.0) / 4.0).sum()
        });
    }
}

#[test]
fn losses_have_the_gradients_of_finite_differences() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let at = random(12, &mut rng);
    let targets: Vec<f32> = (0..12).map(|_| rng.random_range(0.0..1.0)).collect();
    let weights: Vec<f32> = (0..12).map(|i| if i % 5 == 0 { 0.0 } else { 1.5 }).collect();
    check(&at, |x| {
        binary_cross_entropy(
            x.reshape([4, 3]),
            flat(&targets).reshape([4, 3]),
            flat(&weights).reshape([4, 3]),
        )
    });
    check(&at, |x| {
        smooth_l1(x.reshape([4, 3]), flat(&targets).reshape([4, 3]), flat(&weights).reshape([4, 3]))
    });
    let classes = || Tensor::<1, Int>::from_data(TensorData::from([2, 0, 1, 1]), &device());
    check(&at, |x| softmax_cross_entropy(x.reshape([4, 3]), classes(), 0.1));
    check(&at, |x| similarity(x.reshape([4, 3])));
}

#[test]
fn losses_are_their_closed_forms() {
    let one = |loss: Tensor<1>| loss.into_scalar::<f32>();
    // -ln sigmoid(0) = ln 2 for each known tag.
    let tags = |values: [f32; 2]| flat(&values).reshape([1, 2]);
    let loss = one(binary_cross_entropy(tags([0.0, 3.0]), tags([1.0, 1.0]), tags([1.0, 0.0])));
    assert!((loss - std::f32::consts::LN_2).abs() < 1e-6, "{loss}");
    // A square of a small difference, half the bound less than a large one, and nothing where the weight is nothing.
    let three = |values: [f32; 3]| flat(&values).reshape([1, 3]);
    let loss = one(smooth_l1(three([0.05, -1.0, 9.0]), three([0.0; 3]), three([1.0, 2.0, 0.0])));
    assert!((loss - (0.0125 + 2.0 * 0.95)).abs() < 1e-6, "{loss}");
    let classes = Tensor::<1, Int>::from_data(TensorData::from([0]), &device());
    let loss = one(softmax_cross_entropy(flat(&[0.0; 4]).reshape([1, 4]), classes, 0.3));
    assert!((loss - 4.0_f32.ln()).abs() < 1e-6, "{loss}");
    // Opposite unit vectors are 2 apart; half the squared distance is 2.
    let loss = one(similarity(flat(&[1.0, 0.0, -5.0, 0.0]).reshape([2, 2])));
    assert!((loss - 2.0).abs() < 1e-4, "{loss}");
}

/// A small net with every kind of layer, its sizes drawn at random.
fn spec() -> impl Strategy<Value = NetSpec> {
    (1..4usize, 1..5usize, 1..3usize, 0..2usize, any::<bool>(), any::<bool>()).prop_map(
        |(channels, filters, stride, padding, average, bias)| {
            let conv = |name: &str, stride, padding| Layer::Conv {
                name: name.to_owned(),
                filters,
                kernel: 3,
                stride,
                padding: [padding; 2],
                groups: 1,
                bias,
            };
            let norm = |name: &str| Layer::BatchNorm { name: name.to_owned(), epsilon: 1e-5 };
            let pool = if average {
                Layer::AvgPool { kernel: 3, stride: 2, padding: 1 }
            } else {
                Layer::MaxPool { kernel: 3, stride: 2, padding: 1 }
            };
            NetSpec {
                name: "any".to_owned(),
                input: Shape { channels, height: 16, width: 16 },
                layers: vec![
                    conv("conv1", stride, padding),
                    norm("norm1"),
                    Layer::Prelu { name: "prelu1".to_owned() },
                    pool,
                    Layer::Conv {
                        name: "depthwise".to_owned(),
                        filters,
                        kernel: 5,
                        stride,
                        padding: [2 - padding, 2],
                        groups: filters,
                        bias,
                    },
                    norm("norm2"),
                    Layer::Relu6,
                    Layer::Conv {
                        name: "grouped".to_owned(),
                        filters: 2 * filters,
                        kernel: 3,
                        stride: 1,
                        padding: [0, 1],
                        groups: filters,
                        bias,
                    },
                    Layer::HardSwish,
                    Layer::Residual {
                        name: "block".to_owned(),
                        body: vec![conv("conv1", 1, 1), norm("norm1"), Layer::Relu, conv("conv2", 1, 1)],
                        shortcut: vec![conv("conv", 1, 1)],
                    },
                    Layer::LocalConv {
                        name: "local1".to_owned(),
                        filters: 3,
                        kernel: 3,
                        stride: 1,
                        padding: 1,
                        grid: [1, 1],
                        bias,
                    },
                    Layer::Linear { name: "fc".to_owned(), outputs: 5, bias },
                ],
            }
        },
    )
}

/// Runs `weights` through burn, as stored statistics would have it.
fn through_burn(spec: &NetSpec, weights: &Weights, input: &lineament_net::Tensor) -> Vec<f32> {
    let module = Module::new(spec, 0).unwrap();
    let values: Vec<_> =
        module.parameters().iter().map(|p| flat(&weights.get(&p.name).unwrap().data)).collect();
    let data = TensorData::new(input.data().to_vec(), input.shape());
    let pass = module.forward(&values, Tensor::from_data(data, &device()), Mode::Evaluate);
    pass.output.to_data().iter::<f32>().collect()
}

fn agree(spec: &NetSpec, seed: u64) {
    let weights = Weights::random(spec, seed).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let Shape { channels, height, width } = spec.input;
    let values = random(2 * channels * height * width, &mut rng);
    let input = lineament_net::Tensor::from_vec([2, channels, height, width], values).unwrap();
    let native = Net::new(spec, &weights).unwrap().forward(&input).unwrap();
    let burn = through_burn(spec, &weights, &input);
    let scale = native.data().iter().fold(1.0_f32, |top, v| top.max(v.abs()));
    for (native, burn) in native.data().iter().zip(&burn) {
        assert!((native - burn).abs() <= 1e-4 * scale, "{native} by the native engine, {burn} by burn");
    }
    assert_eq!(native.data().len(), burn.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn burn_and_the_native_engine_agree(spec in spec(), seed in 0..u64::MAX) {
        agree(&spec, seed);
    }
}

#[test]
fn burn_and_the_native_engine_agree_on_local_cells_and_on_the_recipes() {
    let local = NetSpec {
        name: "local".to_owned(),
        input: Shape { channels: 3, height: 14, width: 20 },
        layers: vec![Layer::LocalConv {
            name: "local".to_owned(),
            filters: 4,
            kernel: 3,
            stride: 2,
            padding: 1,
            grid: [7, 5],
            bias: true,
        }],
    };
    agree(&local, 3);
    for name in ["compact", "paper", "drawn"] {
        let nets = lineament_train::Recipe::named(name).unwrap().nets;
        for net in [&nets.lnet_o, &nets.lnet_s, &nets.anet] {
            agree(net, 7);
        }
    }
}
