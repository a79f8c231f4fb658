//! The weights of a step, packed for the kernels when they are first needed.

use std::ops::Range;
use std::sync::OnceLock;

use super::step::{Convolution, Depthwise, Matrix};
use super::work::{evenly, parts as parts_of};
use crate::Isa;
use crate::kernel::tiling::Packing;
use crate::kernel::winograd::{Form, Winograd};
use crate::kernel::{depthwise, gemm_f32, gemm_u8i8};

/// The most outputs of a matrix that are packed together: each such part is a piece of work of its own.
const OUTPUTS: usize = 32;

/// The outputs of a matrix that are packed together: whole panels, in an even number of parts where there are several.
pub(crate) fn ranges(outputs: usize) -> impl Iterator<Item = Range<usize>> {
    let count = evenly(outputs.div_ceil(OUTPUTS));
    let panels = parts_of(outputs.div_ceil(Packing::MOST_OUTPUTS), count);
    panels.map(move |panels| {
        panels.start * Packing::MOST_OUTPUTS..outputs.min(panels.end * Packing::MOST_OUTPUTS)
    })
}

/// One convolution, depthwise convolution or matrix in the forms that kernels read. A form that is never asked for costs nothing.
#[derive(Debug)]
pub(crate) struct PackedLayer {
    isa: Isa,
    single: OnceLock<Vec<gemm_f32::PackedWeights>>,
    bytes: OnceLock<Vec<gemm_u8i8::PackedWeights>>,
    depthwise: OnceLock<depthwise::Filters>,
    /// One a form of tiles.
    winograd: [OnceLock<Winograd>; 2],
}

impl PackedLayer {
    /// Nothing yet, for the kernels of `isa`.
    pub(crate) fn new(isa: Isa) -> Self {
        let (single, bytes, depthwise) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        Self { isa, single, bytes, depthwise, winograd: Default::default() }
    }

    /// The weights of each cell or group.
    pub(crate) fn banks(&self, convolution: &Convolution) -> &[gemm_f32::PackedWeights] {
        self.single.get_or_init(|| banks(convolution, self.isa))
    }

    /// The weights of each cell or group in bytes.
    pub(crate) fn byte_banks(&self, convolution: &Convolution) -> &[gemm_u8i8::PackedWeights] {
        let (filters, rows) = (convolution.of_bank(), convolution.rows());
        let pack = |(index, (weight, bias))| {
            let activation = convolution.activation_of(index);
            gemm_u8i8::PackedWeights::new(weight, bias, filters, rows, &activation, self.isa)
        };
        self.bytes.get_or_init(|| convolution.banks().enumerate().map(pack).collect())
    }

    /// Weights for tiles.
    pub(crate) fn winograd(&self, convolution: &Convolution, form: Form) -> &Winograd {
        let Convolution { weight, bias, filters, activation, .. } = convolution;
        let [six, five] = &self.winograd;
        let packed = if form.side == 6 { six } else { five };
        packed.get_or_init(|| Winograd::new(weight, bias, form, *filters, activation, self.isa))
    }

    /// The filters of a depthwise convolution.
    pub(crate) fn depthwise(&self, depthwise: &Depthwise) -> &depthwise::Filters {
        self.depthwise.get_or_init(|| filters(depthwise))
    }

    /// The outputs of a matrix in [`ranges`].
    pub(crate) fn parts(&self, matrix: &Matrix) -> &[gemm_f32::PackedWeights] {
        self.single
            .get_or_init(|| ranges(matrix.outputs).map(|range| part(matrix, range, self.isa)).collect())
    }
}

/// The filters of a depthwise convolution.
pub(crate) fn filters(depthwise: &Depthwise) -> depthwise::Filters {
    let Depthwise { window, weight, bias, activation, .. } = depthwise;
    depthwise::Filters::new(weight, bias, *window, activation)
}

/// Packed weights of each cell or group.
pub(crate) fn banks(convolution: &Convolution, isa: Isa) -> Vec<gemm_f32::PackedWeights> {
    let filters = convolution.of_bank();
    let pack = |(index, (weight, bias))| {
        gemm_f32::PackedWeights::new(weight, bias, filters, &convolution.activation_of(index), isa)
    };
    convolution.banks().enumerate().map(pack).collect()
}

/// Packed weights for each so many outputs; the last may have fewer.
pub(crate) fn parts(matrix: &Matrix, wide: usize, isa: Isa) -> Vec<gemm_f32::PackedWeights> {
    let range = |first: usize| first..(first + wide).min(matrix.outputs);
    (0..matrix.outputs).step_by(wide).map(|first| part(matrix, range(first), isa)).collect()
}

/// Packed weights of some outputs.
fn part(matrix: &Matrix, range: Range<usize>, isa: Isa) -> gemm_f32::PackedWeights {
    let Matrix { outputs, weight, bias, activation, .. } = matrix;
    let columns: Vec<f32> =
        weight.chunks_exact(*outputs).flat_map(|row| &row[range.clone()]).copied().collect();
    let (bias, count) = (&bias[range.clone()], range.len());
    gemm_f32::PackedWeights::new(&columns, bias, count, &activation.part(range), isa)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn two_threads_have_as_many_panels_each() {
        let of = |outputs| ranges(outputs).collect::<Vec<_>>();
        assert_eq!(of(40), [0..16, 16..40]);
        assert_eq!(of(64), [0..32, 32..64]);
        assert_eq!(of(160), [0..16, 16..48, 48..80, 80..96, 96..128, 128..160]);
    }

    proptest! {
        #[test]
        fn every_output_is_in_one_range(outputs in 1usize..700) {
            let ranges: Vec<Range<usize>> = ranges(outputs).collect();
            prop_assert!(ranges.iter().all(|range| (1..=OUTPUTS).contains(&range.len())));
            prop_assert!(ranges.windows(2).all(|pair| pair[0].end == pair[1].start));
            prop_assert!(ranges.first().map(|range| range.start) == Some(0));
            prop_assert!(ranges.last().map(|range| range.end) == Some(outputs));
        }
    }
}
