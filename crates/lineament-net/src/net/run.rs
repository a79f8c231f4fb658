//! Runs a compiled plan.

use rayon::prelude::*;

use super::Net;
use super::plan::{Step, Stretch};
use super::scratch::grown;
use super::step::Means;
use crate::Shape;

/// The maps of one item on its way through a stretch. Buffers only grow.
#[derive(Debug, Default)]
pub(crate) struct Arena {
    slots: Vec<Vec<f32>>,
    shapes: Vec<Shape>,
}

/// Where the values of an item come from and go to.
#[derive(Debug, Clone, Copy)]
struct Ends {
    input: Shape,
    /// The input has its channels outermost.
    from_planes: bool,
    /// The output shall have its channels outermost.
    to_planes: bool,
}

impl Net {
    /// `input` and `output` are whole batches, C x H x W an item.
    pub(super) fn run(&self, input: &[f32], shape: Shape, output: &mut [f32], items: usize) {
        if items == 0 {
            return;
        }
        self.batches.with(|here| {
            self.batches.with(|there| {
                let (mut here, mut there) = (here, there);
                let mut shape = shape;
                let last = self.stretches.len().saturating_sub(1);
                for (index, stretch) in self.stretches.iter().enumerate() {
                    let to = stretch.output(shape);
                    let source = if index == 0 { input } else { &here[..items * shape.elements()] };
                    let target =
                        if index == last { &mut *output } else { grown(there, items * to.elements()) };
                    match stretch {
                        Stretch::Matrix(matrix) => {
                            let parallel = rayon::current_num_threads() > 1;
                            matrix.run(source, target, &Means { buffers: &self.buffers, parallel });
                        }
                        Stretch::Maps { .. } => {
                            let ends =
                                Ends { input: shape, from_planes: index == 0, to_planes: index == last };
                            self.items(stretch, ends, source, target, to);
                        }
                    }
                    std::mem::swap(&mut here, &mut there);
                    shape = to;
                }
            });
        });
    }

    /// Sends every item through a stretch of maps. As many items as there are threads go side by side; those that are
    /// left share the threads within their steps. Neither choice changes a bit.
    fn items(&self, stretch: &Stretch, ends: Ends, input: &[f32], output: &mut [f32], to: Shape) {
        let (from, to) = (ends.input.elements(), to.elements());
        let threads = rayon::current_num_threads();
        let items = output.len() / to;
        let side_by_side = if threads > 1 { items - items % threads } else { 0 };
        let (inputs, rest_in) = input.split_at(side_by_side * from);
        let (outputs, rest_out) = output.split_at_mut(side_by_side * to);
        outputs.par_chunks_mut(to).zip(inputs.par_chunks(from)).for_each(|(output, input)| {
            self.item(stretch, ends, input, output, false);
        });
        for (output, input) in rest_out.chunks_mut(to).zip(rest_in.chunks(from)) {
            self.item(stretch, ends, input, output, threads > 1);
        }
    }

    fn item(&self, stretch: &Stretch, ends: Ends, input: &[f32], output: &mut [f32], parallel: bool) {
        let Stretch::Maps { steps, slots, output: last } = stretch else { return };
        let means = Means { buffers: &self.buffers, parallel };
        self.arenas.with(|arena| {
            if arena.slots.len() < *slots {
                arena.slots.resize_with(*slots, Vec::new);
            }
            arena.shapes.clear();
            arena.shapes.resize(*slots, Shape::new(0, 0, 0));
            arena.shapes[0] = ends.input;
            let first = grown(&mut arena.slots[0], input.len());
            if ends.from_planes {
                transpose(input, first, ends.input.channels);
            } else {
                first.copy_from_slice(input);
            }
            for step in steps {
                arena.step(step, &means);
            }
            let map = &arena.slots[*last][..output.len()];
            if ends.to_planes {
                transpose(map, output, output.len() / arena.shapes[*last].channels);
            } else {
                output.copy_from_slice(map);
            }
        });
    }
}

impl Stretch {
    /// Shape of the result for a map that the spec's check let through.
    fn output(&self, input: Shape) -> Shape {
        match self {
            Self::Matrix(matrix) => Shape::new(matrix.outputs, 1, 1),
            Self::Maps { steps, slots, output } => {
                let mut shapes = vec![input; *slots];
                for step in steps {
                    let (to, shape) = step.output(&shapes);
                    shapes[to] = shape;
                }
                shapes[*output]
            }
        }
    }
}

impl Step {
    /// The slot that the step writes and the shape it leaves there.
    fn output(&self, shapes: &[Shape]) -> (usize, Shape) {
        match self {
            Self::Convolve { convolution, input, output, .. }
            | Self::ConvolveCells { convolution, input, output, .. } => {
                (*output, convolution.output(shapes[*input]))
            }
            Self::Multiply { matrix, output, .. } => (*output, Shape::new(matrix.outputs, 1, 1)),
            Self::Pool { window, input, output, .. } => (*output, window.slide(shapes[*input])),
            Self::Copy { input, output } => (*output, shapes[*input]),
            Self::Normalise { slot, .. } | Self::Activate { slot, .. } => (*slot, shapes[*slot]),
            Self::Add { into, .. } => (*into, shapes[*into]),
        }
    }
}

impl Arena {
    fn step(&mut self, step: &Step, means: &Means<'_>) {
        let (to, shape) = step.output(&self.shapes);
        // Taken out for the time of the step: a plan never reads the slot that it writes, except in place.
        let mut buffer = std::mem::take(&mut self.slots[to]);
        let out = grown(&mut buffer, shape.elements());
        let map = |slot: usize| (&self.slots[slot][..self.shapes[slot].elements()], self.shapes[slot]);
        let line = shape.width * shape.channels;
        match step {
            Step::Convolve { convolution, input, accumulate, .. } => {
                let (map, from) = map(*input);
                convolution.run(map, from, out, *accumulate, means);
            }
            Step::ConvolveCells { convolution, grid, input, .. } => {
                let (map, from) = map(*input);
                convolution.run_in_cells(*grid, map, from, out, means);
            }
            Step::Multiply { matrix, input, .. } => matrix.run(map(*input).0, out, means),
            Step::Pool { pooling, window, input, .. } => {
                let (map, from) = map(*input);
                means.pieces(out, line, |row, piece| pooling.row(*window, map, from, row, piece));
            }
            Step::Copy { input, .. } => out.copy_from_slice(map(*input).0),
            Step::Normalise { affine, activation, .. } => {
                means.pieces(out, line, |_, piece| {
                    activation.apply_with_scale(piece, &affine.scale, &affine.shift);
                });
            }
            Step::Activate { activation, .. } => {
                means.pieces(out, line, |_, piece| activation.apply(piece, shape.channels));
            }
            Step::Add { input, activation, .. } => {
                let (map, _) = map(*input);
                means.pieces(out, line, |row, piece| {
                    let added = &map[row * line..row * line + piece.len()];
                    piece.iter_mut().zip(added).for_each(|(v, a)| *v += a);
                    activation.apply(piece, shape.channels);
                });
            }
        }
        self.slots[to] = buffer;
        self.shapes[to] = shape;
    }
}

/// `from` holds `rows` rows one after the other; `to` takes its columns one after the other.
pub(crate) fn transpose(from: &[f32], to: &mut [f32], rows: usize) {
    let columns = from.len() / rows;
    if rows == 1 || columns == 1 {
        to.copy_from_slice(from);
        return;
    }
    for (column, values) in to.chunks_exact_mut(rows).enumerate() {
        let source = from[column..].iter().step_by(columns);
        values.iter_mut().zip(source).for_each(|(v, &s)| *v = s);
    }
}

#[cfg(test)]
mod tests {
    use super::transpose;

    #[test]
    fn transposing_moves_channels_inside_and_back() {
        let planes = [1.0, 2.0, 3.0, 10.0, 20.0, 30.0];
        let (mut pixels, mut back) = ([0.0; 6], [0.0; 6]);
        transpose(&planes, &mut pixels, 2);
        assert_eq!(pixels, [1.0, 10.0, 2.0, 20.0, 3.0, 30.0]);
        transpose(&pixels, &mut back, 3);
        assert_eq!(back, planes);
    }
}
