//! What hangs together with the rim of a box (Zitnick and Dollar, "Edge Boxes", ECCV 2014, section 3.2): the part of a
//! box's score that takes most of the time, as it asks for every group that crosses one of four lines.

use crate::Window;
use crate::groups::{EdgeGroups, NO_GROUP};
use crate::paths::EdgePaths;
use lineament_net::{Loops, vectorised};

/// Groups that stand side by side.
const LANES: usize = 8;

/// Bits of the word that says which blocks are touched.
const BITS: usize = u64::BITS as usize;

/// One number for each group of a block.
type Lanes = [f32; LANES];

/// Column, row and magnitude of the groups of a block. Numbers of pixels are exact in single precision, a image having
/// fewer than 2^24 a side.
#[derive(Debug, Clone, Default)]
struct Block {
    x: Lanes,
    y: Lanes,
    magnitude: Lanes,
}

/// What a group reaches of one block: the weights of the best paths, nothing for a group that no path leads to.
#[derive(Debug)]
struct Reach {
    block: u32,
    /// The bit of the block among those touched.
    bit: u32,
    weights: Lanes,
}

/// The groups of a image and the lines that they cross.
///
/// Groups are seated in blocks so that those which hang together share one: what a group reaches is a few blocks then,
/// and what is true of one group of a block mostly is of the others.
#[derive(Debug)]
pub(crate) struct Rim {
    blocks: Vec<Block>,
    /// As many neighbouring blocks share a bit of those touched.
    together: usize,
    /// List after list, for each group.
    reached: Vec<Reach>,
    /// Where the list of each group begins, and where the last one ends.
    starts: Vec<usize>,
    rows: Crossings,
    columns: Crossings,
}

/// Working memory of one thread: how strongly each group hangs together with the rim of the box at hand.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// Nothing but zeros between boxes.
    weights: Vec<Lanes>,
}

impl Rim {
    /// Prepares the groups of a image.
    pub(crate) fn of(groups: &EdgeGroups, width: usize) -> Self {
        let paths = EdgePaths::of(groups);
        let seats = seats(&paths, groups.groups().len());
        let mut blocks = vec![Block::default(); seats.iter().max().map_or(0, |last| last / LANES + 1)];
        for (group, &seat) in groups.groups().iter().zip(&seats) {
            let (block, lane) = (&mut blocks[seat / LANES], seat % LANES);
            block.x[lane] = group.pixel.0 as f32;
            block.y[lane] = group.pixel.1 as f32;
            block.magnitude[lane] = group.magnitude;
        }
        let together = blocks.len().div_ceil(BITS).max(1);
        let (mut reached, mut starts) = (Vec::<Reach>::new(), vec![0]);
        // How long the lists were when a block was last reached.
        let mut latest = vec![0; blocks.len()];
        // Fewer groups than pixels, and fewer pixels than 2^32.
        for group in 0..seats.len() as u32 {
            let begin = reached.len();
            for &(other, weight) in paths.from(group) {
                let seat = seats[other as usize];
                let block = seat / LANES;
                if latest[block] <= begin {
                    let [block, bit] = [block, block / together].map(|number| number as u32);
                    reached.push(Reach { block, bit, weights: [0.0; LANES] });
                    latest[block as usize] = reached.len();
                }
                reached[latest[block] - 1].weights[seat % LANES] = weight;
            }
            starts.push(reached.len());
        }
        Self {
            blocks,
            together,
            reached,
            starts,
            rows: Crossings::of_rows(groups.labels(), width),
            columns: Crossings::of_columns(groups.labels(), width),
        }
    }

    /// The magnitudes of the groups in a box, those that cross its rim with weight 1, others with that of the best path
    /// from one of them. The box must have an extent and lie in the image.
    pub(crate) fn holds(&self, area: &Window, scratch: &mut Scratch) -> f32 {
        let weights = &mut scratch.weights;
        if weights.len() < self.blocks.len() {
            weights.resize(self.blocks.len(), [0.0; LANES]);
        }
        vectorised(Held { rim: self, area, weights })
    }
}

/// What [`Rim::holds`] asks, for a box.
struct Held<'a> {
    rim: &'a Rim,
    area: &'a Window,
    weights: &'a mut [Lanes],
}

impl Loops for Held<'_> {
    type Output = f32;

    #[inline(always)]
    fn run<const L: usize>(mut self) -> f32 {
        let touched = self.reach();
        self.sum(touched)
    }
}

impl Held<'_> {
    /// Writes down how strongly groups hang together with the rim; says which blocks have some that do.
    #[inline(always)]
    fn reach(&mut self) -> u64 {
        let (rim, area) = (self.rim, self.area);
        let mut touched = 0u64;
        let lines = [
            rim.rows.between(area.y0, area.x0, area.x1),
            rim.rows.between(area.y1 - 1, area.x0, area.x1),
            rim.columns.between(area.x0, area.y0, area.y1),
            rim.columns.between(area.x1 - 1, area.y0, area.y1),
        ];
        for line in lines {
            for &group in line {
                let group = group as usize;
                for reach in &rim.reached[rim.starts[group]..rim.starts[group + 1]] {
                    touched |= 1 << reach.bit;
                    let block = &mut self.weights[reach.block as usize];
                    let mut best = *block;
                    for (best, weight) in best.iter_mut().zip(reach.weights) {
                        *best = if weight > *best { weight } else { *best };
                    }
                    *block = best;
                }
            }
        }
        touched
    }

    /// What groups of the blocks hold, of those within the box; no weight is left.
    #[inline(always)]
    fn sum(&mut self, mut touched: u64) -> f32 {
        let Window { x0, x1, y0, y1 } = *self.area;
        let [x0, x1, y0, y1] = [x0 as f32, x1 as f32, y0 as f32, y1 as f32];
        let (blocks, together) = (&self.rim.blocks, self.rim.together);
        let mut sums = [0.0f32; LANES];
        while touched != 0 {
            let first = touched.trailing_zeros() as usize * together;
            touched &= touched - 1;
            let end = (first + together).min(blocks.len());
            for (Block { x, y, magnitude }, weights) in
                blocks[first..end].iter().zip(&mut self.weights[first..end])
            {
                let weights = std::mem::take(weights);
                for lane in 0..LANES {
                    let inside = (x[lane] >= x0) & (x[lane] < x1) & (y[lane] >= y0) & (y[lane] < y1);
                    // A mask, not a branch: vectors of lanes come out of it.
                    let mask = u32::from(inside).wrapping_neg();
                    sums[lane] += f32::from_bits((magnitude[lane] * weights[lane]).to_bits() & mask);
                }
            }
        }
        sums.iter().sum()
    }
}

/// Where each group sits: those that paths connect one after the other, the closest first.
fn seats(paths: &EdgePaths, count: usize) -> Vec<usize> {
    let mut seats = vec![usize::MAX; count];
    let mut next = 0;
    let mut open = Vec::new();
    // Fewer groups than pixels, and fewer pixels than 2^32.
    for start in 0..count as u32 {
        open.push(start);
        while let Some(group) = open.pop() {
            let seat = &mut seats[group as usize];
            if *seat == usize::MAX {
                *seat = next;
                next += 1;
                // What was put on last is seated next.
                open.extend(paths.from(group).iter().rev().map(|&(other, _)| other));
            }
        }
    }
    seats
}

/// Which groups a line of pixels (a row, or a column) crosses, in order.
#[derive(Debug)]
struct Crossings {
    length: usize,
    /// Labels of the runs of equal labels, line after line.
    runs: Vec<u32>,
    /// For every pixel, line by line: twice the number of runs that have begun in all lines up to and with it, and one more
    /// where a run covers it.
    begun: Vec<u32>,
}

impl Crossings {
    fn of_rows(labels: &[u32], width: usize) -> Self {
        let mut made = Self::with_room(width, labels.len());
        labels.chunks_exact(width.max(1)).for_each(|row| made.push(row.iter()));
        made
    }

    fn of_columns(labels: &[u32], width: usize) -> Self {
        let mut made = Self::with_room(labels.len() / width.max(1), labels.len());
        (0..width).for_each(|x| made.push(labels[x..].iter().step_by(width)));
        made
    }

    fn with_room(length: usize, pixels: usize) -> Self {
        Self { length, runs: Vec::new(), begun: Vec::with_capacity(pixels) }
    }

    /// Adds a line.
    fn push<'a>(&mut self, labels: impl Iterator<Item = &'a u32>) {
        let mut last = NO_GROUP;
        for &label in labels {
            if label != last && label != NO_GROUP {
                self.runs.push(label);
            }
            last = label;
            // A image has fewer than 2^31 pixels, so runs are fewer, too.
            self.begun.push(2 * self.runs.len() as u32 + u32::from(label != NO_GROUP));
        }
    }

    /// Labels on pixels `from..to` of a line; `from < to`.
    #[inline(always)]
    fn between(&self, line: usize, from: usize, to: usize) -> &[u32] {
        let line = &self.begun[line * self.length..][..self.length];
        let (first, last) = (line[from], line[to - 1]);
        &self.runs[(first / 2 - first % 2) as usize..(last / 2) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edges::Edges;
    use crate::groups::Grouping;

    /// Rows of dashes of three pixels, three rows apart.
    fn dashes(width: usize, height: usize, gap: usize) -> EdgeGroups {
        let on = |i: usize| (i / width).is_multiple_of(3) && i % width % (3 + gap) < 3;
        let magnitude = (0..width * height).map(|i| f32::from(u8::from(on(i)))).collect();
        let edges = Edges::from_parts(width, height, magnitude, vec![0.0; width * height]);
        EdgeGroups::of(&edges, &Grouping { merge_threshold: 0.5, min_group_magnitude: 0.5, gamma: 2.0 })
    }

    #[test]
    fn more_groups_than_bits_are_held_as_by_definition() {
        let (width, height) = (119, 120);
        // Dashes with gaps of one hang together along a whole row, those with gaps of two stand alone.
        for (gap, together) in [(1, true), (2, false)] {
            let groups = dashes(width, height, gap);
            assert!(groups.groups().len() > LANES * BITS, "{}", groups.groups().len());
            let (rim, mut scratch) = (Rim::of(&groups, width), Scratch::default());
            for (x0, y0, x1, y1) in [(0, 0, width, height), (10, 11, 53, 40), (51, 3, 52, 98), (7, 6, 100, 7)]
            {
                let crosses = |x: usize, y: usize| x == x0 || x == x1 - 1 || y == y0 || y == y1 - 1;
                let pixels = || (y0..y1).flat_map(|y| (x0..x1).map(move |x| (x, y)));
                let crossing: Vec<u32> = pixels()
                    .filter(|&(x, y)| crosses(x, y))
                    .map(|(x, y)| groups.labels()[y * width + x])
                    .collect();
                let row = |label: u32| groups.groups()[label as usize].pixel.1;
                let held = |label: u32| {
                    let mut others = crossing.iter().filter(|&&other| other != NO_GROUP);
                    others.any(|&other| other == label || (together && row(other) == row(label)))
                };
                let inside = |(x, y): (usize, usize)| (x0..x1).contains(&x) && (y0..y1).contains(&y);
                let expected: f32 = (0..)
                    .zip(groups.groups())
                    .filter(|(label, group)| inside(group.pixel) && held(*label))
                    .map(|(_, group)| group.magnitude)
                    .sum();
                let area = Window { x0, y0, x1, y1 };
                // Twice: nothing of a box is left for the next.
                for _ in 0..2 {
                    let found = rim.holds(&area, &mut scratch);
                    assert!((found - expected).abs() < 1e-3, "{area:?}, gap {gap}: {found} not {expected}");
                }
            }
        }
    }
}
