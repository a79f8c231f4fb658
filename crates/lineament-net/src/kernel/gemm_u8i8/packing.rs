//! Filters as eight-bit integers, in the order in which the sums of bytes read them.

use crate::kernel::activation::Activation;
use crate::kernel::aligned::Aligned;
use crate::kernel::indirection::Rows;

/// Outputs of a panel, and inputs that are multiplied with one instruction: 64 bytes are a register of AVX-512.
pub(crate) const OUTPUTS: usize = 16;
pub(crate) const INPUTS: usize = 4;
/// Bytes that go together.
pub(crate) const STEP: usize = OUTPUTS * INPUTS;

/// The largest filter value; -128 is left out, so that both signs reach as far.
const MOST: f32 = 127.0;

/// The longest sum that stays in the range of i32, with what its zeros come to: 2 x 255 x 127 x 32,768 is below 2^31.
pub(crate) const LONGEST: usize = 1 << 15;

/// A bank of filters, each with a scale of its own, and what follows the sums.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BytePanels {
    rows: Rows,
    outputs: usize,
    /// Panel after panel, `[rows, steps, OUTPUTS, INPUTS]` each; beyond the last output and the end of a row there are zeros.
    values: Aligned,
    /// What one is worth, an output each; as many as the panels have places for, as all that follow.
    scales: Aligned,
    /// The sum of an output's filter.
    sums: Vec<i32>,
    bias: Aligned,
    /// As in [`crate::kernel::gemm_f32::packing::Panels`].
    slopes: Aligned,
}

/// One panel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BytePanel<'a> {
    /// `[rows, steps, OUTPUTS, INPUTS]`.
    pub(crate) values: &'a [i8],
    pub(crate) scales: &'a [f32; OUTPUTS],
    pub(crate) sums: &'a [i32; OUTPUTS],
    pub(crate) bias: &'a [f32; OUTPUTS],
    pub(crate) slopes: &'a [f32; OUTPUTS],
}

impl BytePanels {
    /// From `weight` `[rows.count, rows.run, outputs]` and `bias` `[outputs]`.
    pub(crate) fn new(
        weight: &[f32],
        bias: &[f32],
        outputs: usize,
        rows: Rows,
        activation: &Activation,
    ) -> Self {
        let steps = steps(rows);
        let panels = outputs.div_ceil(OUTPUTS);
        let filled = panels * OUTPUTS;
        let mut values = Aligned::zeros(panels * rows.count * steps * STEP / size_of::<f32>());
        let [mut scales, mut offsets, mut slopes] = [filled; 3].map(Aligned::zeros);
        let mut sums = vec![0; filled];
        offsets[..bias.len().min(outputs)].copy_from_slice(&bias[..bias.len().min(outputs)]);
        slopes[..outputs].copy_from_slice(&activation.slopes(outputs));
        for row in weight.chunks_exact(outputs) {
            scales.iter_mut().zip(row).for_each(|(most, w)| *most = most.max(w.abs()));
        }
        // A filter of zeros, or of next to nothing, is one of zeros.
        scales
            .iter_mut()
            .for_each(|most| *most = if (*most / MOST).is_normal() { *most / MOST } else { 1.0 });
        let bytes: &mut [i8] = bytemuck::cast_slice_mut(&mut values);
        for (at, filters) in weight.chunks_exact(outputs).enumerate() {
            let (row, at) = (at / rows.run.max(1), at % rows.run.max(1));
            for (output, w) in filters.iter().enumerate() {
                let value = (w / scales[output]).round().clamp(-MOST, MOST) as i8;
                let step = (output / OUTPUTS * rows.count + row) * steps + at / INPUTS;
                bytes[step * STEP + output % OUTPUTS * INPUTS + at % INPUTS] = value;
                sums[output] += i32::from(value);
            }
        }
        Self { rows, outputs, values, scales, sums, bias: offsets, slopes }
    }

    /// What its windows look like, in bytes.
    pub(crate) fn rows(&self) -> Rows {
        self.rows
    }

    /// Number of filters.
    pub(crate) fn outputs(&self) -> usize {
        self.outputs
    }

    /// The panels, first outputs first.
    pub(crate) fn panels(&self) -> impl Iterator<Item = BytePanel<'_>> {
        let each = (self.rows.count * steps(self.rows) * STEP).max(1);
        let values = bytemuck::cast_slice(&self.values).chunks_exact(each);
        let [scales, bias, slopes] =
            [&self.scales, &self.bias, &self.slopes].map(|list| list.as_chunks::<OUTPUTS>().0);
        let sums = self.sums.as_chunks::<OUTPUTS>().0;
        values.zip(scales).zip(sums).zip(bias.iter().zip(slopes)).map(
            |(((values, scales), sums), (bias, slopes))| BytePanel { values, scales, sums, bias, slopes },
        )
    }
}

/// Instructions that a row of a window takes.
pub(crate) fn steps(rows: Rows) -> usize {
    rows.run.div_ceil(INPUTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_inputs_of_an_output_stand_together() {
        let rows = Rows { count: 2, run: 5 };
        let weight: Vec<f32> = (0..2 * 5 * 18)
            .map(|i| ((i / 18) as f32 + 1.0) * if i % 18 == 17 { -1.0 } else { 2.0 })
            .collect();
        let panels = BytePanels::new(&weight, &[3.0; 18], 18, rows, &Activation::Relu);
        let both: Vec<BytePanel<'_>> = panels.panels().collect();
        assert_eq!(both.len(), 2);
        // The largest of ten is 127, and the fifth of a row stands alone with zeros.
        let of = |panel: usize, output: usize| -> Vec<i8> {
            both[panel]
                .values
                .chunks(STEP)
                .flat_map(|step| step[4 * output..4 * output + 4].to_vec())
                .collect()
        };
        let expected = [13, 25, 38, 51, 64, 0, 0, 0, 76, 89, 102, 114, 127, 0, 0, 0];
        assert_eq!(of(0, 0), expected);
        assert_eq!(of(1, 1), expected.map(|v: i8| -v));
        assert_eq!(of(1, 2), [0; 16]);
        assert_eq!((both[0].sums[0], both[1].sums[1], both[1].sums[2]), (699, -699, 0));
        assert!(
            (both[0].scales[0] - 20.0 / 127.0).abs() < 1e-6
                && (both[1].scales[1] - 10.0 / 127.0).abs() < 1e-6
        );
        assert_eq!((both[1].bias[1], both[1].bias[2], both[0].slopes[0]), (3.0, 0.0, 0.0));
    }

    #[test]
    fn filters_of_zeros_stay_zeros() {
        let rows = Rows { count: 1, run: 3 };
        let panels = BytePanels::new(&[0.0, 1e-42, 0.0, 0.0, 0.0, 0.0], &[], 2, rows, &Activation::Identity);
        let panel = panels.panels().next();
        assert!(panel.is_some_and(|panel| panel.values.iter().all(|v| *v == 0) && panel.sums[0] == 0));
    }
}
