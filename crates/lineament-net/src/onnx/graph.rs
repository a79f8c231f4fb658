//! A graph under construction.

use std::collections::BTreeSet;

use super::attribute::{Dim, Element, Setting};
use super::wire::Message;
use super::{MAX_BYTES, OPSET, OnnxError, proto};

/// A value of a graph: an input, a constant or what a node gives. It only comes from its [`Graph`], so that no node can ask
/// for one that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value(String);

impl Value {
    /// What stands in the place of an input that an operator can do without.
    pub const fn absent() -> Self {
        Self(String::new())
    }
}

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
    opset: i64,
    /// What the names of constants and nodes begin with.
    scope: String,
}

/// A value that a loop hands from one turn to the next.
#[derive(Debug, Clone, Copy)]
pub struct Carried<'a> {
    /// What the first turn begins with.
    pub first: &'a Value,
    /// What it is made of.
    pub element: Element,
    /// Its sizes, which are free where a turn may change them.
    pub dims: &'a [Dim],
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
            opset: OPSET,
            scope: String::new(),
        }
    }

    /// The same graph in another operator set than [`OPSET`].
    pub fn with_opset(self, opset: i64) -> Self {
        Self { opset, ..self }
    }

    /// From here on, names of constants and nodes begin with `scope` and a slash, so that two nets may have layers of one name;
    /// an empty scope ends it.
    pub fn scope(&mut self, scope: &str) {
        self.scope = if scope.is_empty() { String::new() } else { format!("{scope}/") };
    }

    /// A name that no value of the graph has, which begins with `word`.
    pub fn unused(&self, word: &str) -> String {
        // Every value adds a name.
        format!("{word}.{}", self.names.len())
    }

    /// Adds an input of f32.
    ///
    /// # Errors
    /// A name that is taken.
    pub fn input(&mut self, name: &str, dims: &[Dim]) -> Result<Value, OnnxError> {
        self.input_of(name, Element::Float, dims)
    }

    /// Adds an input.
    ///
    /// # Errors
    /// A name that is taken.
    pub fn input_of(&mut self, name: &str, element: Element, dims: &[Dim]) -> Result<Value, OnnxError> {
        let value = self.value(name.to_owned())?;
        self.inputs.push(proto::value_info(name, element, dims));
        Ok(value)
    }

    /// Adds a constant of f32, row-major.
    ///
    /// # Errors
    /// A name that is taken, values that do not fill the shape, or a graph beyond [`MAX_BYTES`].
    pub fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) -> Result<Value, OnnxError> {
        self.filled(name, shape, values.len())?;
        self.room(name, size_of_val(values))?;
        let value = self.value(self.scoped(name))?;
        self.constants.push(proto::floats(&value.0, shape, values));
        Ok(value)
    }

    /// Adds a constant row of i64, `[values]`: what operators take as axes, starts and ends.
    ///
    /// # Errors
    /// A name that is taken, or a graph beyond [`MAX_BYTES`].
    pub fn ints(&mut self, name: &str, values: &[i64]) -> Result<Value, OnnxError> {
        self.room(name, size_of_val(values))?;
        let value = self.value(self.scoped(name))?;
        self.constants.push(proto::ints(&value.0, values));
        Ok(value)
    }

    /// Adds a constant of i32, row-major: places that `Gather` takes, which must be below 2^31.
    ///
    /// # Errors
    /// A name that is taken, values that do not fill the shape, or a graph beyond [`MAX_BYTES`].
    pub fn indices(&mut self, name: &str, shape: &[usize], values: &[u32]) -> Result<Value, OnnxError> {
        self.filled(name, shape, values.len())?;
        self.room(name, size_of_val(values))?;
        let value = self.value(self.scoped(name))?;
        self.constants.push(proto::indices(&value.0, shape, values));
        Ok(value)
    }

    /// Adds a constant of i8, row-major.
    pub(super) fn signed_bytes(
        &mut self,
        name: &str,
        shape: &[usize],
        values: &[i8],
    ) -> Result<Value, OnnxError> {
        self.filled(name, shape, values.len())?;
        self.room(name, values.len())?;
        let value = self.value(self.scoped(name))?;
        self.constants.push(proto::signed_bytes(&value.0, shape, values));
        Ok(value)
    }

    /// Adds a constant of u8, `[]`.
    pub(super) fn byte(&mut self, name: &str, byte: u8) -> Result<Value, OnnxError> {
        self.room(name, 1)?;
        let value = self.value(self.scoped(name))?;
        self.constants.push(proto::byte(&value.0, byte));
        Ok(value)
    }

    /// Adds a constant row of i32.
    pub(super) fn integers32(&mut self, name: &str, values: &[i32]) -> Result<Value, OnnxError> {
        self.room(name, size_of_val(values))?;
        let value = self.value(self.scoped(name))?;
        self.constants.push(proto::integers32(&value.0, values));
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
        let name = self.scoped(name);
        let output = format!("{name}/out");
        let node = proto::node(&name, op, &names(inputs), &[output.as_str()], settings);
        self.room(&name, node.len())?;
        let value = self.value(output)?;
        self.nodes.push(node);
        Ok(value)
    }

    /// Adds a node of an operator with two outputs, and gives both.
    ///
    /// # Errors
    /// As [`Graph::node`].
    pub fn pair(&mut self, name: &str, op: &str, inputs: &[&Value]) -> Result<[Value; 2], OnnxError> {
        let name = self.scoped(name);
        let [first, second] = [self.value(format!("{name}/first"))?, self.value(format!("{name}/second"))?];
        let node = proto::node(&name, op, &names(inputs), &names(&[&first, &second]), &[]);
        self.room(&name, node.len())?;
        self.nodes.push(node);
        Ok([first, second])
    }

    /// Adds a node of ONNX's operator `Loop` and gives what its values are after the last of `turns` turns (a number of i64).
    /// `body` adds the nodes of one turn; it is given the turn's number and the carried values, and gives what they become.
    /// It may read all values that the graph has so far. Its own ones end with it.
    ///
    /// # Errors
    /// A name that is taken, a graph beyond [`MAX_BYTES`], or an error of `body`.
    pub fn repeat<const N: usize, E: From<OnnxError>>(
        &mut self,
        name: &str,
        turns: &Value,
        carried: [Carried<'_>; N],
        body: impl FnOnce(&mut Self, &Value, [Value; N]) -> Result<[Value; N], E>,
    ) -> Result<[Value; N], E> {
        self.looped(name, turns, carried, |graph, turn, going, before| {
            Ok((going.clone(), body(graph, turn, before)?))
        })
    }

    /// The same, where `body` says first whether there is another turn, which is a number of bool.
    ///
    /// # Errors
    /// As [`Graph::repeat`].
    pub fn repeat_while<const N: usize, E: From<OnnxError>>(
        &mut self,
        name: &str,
        turns: &Value,
        carried: [Carried<'_>; N],
        body: impl FnOnce(&mut Self, [Value; N]) -> Result<(Value, [Value; N]), E>,
    ) -> Result<[Value; N], E> {
        self.looped(name, turns, carried, |graph, _, _, before| body(graph, before))
    }

    fn looped<const N: usize, E: From<OnnxError>>(
        &mut self,
        name: &str,
        turns: &Value,
        carried: [Carried<'_>; N],
        body: impl FnOnce(&mut Self, &Value, &Value, [Value; N]) -> Result<(Value, [Value; N]), E>,
    ) -> Result<[Value; N], E> {
        let name = self.scoped(name);
        let outside = [std::mem::take(&mut self.nodes), std::mem::take(&mut self.constants)];
        let [turn, going] = [self.value(format!("{name}/turn"))?, self.value(format!("{name}/going"))?];
        let mut inputs = vec![
            proto::value_info(&turn.0, Element::Int64, &[]),
            proto::value_info(&going.0, Element::Bool, &[]),
        ];
        let on = self.value(format!("{name}/on"))?;
        let mut outputs = vec![proto::value_info(&on.0, Element::Bool, &[])];
        let before: [Value; N] = std::array::from_fn(|number| Value(format!("{name}/before.{number}")));
        for (one, value) in carried.iter().zip(&before) {
            self.value(value.0.clone())?;
            inputs.push(proto::value_info(&value.0, one.element, one.dims));
        }
        let (again, after) = body(self, &turn, &going, before)?;
        self.nodes.push(proto::node(&on.0, "Identity", &[&again.0], &[&on.0], &[]));
        let last: [Value; N] = std::array::from_fn(|number| Value(format!("{name}/out.{number}")));
        for (number, (one, value)) in carried.iter().zip(&after).enumerate() {
            // A value from outside of the body is no output of it, its copy is.
            let copy = self.value(format!("{name}/after.{number}"))?;
            self.nodes.push(proto::node(&copy.0, "Identity", &[&value.0], &[&copy.0], &[]));
            outputs.push(proto::value_info(&copy.0, one.element, one.dims));
        }
        for value in &last {
            self.value(value.0.clone())?;
        }
        let [nodes, constants] = outside;
        let nodes = std::mem::replace(&mut self.nodes, nodes);
        // ONNX Runtime 1.30 refuses a body whose filters in bytes stand outside.
        let constants = std::mem::replace(&mut self.constants, constants);
        let body = proto::graph(&name, &nodes, &constants, &inputs, &outputs);
        let absent = Value::absent();
        let first: Vec<&Value> =
            [turns, &absent].into_iter().chain(carried.iter().map(|one| one.first)).collect();
        let node = proto::repeated(&name, &names(&first), &names(&last.iter().collect::<Vec<_>>()), &body);
        self.room(&name, node.len())?;
        self.nodes.push(node);
        Ok(last)
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
        self.nodes.push(proto::node(&node, "Identity", &[&value.0], &[name], &[]));
        self.outputs.push(proto::value_info(name, Element::Float, dims));
        Ok(())
    }

    /// Says something of the model under a key, for programs that read it.
    pub fn metadata(&mut self, key: &str, value: &str) {
        self.metadata.push((key.to_owned(), value.to_owned()));
    }

    /// The `.onnx` file. The same graph gives the same bytes.
    pub fn into_model(self) -> Vec<u8> {
        let graph = proto::graph(&self.name, &self.nodes, &self.constants, &self.inputs, &self.outputs);
        proto::model(&graph, self.opset, &self.metadata).into_bytes()
    }

    fn scoped(&self, name: &str) -> String {
        format!("{}{name}", self.scope)
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

fn names<'a>(values: &[&'a Value]) -> Vec<&'a str> {
    values.iter().map(|value| value.0.as_str()).collect()
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
    fn a_loop_keeps_the_nodes_and_constants_of_its_body() {
        let mut graph = Graph::new("g");
        let x = graph.input("x", &[Dim::Fixed(2)]).unwrap();
        let turns = graph.ints("turns", &[3]).unwrap();
        let carried = [Carried { first: &x, element: Element::Float, dims: &[Dim::Fixed(2)] }];
        let body = |graph: &mut Graph, _: &Value, [before]: [Value; 1]| {
            let two = graph.floats("two", &[1], &[2.0])?;
            Ok::<_, OnnxError>([graph.node("doubled", "Mul", &[&before, &two], &[])?])
        };
        graph.repeat("loop", &turns, carried, body).unwrap();
        // The loop, and the number of its turns.
        assert_eq!((graph.nodes.len(), graph.constants.len()), (1, 1));
        let taken = graph.repeat("loop", &turns, carried, |_, _, before| Ok::<_, OnnxError>(before));
        assert_eq!(taken.unwrap_err(), OnnxError::Repeated { graph: "g".into(), value: "loop/turn".into() });
    }

    #[test]
    fn scopes_keep_names_apart() {
        let mut graph = Graph::new("g");
        let x = graph.input("x", &[Dim::Fixed(2)]).unwrap();
        graph.node("relu", "Relu", &[&x], &[]).unwrap();
        graph.scope("net");
        assert!(
            graph.node("relu", "Relu", &[&x], &[]).is_ok() && graph.node("relu", "Relu", &[&x], &[]).is_err()
        );
        graph.scope("");
        assert!(graph.node("relu", "Relu", &[&x], &[]).is_err());
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
