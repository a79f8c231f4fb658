//! The forward pass as plain loops, one layer after the other: slow, and easy to see right. Sums are kept in f64. The
//! fast [`crate::Net`] is tested against it.

use crate::spec::join;
use crate::{Array, CheckedLayer, ForwardError, Layer, NetSpec, Shape, Tensor, Weights, WeightsError};

/// Runs the net on a batch.
///
/// # Errors
/// When spec or weights are wrong, or the input does not fit.
pub fn forward(spec: &NetSpec, weights: &Weights, input: &Tensor) -> Result<Tensor, ForwardError> {
    weights.check(spec)?;
    let given = input.map();
    if given.channels != spec.input.channels {
        return Err(ForwardError::Channels { net: spec.name.clone(), expected: spec.input, given });
    }
    let checked = spec.check_for(given.height, given.width)?;
    let run = Run { net: &spec.name, weights };
    let out = checked.output();
    let mut data = Vec::new();
    for item in (0..input.items()).filter_map(|item| input.item(item)) {
        data.extend(run.sequence(&spec.layers, checked.layers(), item)?);
    }
    let shape = [input.items(), out.channels, out.height, out.width];
    Tensor::from_vec(shape, data)
        .map_err(|_| ForwardError::Batch { net: spec.name.clone(), items: input.items() })
}

struct Run<'a> {
    net: &'a str,
    weights: &'a Weights,
}

impl Run<'_> {
    fn array(&self, layer: &CheckedLayer, word: &str) -> Result<&Array, WeightsError> {
        let name = join(&layer.path, word);
        self.weights.get(&name).ok_or_else(|| WeightsError::Missing { name, net: self.net.to_owned() })
    }

    fn sequence(
        &self,
        layers: &[Layer],
        checked: &[CheckedLayer],
        input: &[f32],
    ) -> Result<Vec<f32>, WeightsError> {
        let mut map = input.to_vec();
        for (layer, checked) in layers.iter().zip(checked) {
            map = self.layer(layer, checked, &map)?;
        }
        Ok(map)
    }

    fn layer(&self, layer: &Layer, at: &CheckedLayer, x: &[f32]) -> Result<Vec<f32>, WeightsError> {
        let plane = at.input.height * at.input.width;
        Ok(match layer {
            Layer::Conv { kernel, stride, padding, groups, bias, .. } => {
                let weight = self.array(at, "weight")?;
                let bias = if *bias { Some(self.array(at, "bias")?) } else { None };
                // What is added below and on the right is read as zeros, however much it is.
                convolve(at, x, weight, bias, [*kernel, *stride, padding[0]], ([1, 1], *groups))
            }
            Layer::LocalConv { kernel, stride, padding, grid, bias, .. } => {
                let weight = self.array(at, "weight")?;
                let bias = if *bias { Some(self.array(at, "bias")?) } else { None };
                convolve(at, x, weight, bias, [*kernel, *stride, *padding], (*grid, 1))
            }
            Layer::BatchNorm { epsilon, .. } => {
                let [scale, shift] = [self.array(at, "scale")?, self.array(at, "shift")?];
                let [mean, variance] = [self.array(at, "mean")?, self.array(at, "variance")?];
                each(x, plane, |c, v| {
                    let deviation = (f64::from(variance.data[c]) + f64::from(*epsilon)).sqrt();
                    let normal = (f64::from(v) - f64::from(mean.data[c])) / deviation;
                    (normal * f64::from(scale.data[c]) + f64::from(shift.data[c])) as f32
                })
            }
            Layer::Relu => each(x, plane, |_, v| v.max(0.0)),
            Layer::Relu6 => each(x, plane, |_, v| v.clamp(0.0, 6.0)),
            Layer::HardSwish => each(x, plane, |_, v| v * (v + 3.0).clamp(0.0, 6.0) / 6.0),
            Layer::Prelu { .. } => {
                let slope = self.array(at, "slope")?;
                each(x, plane, |c, v| if v > 0.0 { v } else { slope.data[c] * v })
            }
            Layer::MaxPool { kernel, stride, padding } => {
                pool(at, x, [*kernel, *stride, *padding], |window| {
                    window.iter().copied().fold(f32::NEG_INFINITY, f32::max)
                })
            }
            Layer::AvgPool { kernel, stride, padding } => {
                pool(at, x, [*kernel, *stride, *padding], |window| {
                    (window.iter().map(|&v| f64::from(v)).sum::<f64>() / window.len() as f64) as f32
                })
            }
            Layer::Residual { body, shortcut, .. } => {
                let body = self.sequence(body, &at.body, x)?;
                let shortcut = self.sequence(shortcut, &at.shortcut, x)?;
                body.iter().zip(&shortcut).map(|(a, b)| a + b).collect()
            }
            Layer::Linear { bias, .. } => {
                let weight = self.array(at, "weight")?;
                let bias = if *bias { Some(self.array(at, "bias")?) } else { None };
                let rows = weight.data.chunks(x.len()).enumerate();
                rows.map(|(o, row)| {
                    let start = bias.map_or(0.0, |b| f64::from(b.data[o]));
                    (start + row.iter().zip(x).map(|(&w, &v)| f64::from(w) * f64::from(v)).sum::<f64>())
                        as f32
                })
                .collect()
            }
        })
    }
}

/// Every value through `f` with its channel.
fn each(x: &[f32], plane: usize, f: impl Fn(usize, f32) -> f32) -> Vec<f32> {
    x.iter().enumerate().map(|(i, &v)| f(i / plane, v)).collect()
}

/// Convolution with one filter bank for each cell of the output map, whose filters read the channels of their group.
fn convolve(
    at: &CheckedLayer,
    x: &[f32],
    weight: &Array,
    bias: Option<&Array>,
    [kernel, stride, padding]: [usize; 3],
    ([rows, cols], groups): ([usize; 2], usize),
) -> Vec<f32> {
    let (from, to) = (at.input, at.output);
    let inputs = from.channels / groups;
    let mut out = Vec::with_capacity(to.elements());
    for filter in 0..to.channels {
        for y in 0..to.height {
            for x_out in 0..to.width {
                let cell = (y * rows / to.height) * cols + x_out * cols / to.width;
                let bank = cell * to.channels + filter;
                let mut sum = bias.map_or(0.0, |b| f64::from(b.data[bank]));
                let first = filter * groups / to.channels * inputs;
                for c in 0..inputs {
                    for ky in 0..kernel {
                        for kx in 0..kernel {
                            let (row, col) = (y * stride + ky, x_out * stride + kx);
                            let value = padded(x, from, first + c, row, col, padding).unwrap_or(0.0);
                            let tap = ((bank * inputs + c) * kernel + ky) * kernel + kx;
                            sum += f64::from(weight.data[tap]) * f64::from(value);
                        }
                    }
                }
                out.push(sum as f32);
            }
        }
    }
    out
}

/// Every window's values (padding left out) through `f`.
fn pool(
    at: &CheckedLayer,
    x: &[f32],
    [kernel, stride, padding]: [usize; 3],
    f: impl Fn(&[f32]) -> f32,
) -> Vec<f32> {
    let (from, to) = (at.input, at.output);
    let mut out = Vec::with_capacity(to.elements());
    let mut window = Vec::with_capacity(kernel.min(from.height) * kernel.min(from.width));
    for c in 0..to.channels {
        for y in 0..to.height {
            for x_out in 0..to.width {
                window.clear();
                for ky in 0..kernel {
                    for kx in 0..kernel {
                        window.extend(padded(x, from, c, y * stride + ky, x_out * stride + kx, padding));
                    }
                }
                out.push(f(&window));
            }
        }
    }
    out
}

/// The value at a place of the padded map; `None` in the padding.
fn padded(x: &[f32], shape: Shape, c: usize, row: usize, col: usize, padding: usize) -> Option<f32> {
    let (row, col) = (row.checked_sub(padding)?, col.checked_sub(padding)?);
    if row >= shape.height || col >= shape.width {
        return None;
    }
    x.get((c * shape.height + row) * shape.width + col).copied()
}
