//! Nets, weights and inputs drawn at random for tests.
#![allow(clippy::unwrap_used, dead_code)]

use lineament_net::{Array, Layer, NetSpec, ParameterKind, Shape, Tensor, Weights};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// A valid net of up to ten layers of every kind, small and odd in its sizes.
pub fn draw_spec(rng: &mut ChaCha8Rng) -> NetSpec {
    let input = Shape::new(rng.random_range(1..5), rng.random_range(1..22), rng.random_range(1..22));
    let mut spec = NetSpec { name: "drawn".into(), input, layers: vec![] };
    let wanted = rng.random_range(1..10);
    for _ in 0..200 {
        let shape = if spec.layers.is_empty() { input } else { spec.output().unwrap() };
        let place = spec.layers.len();
        spec.layers.push(draw_layer(place, shape, 0, rng));
        // A layer that does not fit is drawn again.
        if spec.check().is_err() {
            spec.layers.pop();
        } else if spec.layers.len() == wanted {
            break;
        }
    }
    spec
}

fn draw_layer(place: usize, shape: Shape, depth: usize, rng: &mut ChaCha8Rng) -> Layer {
    let name = format!("layer{place}");
    let (kernel, stride) = (rng.random_range(1..5), rng.random_range(1..4));
    let bias = rng.random();
    match rng.random_range(0..26) {
        0..=3 => Layer::Conv {
            name,
            filters: rng.random_range(1..14),
            kernel,
            stride,
            padding: [rng.random_range(0..kernel), rng.random_range(0..kernel)],
            groups: 1,
            bias,
        },
        4..=5 => {
            let grid = [rng.random_range(1..4), rng.random_range(1..4)];
            let padding = rng.random_range(0..kernel);
            Layer::LocalConv { name, filters: rng.random_range(1..14), kernel, stride, padding, grid, bias }
        }
        6..=8 => Layer::BatchNorm { name, epsilon: 1e-3 },
        9..=10 => Layer::Relu,
        11 => Layer::Prelu { name },
        12 => Layer::MaxPool { kernel, stride, padding: rng.random_range(0..=kernel / 2) },
        13 => Layer::AvgPool { kernel, stride, padding: rng.random_range(0..=kernel / 2) },
        14 => Layer::Linear { name, outputs: rng.random_range(1..80), bias },
        15..=20 => draw_residual(name, shape, depth, rng),
        21 => Layer::Relu6,
        22 => Layer::HardSwish,
        _ => draw_grouped(name, shape.channels, rng),
    }
}

/// A convolution whose filters read some of the channels alone, often one each.
fn draw_grouped(name: String, channels: usize, rng: &mut ChaCha8Rng) -> Layer {
    let divisors: Vec<usize> = (1..=channels).filter(|groups| channels.is_multiple_of(*groups)).collect();
    let depthwise: bool = rng.random();
    let groups = if depthwise { channels } else { divisors[rng.random_range(0..divisors.len())] };
    let kernel = if rng.random() { rng.random_range(1..5) } else { [3, 5][rng.random_range(0..2)] };
    Layer::Conv {
        name,
        filters: groups * if depthwise { 1 } else { rng.random_range(1..4) },
        kernel,
        stride: rng.random_range(1..3),
        padding: [rng.random_range(0..kernel), rng.random_range(0..kernel)],
        groups,
        bias: rng.random(),
    }
}

fn draw_residual(name: String, shape: Shape, depth: usize, rng: &mut ChaCha8Rng) -> Layer {
    let conv = |name: &str, filters, kernel, stride| Layer::Conv {
        name: name.into(),
        filters,
        kernel,
        stride,
        padding: [kernel / 2; 2],
        groups: 1,
        bias: kernel == 1,
    };
    let norm = |name: &str| Layer::BatchNorm { name: name.into(), epsilon: 1e-5 };
    let (mut filters, mut stride) = (shape.channels, 1);
    let mut shortcut = vec![];
    if rng.random() {
        (filters, stride) = (rng.random_range(1..12), rng.random_range(1..3));
        shortcut.push(conv("short", filters, 1, stride));
        if rng.random() {
            shortcut.push(norm("short_norm"));
        }
    } else if rng.random_range(0..4) == 0 {
        shortcut.push(Layer::Relu);
    }
    let mut body = vec![];
    if rng.random() {
        body.push(norm("before"));
    }
    if rng.random() {
        body.push(conv("conv1", rng.random_range(1..9), 3, 1));
        body.push([Layer::Relu, Layer::Relu6][rng.random_range(0..2)].clone());
    }
    if depth < 3 && rng.random() {
        let inner = NetSpec { name: "inner".into(), input: shape, layers: body.clone() };
        let shape = inner.output().unwrap_or(shape);
        body.push(draw_residual("deeper".into(), shape, depth + 1, rng));
    }
    if shape.height * shape.width == 1 && rng.random() {
        body.push(Layer::Linear { name: "fc".into(), outputs: filters, bias: rng.random() });
    } else if stride > 1 || filters != shape.channels || rng.random() {
        body.push(conv("conv2", filters, 3, stride));
        if rng.random() {
            body.push(norm("norm2"));
        }
    }
    if body.is_empty() || rng.random_range(0..4) == 0 {
        body.push(if rng.random() {
            Layer::Prelu { name: "last".into() }
        } else {
            Layer::MaxPool { kernel: 3, stride: 1, padding: 1 }
        });
    }
    Layer::Residual { name, body, shortcut }
}

/// Weights with nothing left at its starting value.
pub fn draw_weights(spec: &NetSpec, rng: &mut ChaCha8Rng) -> Weights {
    let parameters = spec.parameters().unwrap();
    let arrays = parameters.into_iter().map(|parameter| {
        let half = match parameter.kind {
            ParameterKind::Weight { fan_in } => (3.0 / fan_in as f32).sqrt(),
            _ => 0.5,
        };
        let middle = match parameter.kind {
            ParameterKind::Scale | ParameterKind::Variance => 1.0,
            _ => 0.0,
        };
        let data = (0..parameter.elements()).map(|_| middle + rng.random_range(-half..half)).collect();
        (parameter.name, Array { shape: parameter.shape, data })
    });
    arrays.collect()
}

/// A batch of values between -1 and 1.
pub fn draw_input(items: usize, shape: Shape, rng: &mut ChaCha8Rng) -> Tensor {
    let data = (0..items * shape.elements()).map(|_| rng.random_range(-1.0..1.0)).collect();
    Tensor::from_vec([items, shape.channels, shape.height, shape.width], data).unwrap()
}

/// A net as the paper's ANet is one: global layers, one to three local ones with poolings between them, a matrix.
pub fn draw_local_spec(rng: &mut ChaCha8Rng) -> NetSpec {
    let input = Shape::new(rng.random_range(1..4), rng.random_range(12..34), rng.random_range(12..34));
    let mut spec = NetSpec { name: "local".into(), input, layers: vec![] };
    for place in 0..rng.random_range(0..3) {
        push(&mut spec, rng, |rng| Layer::Conv {
            name: format!("conv{place}"),
            filters: rng.random_range(1..10),
            kernel: rng.random_range(1..5),
            stride: rng.random_range(1..3),
            padding: [0; 2],
            groups: 1,
            bias: rng.random(),
        });
        between(&mut spec, rng);
        if rng.random_range(0..3) == 0 {
            let channels = spec.output().unwrap().channels;
            push(&mut spec, rng, |rng| draw_grouped(format!("grouped{place}"), channels, rng));
            between(&mut spec, rng);
        }
    }
    for place in 0..rng.random_range(1..4) {
        push(&mut spec, rng, |rng| Layer::LocalConv {
            name: format!("local{place}"),
            filters: rng.random_range(1..10),
            kernel: rng.random_range(1..4),
            stride: rng.random_range(1..3),
            padding: 0,
            grid: [rng.random_range(1..5), rng.random_range(1..5)],
            bias: rng.random(),
        });
        between(&mut spec, rng);
    }
    if rng.random_range(0..4) > 0 {
        let outputs = rng.random_range(1..70);
        spec.layers.push(Layer::Linear { name: "fc".into(), outputs, bias: rng.random() });
        if rng.random() {
            spec.layers.push(Layer::Relu);
        }
    }
    if spec.layers.is_empty() {
        spec.layers.push(Layer::Relu);
    }
    spec
}

/// Adds a layer that fits; one that does not is drawn again.
fn push(spec: &mut NetSpec, rng: &mut ChaCha8Rng, draw: impl Fn(&mut ChaCha8Rng) -> Layer) {
    for _ in 0..60 {
        spec.layers.push(draw(rng));
        if spec.check().is_ok() {
            return;
        }
        spec.layers.pop();
    }
}

/// What stands between two convolutions.
fn between(spec: &mut NetSpec, rng: &mut ChaCha8Rng) {
    let place = spec.layers.len();
    if rng.random() {
        push(spec, rng, |_| Layer::BatchNorm { name: format!("norm{place}"), epsilon: 1e-3 });
    }
    match rng.random_range(0..5) {
        0 => push(spec, rng, |_| Layer::Prelu { name: format!("prelu{place}") }),
        1 => push(spec, rng, |_| Layer::Relu),
        2 => push(spec, rng, |_| Layer::Relu6),
        3 => push(spec, rng, |_| Layer::HardSwish),
        _ => {}
    }
    let mean: bool = rng.random();
    if rng.random() {
        push(spec, rng, |rng| {
            let (kernel, stride) = (rng.random_range(1..4), rng.random_range(1..3));
            if mean {
                Layer::AvgPool { kernel, stride, padding: 0 }
            } else {
                Layer::MaxPool { kernel, stride, padding: 0 }
            }
        });
    }
}

/// A region with room for the patch and offsets in it: a grid of one step, or anywhere.
pub fn draw_offsets(patch: Shape, rng: &mut ChaCha8Rng) -> (Shape, Vec<[usize; 2]>) {
    let [down, right] = [rng.random_range(0..13), rng.random_range(0..13)];
    let region = Shape { height: patch.height + down, width: patch.width + right, ..patch };
    let step = rng.random_range(1..9);
    let count = rng.random_range(1..7);
    let anywhere: bool = rng.random();
    let mut place = |room: usize| {
        if anywhere { rng.random_range(0..=room) } else { rng.random_range(0..=room / step) * step }
    };
    (region, (0..count).map(|_| [place(right), place(down)]).collect())
}

/// The patches, cut the plain way.
pub fn cut(regions: &Tensor, patch: Shape, offsets: &[[usize; 2]]) -> Tensor {
    let region = regions.map();
    let mut data = Vec::new();
    for item in 0..regions.items() {
        for &[x, y] in offsets {
            for c in 0..patch.channels {
                for row in y..y + patch.height {
                    let start = (c * region.height + row) * region.width + x;
                    data.extend(&regions.item(item).unwrap()[start..start + patch.width]);
                }
            }
        }
    }
    let items = regions.items() * offsets.len();
    Tensor::from_vec([items, patch.channels, patch.height, patch.width], data).unwrap()
}

/// A pool to run nets in.
pub fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
}

/// What has to be equal where results are the same to the bit.
pub fn bits(tensor: &Tensor) -> Vec<u32> {
    tensor.data().iter().map(|v| v.to_bits()).collect()
}

/// The same of one item.
pub fn item_bits(tensor: &Tensor, item: usize) -> Vec<u32> {
    tensor.item(item).unwrap().iter().map(|v| v.to_bits()).collect()
}
