//! What a plan's convolutions and matrices hold: a layer with all that is folded into it.

use crate::Shape;
use crate::kernel::activation::Activation;
use crate::kernel::window::Window;

/// A convolution with all that is folded into it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Convolution {
    /// The layer's path, for reports.
    pub(crate) path: String,
    pub(crate) window: Window,
    pub(crate) filters: usize,
    /// `[kernel, kernel, inputs, filters]`; for a locally shared convolution one such bank a cell.
    pub(crate) weight: Vec<f32>,
    /// `[filters]`, a cell each.
    pub(crate) bias: Vec<f32>,
    pub(crate) activation: Activation,
}

impl Convolution {
    /// Inputs that one output sums.
    pub(crate) fn inner(&self, input: Shape) -> usize {
        self.window.kernel * self.window.kernel * input.channels
    }

    pub(crate) fn output(&self, input: Shape) -> Shape {
        Shape { channels: self.filters, ..self.window.slide(input) }
    }
}

/// A fully connected layer with all that is folded into it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Matrix {
    /// The layer's path, for reports.
    pub(crate) path: String,
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    /// `[inputs, outputs]`, inputs in the order of the map (rows, columns, channels).
    pub(crate) weight: Vec<f32>,
    pub(crate) bias: Vec<f32>,
    pub(crate) activation: Activation,
}
