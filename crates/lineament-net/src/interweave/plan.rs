//! From a net's compiled steps to the same steps on numbered values.

use super::Share;
use super::number::{Map, Numbered, Numbering};
use super::operation::{Operation, Piece};
use super::run::Unrolled;
use crate::kernel::tiling::{FEW_WINDOWS, UNIT_WINDOWS};
use crate::kernel::window::Window;
use crate::net::plan::{Plan, Slot, Step};
use crate::net::step::{Convolution, Matrix};
use crate::net::work::parts;
use crate::{Isa, MAX_ELEMENTS, Shape};

/// The most window taps that are looked at, over all layers and patches: half a gigabyte of tables and some seconds. The
/// paper's ANet needs a twentieth of it for nine patches.
const MOST_TAPS: usize = 1 << 26;
/// The most pixels of a region whose values are numbered.
const MOST_PIXELS: usize = 1 << 24;

/// TransformLayout of a convolution that are enough to be had in equal numbers by two threads.
const PIECES: usize = 16;

/// Unrolls `plan` for patches of shape `patch` at `offsets`, all within the region. `None` when it is too large to
/// be planned.
pub(crate) fn unroll(
    plan: Plan,
    region: Shape,
    patch: Shape,
    offsets: &[[usize; 2]],
    isa: Isa,
) -> Option<(Unrolled, Vec<Share>)> {
    let pixels = |shape: Shape| shape.height.checked_mul(shape.width);
    pixels(region).filter(|&pixels| pixels <= MOST_PIXELS)?;
    pixels(patch)?.checked_mul(offsets.len()).filter(|&pixels| pixels <= MOST_TAPS)?;
    let mut unroller = Unroller {
        numbering: Numbering { offsets, budget: MOST_TAPS },
        maps: vec![Some(Map::region(region, patch, offsets))],
        operations: Vec::new(),
        shares: Vec::new(),
    };
    unroller.maps.resize(plan.slots, None);
    for step in plan.steps {
        unroller.step(step)?;
    }
    let Unroller { mut maps, operations, shares, .. } = unroller;
    let map = maps.get_mut(plan.output)?.take()?;
    let pixels = [region.height * region.width, region.channels];
    Some((Unrolled::new(operations, plan.slots, pixels, (plan.output, map), isa)?, shares))
}

struct Unroller<'a> {
    numbering: Numbering<'a>,
    /// What each slot holds at this point of the plan.
    maps: Vec<Option<Map>>,
    operations: Vec<Operation>,
    shares: Vec<Share>,
}

impl Unroller<'_> {
    fn map(&self, slot: Slot) -> Option<&Map> {
        self.maps.get(slot)?.as_ref()
    }

    fn put(&mut self, slot: Slot, map: Map, operation: Operation) -> Option<()> {
        *self.maps.get_mut(slot)? = Some(map);
        self.operations.push(operation);
        Some(())
    }

    /// Numbers what a window gives. Maps of all patches together may be larger than the one map that was checked.
    fn windows(
        &mut self,
        input: Slot,
        window: Window,
        grid: [usize; 2],
        addend: Option<Slot>,
        channels: usize,
    ) -> Option<Numbered> {
        let map = self.maps.get(input)?.as_ref()?;
        let addend = match addend {
            Some(slot) => Some(self.maps.get(slot)?.as_ref()?),
            None => None,
        };
        let numbered = self.numbering.windows(map, window, grid, addend, channels)?;
        numbered.map.values().checked_mul(channels).filter(|&all| all <= MAX_ELEMENTS)?;
        Some(numbered)
    }

    fn step(&mut self, step: Step) -> Option<()> {
        match step {
            Step::Convolve { convolution, input, output, accumulate } => {
                self.convolution(convolution, [1, 1], input, output, accumulate)
            }
            Step::ConvolveCells { convolution, grid, input, output } => {
                self.convolution(convolution, grid, input, output, false)
            }
            Step::Depthwise { depthwise, input, output } => {
                let (channels, taps) =
                    (depthwise.bias.len(), depthwise.window.kernel * depthwise.window.kernel);
                let Numbered { map, table, .. } =
                    self.windows(input, depthwise.window, [1, 1], None, channels)?;
                self.share(&depthwise.path, &map, taps);
                let values = map.values();
                let operation = Operation::Depthwise { depthwise, table, values, channels, input, output };
                self.put(output, map, operation)
            }
            Step::Multiply { matrix, input, output } => self.matrix(matrix, input, output),
            Step::Pool { pooling, window, input, output } => {
                let channels = self.map(input)?.shape.channels;
                let Numbered { map, table, .. } = self.windows(input, window, [1, 1], None, channels)?;
                let values = map.values();
                self.put(output, map, Operation::Pool { pooling, table, values, channels, input, output })
            }
            Step::Copy { input, output } => {
                let map = self.map(input)?.clone();
                let (values, channels) = (map.values(), map.shape.channels);
                self.put(output, map, Operation::Copy { values, channels, input, output })
            }
            // Unrolled plans are in single precision.
            Step::ToBytes { .. } => None,
            Step::Normalise { affine, activation, slot } => {
                let size = self.map(slot)?.values() * affine.scale.len();
                self.operations.push(Operation::Normalise { affine, activation, size, slot });
                Some(())
            }
            Step::Activate { activation, slot } => {
                let map = self.map(slot)?;
                let (values, channels) = (map.values(), map.shape.channels);
                self.operations.push(Operation::Activate { activation, values, channels, slot });
                Some(())
            }
            Step::Add { input, into, activation } => {
                let channels = self.map(into)?.shape.channels;
                let pixel = Window { kernel: 1, stride: 1, padding: [0; 2] };
                let Numbered { map, table, addend, .. } =
                    self.windows(input, pixel, [1, 1], Some(into), channels)?;
                self.put(into, map, Operation::Add { table, addend, channels, input, into, activation })
            }
        }
    }

    fn convolution(
        &mut self,
        convolution: Convolution,
        grid: [usize; 2],
        input: Slot,
        output: Slot,
        accumulate: bool,
    ) -> Option<()> {
        let inner = convolution.inner(self.map(input)?.shape);
        let addend = accumulate.then_some(output);
        let numbered = self.windows(input, convolution.window, grid, addend, convolution.filters)?;
        self.share(&convolution.path, &numbered.map, inner);
        let mut pieces = Vec::new();
        let mut first = 0;
        // Half as large where there are few of them, so that threads have as much to do each.
        let cells = &numbered.cells;
        let few = cells.iter().map(|values| values.div_ceil(UNIT_WINDOWS)).sum::<usize>() < PIECES;
        for (cell, &values) in cells.iter().enumerate() {
            let count = values.div_ceil(if few { UNIT_WINDOWS / 2 } else { UNIT_WINDOWS });
            // Of what kernels take at once.
            pieces.extend(parts(values.div_ceil(FEW_WINDOWS), count).map(|few| {
                let (start, end) = (few.start * FEW_WINDOWS, values.min(few.end * FEW_WINDOWS));
                Piece { cell, first: first + start, values: end - start }
            }));
            first += values;
        }
        let Numbered { map, table, addend, .. } = numbered;
        let addend = accumulate.then_some(addend);
        self.put(
            output,
            map,
            Operation::Convolve { convolution, table, pieces, addend, inner, input, output },
        )
    }

    fn matrix(&mut self, matrix: Matrix, input: Slot, output: Slot) -> Option<()> {
        let map = self.maps.get(input)?.as_ref()?;
        let channels = map.shape.channels;
        let Numbered { map, table, .. } = self.numbering.whole(map, matrix.outputs)?;
        map.values().checked_mul(matrix.inputs.max(matrix.outputs)).filter(|&all| all <= MAX_ELEMENTS)?;
        self.share(&matrix.path, &map, matrix.inputs);
        let values = map.values();
        self.put(output, map, Operation::Multiply { matrix, table, values, channels, input, output })
    }

    fn share(&mut self, path: &str, map: &Map, inner: usize) {
        let products = |values: usize| {
            (values as u64).saturating_mul(inner as u64).saturating_mul(map.shape.channels as u64)
        };
        self.shares.push(Share {
            layer: path.to_owned(),
            unrolled: products(map.values()),
            patchwise: products(map.numbers.len()),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing() -> Plan {
        Plan { steps: vec![], slots: 1, output: 0 }
    }

    #[test]
    fn what_is_too_large_to_be_planned_is_left_alone() {
        let patch = Shape::new(1, 1, 1);
        assert!(
            unroll(nothing(), Shape::new(1, 1 << 20, 1 << 20), patch, &[[0, 0]], Isa::PORTABLE).is_none()
        );
        assert!(unroll(nothing(), Shape::new(1, usize::MAX, 2), patch, &[[0, 0]], Isa::PORTABLE).is_none());
        assert!(unroll(nothing(), Shape::new(1, 2, 2), patch, &[[0, 0]], Isa::PORTABLE).is_some());
    }
}
