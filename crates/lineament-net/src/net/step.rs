//! What a plan's convolutions and matrices hold: a layer with all that is folded into it.

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

    /// A bank for each cell: its weight and bias.
    pub(crate) fn cells(&self) -> impl Iterator<Item = (&[f32], &[f32])> {
        let cells = (self.bias.len() / self.filters).max(1);
        self.weight.chunks_exact((self.weight.len() / cells).max(1)).zip(self.bias.chunks_exact(self.filters))
    }

    /// What its windows look like on the map.
    pub(crate) fn rows(&self) -> Rows {
        let kernel = self.window.kernel;
        let inner = self.cells().next().map_or(0, |(weight, _)| weight.len() / self.filters);
        Rows { count: kernel, run: inner / kernel.max(1) }
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
