//! ONNX files, read back by a reader of a few lines. That other runtimes compute the same is checked by `.ci/onnx`.
#![allow(clippy::unwrap_used, clippy::panic)]

mod drawn;

use std::collections::BTreeSet;

use drawn::{draw_local_spec, draw_offsets, draw_spec, draw_weights};
use lineament_net::onnx::{Form, IR_VERSION, OPSET, OnnxError, export, export_interweaved};
use lineament_net::{Interweave, InterweaveError, Layer, NetSpec, Shape, SpecError, Weights, WeightsError};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// The fields of a message: number, and a number or bytes.
fn fields(mut bytes: &[u8]) -> Vec<(u64, Field<'_>)> {
    fn varint(bytes: &mut &[u8]) -> u64 {
        let (mut value, mut shift) = (0, 0);
        loop {
            let (&byte, rest) = bytes.split_first().unwrap();
            *bytes = rest;
            value |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return value;
            }
        }
    }
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes);
        let field = match tag & 7 {
            0 => Field::Number(varint(&mut bytes)),
            wire => {
                let length = if wire == 2 { varint(&mut bytes) as usize } else { 4 };
                let (value, rest) = bytes.split_at(length);
                bytes = rest;
                Field::Bytes(value)
            }
        };
        all.push((tag >> 3, field));
    }
    all
}

#[derive(Clone, Copy, Debug)]
enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// Messages of one field.
fn messages(bytes: &[u8], number: u64) -> Vec<&[u8]> {
    let of = fields(bytes).into_iter().filter(|(found, _)| *found == number);
    of.map(|(_, field)| match field {
        Field::Bytes(bytes) => bytes,
        Field::Number(number) => panic!("{number} where bytes were expected"),
    })
    .collect()
}

fn numbers(bytes: &[u8], number: u64) -> Vec<u64> {
    let of = fields(bytes).into_iter().filter(|(found, _)| *found == number);
    of.map(|(_, field)| match field {
        Field::Number(number) => number,
        Field::Bytes(bytes) => panic!("{bytes:?} where a number was expected"),
    })
    .collect()
}

fn texts(bytes: &[u8], number: u64) -> Vec<String> {
    messages(bytes, number).into_iter().map(|text| String::from_utf8(text.to_vec()).unwrap()).collect()
}

/// Sizes of an input or output; free ones by name.
fn sizes(info: &[u8]) -> Vec<String> {
    let tensor = messages(messages(info, 2)[0], 1)[0];
    let dims = messages(messages(tensor, 2)[0], 1);
    dims.into_iter()
        .map(|dim| texts(dim, 2).pop().unwrap_or_else(|| numbers(dim, 1)[0].to_string()))
        .collect()
}

fn graph_of(file: &[u8]) -> &[u8] {
    messages(file, 7)[0]
}

fn net(layers: Vec<Layer>) -> NetSpec {
    NetSpec { name: "net".into(), input: Shape::new(3, 12, 10), layers }
}

fn conv(name: &str) -> Layer {
    Layer::Conv {
        name: name.into(),
        filters: 4,
        kernel: 3,
        stride: 2,
        padding: [1; 2],
        groups: 1,
        bias: true,
    }
}

fn fc() -> Layer {
    Layer::Linear { name: "fc".into(), outputs: 5, bias: true }
}

/// Requires that every node of a file finds its inputs and that every name is there once; gives the operators.
fn check_order(file: &[u8], input: &str, output: &str) -> BTreeSet<String> {
    assert_eq!(numbers(file, 1), [IR_VERSION as u64]);
    assert_eq!(numbers(messages(file, 8)[0], 2), [OPSET as u64]);
    let (graph, mut operators) = (graph_of(file), BTreeSet::new());
    let mut known: Vec<String> = messages(graph, 11).iter().flat_map(|input| texts(input, 1)).collect();
    assert_eq!(known, [input]);
    known.extend(messages(graph, 5).iter().flat_map(|constant| texts(constant, 8)));
    for node in messages(graph, 1) {
        operators.extend(texts(node, 4));
        assert!(texts(node, 1).iter().all(|input| known.contains(input)));
        known.extend(texts(node, 2));
    }
    let outputs: Vec<String> = messages(graph, 12).iter().flat_map(|output| texts(output, 1)).collect();
    assert_eq!(outputs, [output]);
    assert!(known.contains(&outputs[0]));
    assert_eq!(known.iter().collect::<BTreeSet<_>>().len(), known.len(), "every name once: {known:?}");
    operators
}

#[test]
fn any_net_becomes_a_graph_whose_nodes_can_run_in_their_order() {
    let mut operators = BTreeSet::new();
    for seed in 0..200 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let spec = draw_spec(&mut rng);
        let weights = draw_weights(&spec, &mut rng);
        for form in [Form::Maps, Form::Vectors] {
            let file = export(&spec, &weights, form).unwrap();
            operators.extend(check_order(&file, form.input(), form.output()));
        }
    }
    for wanted in [
        "Add",
        "AveragePool",
        "BatchNormalization",
        "Clip",
        "Concat",
        "Conv",
        "Flatten",
        "Gemm",
        "HardSwish",
        "Identity",
        "MaxPool",
        "PRelu",
        "Relu",
        "Slice",
        "Unsqueeze",
    ] {
        assert!(operators.contains(wanted), "{wanted} in {operators:?}");
    }
}

#[test]
fn learnt_arrays_keep_their_names_shapes_and_values() {
    let spec = net(vec![conv("conv1"), Layer::Relu, fc()]);
    let weights = Weights::random(&spec, 1).unwrap();
    let file = export(&spec, &weights, Form::Vectors).unwrap();
    let constants = messages(graph_of(&file), 5);
    assert_eq!(constants.len(), weights.len());
    for constant in constants {
        let array = weights.get(&texts(constant, 8)[0]).unwrap();
        let shape: Vec<usize> = numbers(constant, 1).into_iter().map(|size| size as usize).collect();
        assert_eq!(shape, array.shape);
        let raw: Vec<u8> = array.data.iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!(messages(constant, 9), [&raw[..]]);
    }
}

#[test]
fn sizes_are_free_where_the_net_takes_any() {
    let reported = |layers: Vec<Layer>, form| {
        let spec = net(layers);
        let file = export(&spec, &Weights::random(&spec, 1).unwrap(), form).unwrap();
        let graph = graph_of(&file);
        [sizes(messages(graph, 11)[0]), sizes(messages(graph, 12)[0])]
    };
    let [input, output] = reported(vec![conv("conv1")], Form::Maps);
    assert_eq!(input, ["batch", "3", "height", "width"]);
    assert_eq!(output, ["batch", "4", "map_height", "map_width"]);
    let [input, output] = reported(vec![conv("conv1"), fc()], Form::Maps);
    assert_eq!((input, output), (dims(["batch", "3", "12", "10"]), dims(["batch", "5", "1", "1"])));
    let [input, output] = reported(vec![conv("conv1")], Form::Vectors);
    assert_eq!((input, output), (dims(["batch", "3", "12", "10"]), dims(["batch", "120"])));
}

fn dims<const N: usize>(names: [&str; N]) -> Vec<String> {
    names.map(str::to_owned).to_vec()
}

#[test]
fn the_same_net_gives_the_same_bytes() {
    let spec = net(vec![conv("conv1"), conv("conv2")]);
    let weights = Weights::random(&spec, 1).unwrap();
    assert_eq!(export(&spec, &weights, Form::Maps), export(&spec, &weights, Form::Maps));
}

#[test]
fn layers_may_be_called_like_inputs_and_outputs() {
    let names = ["pixels", "responses", "patches", "vectors", "output", "maps"];
    let spec = net(names.map(conv).to_vec());
    for form in [Form::Maps, Form::Vectors] {
        let file = export(&spec, &Weights::random(&spec, 1).unwrap(), form).unwrap();
        let nodes = messages(graph_of(&file), 1);
        let names: BTreeSet<String> = nodes.iter().flat_map(|node| texts(node, 3)).collect();
        let values: BTreeSet<String> = nodes.iter().flat_map(|node| texts(node, 2)).collect();
        assert_eq!((names.len(), values.len()), (nodes.len(), nodes.len()), "{names:?} {values:?}");
    }
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let (one, other) = (net(vec![conv("conv1")]), net(vec![conv("conv2")]));
    let refused = export(&one, &Weights::random(&other, 1).unwrap(), Form::Maps).unwrap_err();
    assert!(
        matches!(refused, OnnxError::Weights(WeightsError::Missing { ref name, .. }) if name == "conv1.weight")
    );
    let refused = export(&net(vec![]), &Weights::new(), Form::Maps).unwrap_err();
    assert!(matches!(refused, OnnxError::Weights(WeightsError::Spec(SpecError::NoLayers { .. }))));
}

#[test]
fn interweaved_graphs_can_run_in_their_order_whether_patches_share_or_not() {
    let (mut operators, mut ways) = (BTreeSet::new(), [0; 2]);
    for seed in 0..200 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let spec = if seed.is_multiple_of(2) { draw_local_spec(&mut rng) } else { draw_spec(&mut rng) };
        let weights = draw_weights(&spec, &mut rng);
        let (region, offsets) = draw_offsets(spec.input, &mut rng);
        let unrolled = Interweave::new(&spec, &weights, region, &offsets).unwrap();
        ways[usize::from(unrolled.shares().is_empty())] += 1;
        let file = export_interweaved(&spec, &weights, region, &offsets).unwrap();
        operators.extend(check_order(&file, "region", "vectors"));
        let graph = graph_of(&file);
        let numbered = |all: &[usize]| all.iter().map(usize::to_string).collect::<Vec<_>>();
        let from = [1, region.channels, region.height, region.width];
        assert_eq!(sizes(messages(graph, 11)[0]), numbered(&from));
        let to = [offsets.len(), spec.output().unwrap().elements()];
        assert_eq!(sizes(messages(graph, 12)[0]), numbered(&to));
    }
    assert!(ways.iter().all(|&count| count > 20), "{ways:?}");
    for wanted in [
        "Add",
        "Clip",
        "Concat",
        "Gather",
        "Gemm",
        "HardSwish",
        "Mul",
        "PRelu",
        "ReduceMax",
        "ReduceMean",
        "ReduceSum",
        "Slice",
    ] {
        assert!(operators.contains(wanted), "{wanted} in {operators:?}");
    }
}

#[test]
fn patches_that_cannot_be_cut_are_refused() {
    let spec = net(vec![conv("conv1")]);
    let weights = Weights::random(&spec, 1).unwrap();
    let refused = |offsets: &[[usize; 2]]| {
        export_interweaved(&spec, &weights, Shape::new(3, 12, 12), offsets).unwrap_err()
    };
    assert_eq!(refused(&[]), OnnxError::NoPatches { net: "net".into() });
    assert!(matches!(
        refused(&[[0, 0], [3, 0]]),
        OnnxError::Interweave(InterweaveError::Outside { index: 1, .. })
    ));
    let other = Weights::random(&net(vec![conv("conv2")]), 1).unwrap();
    let error = export_interweaved(&spec, &other, spec.input, &[[0, 0]]).unwrap_err();
    assert!(matches!(error, OnnxError::Weights(_)));
}
