//! What a plan's convolutions and matrices hold: a layer with all that is folded into it.

use std::borrow::Cow;

use crate::Shape;
use crate::kernel::activation::Activation;
use crate::kernel::gemm_u8i8::packing::LONGEST;
use crate::kernel::indirection::Rows;
use crate::kernel::window::Window;

/// A convolution with all that is folded into it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Convolution {
    /// The layer's path, for reports.
    pub(crate) path: String,
    pub(crate) window: Window,
    pub(crate) filters: usize,
    /// Into how many groups filters and input channels are cut; 1 for a locally shared convolution.
    pub(crate) groups: usize,
    /// `[kernel, kernel, inputs, filters]`; for a locally shared convolution one such bank a cell, for one in groups one a
    /// group, with its inputs and filters.
    pub(crate) weight: Vec<f32>,
    /// `[filters]`, a cell each.
    pub(crate) bias: Vec<f32>,
    pub(crate) activation: Activation,
}

impl Convolution {
    /// Inputs that one output sums.
    pub(crate) fn inner(&self, input: Shape) -> usize {
        self.window.kernel * self.window.kernel * input.channels / self.groups
    }

    /// Filters of a bank.
    pub(crate) fn of_bank(&self) -> usize {
        self.filters / self.groups
    }

    /// A bank for each cell or group: its weight and bias.
    pub(crate) fn banks(&self) -> impl Iterator<Item = (&[f32], &[f32])> {
        let filters = self.of_bank();
        let banks = (self.bias.len() / filters).max(1);
        self.weight.chunks_exact((self.weight.len() / banks).max(1)).zip(self.bias.chunks_exact(filters))
    }

    /// What follows the sums of a bank.
    pub(crate) fn activation_of(&self, bank: usize) -> Cow<'_, Activation> {
        if self.groups == 1 {
            return Cow::Borrowed(&self.activation);
        }
        let filters = self.of_bank();
        Cow::Owned(self.activation.part(bank * filters..(bank + 1) * filters))
    }

    /// What its windows look like on the map. Channels of a group are neighbours in one pixel only.
    pub(crate) fn rows(&self) -> Rows {
        let kernel = self.window.kernel;
        let inner = self.banks().next().map_or(0, |(weight, _)| weight.len() / self.of_bank());
        let count = if self.groups == 1 { kernel } else { kernel * kernel };
        Rows { count, run: inner / count.max(1) }
    }

    /// Whether its sums stay in range in bytes.
    pub(crate) fn fits_bytes(&self) -> bool {
        let rows = self.rows();
        rows.count * rows.run <= LONGEST
    }

    pub(crate) fn output(&self, input: Shape) -> Shape {
        Shape { channels: self.filters, ..self.window.slide(input) }
    }
}

/// A depthwise convolution, whose filters read one channel each, with all that is folded into it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Depthwise {
    /// The layer's path, for reports.
    pub(crate) path: String,
    pub(crate) window: Window,
    /// `[kernel, kernel, channels]`.
    pub(crate) weight: Vec<f32>,
    /// `[channels]`.
    pub(crate) bias: Vec<f32>,
    pub(crate) activation: Activation,
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
