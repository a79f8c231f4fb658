//! Convolutions, plainly: a filter at a run of neighboring places, step by step of its window.
//!
//! The map is first laid out so that every place a filter looks at has a number and neighbors lie side by side: padded, and its
//! columns sorted by their remainder where the stride is above 1. One thread then computes a block of places for all filters. Each sum
//! runs through its window in one order.

use lineament_net::{Loops, vectorised};
use rayon::prelude::*;

use super::{Meter, Result};
use crate::error::OnnxError;
use crate::proto::RawNode;
use crate::value::Array;

/// Places of a block, about.
const BLOCK: usize = 512;

/// The windows of a convolution: rows and columns.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Conv {
    strides: [usize; 2],
    dilations: [usize; 2],
    /// Above, left, below, right.
    pads: [usize; 4],
    groups: usize,
}

impl Conv {
    pub(crate) fn of(node: &RawNode) -> std::result::Result<Self, OnnxError> {
        match node.text("auto_pad", "NOTSET") {
            "NOTSET" | "VALID" => {}
            other => return Err(OnnxError::unsupported(format!("{} is padded by {other}", node.label()))),
        }
        let groups = usize::try_from(node.int("group", 1)).ok().filter(|groups| *groups > 0);
        Ok(Self {
            strides: node.sizes("strides", 1, 1)?,
            dilations: node.sizes("dilations", 1, 1)?,
            pads: node.sizes("pads", 0, 0)?,
            groups: groups
                .ok_or_else(|| OnnxError::unsupported(format!("{} has no groups", node.label())))?,
        })
    }

    /// `input` N x C x H x W, `weights` M x C / groups x rows x columns, `bias` M.
    pub(super) fn run(
        &self,
        input: &Array<f32>,
        weights: &Array<f32>,
        bias: Option<&Array<f32>>,
        meter: &mut Meter,
    ) -> Result<Array<f32>> {
        let (&[items, channels, height, width], &[filters, own, high, wide]) =
            (input.shape.as_slice(), weights.shape.as_slice())
        else {
            return Err(format!("{:?} and {:?} are no maps and filters", input.shape, weights.shape).into());
        };
        let fits = own.checked_mul(self.groups) == Some(channels) && filters.is_multiple_of(self.groups);
        if !fits || [filters, own, high, wide, height, width].contains(&0) {
            return Err(format!(
                "filters {:?} in {} groups do not fit a map of {:?}",
                weights.shape, self.groups, input.shape
            )
            .into());
        }
        if bias.is_some_and(|bias| bias.data.len() != filters) {
            return Err(format!("{filters} filters have not as many offsets").into());
        }
        let [above, left, below, right] = self.pads;
        let side = |axis: usize, side: usize, pads: usize, kernel: usize| {
            let window = (kernel - 1).checked_mul(self.dilations[axis])?.checked_add(1)?;
            Some((side + pads).checked_sub(window)? / self.strides[axis] + 1)
        };
        let (Some(rows), Some(columns)) =
            (side(0, height, above + below, high), side(1, width, left + right, wide))
        else {
            return Err(format!("its windows are larger than the map of {height} x {width}").into());
        };
        let shape = vec![items, filters, rows, columns];
        let count = meter.hold(&shape)?;
        meter.spend((count as u64).saturating_mul((own * high * wide) as u64))?;
        let work = Work {
            weights: &weights.data,
            bias: bias.map(|bias| bias.data.as_slice()),
            window: [own, high, wide],
            dilations: self.dilations,
            strides: self.strides,
            per_group: filters / self.groups,
        };
        let mut values = vec![0.0; count];
        let images = values
            .chunks_exact_mut(filters * rows * columns)
            .zip(input.data.chunks_exact(channels * height * width));
        for (values, image) in images {
            if [high, wide] == [1, 1] && self.strides == [1, 1] && self.pads == [0; 4] {
                // No window looks beside its place: the map is one long row.
                let plane = height * width;
                let map = Map { data: image, phases: 1, row: plane, line: plane, plane };
                work.all(&map, values, 1, plane);
            } else {
                let padded = [height + above + below, width + left + right];
                let row = padded[1].div_ceil(self.strides[1]);
                let sides = [channels, padded[0], self.strides[1], row];
                let numbers = meter.hold(&sides)?;
                let laid_out = self.laid_out(image, [height, width], sides, numbers);
                let line = self.strides[1] * row;
                let map =
                    Map { data: &laid_out, phases: self.strides[1], row, line, plane: line * padded[0] };
                work.all(&map, values, rows, columns);
                meter.release(numbers);
            }
        }
        Ok(Array::new(shape, values))
    }

    /// The map with its pads, columns sorted by their remainder to the stride.
    fn laid_out(
        &self,
        image: &[f32],
        [height, width]: [usize; 2],
        sides: [usize; 4],
        numbers: usize,
    ) -> Vec<f32> {
        let [_, lines, phases, row] = sides;
        let [above, left, ..] = self.pads;
        let mut map = vec![0.0; numbers];
        map.par_chunks_mut(lines * phases * row).zip(image.par_chunks(height * width)).for_each(
            |(map, plane)| {
                let map = map.chunks_exact_mut(phases * row).skip(above);
                for (line, values) in map.zip(plane.chunks_exact(width)) {
                    if phases == 1 {
                        line.iter_mut().skip(left).zip(values).for_each(|(to, from)| *to = *from);
                    } else {
                        for (column, value) in values.iter().enumerate() {
                            let at = column + left;
                            if let Some(to) = line.get_mut(at % phases * row + at / phases) {
                                *to = *value;
                            }
                        }
                    }
                }
            },
        );
        map
    }
}

/// A map as filters read it.
struct Map<'a> {
    data: &'a [f32],
    /// Runs of a line, one a remainder.
    phases: usize,
    /// Numbers of a run, of a line and of a channel.
    row: usize,
    line: usize,
    plane: usize,
}

/// The filters.
struct Work<'a> {
    weights: &'a [f32],
    bias: Option<&'a [f32]>,
    /// Channels, rows and columns that a filter sees.
    window: [usize; 3],
    dilations: [usize; 2],
    strides: [usize; 2],
    /// Filters of a group.
    per_group: usize,
}

impl Work<'_> {
    /// All places of all filters: `values` M x rows x columns.
    fn all(&self, map: &Map<'_>, values: &mut [f32], rows: usize, columns: usize) {
        // A block is a part of every filter's map, so that what it reads stays in the cache from filter to filter.
        let (block, wide) =
            if rows == 1 { (BLOCK, BLOCK) } else { ((BLOCK / columns).max(1) * columns, columns) };
        let mut blocks: Vec<Vec<&mut [f32]>> = Vec::new();
        blocks.resize_with((rows * columns).div_ceil(block), Vec::new);
        for plane in values.chunks_exact_mut(rows * columns) {
            for (block, part) in blocks.iter_mut().zip(plane.chunks_mut(block)) {
                block.push(part);
            }
        }
        let reads = self.reads(map);
        let down = self.strides[0] * map.line;
        blocks.into_par_iter().enumerate().for_each(|(index, parts)| {
            for (filter, part) in parts.into_iter().enumerate() {
                let group = map.data.get(filter / self.per_group * self.window[0] * map.plane..);
                let weights = self.weights.get(filter * reads.len()..(filter + 1) * reads.len());
                let offset = self.bias.and_then(|bias| bias.get(filter)).copied().unwrap_or_default();
                for (row, sums) in part.chunks_mut(wide).enumerate() {
                    let place = index * block + row * wide;
                    let from = place / columns * down + place % columns;
                    let window = group.and_then(|group| group.get(from..)).unwrap_or_default();
                    sums.fill(offset);
                    vectorised(Run { sums, window, reads: &reads, weights: weights.unwrap_or_default() });
                }
            }
        });
    }

    /// Where each step of a window is read, from the window's first number on.
    fn reads(&self, map: &Map<'_>) -> Vec<usize> {
        let [channels, high, wide] = self.window;
        let [down, right] = self.dilations;
        let step = |index: usize| {
            let (channel, y, x) = (index / (high * wide), index / wide % high, index % wide);
            let shift = x * right;
            channel * map.plane + y * down * map.line + shift % map.phases * map.row + shift / map.phases
        };
        (0..channels * high * wide).map(step).collect()
    }
}

/// The sums of a filter at neighboring places.
struct Run<'a> {
    sums: &'a mut [f32],
    /// The map from the first place's window on.
    window: &'a [f32],
    /// Where each step of a window is read.
    reads: &'a [usize],
    weights: &'a [f32],
}

/// Steps that are added at once, so that sums are loaded and stored once for all of them.
const STEPS: usize = 4;

impl Loops for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const L: usize>(self) {
        let Self { sums, window, reads, weights } = self;
        let places = sums.len();
        let run = |read: usize| window.get(read..).and_then(|run| run.get(..places)).unwrap_or_default();
        let (four, rest) = reads.as_chunks::<STEPS>();
        let (by_four, by_one) = weights.as_chunks::<STEPS>();
        for (reads, [a, b, c, d]) in four.iter().zip(by_four) {
            let [first, second, third, fourth] = reads.map(run);
            for ((((sum, one), two), three), four) in
                sums.iter_mut().zip(first).zip(second).zip(third).zip(fourth)
            {
                *sum = *sum + a * one + b * two + c * three + d * four;
            }
        }
        for (read, weight) in rest.iter().zip(by_one) {
            for (sum, value) in sums.iter_mut().zip(run(*read)) {
                *sum += weight * value;
            }
        }
    }
}
