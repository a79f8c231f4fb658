//! From [`NetSpec`] to burn: the forward of a net on tensors that can be differentiated.

use burn::tensor::module::{avg_pool2d, batch_norm, batch_norm_train, conv2d, max_pool2d};
use burn::tensor::ops::{AvgPoolOptions, ConvOptions, MaxPoolOptions};
use burn::tensor::{Tensor, activation::relu};
use lineament_net::{Layer, NetSpec, Parameter, SpecError};

use crate::local_conv::local_conv;

/// Whether batch norm uses (and reports) the statistics of the batch or the stored ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Batch statistics; the pass reports them for the running averages.
    Train,
    /// Stored statistics.
    Evaluate,
}

/// Batch statistics of one batch-norm layer, to be blended into its running averages.
#[derive(Debug)]
pub struct BatchStatistics {
    /// Index of the `.mean` parameter.
    pub mean_index: usize,
    /// Index of the `.variance` parameter.
    pub variance_index: usize,
    /// Batch mean, `C`.
    pub mean: Tensor<1>,
    /// Unbiased batch variance, `C`.
    pub variance: Tensor<1>,
}

/// What one forward pass gives.
#[derive(Debug)]
pub struct Pass {
    /// Output, `N x C x H x W`.
    pub output: Tensor<4>,
    /// Statistics of every batch-norm layer (empty in [`Mode::Evaluate`]).
    pub statistics: Vec<BatchStatistics>,
}

/// A net that burn can train: the spec, and where its parameters begin in the learner's list.
///
/// Parameters live outside, as flat tensors in the order of [`NetSpec::parameters`], so that optimiser,
/// moving average and checkpoint treat all of them alike.
#[derive(Debug, Clone)]
pub struct Module {
    spec: NetSpec,
    parameters: Vec<Parameter>,
    offset: usize,
}

impl Module {
    /// Checks the spec and notes that its parameters begin at `offset`.
    ///
    /// # Errors
    /// Whatever [`NetSpec::parameters`] refuses.
    pub fn new(spec: &NetSpec, offset: usize) -> Result<Self, SpecError> {
        Ok(Self { spec: spec.clone(), parameters: spec.parameters()?, offset })
    }

    /// The spec.
    pub fn spec(&self) -> &NetSpec {
        &self.spec
    }

    /// Its parameters, in order.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// One past the last parameter in the learner's list.
    pub fn end(&self) -> usize {
        self.offset + self.parameters.len()
    }

    /// Where the parameters begin in the learner's list.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Runs the net on `input` (`N x C x H x W`) with the learner's flat parameters `values`.
    pub fn forward(&self, values: &[Tensor<1>], input: Tensor<4>, mode: Mode) -> Pass {
        let mut walk = Walk {
            parameters: &self.parameters,
            values: &values[self.offset..self.end()],
            offset: self.offset,
            next: 0,
            mode,
            statistics: Vec::new(),
        };
        let output = walk.layers(&self.spec.layers, input);
        Pass { output, statistics: walk.statistics }
    }
}

/// One walk over the layers; parameters are taken in the order in which the spec lists them.
struct Walk<'a> {
    parameters: &'a [Parameter],
    values: &'a [Tensor<1>],
    offset: usize,
    next: usize,
    mode: Mode,
    statistics: Vec<BatchStatistics>,
}

impl Walk<'_> {
    fn take<const D: usize>(&mut self) -> Tensor<D> {
        let shape: &[usize] = &self.parameters[self.next].shape;
        let mut dims = [1; D];
        dims.copy_from_slice(shape);
        let value = self.values[self.next].clone().reshape(dims);
        self.next += 1;
        value
    }

    fn take_if<const D: usize>(&mut self, there: bool) -> Option<Tensor<D>> {
        there.then(|| self.take())
    }

    fn layers(&mut self, layers: &[Layer], input: Tensor<4>) -> Tensor<4> {
        layers.iter().fold(input, |x, layer| self.layer(layer, x))
    }

    fn layer(&mut self, layer: &Layer, x: Tensor<4>) -> Tensor<4> {
        match layer {
            Layer::Conv { stride, padding: [before, after], groups, bias, .. } => {
                let weight = self.take::<4>();
                let bias = self.take_if::<1>(*bias);
                let padding = [(*before, *after); 2];
                conv2d(x, weight, bias, ConvOptions::new_with_padding([*stride; 2], padding, [1; 2], *groups))
            }
            Layer::LocalConv { stride, padding, grid, bias, .. } => {
                let weight = self.take::<5>();
                let bias = self.take_if::<2>(*bias);
                local_conv(x, weight, bias, *grid, *stride, *padding)
            }
            Layer::BatchNorm { epsilon, .. } => self.batch_norm(x, f64::from(*epsilon)),
            Layer::Relu => relu(x),
            Layer::Relu6 => x.clamp(0.0, 6.0),
            Layer::HardSwish => x.clone() * ((x + 3.0).clamp(0.0, 6.0) / 6.0),
            Layer::Prelu { .. } => {
                let slope = self.take::<1>();
                let channels = slope.dims()[0];
                let below = x.clone().clamp_max(0.0) * slope.reshape([1, channels, 1, 1]);
                relu(x) + below
            }
            Layer::MaxPool { kernel, stride, padding } => max_pool2d(
                x,
                MaxPoolOptions::new([*kernel; 2]).with_stride([*stride; 2]).with_padding([*padding; 2]),
            ),
            Layer::AvgPool { kernel, stride, padding } => avg_pool2d(
                x,
                AvgPoolOptions::new([*kernel; 2])
                    .with_stride([*stride; 2])
                    .with_padding([*padding; 2])
                    .with_count_include_pad(false),
            ),
            Layer::Residual { body, shortcut, .. } => {
                let straight = self.layers(body, x.clone());
                straight + self.layers(shortcut, x)
            }
            Layer::Linear { bias, .. } => {
                let [n, c, h, w] = x.dims();
                let weight = self.take::<2>();
                let outputs = weight.dims()[0];
                let flat = x.reshape([n, c * h * w]).matmul(weight.transpose());
                let flat = match self.take_if::<1>(*bias) {
                    Some(bias) => flat + bias.reshape([1, outputs]),
                    None => flat,
                };
                flat.reshape([n, outputs, 1, 1])
            }
        }
    }

    fn batch_norm(&mut self, x: Tensor<4>, epsilon: f64) -> Tensor<4> {
        let scale = self.take::<1>();
        let shift = self.take::<1>();
        let mean_index = self.offset + self.next;
        let mean = self.take::<1>();
        let variance = self.take::<1>();
        match self.mode {
            Mode::Evaluate => batch_norm(x, scale, shift, mean, variance, epsilon),
            Mode::Train => {
                let [n, _, h, w] = x.dims();
                let count = (n * h * w) as f64;
                let out = batch_norm_train(x, scale, shift, epsilon);
                self.statistics.push(BatchStatistics {
                    mean_index,
                    variance_index: mean_index + 1,
                    mean: out.mean.inner(),
                    variance: out.variance.inner() * (count / (count - 1.0).max(1.0)),
                });
                out.output
            }
        }
    }
}
