//! The layers of a spec as ONNX nodes; what they mean is said by [`mod@crate::reference`].

use super::attribute::Setting;
use super::graph::{Graph, Value};
use super::local::LocalConv;
use super::{Form, OnnxError, proto};
use crate::spec::join;
use crate::{Array, CheckedLayer, Layer, Weights, WeightsError};

/// What flows from layer to layer.
#[derive(Debug, Clone)]
pub(super) struct Flow {
    pub(super) value: Value,
    /// `[N, features]` behind a linear layer; `[N, channels, height, width]` otherwise.
    pub(super) flat: bool,
}

/// Adds the layers of one net to a graph.
pub(super) struct Walk<'a> {
    pub(super) graph: &'a mut Graph,
    pub(super) net: &'a str,
    pub(super) weights: &'a Weights,
}

impl<'a> Walk<'a> {
    /// Adds a branch, layer by layer.
    pub(super) fn sequence(
        &mut self,
        layers: &[Layer],
        checked: &[CheckedLayer],
        input: Flow,
    ) -> Result<Flow, OnnxError> {
        layers.iter().zip(checked).try_fold(input, |flow, (layer, at)| self.layer(layer, at, flow))
    }

    /// What a net gives in a form.
    pub(super) fn formed(&mut self, form: Form, flow: Flow) -> Result<Value, OnnxError> {
        match form {
            Form::Maps => self.maps("/maps", flow),
            Form::Vectors => self.flat("/flat", flow),
        }
    }

    /// Lays each item's values out in a row: `[N, features]`.
    pub(super) fn flat(&mut self, name: &str, flow: Flow) -> Result<Value, OnnxError> {
        if flow.flat {
            return Ok(flow.value);
        }
        self.graph.node(name, "Flatten", &[&flow.value], &[("axis", Setting::Int(1))])
    }

    /// Sees a row of features as maps of one place: `[N, channels, 1, 1]`.
    pub(super) fn maps(&mut self, name: &str, flow: Flow) -> Result<Value, OnnxError> {
        if !flow.flat {
            return Ok(flow.value);
        }
        let axes = self.graph.ints(&format!("{name}.axes"), &[2, 3])?;
        self.graph.node(name, "Unsqueeze", &[&flow.value, &axes], &[])
    }

    pub(super) fn layer(&mut self, layer: &Layer, at: &CheckedLayer, flow: Flow) -> Result<Flow, OnnxError> {
        let path = at.path.as_str();
        let input = match layer {
            Layer::Relu | Layer::HardSwish => {
                let operator = if *layer == Layer::Relu { "Relu" } else { "HardSwish" };
                let value = self.graph.node(path, operator, &[&flow.value], &[])?;
                return Ok(Flow { value, ..flow });
            }
            Layer::Relu6 => {
                let value = relu6(self.graph, path, &flow.value)?;
                return Ok(Flow { value, ..flow });
            }
            Layer::Linear { bias, .. } => return self.linear(at, *bias, flow),
            _ => self.maps(&format!("{path}/maps"), flow)?,
        };
        let value = match layer {
            Layer::Conv { kernel, stride, padding, groups, bias, .. } => {
                let weight = self.constant(at, "weight")?;
                let bias = if *bias { Some(self.constant(at, "bias")?) } else { None };
                let inputs: Vec<&Value> = [&input, &weight].into_iter().chain(&bias).collect();
                let [before, after] = *padding;
                let pads = [before, before, after, after];
                filters(self.graph, path, &inputs, ([*kernel, *stride], *groups), pads)?
            }
            Layer::LocalConv { kernel, stride, padding, grid, bias, .. } => {
                let window = [*kernel, *stride, *padding];
                let weight = self.array(at, "weight")?;
                let bias = if *bias { Some(self.array(at, "bias")?) } else { None };
                LocalConv { at, weight, bias, window, grid: *grid }.add(self.graph, &input)?
            }
            Layer::BatchNorm { epsilon, .. } => {
                let [scale, shift] = [self.constant(at, "scale")?, self.constant(at, "shift")?];
                let [mean, variance] = [self.constant(at, "mean")?, self.constant(at, "variance")?];
                let inputs = [&input, &scale, &shift, &mean, &variance];
                let settings = [("epsilon", Setting::Float(*epsilon))];
                self.graph.node(path, "BatchNormalization", &inputs, &settings)?
            }
            Layer::Prelu { .. } => {
                let slope = self.array(at, "slope")?;
                // One slope a channel, the same in every place.
                let shape = [at.input.channels, 1, 1];
                let slope = self.graph.floats(&join(path, "slope"), &shape, &slope.data)?;
                self.graph.node(path, "PRelu", &[&input, &slope], &[])?
            }
            Layer::MaxPool { kernel, stride, padding } => {
                let [kernel, strides, pads] = window([*kernel, *stride], [*padding; 4]);
                let settings = [
                    ("kernel_shape", Setting::Ints(&kernel[..2])),
                    ("strides", Setting::Ints(&strides[..2])),
                    ("pads", Setting::Ints(&pads)),
                ];
                self.graph.node(path, "MaxPool", &[&input], &settings)?
            }
            Layer::AvgPool { kernel, stride, padding } => {
                let [kernel, strides, pads] = window([*kernel, *stride], [*padding; 4]);
                let settings = [
                    ("kernel_shape", Setting::Ints(&kernel[..2])),
                    ("strides", Setting::Ints(&strides[..2])),
                    ("pads", Setting::Ints(&pads)),
                    ("count_include_pad", Setting::Int(0)),
                ];
                self.graph.node(path, "AveragePool", &[&input], &settings)?
            }
            Layer::Residual { body, shortcut, .. } => {
                let start = Flow { value: input, flat: false };
                let long = self.sequence(body, &at.body, start.clone())?;
                let short = self.sequence(shortcut, &at.shortcut, start)?;
                let long = self.maps(&format!("{path}/body"), long)?;
                let short = self.maps(&format!("{path}/shortcut"), short)?;
                self.graph.node(path, "Add", &[&long, &short], &[])?
            }
            // Dealt with above.
            Layer::Relu | Layer::Relu6 | Layer::HardSwish | Layer::Linear { .. } => input,
        };
        Ok(Flow { value, flat: false })
    }

    fn linear(&mut self, at: &CheckedLayer, bias: bool, flow: Flow) -> Result<Flow, OnnxError> {
        let input = self.flat(&format!("{}/flat", at.path), flow)?;
        let weight = self.constant(at, "weight")?;
        let bias = if bias { Some(self.constant(at, "bias")?) } else { None };
        let inputs: Vec<&Value> = [&input, &weight].into_iter().chain(&bias).collect();
        let value = self.graph.node(&at.path, "Gemm", &inputs, &[("transB", Setting::Int(1))])?;
        Ok(Flow { value, flat: true })
    }

    /// A learnt array as it is, as a constant of its own name.
    fn constant(&mut self, at: &CheckedLayer, word: &str) -> Result<Value, OnnxError> {
        let array = self.array(at, word)?;
        self.graph.floats(&join(&at.path, word), &array.shape, &array.data)
    }

    pub(super) fn array(&self, at: &CheckedLayer, word: &str) -> Result<&'a Array, WeightsError> {
        let name = join(&at.path, word);
        self.weights.get(&name).ok_or_else(|| WeightsError::Missing { name, net: self.net.to_owned() })
    }
}

/// A convolution of its inputs (map, weight, perhaps a bias) in so many groups; zeros are added at the top, left, bottom
/// and right.
pub(super) fn filters(
    graph: &mut Graph,
    name: &str,
    inputs: &[&Value],
    (steps, groups): ([usize; 2], usize),
    pads: [usize; 4],
) -> Result<Value, OnnxError> {
    let [kernel, strides, pads] = window(steps, pads);
    let settings = [
        ("kernel_shape", Setting::Ints(&kernel[..2])),
        ("strides", Setting::Ints(&strides[..2])),
        ("pads", Setting::Ints(&pads)),
        ("group", Setting::Int(proto::int(groups))),
    ];
    // One group is what ONNX takes where nothing is said.
    let said = if groups == 1 { 3 } else { 4 };
    graph.node(name, "Conv", inputs, &settings[..said])
}

/// No less than zero and no more than six.
pub(super) fn relu6(graph: &mut Graph, name: &str, input: &Value) -> Result<Value, OnnxError> {
    let least = graph.floats(&format!("{name}/least"), &[], &[0.0])?;
    let most = graph.floats(&format!("{name}/most"), &[], &[6.0])?;
    graph.node(name, "Clip", &[input, &least, &most], &[])
}

/// Kernel and stride for both axes (of which the first two are used), and pads, as ONNX wants them.
fn window([kernel, stride]: [usize; 2], pads: [usize; 4]) -> [[i64; 4]; 3] {
    [[kernel; 4], [stride; 4], pads].map(|sizes| sizes.map(proto::int))
}
