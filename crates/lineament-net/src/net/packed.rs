//! The weights of a step, packed for the kernels when they are first needed.

use std::sync::OnceLock;

use super::step::{Convolution, Matrix};
use crate::Isa;
use crate::kernel::winograd::{Form, Winograd};
use crate::kernel::{gemm_f32, gemm_u8i8};

/// Outputs of a matrix that are packed together: on one item, each such part is a piece of work of its own.
pub(crate) const OUTPUTS: usize = 32;

/// One convolution or matrix in the forms that kernels read. A form that is never asked for costs nothing.
#[derive(Debug)]
pub(crate) struct PackedLayer {
    isa: Isa,
    single: OnceLock<Vec<gemm_f32::PackedWeights>>,
    bytes: OnceLock<Vec<gemm_u8i8::PackedWeights>>,
    /// One a form of tiles.
    winograd: [OnceLock<Winograd>; 2],
}

impl PackedLayer {
    /// Nothing yet, for the kernels of `isa`.
    pub(crate) fn new(isa: Isa) -> Self {
        Self { isa, single: OnceLock::new(), bytes: OnceLock::new(), winograd: Default::default() }
    }

    /// The weights of each cell.
    pub(crate) fn cells(&self, convolution: &Convolution) -> &[gemm_f32::PackedWeights] {
        self.single.get_or_init(|| cells(convolution, self.isa))
    }

    /// The weights of each cell in bytes.
    pub(crate) fn byte_cells(&self, convolution: &Convolution) -> &[gemm_u8i8::PackedWeights] {
        let Convolution { filters, activation, .. } = convolution;
        let rows = convolution.rows();
        let pack = |(weight, bias)| {
            gemm_u8i8::PackedWeights::new(weight, bias, *filters, rows, activation, self.isa)
        };
        self.bytes.get_or_init(|| convolution.cells().map(pack).collect())
    }

    /// Weights for tiles.
    pub(crate) fn winograd(&self, convolution: &Convolution, form: Form) -> &Winograd {
        let Convolution { weight, bias, filters, activation, .. } = convolution;
        let [six, five] = &self.winograd;
        let packed = if form.side == 6 { six } else { five };
        packed.get_or_init(|| Winograd::new(weight, bias, form, *filters, activation, self.isa))
    }

    /// The outputs of a matrix in parts of [`OUTPUTS`].
    pub(crate) fn parts(&self, matrix: &Matrix) -> &[gemm_f32::PackedWeights] {
        self.single.get_or_init(|| parts(matrix, OUTPUTS, self.isa))
    }
}

/// Packed weights a cell.
pub(crate) fn cells(convolution: &Convolution, isa: Isa) -> Vec<gemm_f32::PackedWeights> {
    let Convolution { filters, activation, .. } = convolution;
    let pack = |(weight, bias)| gemm_f32::PackedWeights::new(weight, bias, *filters, activation, isa);
    convolution.cells().map(pack).collect()
}

/// Packed weights for each so many outputs; the last may have fewer.
pub(crate) fn parts(matrix: &Matrix, wide: usize, isa: Isa) -> Vec<gemm_f32::PackedWeights> {
    let Matrix { outputs, weight, bias, activation, .. } = matrix;
    let part = |first: usize| {
        let part = first..(first + wide).min(*outputs);
        let columns: Vec<f32> =
            weight.chunks_exact(*outputs).flat_map(|row| &row[part.clone()]).copied().collect();
        let (bias, count) = (&bias[part.clone()], part.len());
        gemm_f32::PackedWeights::new(&columns, bias, count, &activation.part(part), isa)
    };
    (0..*outputs).step_by(wide).map(part).collect()
}
