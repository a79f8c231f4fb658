//! Nets as ONNX files, for other runtimes.
//!
//! [`export`] writes a whole net, [`export_interweaved`] one that reads overlapping patches of a region in one pass. Who wants more around it (a head, say) builds a [`Graph`], adds the net with
//! [`Graph::net`] and goes on from its value.

mod attribute;
mod bytes;
mod error;
mod graph;
mod layers;
mod local;
mod proto;
mod ranges;
mod unrolled;
mod wire;

pub use attribute::{Dim, Element, Setting};
pub use error::OnnxError;
pub use graph::{Carried, Graph, Value};
pub use unrolled::export_interweaved;

use crate::{Checked, NetSpec, Weights};
use bytes::{ByteWalk, first_and_last};
use layers::{Flow, Walk};

/// The operator set that graphs are written in: old enough for runtimes of 2022, and has all that is needed.
pub const OPSET: i64 = 17;
/// The version of the file format that came with [`OPSET`].
pub const IR_VERSION: i64 = 8;
/// The most bytes of a file: the limit of protocol buffers, and a MiB less for what is around the graph.
pub const MAX_BYTES: usize = (1 << 31) - (1 << 20);

/// What goes into a net's graph and comes out of it. The number of items, `batch`, is free in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `pixels` `[batch, channels, height, width]` to `responses` `[batch, channels, map_height, map_width]`. Height and width
    /// are free, unless a layer of the net is made for one size.
    Maps,
    /// `patches` `[batch, channels, height, width]` of the declared size to `vectors` `[batch, features]`, the values of the
    /// last map in the order channel, row, column.
    Vectors,
}

impl Form {
    /// Name of the input.
    pub fn input(self) -> &'static str {
        match self {
            Self::Maps => "pixels",
            Self::Vectors => "patches",
        }
    }

    /// Name of the output.
    pub fn output(self) -> &'static str {
        match self {
            Self::Maps => "responses",
            Self::Vectors => "vectors",
        }
    }

    /// Sizes of the input of a net, `[batch, channels, height, width]`.
    ///
    /// # Errors
    /// When the spec is wrong.
    pub fn input_dims(self, spec: &NetSpec) -> Result<[Dim; 4], OnnxError> {
        let checked = spec.check()?;
        let from = checked.input();
        let [height, width] = self.sides(&checked, ["height", "width"], [from.height, from.width]);
        Ok([BATCH, Dim::Fixed(from.channels), height, width])
    }

    /// Sizes of the output of a net: four of [`Form::Maps`], two of [`Form::Vectors`].
    ///
    /// # Errors
    /// When the spec is wrong.
    pub fn output_dims(self, spec: &NetSpec) -> Result<Vec<Dim>, OnnxError> {
        let checked = spec.check()?;
        let to = checked.output();
        if self == Self::Vectors {
            return Ok(vec![BATCH, Dim::Fixed(to.elements())]);
        }
        let [height, width] = self.sides(&checked, ["map_height", "map_width"], [to.height, to.width]);
        Ok(vec![BATCH, Dim::Fixed(to.channels), height, width])
    }

    fn sides(self, checked: &Checked, names: [&'static str; 2], sizes: [usize; 2]) -> [Dim; 2] {
        if self == Self::Maps && checked.fixed_by().is_none() {
            names.map(Dim::Free)
        } else {
            sizes.map(Dim::Fixed)
        }
    }
}

const BATCH: Dim = Dim::Free("batch");

/// A net as an ONNX file of opset [`OPSET`], with the input and output that `form` says.
///
/// ```
/// use lineament_net::onnx::{Form, export};
/// use lineament_net::{Layer, NetSpec, Shape, Weights};
///
/// let layers = vec![Layer::Linear { name: "fc".to_owned(), outputs: 5, bias: true }];
/// let spec = NetSpec { name: "small".to_owned(), input: Shape::new(3, 8, 8), layers };
/// let file = export(&spec, &Weights::random(&spec, 1)?, Form::Vectors)?;
/// assert!(file.len() > 5 * 3 * 8 * 8 * 4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// A spec that is wrong, weights of another net, or a file beyond [`MAX_BYTES`].
pub fn export(spec: &NetSpec, weights: &Weights, form: Form) -> Result<Vec<u8>, OnnxError> {
    let mut graph = Graph::new(&spec.name);
    let value = graph.net(spec, weights, form)?;
    graph.output(form.output(), &value, &form.output_dims(spec)?)?;
    Ok(graph.into_model())
}

impl Graph {
    /// Adds the input of a net and all its layers, and gives the value of the last one, in the shape that `form` says. It is
    /// not yet an output.
    ///
    /// # Errors
    /// A spec that is wrong, weights of another net, a graph that has such a net already, or one beyond [`MAX_BYTES`].
    pub fn net(&mut self, spec: &NetSpec, weights: &Weights, form: Form) -> Result<Value, OnnxError> {
        weights.check(spec)?;
        let input = self.input(form.input(), &form.input_dims(spec)?)?;
        self.layers(spec, weights, form, input)
    }

    /// Adds the layers of a net on a value that the graph has: a batch of what [`Form::input_dims`] says.
    ///
    /// # Errors
    /// As [`Graph::net`].
    pub fn net_on(
        &mut self,
        spec: &NetSpec,
        weights: &Weights,
        form: Form,
        input: &Value,
    ) -> Result<Value, OnnxError> {
        weights.check(spec)?;
        self.layers(spec, weights, form, input.clone())
    }

    /// The same with convolutions in eight-bit integers, as `QuantizeLinear` and `DequantizeLinear` around them say: those of maps
    /// whose range is known, since a normalization stands before them, but neither the first of the net nor the last. Filters have
    /// seven bits, so that processors without VNNI instructions add the same sums.
    ///
    /// # Errors
    /// As [`Graph::net`].
    pub fn byte_net_on(
        &mut self,
        spec: &NetSpec,
        weights: &Weights,
        form: Form,
        input: &Value,
    ) -> Result<Value, OnnxError> {
        weights.check(spec)?;
        let checked = spec.check()?;
        let walk = Walk { graph: self, net: &spec.name, weights };
        let exact = first_and_last(&spec.layers, checked.layers());
        let mut bytes = ByteWalk { walk, exact };
        let flow = bytes.net(&spec.layers, checked.layers(), input.clone())?;
        bytes.walk.formed(form, flow)
    }

    /// Adds the layers of a net whose weights were checked, on a batch of its inputs.
    fn layers(
        &mut self,
        spec: &NetSpec,
        weights: &Weights,
        form: Form,
        input: Value,
    ) -> Result<Value, OnnxError> {
        let checked = spec.check()?;
        let mut walk = Walk { graph: self, net: &spec.name, weights };
        let flow = walk.sequence(&spec.layers, checked.layers(), Flow { value: input, flat: false })?;
        walk.formed(form, flow)
    }
}
