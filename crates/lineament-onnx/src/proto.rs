//! The messages of an ONNX file, as far as they matter here.

use half::f16;

use crate::error::OnnxError;
use crate::value::{Array, Value, elements};
use crate::wire::{Field, Message};

/// Most nodes and weights of a graph.
pub(crate) const MOST: usize = 10_000;

/// A graph as the file has it.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    /// Version of the operators.
    pub(crate) opset: i64,
    pub(crate) nodes: Vec<RawNode>,
    pub(crate) initializers: Vec<(String, Value)>,
    pub(crate) inputs: Vec<Input>,
    pub(crate) outputs: Vec<String>,
}

/// An input, with its shape where it is stated; open sides are none.
#[derive(Debug, Default)]
pub(crate) struct Input {
    pub(crate) name: String,
    pub(crate) shape: Vec<Option<usize>>,
}

#[derive(Debug, Default)]
pub(crate) struct RawNode {
    pub(crate) name: String,
    pub(crate) operator: String,
    pub(crate) domain: String,
    pub(crate) inputs: Vec<String>,
    pub(crate) outputs: Vec<String>,
    pub(crate) attributes: Vec<Attribute>,
}

#[derive(Debug, Default)]
pub(crate) struct Attribute {
    pub(crate) name: String,
    pub(crate) float: Option<f32>,
    pub(crate) int: Option<i64>,
    pub(crate) text: Option<String>,
    pub(crate) tensor: Option<Value>,
    pub(crate) ints: Vec<i64>,
    pub(crate) floats: Vec<f32>,
}

/// Calls `each` with every field of a message.
fn fields<'a>(
    bytes: &'a [u8],
    mut each: impl FnMut(u64, Field<'a>) -> Result<(), OnnxError>,
) -> Result<(), OnnxError> {
    let mut message = Message(bytes);
    while let Some((number, field)) = message.next()? {
        each(number, field)?;
    }
    Ok(())
}

/// Most inputs, outputs and attributes of a node.
const MOST_OF_NODE: usize = 256;

fn node_has_room(node: &RawNode) -> Result<(), OnnxError> {
    let most = node.inputs.len().max(node.outputs.len()).max(node.attributes.len());
    if most < MOST_OF_NODE {
        return Ok(());
    }
    Err(OnnxError::Limit { what: "inputs, outputs or attributes of a step", most: MOST_OF_NODE as u64 })
}

fn room<T>(list: &[T]) -> Result<(), OnnxError> {
    if list.len() < MOST {
        Ok(())
    } else {
        Err(OnnxError::Limit { what: "steps or weights", most: MOST as u64 })
    }
}

/// Reads a file.
pub(crate) fn read(bytes: &[u8]) -> Result<Graph, OnnxError> {
    let (mut graph, mut opset) = (None, None);
    fields(bytes, |number, field| {
        match number {
            7 => graph = Some(read_graph(field.bytes()?)?),
            8 => {
                let (mut domain, mut version) = (String::new(), 0);
                fields(field.bytes()?, |number, field| {
                    match number {
                        1 => domain = field.text()?,
                        2 => version = field.number()?,
                        _ => {}
                    }
                    Ok(())
                })?;
                if domain.is_empty() || domain == "ai.onnx" {
                    opset = Some(version);
                }
            }
            _ => {}
        }
        Ok(())
    })?;
    let graph = graph.ok_or_else(|| OnnxError::damaged("there is no graph in it"))?;
    let opset = opset.ok_or_else(|| OnnxError::damaged("it does not say its version of the operators"))?;
    Ok(Graph { opset, ..graph })
}

fn read_graph(bytes: &[u8]) -> Result<Graph, OnnxError> {
    let mut graph = Graph::default();
    fields(bytes, |number, field| {
        match number {
            1 => {
                room(&graph.nodes)?;
                graph.nodes.push(read_node(field.bytes()?)?);
            }
            5 => {
                room(&graph.initializers)?;
                graph.initializers.push(read_tensor(field.bytes()?)?);
            }
            11 => {
                room(&graph.inputs)?;
                graph.inputs.push(read_input(field.bytes()?)?);
            }
            12 => {
                room(&graph.outputs)?;
                graph.outputs.push(read_input(field.bytes()?)?.name);
            }
            15 => return Err(OnnxError::unsupported("it has sparse weights")),
            _ => {}
        }
        Ok(())
    })?;
    Ok(graph)
}

fn read_node(bytes: &[u8]) -> Result<RawNode, OnnxError> {
    let mut node = RawNode::default();
    fields(bytes, |number, field| {
        node_has_room(&node)?;
        match number {
            1 => node.inputs.push(field.text()?),
            2 => node.outputs.push(field.text()?),
            3 => node.name = field.text()?,
            4 => node.operator = field.text()?,
            5 => node.attributes.push(read_attribute(field.bytes()?)?),
            7 => node.domain = field.text()?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(node)
}

fn read_attribute(bytes: &[u8]) -> Result<Attribute, OnnxError> {
    let mut attribute = Attribute::default();
    fields(bytes, |number, field| {
        match number {
            1 => attribute.name = field.text()?,
            2 => {
                let mut one = Vec::new();
                field.floats(&mut one)?;
                attribute.float = one.first().copied();
            }
            3 => attribute.int = Some(field.number()?),
            4 => attribute.text = Some(field.text()?),
            5 => attribute.tensor = Some(read_tensor(field.bytes()?)?.1),
            6 => return Err(OnnxError::unsupported("it has branches or loops")),
            7 => field.floats(&mut attribute.floats)?,
            8 => field.numbers(&mut attribute.ints)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(attribute)
}

fn read_input(bytes: &[u8]) -> Result<Input, OnnxError> {
    let mut input = Input::default();
    fields(bytes, |number, field| match number {
        1 => {
            input.name = field.text()?;
            Ok(())
        }
        2 => fields(field.bytes()?, |number, field| match number {
            1 => fields(field.bytes()?, |number, field| match number {
                2 => fields(field.bytes()?, |number, field| {
                    if number == 1 {
                        room(&input.shape)?;
                        input.shape.push(read_side(field.bytes()?)?);
                    }
                    Ok(())
                }),
                _ => Ok(()),
            }),
            _ => Ok(()),
        }),
        _ => Ok(()),
    })?;
    Ok(input)
}

/// A side that is stated; exporters write open ones as names, as nothing or as numbers under 1.
fn read_side(bytes: &[u8]) -> Result<Option<usize>, OnnxError> {
    let mut side = None;
    fields(bytes, |number, field| {
        if number == 1 {
            side = usize::try_from(field.number()?).ok().filter(|side| *side > 0);
        }
        Ok(())
    })?;
    Ok(side)
}

/// An array of weights or constants, and its name.
fn read_tensor(bytes: &[u8]) -> Result<(String, Value), OnnxError> {
    let (mut name, mut sides, mut kind, mut raw) = (String::new(), Vec::new(), 0, None);
    let (mut floats, mut ints, mut doubles) = (Vec::new(), Vec::new(), Vec::new());
    fields(bytes, |number, field| {
        match number {
            1 => field.numbers(&mut sides)?,
            2 => kind = field.number()?,
            4 => field.floats(&mut floats)?,
            5 | 7 => field.numbers(&mut ints)?,
            8 => name = field.text()?,
            9 => raw = Some(field.bytes()?),
            10 => match field {
                Field::Eight(bytes) => doubles.push(f64::from_le_bytes(bytes)),
                _ => doubles.extend(eights(field.bytes()?).map(f64::from_le_bytes)),
            },
            13 | 14 if !matches!(field, Field::Number(0)) => {
                return Err(OnnxError::unsupported("its weights lie in another file"));
            }
            _ => {}
        }
        Ok(())
    })?;
    let sides = sides.into_iter().map(usize::try_from).collect::<Result<Vec<_>, _>>();
    let shape = sides.map_err(|_| OnnxError::damaged(format!("weights {name} have a side below nought")))?;
    let value = match kind {
        1 => {
            let raw = raw
                .map(|raw| raw.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect());
            floating(shape, raw.unwrap_or(floats), &name)?
        }
        10 => {
            let raw: Vec<u16> = match raw {
                Some(raw) => raw.as_chunks::<2>().0.iter().map(|bytes| u16::from_le_bytes(*bytes)).collect(),
                None => ints.iter().map(|bits| (*bits & 0xffff) as u16).collect(),
            };
            floating(shape, raw.into_iter().map(|bits| f16::from_bits(bits).to_f32()).collect(), &name)?
        }
        11 => {
            let values = raw.map(|raw| eights(raw).map(f64::from_le_bytes).collect()).unwrap_or(doubles);
            floating(shape, values.into_iter().map(|value: f64| value as f32).collect(), &name)?
        }
        6 => {
            let raw = raw.map(|raw| {
                let numbers = raw.as_chunks::<4>().0.iter();
                numbers.map(|bytes| i64::from(i32::from_le_bytes(*bytes))).collect()
            });
            integer(shape, raw.unwrap_or(ints), &name)?
        }
        7 => integer(
            shape,
            raw.map(|raw| eights(raw).map(i64::from_le_bytes).collect()).unwrap_or(ints),
            &name,
        )?,
        9 => integer(
            shape,
            raw.map(|raw| raw.iter().map(|byte| i64::from(*byte)).collect()).unwrap_or(ints),
            &name,
        )?,
        other => return Err(OnnxError::unsupported(format!("weights {name} are of the kind {other}"))),
    };
    Ok((name, value))
}

fn eights(raw: &[u8]) -> impl Iterator<Item = [u8; 8]> {
    raw.as_chunks::<8>().0.iter().copied()
}

fn sized<T>(shape: Vec<usize>, data: Vec<T>, name: &str) -> Result<Array<T>, OnnxError> {
    if elements(&shape)? != data.len() {
        return Err(OnnxError::damaged(format!(
            "weights {name} should be {shape:?}, and there are {}",
            data.len()
        )));
    }
    Ok(Array::new(shape, data))
}

fn floating(shape: Vec<usize>, data: Vec<f32>, name: &str) -> Result<Value, OnnxError> {
    if data.iter().any(|value| !value.is_finite()) {
        return Err(OnnxError::damaged(format!("weights {name} are not all numbers")));
    }
    sized(shape, data, name).map(Value::Floats)
}

fn integer(shape: Vec<usize>, data: Vec<i64>, name: &str) -> Result<Value, OnnxError> {
    sized(shape, data, name).map(Value::Ints)
}
