//! A graph under construction.

use std::collections::BTreeSet;

use super::attribute::{Dim, Setting};
use super::wire::Message;
use super::{MAX_BYTES, OnnxError, proto};

/// A value of a graph: an input, a constant or what a node gives. It only comes from its [`Graph`], so that no node can ask
/// for one that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value(String);

/// A graph under construction: nodes in the order in which they can run.
///
/// ```
/// use lineament_net::onnx::{Dim, Graph};
///
/// let mut graph = Graph::new("doubled");
/// let x = graph.input("x", &[Dim::Free("batch"), Dim::Fixed(3)])?;
/// let two = graph.floats("two", &[1], &[2.0])?;
/// let doubled = graph.node("mul", "Mul", &[&x, &two], &[])?;
/// graph.output("y", &doubled, &[Dim::Free("batch"), Dim::Fixed(3)])?;
/// let file: Vec<u8> = graph.into_model();
/// # Ok::<(), lineament_net::onnx::OnnxError>(())
/// ```
#[derive(Debug)]
pub struct Graph {
    name: String,
    nodes: Vec<Message>,
    constants: Vec<Message>,
    inputs: Vec<Message>,
    outputs: Vec<Message>,
    metadata: Vec<(String, String)>,
    names: BTreeSet<String>,
    bytes: usize,
}

impl Graph {
    /// A graph of nothing.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            nodes: Vec::new(),
            constants: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            metadata: Vec::new(),
            names: BTreeSet::new(),
            bytes: 0,
        }
    }

    /// Adds an input of f32.
    ///
    /// # Errors
    /// A name that is taken.
    pub fn input(&mut self, name: &str, dims: &[Dim]) -> Result<Value, OnnxError> {
        let value = self.value(name.to_owned())?;
        self.inputs.push(proto::value_info(name, dims));
        Ok(value)
    }

    /// Adds a constant of f32, row-major.
    ///
    /// # Errors
    /// A name that is taken, values that do not fill the shape, or a graph beyond [`MAX_BYTES`].
    pub fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) -> Result<Value, OnnxError> {
        self.filled(name, shape, values.len())?;
        self.room(name, size_of_val(values))?;
        let value = self.value(name.to_owned())?;
        self.constants.push(proto::floats(name, shape, values));
        Ok(value)
    }

    /// Adds a constant row of i64, `[values]`: what operators take as axes, starts and ends.
    ///
    /// # Errors
    /// A name that is taken, or a graph beyond [`MAX_BYTES`].
    pub fn ints(&mut self, name: &str, values: &[i64]) -> Result<Value, OnnxError> {
        self.room(name, size_of_val(values))?;
        let value = self.value(name.to_owned())?;
        self.constants.push(proto::ints(name, values));
        Ok(value)
    }

    /// Adds a constant of i32, row-major: places that `Gather` takes, which must be below 2^31.
    ///
    /// # Errors
    /// A name that is taken, values that do not fill the shape, or a graph beyond [`MAX_BYTES`].
    pub fn indices(&mut self, name: &str, shape: &[usize], values: &[u32]) -> Result<Value, OnnxError> {
        self.filled(name, shape, values.len())?;
        self.room(name, size_of_val(values))?;
        let value = self.value(name.to_owned())?;
        self.constants.push(proto::indices(name, shape, values));
        Ok(value)
    }

    /// Adds a node of ONNX's operator `op` and gives its (first) output.
    ///
    /// # Errors
    /// A name that is taken, or a graph beyond [`MAX_BYTES`].
    pub fn node(
        &mut self,
        name: &str,
        op: &str,
        inputs: &[&Value],
        settings: &[(&str, Setting<'_>)],
    ) -> Result<Value, OnnxError> {
        // Names of layers have no slash, so that no layer can take the name of an input or output.
        let output = format!("{name}/out");
        let inputs: Vec<&str> = inputs.iter().map(|input| input.0.as_str()).collect();
        let node = proto::node(name, op, &inputs, &output, settings);
        self.room(name, node.len())?;
        let value = self.value(output)?;
        self.nodes.push(node);
        Ok(value)
    }

    /// Makes a value an output of f32 under a name of its own.
    ///
    /// # Errors
    /// A name that is taken.
    pub fn output(&mut self, name: &str, value: &Value, dims: &[Dim]) -> Result<(), OnnxError> {
        self.value(name.to_owned())?;
        // A layer's node may have the output's name, and runtimes refuse two nodes of one name.
        let node = format!("/output/{name}");
        self.value(format!("{node}/out"))?;
        self.nodes.push(proto::node(&node, "Identity", &[&value.0], name, &[]));
        self.outputs.push(proto::value_info(name, dims));
        Ok(())
    }

    /// Says something of the model under a key, for programs that read it.
    pub fn metadata(&mut self, key: &str, value: &str) {
        self.metadata.push((key.to_owned(), value.to_owned()));
    }

    /// The `.onnx` file. The same graph gives the same bytes.
    pub fn into_model(self) -> Vec<u8> {
        let graph = proto::graph(&self.name, &self.nodes, &self.constants, &self.inputs, &self.outputs);
        proto::model(&graph, &self.metadata).into_bytes()
    }

    fn value(&mut self, name: String) -> Result<Value, OnnxError> {
        if !self.names.insert(name.clone()) {
            return Err(OnnxError::Repeated { graph: self.name.clone(), value: name });
        }
        Ok(Value(name))
    }

    fn filled(&self, name: &str, shape: &[usize], values: usize) -> Result<(), OnnxError> {
        let elements = shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
        if elements == Some(values) {
            return Ok(());
        }
        let (graph, value) = (self.name.clone(), name.to_owned());
        Err(OnnxError::Unfilled { graph, value, shape: shape.to_vec(), values })
    }

    fn room(&mut self, name: &str, bytes: usize) -> Result<(), OnnxError> {
        // A few bytes more for names and lengths.
        self.bytes = self.bytes.saturating_add(bytes).saturating_add(name.len()).saturating_add(64);
        if self.bytes > MAX_BYTES {
            return Err(OnnxError::TooLarge { graph: self.name.clone(), value: name.to_owned() });
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_for_one_value() {
        let mut graph = Graph::new("g");
        let x = graph.input("x", &[Dim::Fixed(2)]).unwrap();
        let taken = graph.floats("x", &[1], &[1.0]).unwrap_err();
        assert_eq!(taken, OnnxError::Repeated { graph: "g".into(), value: "x".into() });
        graph.node("relu", "Relu", &[&x], &[]).unwrap();
        assert!(graph.node("relu", "Relu", &[&x], &[]).is_err());
        assert!(graph.output("x", &x, &[Dim::Fixed(2)]).is_err());
    }

    #[test]
    fn constants_fill_their_shape_and_the_file_its_limit() {
        let mut graph = Graph::new("g");
        assert!(matches!(graph.floats("w", &[2, 2], &[1.0; 3]), Err(OnnxError::Unfilled { values: 3, .. })));
        assert!(graph.floats("w", &[usize::MAX, 2], &[]).is_err());
        graph.bytes = MAX_BYTES - 100;
        assert!(matches!(graph.floats("w", &[10], &[1.0; 10]), Err(OnnxError::TooLarge { .. })));
    }
}
