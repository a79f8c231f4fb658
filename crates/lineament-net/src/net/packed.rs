//! The filters of a step, packed for the kernels when they are first needed.

use std::sync::OnceLock;

use super::step::{Convolution, Matrix};
use crate::kernel::gemm_f32::packing::Panels;
use crate::kernel::gemm_u8i8::packing::BytePanels;
use crate::kernel::winograd::{Form, Winograd};

/// Outputs of a matrix that are packed together: on one item, each such part is a piece of work of its own.
pub(crate) const OUTPUTS: usize = 32;

/// One convolution or matrix in the forms that kernels read. A form that is never asked for costs nothing.
#[derive(Debug, Default)]
pub(crate) struct Bank {
    panels: OnceLock<Vec<Panels>>,
    bytes: OnceLock<Vec<BytePanels>>,
    /// One a form of tiles.
    winograd: [OnceLock<Winograd>; 2],
}

impl Bank {
    /// The filters of each cell.
    pub(crate) fn cells(&self, convolution: &Convolution) -> &[Panels] {
        self.panels.get_or_init(|| cells(convolution))
    }

    /// The filters of each cell in bytes.
    pub(crate) fn byte_cells(&self, convolution: &Convolution) -> &[BytePanels] {
        let Convolution { filters, activation, .. } = convolution;
        let rows = convolution.rows();
        let panels = |(weight, bias)| BytePanels::new(weight, bias, *filters, rows, activation);
        self.bytes.get_or_init(|| convolution.cells().map(panels).collect())
    }

    /// Filters for tiles.
    pub(crate) fn winograd(&self, convolution: &Convolution, form: Form) -> &Winograd {
        let Convolution { weight, bias, filters, activation, .. } = convolution;
        let [six, five] = &self.winograd;
        let bank = if form.side == 6 { six } else { five };
        bank.get_or_init(|| Winograd::new(weight, bias, form, *filters, activation))
    }

    /// The outputs of a matrix in parts of [`OUTPUTS`].
    pub(crate) fn parts(&self, matrix: &Matrix) -> &[Panels] {
        self.panels.get_or_init(|| parts(matrix, OUTPUTS))
    }
}

/// A bank a cell.
pub(crate) fn cells(convolution: &Convolution) -> Vec<Panels> {
    let Convolution { filters, activation, .. } = convolution;
    convolution.cells().map(|(weight, bias)| Panels::new(weight, bias, *filters, activation)).collect()
}

/// A bank for each so many outputs; the last may have fewer.
pub(crate) fn parts(matrix: &Matrix, wide: usize) -> Vec<Panels> {
    let Matrix { outputs, weight, bias, activation, .. } = matrix;
    let part = |first: usize| {
        let part = first..(first + wide).min(*outputs);
        let columns: Vec<f32> =
            weight.chunks_exact(*outputs).flat_map(|row| &row[part.clone()]).copied().collect();
        Panels::new(&columns, &bias[part.clone()], part.len(), &activation.part(part))
    };
    (0..*outputs).step_by(wide).map(part).collect()
}
