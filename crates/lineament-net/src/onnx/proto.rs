//! The messages of an `.onnx` file. Field numbers are those of `onnx.proto3`
//! (<https://github.com/onnx/onnx/blob/v1.12.0/onnx/onnx.proto3>, the release of opset 17); numbers never change their
//! meaning in later ones.

use super::IR_VERSION;
use super::attribute::{Dim, Element, Setting};
use super::wire::Message;

/// `TensorProto.DataType.FLOAT`.
const FLOAT: i64 = 1;
/// `TensorProto.DataType.UINT8`.
const UINT8: i64 = 2;
/// `TensorProto.DataType.INT8`.
const INT8: i64 = 3;
/// `TensorProto.DataType.INT32`.
const INT32: i64 = 6;
/// `TensorProto.DataType.INT64`.
const INT64: i64 = 7;
/// `TensorProto.DataType.BOOL`.
const BOOL: i64 = 9;

impl Element {
    /// Its `TensorProto.DataType`, which `Cast` is told as well.
    pub fn data_type(self) -> i64 {
        match self {
            Self::Float => FLOAT,
            Self::Uint8 => UINT8,
            Self::Int64 => INT64,
            Self::Bool => BOOL,
        }
    }
}

/// `TensorProto`: `dims` 1, `data_type` 2, `name` 8, `raw_data` 9 (lowest byte first, row-major).
fn tensor(name: &str, data_type: i64, dims: &[usize], raw: &[u8]) -> Message {
    Message::new()
        .each(dims, |message, &dim| message.int(1, int(dim)))
        .int(2, data_type)
        .text(8, name)
        .bytes(9, raw)
}

/// A constant of f32.
pub(super) fn floats(name: &str, dims: &[usize], values: &[f32]) -> Message {
    let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    tensor(name, FLOAT, dims, &raw)
}

/// A constant row of i64.
pub(super) fn ints(name: &str, values: &[i64]) -> Message {
    let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    tensor(name, INT64, &[values.len()], &raw)
}

/// A constant of i8.
pub(super) fn signed_bytes(name: &str, dims: &[usize], values: &[i8]) -> Message {
    let raw: Vec<u8> = values.iter().map(|value| value.cast_unsigned()).collect();
    tensor(name, INT8, dims, &raw)
}

/// A constant of u8, `[]`.
pub(super) fn byte(name: &str, value: u8) -> Message {
    tensor(name, UINT8, &[], &[value])
}

/// A constant row of i32.
pub(super) fn integers32(name: &str, values: &[i32]) -> Message {
    let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    tensor(name, INT32, &[values.len()], &raw)
}

/// A constant of i32.
pub(super) fn indices(name: &str, dims: &[usize], values: &[u32]) -> Message {
    let small = values.iter().map(|&value| i32::try_from(value).unwrap_or(i32::MAX));
    let raw: Vec<u8> = small.flat_map(i32::to_le_bytes).collect();
    tensor(name, INT32, dims, &raw)
}

/// `NodeProto`: `input` 1, `output` 2, `name` 3, `op_type` 4, `attribute` 5.
pub(super) fn node(
    name: &str,
    op: &str,
    inputs: &[&str],
    outputs: &[&str],
    settings: &[(&str, Setting<'_>)],
) -> Message {
    Message::new()
        .each(inputs, |message, input| message.text(1, input))
        .each(outputs, |message, output| message.text(2, output))
        .text(3, name)
        .text(4, op)
        .each(settings, |message, (name, setting)| message.message(5, &attribute(name, setting)))
}

/// A node of the operator `Loop`, whose body is a graph of its own: `AttributeProto.g` 6, `type` 20 (`GRAPH` 5).
pub(super) fn repeated(name: &str, inputs: &[&str], outputs: &[&str], body: &Message) -> Message {
    let body = Message::new().text(1, "body").message(6, body).int(20, 5);
    node(name, "Loop", inputs, outputs, &[]).message(5, &body)
}

/// `AttributeProto`: `name` 1, `f` 2, `i` 3, `s` 4, `ints` 8, `type` 20 (`FLOAT` 1, `INT` 2, `STRING` 3, `INTS` 7).
fn attribute(name: &str, setting: &Setting<'_>) -> Message {
    let message = Message::new().text(1, name);
    match setting {
        Setting::Float(value) => message.float(2, *value).int(20, 1),
        Setting::Int(value) => message.int(3, *value).int(20, 2),
        Setting::Text(value) => message.text(4, value).int(20, 3),
        Setting::Ints(values) => message.each(*values, |message, &value| message.int(8, value)).int(20, 7),
    }
}

/// `ValueInfoProto`: `name` 1, `type` 2; `TypeProto`: `tensor_type` 1; `TypeProto.Tensor`: `elem_type` 1, `shape` 2;
/// `TensorShapeProto`: `dim` 1; `Dimension`: `dim_value` 1, `dim_param` 2.
pub(super) fn value_info(name: &str, element: Element, dims: &[Dim]) -> Message {
    let shape = Message::new().each(dims, |message, dim| {
        let dimension = match dim {
            Dim::Fixed(size) => Message::new().int(1, int(*size)),
            Dim::Free(name) => Message::new().text(2, name),
        };
        message.message(1, &dimension)
    });
    let tensor_type = Message::new().int(1, element.data_type()).message(2, &shape);
    Message::new().text(1, name).message(2, &Message::new().message(1, &tensor_type))
}

/// What a `GraphProto` holds: `node` 1, `name` 2, `initializer` 5, `input` 11, `output` 12.
pub(super) fn graph(
    name: &str,
    nodes: &[Message],
    constants: &[Message],
    inputs: &[Message],
    outputs: &[Message],
) -> Message {
    Message::new()
        .each(nodes, |message, node| message.message(1, node))
        .text(2, name)
        .each(constants, |message, constant| message.message(5, constant))
        .each(inputs, |message, input| message.message(11, input))
        .each(outputs, |message, output| message.message(12, output))
}

/// `ModelProto`: `ir_version` 1, `producer_name` 2, `producer_version` 3, `graph` 7, `opset_import` 8, `metadata_props` 14;
/// `OperatorSetIdProto`: `domain` 1 (empty for ONNX's own), `version` 2; `StringStringEntryProto`: `key` 1, `value` 2.
pub(super) fn model(graph: &Message, opset: i64, metadata: &[(String, String)]) -> Message {
    Message::new()
        .int(1, IR_VERSION)
        .text(2, "lineament")
        .text(3, env!("CARGO_PKG_VERSION"))
        .message(7, graph)
        .message(8, &Message::new().text(1, "").int(2, opset))
        .each(metadata, |message, (key, value)| {
            message.message(14, &Message::new().text(1, key).text(2, value))
        })
}

/// Sizes of a checked spec are far below the limit of i64; only a stride can be anything, and one that large steps over every
/// image all the same.
pub(super) fn int(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_is_written_as_worked_out_by_hand() {
        let bytes = floats("w", &[2], &[1.0, -2.0]).into_bytes();
        let expected =
            [0x08, 2, 0x10, 1, 0x42, 1, b'w', 0x4a, 8, 0x00, 0x00, 0x80, 0x3f, 0x00, 0x00, 0x00, 0xc0];
        assert_eq!(bytes, expected);
        let bytes = ints("a", &[3]).into_bytes();
        assert_eq!(bytes, [0x08, 1, 0x10, 7, 0x42, 1, b'a', 0x4a, 8, 3, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn a_node_is_written_as_worked_out_by_hand() {
        let settings = [("p", Setting::Ints(&[1, 2])), ("k", Setting::Int(3)), ("e", Setting::Float(1.0))];
        let bytes = node("n", "Op", &["x", "w"], &["y"], &settings).into_bytes();
        let expected = [
            &[0x0a, 1, b'x', 0x0a, 1, b'w', 0x12, 1, b'y', 0x1a, 1, b'n', 0x22, 2, b'O', b'p'][..],
            &[0x2a, 10, 0x0a, 1, b'p', 0x40, 1, 0x40, 2, 0xa0, 0x01, 7],
            &[0x2a, 8, 0x0a, 1, b'k', 0x18, 3, 0xa0, 0x01, 2],
            &[0x2a, 11, 0x0a, 1, b'e', 0x15, 0x00, 0x00, 0x80, 0x3f, 0xa0, 0x01, 1],
        ]
        .concat();
        assert_eq!(bytes, expected);
    }

    #[test]
    fn an_input_tells_fixed_and_free_sizes() {
        let bytes = value_info("x", Element::Float, &[Dim::Free("n"), Dim::Fixed(3)]).into_bytes();
        let shape = [0x0a, 3, 0x12, 1, b'n', 0x0a, 2, 0x08, 3];
        let expected = [&[0x0a, 1, b'x', 0x12, 15, 0x0a, 13, 0x08, 1, 0x12, 9][..], &shape].concat();
        assert_eq!(bytes, expected);
    }
}
