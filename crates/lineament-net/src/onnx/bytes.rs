//! A net whose convolutions work in eight-bit integers: `QuantizeLinear` and `DequantizeLinear` around them.
//!
//! The net itself says how large its values get. A normalization gives each channel the mean and the deviation that it has learned, so
//! that no images are needed to find the range of a map. Filters are rounded channel by channel.

use super::layers::{Flow, Walk, filters};
use super::ranges::Ranges;
use super::{OnnxError, Setting, Value};
use crate::spec::join;
use crate::{CheckedLayer, Layer};

/// The largest weight of a filter in bytes. Seven bits are used, so that two products fit the sixteen bits in which processors
/// without VNNI instructions add them.
const MOST: f32 = 63.0;

/// A map, and what is known of its values.
#[derive(Debug, Clone)]
struct Map {
    value: Value,
    ranges: Option<Ranges>,
    /// Its step, where it has been rounded to bytes.
    step: Option<f32>,
}

/// Adds the layers of one net to a graph.
pub(super) struct ByteWalk<'a> {
    pub(super) walk: Walk<'a>,
    /// Paths of the first convolution, whose three channels leave little to gain, and of the last, which says what the net says.
    pub(super) exact: Vec<String>,
}

impl ByteWalk<'_> {
    /// Adds all layers.
    pub(super) fn net(
        &mut self,
        layers: &[Layer],
        checked: &[CheckedLayer],
        input: Value,
    ) -> Result<Flow, OnnxError> {
        let map = self.sequence(layers, checked, Map { value: input, ranges: None, step: None })?;
        let flat = matches!(layers.last(), Some(Layer::Linear { .. }));
        Ok(Flow { value: map.value, flat })
    }

    fn sequence(
        &mut self,
        layers: &[Layer],
        checked: &[CheckedLayer],
        mut map: Map,
    ) -> Result<Map, OnnxError> {
        let mut rest = layers.iter().zip(checked).peekable();
        let mut flat = false;
        while let Some((layer, at)) = rest.next() {
            map = match layer {
                Layer::Conv { .. } => {
                    let norm = rest.next_if(|(next, _)| matches!(next, Layer::BatchNorm { .. }));
                    self.convolution(layer, at, norm, map)?
                }
                Layer::Relu => {
                    let value = self.layer(layer, at, &map.value, flat)?;
                    Map { value, ranges: map.ranges.map(Ranges::rectified), step: None }
                }
                Layer::MaxPool { .. } | Layer::AvgPool { .. } => {
                    let map = self.in_bytes(&at.path, map)?;
                    let value = self.layer(layer, at, &map.value, flat)?;
                    Map { value, ranges: map.ranges, step: None }
                }
                Layer::Residual { body, shortcut, .. } => {
                    let start = self.in_bytes(&at.path, map)?;
                    let long = self.sequence(body, &at.body, start.clone())?;
                    let long = self.in_bytes(&format!("{}/body", at.path), long)?;
                    let short = self.sequence(shortcut, &at.shortcut, start)?;
                    let short = self.in_bytes(&format!("{}/shortcut", at.path), short)?;
                    let value = self.walk.graph.node(&at.path, "Add", &[&long.value, &short.value], &[])?;
                    let ranges = long.ranges.zip(short.ranges).map(|(long, short)| long.plus(&short));
                    Map { value, ranges, step: None }
                }
                _ => {
                    let value = self.layer(layer, at, &map.value, flat)?;
                    Map { value, ranges: None, step: None }
                }
            };
            flat = flat || matches!(layer, Layer::Linear { .. });
        }
        Ok(map)
    }

    /// A layer in single precision.
    fn layer(
        &mut self,
        layer: &Layer,
        at: &CheckedLayer,
        input: &Value,
        flat: bool,
    ) -> Result<Value, OnnxError> {
        Ok(self.walk.layer(layer, at, Flow { value: input.clone(), flat })?.value)
    }

    /// A convolution and the normalization behind it.
    fn convolution(
        &mut self,
        layer: &Layer,
        at: &CheckedLayer,
        norm: Option<(&Layer, &CheckedLayer)>,
        map: Map,
    ) -> Result<Map, OnnxError> {
        let map = self.in_bytes(&at.path, map)?;
        let Some((norm, norm_at)) = norm else {
            let value = self.layer(layer, at, &map.value, false)?;
            return Ok(Map { value, ranges: None, step: None });
        };
        let ranges =
            Some(Ranges::normalized(self.walk.array(norm_at, "shift")?, self.walk.array(norm_at, "scale")?));
        let value = match map.step {
            Some(step) if !self.exact.contains(&at.path) => {
                self.rounded(layer, at, (norm, norm_at), &map.value, step)?
            }
            _ => {
                let value = self.layer(layer, at, &map.value, false)?;
                self.layer(norm, norm_at, &value, false)?
            }
        };
        Ok(Map { value, ranges, step: None })
    }

    /// The same with filters in bytes, of a map in steps of `step`.
    fn rounded(
        &mut self,
        layer: &Layer,
        at: &CheckedLayer,
        (norm, norm_at): (&Layer, &CheckedLayer),
        input: &Value,
        step: f32,
    ) -> Result<Value, OnnxError> {
        let (Layer::Conv { kernel, stride, padding, groups, bias, .. }, Layer::BatchNorm { epsilon, .. }) =
            (layer, norm)
        else {
            return self.layer(layer, at, input, false);
        };
        let [scales, shifts] = self.affine(norm_at, *epsilon)?;
        let weight = self.walk.array(at, "weight")?;
        let given = if *bias { Some(self.walk.array(at, "bias")?) } else { None };
        let own = weight.data.len() / at.output.channels.max(1);
        let (mut bytes, mut steps, mut sums) = (Vec::new(), Vec::new(), Vec::new());
        let filters_of = weight.data.chunks_exact(own.max(1));
        for (channel, (filter, (scale, shift))) in filters_of.zip(scales.iter().zip(&shifts)).enumerate() {
            let largest = filter.iter().fold(0.0f32, |most, w| most.max((w * scale).abs()));
            let unit = if largest > 0.0 { largest / MOST } else { 1.0 };
            bytes.extend(filter.iter().map(|w| (w * scale / unit).round() as i8));
            let before = given.and_then(|bias| bias.data.get(channel)).copied().unwrap_or(0.0);
            sums.push(((before * scale + shift) / (step * unit)).round() as i32);
            steps.push(unit);
        }
        let graph = &mut *self.walk.graph;
        let name = |word: &str| join(&at.path, word);
        let axis = [("axis", Setting::Int(0))];
        let bytes = graph.signed_bytes(&name("weight"), &weight.shape, &bytes)?;
        let unit = graph.floats(&name("weight.step"), &[steps.len()], &steps)?;
        let weight = graph.node(&name("weight"), "DequantizeLinear", &[&bytes, &unit], &axis)?;
        let sums = graph.integers32(&name("bias"), &sums)?;
        let units: Vec<f32> = steps.iter().map(|unit| unit * step).collect();
        let unit = graph.floats(&name("bias.step"), &[units.len()], &units)?;
        let bias = graph.node(&name("bias"), "DequantizeLinear", &[&sums, &unit], &axis)?;
        let [before, after] = *padding;
        let pads = [before, before, after, after];
        filters(graph, &at.path, &[input, &weight, &bias], ([*kernel, *stride], *groups), pads)
    }

    /// What a normalization multiplies each channel by, and what it adds.
    fn affine(&self, at: &CheckedLayer, epsilon: f32) -> Result<[Vec<f32>; 2], OnnxError> {
        let [scale, shift] = [self.walk.array(at, "scale")?, self.walk.array(at, "shift")?];
        let [mean, variance] = [self.walk.array(at, "mean")?, self.walk.array(at, "variance")?];
        let scales: Vec<f32> =
            scale.data.iter().zip(&variance.data).map(|(s, v)| s / (v + epsilon).sqrt()).collect();
        let shifts = shift.data.iter().zip(mean.data.iter().zip(&scales)).map(|(b, (m, s))| b - m * s);
        let shifts = shifts.collect();
        Ok([scales, shifts])
    }

    /// A map rounded to bytes, where its range is known.
    fn in_bytes(&mut self, reader: &str, map: Map) -> Result<Map, OnnxError> {
        let (Some(ranges), None) = (&map.ranges, map.step) else { return Ok(map) };
        let (step, zero) = ranges.bytes();
        let graph = &mut *self.walk.graph;
        let name = |word: &str| format!("{reader}/bytes.{word}");
        let unit = graph.floats(&name("step"), &[], &[step])?;
        let zero = graph.byte(&name("zero"), zero)?;
        let bytes = graph.node(&name("round"), "QuantizeLinear", &[&map.value, &unit, &zero], &[])?;
        let value = graph.node(&name("back"), "DequantizeLinear", &[&bytes, &unit, &zero], &[])?;
        Ok(Map { value, step: Some(step), ..map })
    }
}

/// The paths of the first convolution and of the last, wherever they stand.
pub(super) fn first_and_last(layers: &[Layer], checked: &[CheckedLayer]) -> Vec<String> {
    fn collect(layers: &[Layer], checked: &[CheckedLayer], all: &mut Vec<String>) {
        for (layer, at) in layers.iter().zip(checked) {
            match layer {
                Layer::Conv { .. } => all.push(at.path.clone()),
                Layer::Residual { body, shortcut, .. } => {
                    collect(body, &at.body, all);
                    collect(shortcut, &at.shortcut, all);
                }
                _ => {}
            }
        }
    }
    let mut all = Vec::new();
    collect(layers, checked, &mut all);
    let ends = [all.first(), all.last()];
    ends.into_iter().flatten().cloned().collect()
}
