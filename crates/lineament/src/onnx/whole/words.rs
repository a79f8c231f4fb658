//! Short words for what the graph computes outside of nets. Names of nodes are numbered.

use lineament_net::onnx::{Element, Graph, OnnxError, Setting, Value};

/// Arithmetic on the values of a graph.
pub(super) trait Words {
    /// A node of any operator.
    fn op(
        &mut self,
        op: &str,
        inputs: &[&Value],
        settings: &[(&str, Setting<'_>)],
    ) -> Result<Value, OnnxError>;

    /// The second output of a node.
    fn second(&mut self, op: &str, inputs: &[&Value]) -> Result<Value, OnnxError>;

    /// A constant `[]`.
    fn number(&mut self, value: f32) -> Result<Value, OnnxError>;

    /// A constant of some shape, row-major.
    fn constant(&mut self, shape: &[usize], values: &[f32]) -> Result<Value, OnnxError>;

    /// A constant row of i64.
    fn integers(&mut self, values: &[i64]) -> Result<Value, OnnxError>;

    /// A binary operator on a value and a number.
    fn with(&mut self, op: &str, value: &Value, number: f32) -> Result<Value, OnnxError> {
        let number = self.number(number)?;
        self.op(op, &[value, &number], &[])
    }

    /// A binary operator on two values.
    fn two(&mut self, op: &str, a: &Value, b: &Value) -> Result<Value, OnnxError> {
        self.op(op, &[a, b], &[])
    }

    /// An operator on one value.
    fn one(&mut self, op: &str, value: &Value) -> Result<Value, OnnxError> {
        self.op(op, &[value], &[])
    }

    /// Held between two numbers.
    fn clip(&mut self, value: &Value, least: f32, most: f32) -> Result<Value, OnnxError> {
        let (least, most) = (self.number(least)?, self.number(most)?);
        self.op("Clip", &[value, &least, &most], &[])
    }

    /// Values of another kind.
    fn cast(&mut self, value: &Value, element: Element) -> Result<Value, OnnxError> {
        self.op("Cast", &[value], &[("to", Setting::Int(element.data_type()))])
    }

    /// Values one after the other along an axis.
    fn concat(&mut self, values: &[&Value], axis: i64) -> Result<Value, OnnxError> {
        self.op("Concat", values, &[("axis", Setting::Int(axis))])
    }

    /// What lies from `from` to before `to` along an axis.
    fn slice(&mut self, value: &Value, axis: i64, from: i64, to: i64) -> Result<Value, OnnxError> {
        let [from, to, axis] = [self.integers(&[from])?, self.integers(&[to])?, self.integers(&[axis])?];
        self.op("Slice", &[value, &from, &to, &axis], &[])
    }

    /// The same values in another shape; 0 keeps a size and -1 takes what is left.
    fn reshape(&mut self, value: &Value, shape: &[i64]) -> Result<Value, OnnxError> {
        let shape = self.integers(shape)?;
        self.two("Reshape", value, &shape)
    }

    /// Rows, or columns and so on, by their numbers.
    fn gather(&mut self, value: &Value, numbers: &Value, axis: i64) -> Result<Value, OnnxError> {
        self.op("Gather", &[value, numbers], &[("axis", Setting::Int(axis))])
    }

    /// Axes in another order.
    fn transpose(&mut self, value: &Value, axes: &[i64]) -> Result<Value, OnnxError> {
        self.op("Transpose", &[value], &[("perm", Setting::Ints(axes))])
    }

    /// A sum or so along an axis, which stays with a size of 1. `op` takes its axes as an input.
    fn reduce(&mut self, op: &str, value: &Value, axis: i64) -> Result<Value, OnnxError> {
        let axes = self.integers(&[axis])?;
        self.op(op, &[value, &axes], &[])
    }

    /// The rows of a matrix where `kept`, one a row, is true.
    fn rows(&mut self, value: &Value, kept: &Value) -> Result<Value, OnnxError> {
        let kept = self.reshape(kept, &[-1])?;
        let numbers = self.one("NonZero", &kept)?;
        let numbers = self.reshape(&numbers, &[-1])?;
        self.gather(value, &numbers, 0)
    }
}

impl Words for Graph {
    fn op(
        &mut self,
        op: &str,
        inputs: &[&Value],
        settings: &[(&str, Setting<'_>)],
    ) -> Result<Value, OnnxError> {
        let name = self.unused(op);
        self.node(&name, op, inputs, settings)
    }

    fn second(&mut self, op: &str, inputs: &[&Value]) -> Result<Value, OnnxError> {
        let name = self.unused(op);
        let [_, second] = self.pair(&name, op, inputs)?;
        Ok(second)
    }

    fn number(&mut self, value: f32) -> Result<Value, OnnxError> {
        self.constant(&[], &[value])
    }

    fn constant(&mut self, shape: &[usize], values: &[f32]) -> Result<Value, OnnxError> {
        let name = self.unused("constant");
        self.floats(&name, shape, values)
    }

    fn integers(&mut self, values: &[i64]) -> Result<Value, OnnxError> {
        let name = self.unused("integers");
        self.ints(&name, values)
    }
}
