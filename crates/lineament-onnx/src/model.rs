//! A graph that was read, and running it.

use std::collections::HashMap;

use crate::error::OnnxError;
use crate::operator::{NAMES, Operator};
use crate::ops::{self, Meter};
use crate::proto::{self, Input};
use crate::value::{Array, Value, elements};

/// What a run may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Numbers that are held at the same time, weights aside; each takes four bytes.
    pub numbers: u64,
    /// Multiply-adds of a run.
    pub work: u64,
}

impl Default for Limits {
    /// 256 MiB, and some seconds of one core.
    fn default() -> Self {
        Self { numbers: 1 << 26, work: 60_000_000_000 }
    }
}

/// One step of a graph: which values it takes and gives, by index.
#[derive(Debug)]
struct Step {
    name: String,
    operator_name: &'static str,
    operator: Operator,
    inputs: Vec<Option<usize>>,
    /// The inputs that no later step reads.
    last: Vec<usize>,
    output: usize,
}

/// A graph with one image as its input, ready to run.
#[derive(Debug)]
pub struct Model {
    input: (usize, Vec<Option<usize>>),
    outputs: Vec<(String, usize)>,
    constants: Vec<(usize, Value)>,
    steps: Vec<Step>,
    values: usize,
    limits: Limits,
}

/// An output of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// What the graph calls it.
    pub name: String,
    /// Its sides.
    pub shape: Vec<usize>,
    /// Its numbers, last side fastest.
    pub values: Vec<f32>,
}

/// Indices of values by name, as they come into being.
#[derive(Default)]
struct Names(HashMap<String, usize>);

impl Names {
    fn add(&mut self, name: &str) -> Result<usize, OnnxError> {
        let index = self.0.len();
        match self.0.insert(name.to_owned(), index) {
            None => Ok(index),
            Some(_) => Err(OnnxError::damaged(format!("{name} is given twice"))),
        }
    }

    fn find(&self, name: &str, reader: &str) -> Result<usize, OnnxError> {
        let missing = || OnnxError::damaged(format!("{reader} reads {name}, which nothing before it gives"));
        self.0.get(name).copied().ok_or_else(missing)
    }
}

impl Model {
    /// The operators that are run.
    pub const OPERATORS: [&str; 31] = NAMES;

    /// Reads a file and checks all of it that can be checked without an image.
    ///
    /// # Errors
    /// Bytes that are no ONNX, weights that are no numbers, or a graph with anything that is not run here.
    pub fn read(bytes: &[u8], limits: Limits) -> Result<Self, OnnxError> {
        let graph = proto::read(bytes)?;
        let mut names = Names::default();
        let mut constants = Vec::new();
        for (name, value) in graph.initializers {
            constants.push((names.add(&name)?, value));
        }
        // Early exporters list weights among the inputs.
        let mut images = graph.inputs.into_iter().filter(|input| !names.0.contains_key(&input.name));
        let (Some(Input { name, shape }), None) = (images.next(), images.next()) else {
            return Err(OnnxError::unsupported("it has not exactly one input"));
        };
        let input = (names.add(&name)?, shape);
        let mut steps = Vec::with_capacity(graph.nodes.len());
        for node in &graph.nodes {
            let operator = Operator::of(node, graph.opset)?;
            let read = |name: &String| match name.is_empty() {
                true => Ok(None),
                false => names.find(name, node.label()).map(Some),
            };
            let inputs = node.inputs.iter().map(read).collect::<Result<_, _>>()?;
            let output = match node.outputs.as_slice() {
                [one] => names.add(one)?,
                _ => {
                    return Err(OnnxError::unsupported(format!(
                        "{} has not exactly one output",
                        node.label()
                    )));
                }
            };
            let known = NAMES.iter().find(|name| **name == node.operator).copied();
            let operator_name = known.unwrap_or("another operator");
            steps.push(Step {
                name: node.label().to_owned(),
                operator_name,
                operator,
                inputs,
                last: Vec::new(),
                output,
            });
        }
        let find = |name: String| names.find(&name, "the list of outputs").map(|index| (name, index));
        let outputs: Vec<(String, usize)> = graph.outputs.into_iter().map(find).collect::<Result<_, _>>()?;
        let mut needed = vec![false; names.0.len()];
        for (_, index) in &outputs {
            if let Some(needed) = needed.get_mut(*index) {
                *needed = true;
            }
        }
        for step in steps.iter_mut().rev() {
            for index in step.inputs.iter().flatten() {
                if let Some(needed) = needed.get_mut(*index)
                    && !std::mem::replace(needed, true)
                {
                    step.last.push(*index);
                }
            }
        }
        Ok(Self { input, outputs, constants, steps, values: names.0.len(), limits })
    }

    /// The sides of the input, as far as they are stated: `N x C x H x W`.
    pub fn input(&self) -> &[Option<usize>] {
        &self.input.1
    }

    /// The names of the outputs.
    pub fn outputs(&self) -> impl Iterator<Item = &str> {
        self.outputs.iter().map(|(name, _)| name.as_str())
    }

    /// Runs the graph on one input of this shape.
    ///
    /// # Errors
    /// An input of another shape than the graph states, a step that does not fit its inputs, or one that would leave the limits.
    pub fn run(&self, shape: &[usize], input: Vec<f32>) -> Result<Vec<Output>, OnnxError> {
        self.check(shape, input.len())?;
        let mut values: Vec<Option<Value>> = vec![None; self.values];
        let put = |values: &mut Vec<Option<Value>>, index: usize, value: Value| {
            if let Some(slot) = values.get_mut(index) {
                *slot = Some(value);
            }
        };
        for (index, value) in &self.constants {
            put(&mut values, *index, value.clone());
        }
        let mut meter = Meter::new(self.limits);
        meter.hold(shape)?;
        put(&mut values, self.input.0, Value::Floats(Array::new(shape.to_vec(), input)));
        let constants = self.constants.len();
        for step in &self.steps {
            let mut taken = Vec::with_capacity(step.inputs.len());
            for index in &step.inputs {
                // What is read for the last time is given away, so that it can be worked on in its place.
                let last = index.filter(|index| *index >= constants && step.last.contains(index));
                let again = step.inputs.iter().filter(|other| *other == index).count() > 1;
                taken.push(match (last, index) {
                    (Some(index), _) if !again => values.get_mut(index).and_then(Option::take),
                    (_, Some(index)) => values.get(*index).cloned().flatten(),
                    (_, None) => None,
                });
            }
            let released: usize = taken
                .iter()
                .zip(&step.inputs)
                .filter_map(|(value, index)| {
                    let index = (*index)?;
                    (index >= constants && step.last.contains(&index))
                        .then(|| value.as_ref().map_or(0, Value::len))
                })
                .sum();
            let said = |problem| match problem {
                ops::Problem::Misfit(problem) => {
                    OnnxError::Step { node: step.name.clone(), operator: step.operator_name, problem }
                }
                ops::Problem::Limit(limit) => limit,
            };
            let value = step.operator.run(taken, &mut meter).map_err(said)?;
            meter.release(released);
            for index in step.last.iter().filter(|index| **index >= constants) {
                if let Some(slot) = values.get_mut(*index) {
                    *slot = None;
                }
            }
            put(&mut values, step.output, value);
        }
        let read = |(name, index): &(String, usize)| match values.get(*index).cloned().flatten() {
            Some(Value::Floats(array)) => {
                let values = std::sync::Arc::unwrap_or_clone(array.data);
                Ok(Output { name: name.clone(), shape: array.shape, values })
            }
            _ => Err(OnnxError::unsupported(format!("its output {name} is not in single precision"))),
        };
        let outputs = self.outputs.iter().map(read).collect();
        drop(values);
        outputs
    }

    fn check(&self, shape: &[usize], given: usize) -> Result<(), OnnxError> {
        let stated = self.input();
        // A file that leaves out the shape takes any.
        let fits = stated.is_empty()
            || stated.len() == shape.len()
                && stated.iter().zip(shape).all(|(stated, side)| stated.is_none_or(|stated| stated == *side));
        if fits && elements(shape)? == given {
            return Ok(());
        }
        let side = |side: &Option<usize>| side.map_or_else(|| "?".to_owned(), |side| side.to_string());
        let takes = stated.iter().map(side).collect::<Vec<_>>().join(" x ");
        Err(OnnxError::Input { takes, given: format!("{given} numbers as {shape:?}") })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
