use super::*;
use lineament_net::onnx::{Dim, Graph, Setting, Value as Name};
use lineament_net::{Layer, NetSpec, Shape, Tensor, Weights};
use proptest::prelude::*;

const LIMITS: Limits = Limits { numbers: 1 << 22, work: 1 << 32 };

fn value(i: usize) -> f32 {
    ((i * 7919 % 1009) as f32 - 504.0) / 128.0
}

fn values(count: usize) -> Vec<f32> {
    (0..count).map(value).collect()
}

/// A graph of one input and what `build` makes of it.
fn graph(build: impl FnOnce(&mut Graph, &Name) -> Vec<Name>) -> Vec<u8> {
    let mut graph = Graph::new("test");
    let input =
        graph.input("input", &[Dim::Free("n"), Dim::Free("c"), Dim::Free("h"), Dim::Free("w")]).unwrap();
    let outputs = build(&mut graph, &input);
    for (index, output) in outputs.iter().enumerate() {
        graph.output(&format!("output{index}"), output, &[Dim::Free("all")]).unwrap();
    }
    graph.into_model()
}

fn run(onnx: &[u8], shape: &[usize]) -> Result<Vec<Output>, OnnxError> {
    Model::read(onnx, LIMITS)?.run(shape, values(shape.iter().product()))
}

fn one(onnx: &[u8], shape: &[usize]) -> (Vec<usize>, Vec<f32>) {
    let mut outputs = run(onnx, shape).unwrap();
    let output = outputs.remove(0);
    (output.shape, output.values)
}

/// A node on the input with constants of whole numbers behind it.
fn node(operator: &str, ints: &[&[i64]], settings: &[(&str, Setting<'_>)]) -> Vec<u8> {
    graph(|graph, input| {
        let constants: Vec<Name> = ints
            .iter()
            .enumerate()
            .map(|(index, ints)| graph.ints(&format!("c{index}"), ints).unwrap())
            .collect();
        let inputs: Vec<&Name> = std::iter::once(input).chain(&constants).collect();
        vec![graph.node("node", operator, &inputs, settings).unwrap()]
    })
}

#[derive(Debug, Clone)]
struct Case {
    groups: usize,
    own: usize,
    per_group: usize,
    map: [usize; 2],
    kernel: [usize; 2],
    strides: [usize; 2],
    dilations: [usize; 2],
    pads: [usize; 4],
    bias: bool,
}

fn case() -> impl Strategy<Value = Case> {
    let pair = |most: usize| prop::array::uniform2(1..=most);
    (
        (1..4usize, 1..4usize, 1..7usize),
        pair(40),
        pair(4),
        pair(3),
        pair(3),
        prop::array::uniform4(0..4usize),
        any::<bool>(),
    )
        .prop_filter_map(
            "a window larger than the map",
            |((groups, own, per_group), map, kernel, strides, dilations, pads, bias)| {
                let fits = (0..2).all(|axis| {
                    (kernel[axis] - 1) * dilations[axis] < map[axis] + pads[axis] + pads[axis + 2]
                });
                fits.then_some(Case { groups, own, per_group, map, kernel, strides, dilations, pads, bias })
            },
        )
}

/// The definition: every place of every filter, number by number.
fn plain(case: &Case, input: &[f32], weights: &[f32], bias: &[f32]) -> Vec<f32> {
    let [height, width] = case.map;
    let [high, wide] = case.kernel;
    let [above, left, below, right] = case.pads;
    let rows = (height + above + below - (high - 1) * case.dilations[0] - 1) / case.strides[0] + 1;
    let columns = (width + left + right - (wide - 1) * case.dilations[1] - 1) / case.strides[1] + 1;
    let mut all = Vec::new();
    for filter in 0..case.groups * case.per_group {
        for row in 0..rows {
            for column in 0..columns {
                let mut sum = if case.bias { f64::from(bias[filter]) } else { 0.0 };
                for own in 0..case.own {
                    let channel = filter / case.per_group * case.own + own;
                    for y in 0..high {
                        for x in 0..wide {
                            let at = (row * case.strides[0] + y * case.dilations[0]).checked_sub(above);
                            let to = (column * case.strides[1] + x * case.dilations[1]).checked_sub(left);
                            let (Some(at), Some(to)) = (at, to) else { continue };
                            if at < height && to < width {
                                let weight = weights[((filter * case.own + own) * high + y) * wide + x];
                                sum += f64::from(weight)
                                    * f64::from(input[(channel * height + at) * width + to]);
                            }
                        }
                    }
                }
                all.push(sum as f32);
            }
        }
    }
    all
}

fn ints(sizes: &[usize]) -> Vec<i64> {
    sizes.iter().map(|size| i64::try_from(*size).unwrap()).collect()
}

fn convolution(case: &Case) -> (Vec<u8>, Vec<f32>, Vec<f32>) {
    let filters = case.groups * case.per_group;
    let shape = [filters, case.own, case.kernel[0], case.kernel[1]];
    let weights: Vec<f32> = (0..shape.iter().product()).map(|i| value(i + 31)).collect();
    let bias: Vec<f32> = (0..filters).map(|i| value(i + 77)).collect();
    let onnx = graph(|graph, input| {
        let mut inputs = vec![input.clone(), graph.floats("w", &shape, &weights).unwrap()];
        if case.bias {
            inputs.push(graph.floats("b", &[filters], &bias).unwrap());
        }
        let [strides, dilations, pads, kernel] =
            [&case.strides[..], &case.dilations, &case.pads, &case.kernel].map(ints);
        let settings = [
            ("strides", Setting::Ints(&strides)),
            ("dilations", Setting::Ints(&dilations)),
            ("pads", Setting::Ints(&pads)),
            ("kernel_shape", Setting::Ints(&kernel)),
            ("group", Setting::Int(i64::try_from(case.groups).unwrap())),
        ];
        vec![graph.node("conv", "Conv", &inputs.iter().collect::<Vec<_>>(), &settings).unwrap()]
    });
    (onnx, weights, bias)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn convolutions_are_those_of_plain_loops(case in case()) {
        let (onnx, weights, bias) = convolution(&case);
        let shape = [1, case.groups * case.own, case.map[0], case.map[1]];
        let (_, found) = one(&onnx, &shape);
        let expected = plain(&case, &values(shape.iter().product()), &weights, &bias);
        prop_assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(&expected) {
            prop_assert!((found - expected).abs() <= 1e-3 * (1.0 + expected.abs()), "{} {}", found, expected);
        }
    }

    /// Whatever the bytes are, the answer is an error or a net within its limits.
    #[test]
    fn damaged_files_are_refused_and_bring_nothing_down(
        place in 0..4000usize, byte in any::<u8>(), cut in prop::option::of(0..4000usize),
    ) {
        let mut onnx = small_net();
        let length = onnx.len();
        onnx[place % length] = byte;
        onnx.truncate(cut.map_or(length, |cut| cut % length));
        if let Ok(model) = Model::read(&onnx, LIMITS) {
            let _ = model.run(&[1, 3, 12, 12], values(3 * 144));
        }
    }

    #[test]
    fn noise_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(Model::read(&bytes, LIMITS).is_err());
    }
}

fn small_spec() -> NetSpec {
    let conv = |name: &str, filters, kernel, stride, padding| Layer::Conv {
        name: name.to_owned(),
        filters,
        kernel,
        stride,
        padding: [padding; 2],
        groups: 1,
        bias: true,
    };
    let layers = vec![
        conv("conv1", 5, 3, 2, 1),
        Layer::BatchNorm { name: "norm1".to_owned(), epsilon: 1e-5 },
        Layer::Relu,
        conv("conv2", 4, 1, 1, 0),
        Layer::Relu6,
        Layer::Conv {
            name: "depthwise".to_owned(),
            filters: 4,
            kernel: 3,
            stride: 1,
            padding: [0, 2],
            groups: 4,
            bias: true,
        },
        Layer::HardSwish,
        Layer::MaxPool { kernel: 2, stride: 2, padding: 0 },
        conv("conv3", 2, 3, 1, 1),
    ];
    NetSpec { name: "small".to_owned(), input: Shape::new(3, 12, 12), layers }
}

fn small_net() -> Vec<u8> {
    let spec = small_spec();
    lineament_net::onnx::export(&spec, &Weights::random(&spec, 3).unwrap(), lineament_net::onnx::Form::Maps)
        .unwrap()
}

#[test]
fn a_net_gives_what_our_own_loops_give() {
    let spec = small_spec();
    let weights = Weights::random(&spec, 3).unwrap();
    let input = Tensor::from_vec([2, 3, 12, 12], values(2 * 3 * 144)).unwrap();
    let expected = lineament_net::reference::forward(&spec, &weights, &input).unwrap();
    let (shape, found) = one(&small_net(), &[2, 3, 12, 12]);
    assert_eq!(shape, expected.shape());
    for (found, expected) in found.iter().zip(expected.data()) {
        assert!((found - expected).abs() < 1e-4, "{found} {expected}");
    }
}

#[test]
fn every_number_of_threads_gives_the_same_bits() {
    let case = Case {
        groups: 1,
        own: 8,
        per_group: 13,
        map: [70, 61],
        kernel: [3, 3],
        strides: [2, 1],
        dilations: [1, 2],
        pads: [1, 2, 1, 2],
        bias: true,
    };
    let onnx = convolution(&case).0;
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| one(&onnx, &[1, 8, 70, 61]))
    };
    let alone = on(1);
    assert_eq!(alone, on(2));
    assert_eq!(alone, on(7));
}

#[test]
fn a_map_becomes_a_list_of_cells_as_yunet_does_it() {
    // Transpose, and a shape that is put together from the input's.
    let onnx = graph(|graph, input| {
        let moved =
            graph.node("moved", "Transpose", &[input], &[("perm", Setting::Ints(&[0, 2, 3, 1]))]).unwrap();
        let shape = graph.node("shape", "Shape", &[&moved], &[]).unwrap();
        let zero = graph.indices("zero", &[], &[0]).unwrap();
        let first = graph.node("first", "Gather", &[&shape, &zero], &[("axis", Setting::Int(0))]).unwrap();
        let axes = graph.ints("axes", &[0]).unwrap();
        let first = graph.node("row", "Unsqueeze", &[&first, &axes], &[]).unwrap();
        let rest = graph.ints("rest", &[-1, 2]).unwrap();
        let sides = graph.node("sides", "Concat", &[&first, &rest], &[("axis", Setting::Int(0))]).unwrap();
        vec![graph.node("cells", "Reshape", &[&moved, &sides], &[]).unwrap()]
    });
    let (shape, found) = one(&onnx, &[1, 2, 2, 3]);
    assert_eq!(shape, [1, 6, 2]);
    let expected: Vec<f32> = (0..6).flat_map(|cell| [value(cell), value(cell + 6)]).collect();
    assert_eq!(found, expected);
}

#[test]
fn parts_and_shapes_by_hand() {
    let all = values(24);
    let (shape, found) =
        one(&node("Slice", &[&[1, 0], &[i64::MAX, -1], &[3, 1], &[2, 1]], &[]), &[1, 2, 3, 4]);
    assert_eq!((shape, found), (vec![1, 1, 3, 2], vec![all[1], all[3], all[5], all[7], all[9], all[11]]));
    let (shape, found) = one(&node("Flatten", &[], &[("axis", Setting::Int(2))]), &[1, 2, 3, 4]);
    assert_eq!((shape, found), (vec![2, 12], all.clone()));
    let (shape, _) = one(&node("Squeeze", &[&[0]], &[]), &[1, 2, 3, 4]);
    assert_eq!(shape, [2, 3, 4]);
    let (shape, _) = one(&node("Reshape", &[&[0, -1, 4]], &[]), &[1, 2, 3, 4]);
    assert_eq!(shape, [1, 6, 4]);
    let (shape, found) = one(&node("Gather", &[&[-1, 0]], &[("axis", Setting::Int(1))]), &[1, 2, 3, 4]);
    assert_eq!((shape, found), (vec![1, 2, 3, 4], [&all[12..], &all[..12]].concat()));
    for (operator, ints) in [
        ("Reshape", &[5, 5][..]),
        ("Reshape", &[-1, -1]),
        ("Reshape", &[-2, 12]),
        ("Reshape", &[0, 0, 0, 0, 0]),
        ("Reshape", &[i64::MAX, i64::MAX, i64::MAX]),
        ("Gather", &[7]),
        ("Gather", &[i64::MIN]),
        ("Squeeze", &[1]),
        ("Squeeze", &[9]),
        ("Unsqueeze", &[99]),
        ("Unsqueeze", &[0, 0]),
    ] {
        let error = run(&node(operator, &[ints], &[]), &[1, 2, 3, 4]).unwrap_err();
        let named = matches!(&error, OnnxError::Step { operator: own, .. } if *own == operator);
        assert!(named || matches!(error, OnnxError::Limit { .. }), "{operator} {ints:?}: {error}");
    }
}

#[test]
fn arithmetic_spreads_sides_of_one_number() {
    let with = |operator: &str, shape: &[usize]| {
        graph(|graph, input| {
            let other = graph.floats("other", shape, &values(shape.iter().product())).unwrap();
            vec![graph.node("node", operator, &[input, &other], &[]).unwrap()]
        })
    };
    let all = values(12);
    let (shape, found) = one(&with("Sub", &[3, 1]), &[1, 2, 3, 2]);
    let expected: Vec<f32> = (0..12).map(|i| all[i] - value(i / 2 % 3)).collect();
    assert_eq!((shape, found), (vec![1, 2, 3, 2], expected));
    let (shape, found) = one(&with("Mul", &[2, 2, 1, 1]), &[1, 2, 3, 2]);
    let expected: Vec<f32> = (0..24).map(|i| all[i % 12] * value(i / 6)).collect();
    assert_eq!((shape, found), (vec![2, 2, 3, 2], expected));
    assert!(matches!(run(&with("Add", &[5]), &[1, 2, 3, 2]), Err(OnnxError::Step { .. })));
}

#[test]
fn functions_by_hand() {
    let soft = one(&node("Softmax", &[], &[("axis", Setting::Int(1))]), &[1, 2, 1, 2]).1;
    let pair = |a: f32, b: f32| (f64::from(a).exp() / (f64::from(a).exp() + f64::from(b).exp())) as f32;
    let expected = [
        pair(value(0), value(2)),
        pair(value(1), value(3)),
        pair(value(2), value(0)),
        pair(value(3), value(1)),
    ];
    assert!(soft.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{soft:?}");
    let sigmoid = one(&node("Sigmoid", &[], &[]), &[1, 1, 1, 2]).1;
    assert!(sigmoid.iter().zip(values(2)).all(|(found, x)| (found - 1.0 / (1.0 + (-x).exp())).abs() < 1e-6));
    let swish = one(&node("HardSwish", &[], &[]), &[1, 1, 1, 9]).1;
    let expected = values(9).into_iter().map(|x| x * (x / 6.0 + 0.5).clamp(0.0, 1.0));
    assert!(swish.iter().zip(expected).all(|(found, x)| (found - x).abs() < 1e-6), "{swish:?}");
    let leaky = one(&node("LeakyRelu", &[], &[("alpha", Setting::Float(0.5))]), &[1, 1, 1, 2]).1;
    assert_eq!(leaky, [0.5 * value(0), if value(1) < 0.0 { 0.5 * value(1) } else { value(1) }]);
    let clip = one(
        &node("Clip", &[], &[("min", Setting::Float(-1.0)), ("max", Setting::Float(1.0))]),
        &[1, 1, 1, 9],
    )
    .1;
    assert_eq!(clip, values(9).iter().map(|x| x.clamp(-1.0, 1.0)).collect::<Vec<_>>());
    let settings = [("kernel_shape", Setting::Ints(&[2, 2])), ("strides", Setting::Ints(&[2, 2]))];
    let (shape, pooled) = one(&node("MaxPool", &[], &settings), &[1, 1, 3, 4]);
    let all = values(12);
    let most = |places: [usize; 4]| places.map(|place| all[place]).into_iter().fold(f32::MIN, f32::max);
    assert_eq!((shape, pooled), (vec![1, 1, 1, 2], vec![most([0, 1, 4, 5]), most([2, 3, 6, 7])]));
    let twice = graph(|graph, input| {
        let scales = graph.floats("scales", &[4], &[1.0, 1.0, 2.0, 3.0]).unwrap();
        let none = graph.floats("none", &[0], &[]).unwrap();
        vec![graph.node("node", "Resize", &[input, &none, &scales], &[]).unwrap()]
    });
    let (shape, found) = one(&twice, &[1, 1, 2, 2]);
    let row = |a: usize| [[all[a]; 3], [all[a + 1]; 3]].concat();
    assert_eq!((shape, found), (vec![1, 1, 4, 6], [row(0), row(0), row(2), row(2)].concat()));
}

#[test]
fn graphs_that_grow_stop_at_the_limits() {
    // Forty doublings of a map, and as many of a list.
    let doubled = graph(|graph, input| {
        let scales = graph.floats("scales", &[4], &[1.0, 1.0, 8.0, 8.0]).unwrap();
        let mut map = input.clone();
        for step in 0..40 {
            map = graph.node(&format!("step{step}"), "Resize", &[&map, &scales], &[]).unwrap();
        }
        vec![map]
    });
    assert!(matches!(run(&doubled, &[1, 1, 4, 4]), Err(OnnxError::Limit { .. })));
    let joined = graph(|graph, input| {
        let mut list = input.clone();
        for step in 0..60 {
            list = graph
                .node(&format!("step{step}"), "Concat", &[&list, &list], &[("axis", Setting::Int(1))])
                .unwrap();
        }
        vec![list]
    });
    assert!(matches!(run(&joined, &[1, 1, 4, 4]), Err(OnnxError::Limit { .. })));
    // Pads are no way around them.
    let case = Case {
        groups: 1,
        own: 1,
        per_group: 1,
        map: [8, 8],
        kernel: [1, 1],
        strides: [1, 1],
        dilations: [1, 1],
        pads: [1024; 4],
        bias: false,
    };
    assert!(matches!(run(&convolution(&case).0, &[1, 1, 8, 8]), Err(OnnxError::Limit { .. })));
    let far = Case { pads: [1 << 40, 0, 0, 0], ..case.clone() };
    assert!(matches!(run(&convolution(&far).0, &[1, 1, 8, 8]), Err(OnnxError::Unsupported { .. })));
    // Work is counted, too.
    let work = Model::read(&small_net(), Limits { work: 1000, ..LIMITS }).unwrap();
    assert!(matches!(
        work.run(&[1, 3, 12, 12], values(432)),
        Err(OnnxError::Limit { what: "multiply-adds", .. })
    ));
}

#[test]
fn memory_is_given_back_from_step_to_step() {
    // Fifty steps of a thousand numbers fit where three at once do.
    let onnx = graph(|graph, input| {
        let mut map = input.clone();
        for step in 0..50 {
            map = graph.node(&format!("step{step}"), "Relu", &[&map], &[]).unwrap();
        }
        vec![map]
    });
    let model = Model::read(&onnx, Limits { numbers: 3000, ..LIMITS }).unwrap();
    assert!(model.run(&[1, 1, 10, 100], values(1000)).is_ok());
}

#[test]
fn inputs_of_other_shapes_are_refused() {
    let mut fixed = Graph::new("fixed");
    let input = fixed.input("input", &[Dim::Fixed(1), Dim::Fixed(3), Dim::Free("h"), Dim::Fixed(4)]).unwrap();
    let relu = fixed.node("relu", "Relu", &[&input], &[]).unwrap();
    fixed.output("output", &relu, &[Dim::Free("all")]).unwrap();
    let model = Model::read(&fixed.into_model(), LIMITS).unwrap();
    assert_eq!(model.input(), [Some(1), Some(3), None, Some(4)]);
    assert_eq!(model.outputs().collect::<Vec<_>>(), ["output"]);
    assert!(model.run(&[1, 3, 7, 4], values(84)).is_ok());
    for (shape, count) in [(&[1, 3, 7, 5][..], 105), (&[3, 7, 4], 84), (&[1, 3, 7, 4], 83)] {
        let said = model.run(shape, values(count)).unwrap_err().to_string();
        assert!(said.contains("1 x 3 x ? x 4"), "{said}");
    }
}

#[test]
fn what_is_not_run_is_refused_when_it_is_read() {
    let said = |onnx: &[u8]| Model::read(onnx, LIMITS).unwrap_err().to_string();
    let other = node("LSTM", &[], &[]);
    assert!(said(&other).contains("LSTM") && said(&other).contains("MaxPool"), "{}", said(&other));
    assert!(said(&node("Conv", &[], &[("strides", Setting::Ints(&[0, 1]))])).contains("strides"));
    assert!(said(&node("MaxPool", &[], &[("dilations", Setting::Ints(&[2, 2]))])).contains("dilated"));
    assert!(said(b"").contains("no graph"));
    let two = {
        let mut graph = Graph::new("two");
        let inputs = ["a", "b"].map(|name| graph.input(name, &[Dim::Free("n")]).unwrap());
        let sum = graph.node("sum", "Add", &[&inputs[0], &inputs[1]], &[]).unwrap();
        graph.output("output", &sum, &[Dim::Free("n")]).unwrap();
        graph.into_model()
    };
    assert!(said(&two).contains("one input"));
    let nan = graph(|graph, input| {
        let weights = graph.floats("weights", &[1], &[f32::NAN]).unwrap();
        vec![graph.node("node", "Mul", &[input, &weights], &[]).unwrap()]
    });
    assert!(said(&nan).contains("weights are not all numbers"));
    // Whole numbers as filters, and filters of other channels.
    assert!(matches!(run(&node("Conv", &[&[1, 2]], &[]), &[1, 1, 2, 2]), Err(OnnxError::Step { .. })));
    let small = small_net();
    assert!(matches!(
        Model::read(&small, LIMITS).unwrap().run(&[1, 4, 12, 12], values(576)),
        Err(OnnxError::Input { .. })
    ));
}
