//! The plain loops against results worked out by hand, one layer at a time; the fast net along with them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lineament_net::{Array, Layer, Net, NetSpec, Shape, Tensor, Weights, reference};

fn run(input: (Shape, Vec<f32>), layers: Vec<Layer>, arrays: &[(&str, Vec<f32>)]) -> Vec<f32> {
    let (shape, data) = input;
    let spec = NetSpec { name: "hand".into(), input: shape, layers };
    let mut weights = Weights::new();
    for parameter in spec.parameters().unwrap() {
        let (_, data) = arrays.iter().find(|(name, _)| *name == parameter.name).expect("an array for each");
        weights.insert(parameter.name, Array { shape: parameter.shape, data: data.clone() });
    }
    let input = Tensor::from_vec([1, shape.channels, shape.height, shape.width], data).unwrap();
    let plain = reference::forward(&spec, &weights, &input).unwrap();
    let fast = Net::new(&spec, &weights).unwrap().forward(&input).unwrap();
    assert_eq!(plain.shape(), fast.shape());
    for (a, b) in plain.data().iter().zip(fast.data()) {
        assert!((a - b).abs() <= 1e-5 * a.abs().max(1.0), "{plain:?} {fast:?}");
    }
    plain.into_vec()
}

fn counted(channels: usize, height: usize, width: usize) -> (Shape, Vec<f32>) {
    let shape = Shape::new(channels, height, width);
    (shape, (1..=shape.elements()).map(|v| v as f32).collect())
}

#[test]
fn convolution_is_cross_correlation_with_zeros_around() {
    let conv = Layer::Conv {
        name: "c".into(),
        filters: 1,
        kernel: 2,
        stride: 1,
        padding: [1; 2],
        groups: 1,
        bias: true,
    };
    // 1 2
    // 3 4 under the taps 1 10 / 100 1000, plus one half.
    let out = run(
        counted(1, 2, 2),
        vec![conv],
        &[("c.weight", vec![1.0, 10.0, 100.0, 1000.0]), ("c.bias", vec![0.5])],
    );
    assert_eq!(out, [1000.5, 2100.5, 200.5, 3010.5, 4321.5, 402.5, 30.5, 43.5, 4.5]);
}

#[test]
fn convolution_sums_channels_and_keeps_filters_apart() {
    let conv = Layer::Conv {
        name: "c".into(),
        filters: 2,
        kernel: 1,
        stride: 2,
        padding: [0; 2],
        groups: 1,
        bias: false,
    };
    // Channel 1 is 1..9, channel 2 is 10..18; corners are 1 3 7 9 and 10 12 16 18.
    let out = run(counted(2, 3, 3), vec![conv], &[("c.weight", vec![1.0, 1.0, 2.0, -1.0])]);
    assert_eq!(out, [11.0, 15.0, 23.0, 27.0, -8.0, -6.0, -2.0, 0.0]);
}

#[test]
fn zeros_may_stand_below_and_on_the_right_alone() {
    let conv = Layer::Conv {
        name: "c".into(),
        filters: 1,
        kernel: 3,
        stride: 2,
        padding: [0, 1],
        groups: 1,
        bias: false,
    };
    // TensorFlow's "same" on four columns: windows at columns 0 to 2 and 2 to 4; the row below is padding.
    let weight = vec![1.0, 10.0, 100.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    let out = run(counted(1, 4, 4), vec![conv], &[("c.weight", weight)]);
    assert_eq!(out, [321.0, 43.0, 1209.0, 131.0]);
}

#[test]
fn filters_read_the_channels_of_their_group() {
    let conv = |filters, groups| Layer::Conv {
        name: "c".into(),
        filters,
        kernel: 1,
        stride: 1,
        padding: [0; 2],
        groups,
        bias: false,
    };
    // Channels 1 to 4; the first two filters sum channels 1 and 10 times 2, the others 3 and 10 times 4.
    let weight = vec![1.0, 10.0, 2.0, 20.0, 1.0, 10.0, 3.0, 30.0];
    let out = run(counted(4, 1, 1), vec![conv(4, 2)], &[("c.weight", weight)]);
    assert_eq!(out, [21.0, 42.0, 43.0, 129.0]);
    // One filter a channel.
    let out = run(counted(4, 1, 1), vec![conv(4, 4)], &[("c.weight", vec![1.0, 10.0, 100.0, -1.0])]);
    assert_eq!(out, [1.0, 20.0, 300.0, -4.0]);
    // Two of them.
    let out = run(counted(2, 1, 1), vec![conv(4, 2)], &[("c.weight", vec![1.0, 10.0, 100.0, -1.0])]);
    assert_eq!(out, [1.0, 10.0, 200.0, -2.0]);
}

#[test]
fn each_cell_has_its_own_filters_and_looks_over_its_border() {
    let local = Layer::LocalConv {
        name: "c".into(),
        filters: 1,
        kernel: 3,
        stride: 1,
        padding: 1,
        grid: [1, 2],
        bias: true,
    };
    // One row 1 2 3 4. Left cell: the sum of both neighbours; right cell: ten times the left neighbour, plus 1.
    let left = [0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0];
    let right = [0.0, 0.0, 0.0, 10.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    let out = run(
        counted(1, 1, 4),
        vec![local],
        &[("c.weight", [left, right].concat()), ("c.bias", vec![0.0, 1.0])],
    );
    assert_eq!(out, [2.0, 4.0, 21.0, 31.0]);
}

#[test]
fn cells_are_counted_row_after_row() {
    let local = Layer::LocalConv {
        name: "c".into(),
        filters: 1,
        kernel: 1,
        stride: 1,
        padding: 0,
        grid: [2, 2],
        bias: false,
    };
    let input = (Shape::new(1, 4, 2), vec![1.0; 8]);
    let out = run(input, vec![local], &[("c.weight", vec![1.0, 2.0, 3.0, 4.0])]);
    assert_eq!(out, [1.0, 2.0, 1.0, 2.0, 3.0, 4.0, 3.0, 4.0]);
}

#[test]
fn batch_norm_normalises_by_running_statistics() {
    let norm = Layer::BatchNorm { name: "n".into(), epsilon: 0.25 };
    // (x - 1) / sqrt(2) * 2 for variance 1.75; (x - 3) / 0.5 - 1 for variance 0.
    let out = run(
        counted(2, 1, 2),
        vec![norm],
        &[
            ("n.scale", vec![2.0, 1.0]),
            ("n.shift", vec![0.0, -1.0]),
            ("n.mean", vec![1.0, 3.0]),
            ("n.variance", vec![3.75, 0.0]),
        ],
    );
    assert_eq!(out, [0.0, 1.0, -1.0, 1.0]);
}

#[test]
fn activations_by_sign() {
    let input = || (Shape::new(2, 1, 2), vec![-2.0, 3.0, -4.0, 0.0]);
    assert_eq!(run(input(), vec![Layer::Relu], &[]), [0.0, 3.0, 0.0, 0.0]);
    let input6 = || (Shape::new(1, 1, 6), vec![-4.0, -3.0, -1.5, 0.0, 3.0, 7.5]);
    assert_eq!(run(input6(), vec![Layer::Relu6], &[]), [0.0, 0.0, 0.0, 0.0, 3.0, 6.0]);
    assert_eq!(run(input6(), vec![Layer::HardSwish], &[]), [0.0, 0.0, -0.375, 0.0, 3.0, 7.5]);
    let prelu = Layer::Prelu { name: "p".into() };
    assert_eq!(run(input(), vec![prelu], &[("p.slope", vec![0.5, -1.0])]), [-1.0, 3.0, 4.0, 0.0]);
}

#[test]
fn padding_never_wins_a_maximum_and_does_not_count_in_a_mean() {
    let input = || (Shape::new(1, 3, 3), (1..=9).map(|v| -(v as f32)).collect());
    let max = Layer::MaxPool { kernel: 2, stride: 2, padding: 1 };
    assert_eq!(run(input(), vec![max], &[]), [-1.0, -2.0, -4.0, -5.0]);
    let mean = Layer::AvgPool { kernel: 2, stride: 2, padding: 1 };
    assert_eq!(run(input(), vec![mean], &[]), [-1.0, -2.5, -5.5, -7.0]);
    // Rows and columns that a stride leaves over are dropped.
    let max = Layer::MaxPool { kernel: 2, stride: 2, padding: 0 };
    assert_eq!(run(input(), vec![max], &[]), [-1.0]);
}

#[test]
fn residual_adds_both_ways() {
    let conv = |name: &str| Layer::Conv {
        name: name.into(),
        filters: 1,
        kernel: 1,
        stride: 1,
        padding: [0; 2],
        groups: 1,
        bias: false,
    };
    let identity = Layer::Residual { name: "r".into(), body: vec![conv("a")], shortcut: vec![] };
    let layers = vec![identity, Layer::Relu];
    let out = run((Shape::new(1, 1, 2), vec![1.0, -1.0]), layers, &[("r.a.weight", vec![2.0])]);
    assert_eq!(out, [3.0, 0.0]);
    let both = Layer::Residual { name: "r".into(), body: vec![conv("a")], shortcut: vec![conv("b")] };
    let arrays = [("r.a.weight", vec![2.0]), ("r.b.weight", vec![10.0])];
    assert_eq!(run((Shape::new(1, 1, 2), vec![1.0, -1.0]), vec![both], &arrays), [12.0, -12.0]);
}

#[test]
fn linear_flattens_channels_rows_columns() {
    let linear = Layer::Linear { name: "l".into(), outputs: 2, bias: true };
    // Inputs 1..8 as 2 channels of 2 x 2; the first output picks decimal places, the second channel 2, row 1, column 2.
    let mut weight = vec![1.0, 0.0, 0.0, 0.0, 10.0, 0.0, 0.0, 0.0];
    weight.extend([0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
    let out = run(counted(2, 2, 2), vec![linear], &[("l.weight", weight), ("l.bias", vec![0.5, 0.0])]);
    assert_eq!(out, [51.5, 6.0]);
}
