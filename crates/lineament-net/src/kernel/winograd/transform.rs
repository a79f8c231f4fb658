//! The way of Winograd's tiles to their places and back, some channels at a time. Plain loops over neighbouring channels: each isa compiles them for its
//! own vectors. Where tiles lie is checked before; a check for each value would take longer than the sums.
#![allow(unsafe_code)]

use std::ops::Range;

use super::layout::TransformLayout;
use super::tile::{Form, Grid, Tile};
use crate::kernel::activation::Top;
use crate::kernel::aligned::LANES;
use crate::kernel::isa::Isa;
use crate::kernel::simd::dispatch::{self, Loops};
use crate::kernel::simd::lanes::Lanes;

/// The largest side of a tile.
const WIDEST: usize = 6;

/// Tiles that are to be transformed: `BᵀdB` of each, for each channel.
pub(crate) struct InputTransform<'a> {
    pub(crate) map: &'a [f32],
    pub(crate) tiles: &'a [Tile],
    pub(crate) channels: usize,
    /// Results on a side of a tile, which is how far tiles stand apart.
    pub(crate) results: usize,
}

/// Products that are to be transformed back: `AᵀmA` of each tile, with offset, sum and slope.
pub(crate) struct OutputTransform<'a> {
    /// One piece of all tiles.
    pub(crate) products: &'a [f32],
    pub(crate) all: usize,
    /// Those that are transformed, the first of which is number `first` of all.
    pub(crate) tiles: &'a [Tile],
    pub(crate) first: usize,
    /// Channels of the output, and those of them that the products are of.
    pub(crate) channels: usize,
    pub(crate) outputs: Range<usize>,
    /// Where in the whole output the part begins that is written.
    pub(crate) base: usize,
    pub(crate) bias: &'a [f32],
    pub(crate) slopes: &'a [f32],
    pub(crate) top: Top,
    pub(crate) accumulate: bool,
}

/// Tiles of one size on their way out.
struct InputTiles<'a, const SIDE: usize> {
    all: &'a InputTransform<'a>,
    transformed: &'a mut [f32],
}

impl<const SIDE: usize> Loops for InputTiles<'_, SIDE> {
    type Output = ();

    #[inline(always)]
    fn run<const L: usize>(self) {
        let Self { all, transformed } = self;
        let mut half = [[Lanes::ZERO; SIDE]; SIDE];
        let mut last = [[Lanes::ZERO; SIDE]; SIDE];
        let [whole, eights] = [L, LANES].map(|lanes| all.channels - all.channels % lanes);
        for (index, tile) in all.tiles.iter().enumerate() {
            // SAFETY: `InputTransform::run` has checked the tiles, and the channels are there.
            unsafe {
                for lane in (0..whole).step_by(L) {
                    all.tile::<SIDE, L>(index, tile, (lane, L), &mut half, transformed);
                }
                // A length that is known becomes one instruction, any other a call.
                for lane in (whole..eights).step_by(LANES) {
                    all.tile::<SIDE, LANES>(index, tile, (lane, LANES), &mut last, transformed);
                }
                for lane in (whole.max(eights)..all.channels).step_by(LANES) {
                    let there = all.channels - lane;
                    all.tile::<SIDE, LANES>(index, tile, (lane, there), &mut last, transformed);
                }
            }
        }
    }
}

/// Tiles of one form on their way back.
struct OutputTiles<'a, const SIDE: usize, const RESULTS: usize> {
    all: &'a OutputTransform<'a>,
    out: &'a mut [f32],
}

impl<const SIDE: usize, const RESULTS: usize> Loops for OutputTiles<'_, SIDE, RESULTS> {
    type Output = ();

    #[inline(always)]
    fn run<const L: usize>(self) {
        let Self { all, out } = self;
        let mut half = [[Lanes::ZERO; RESULTS]; SIDE];
        let mut last = [[Lanes::ZERO; RESULTS]; SIDE];
        let channels = all.outputs.len();
        let [whole, eights] = [L, LANES].map(|lanes| channels - channels % lanes);
        for (index, tile) in all.tiles.iter().enumerate() {
            // SAFETY: `OutputTransform::run` has checked the tiles, and the channels are there.
            unsafe {
                for lane in (0..whole).step_by(L) {
                    all.tile::<SIDE, RESULTS, L>(index, tile, (lane, L), &mut half, out);
                }
                // As above.
                for lane in (whole..eights).step_by(LANES) {
                    all.tile::<SIDE, RESULTS, LANES>(index, tile, (lane, LANES), &mut last, out);
                }
                for lane in (whole.max(eights)..channels).step_by(LANES) {
                    let there = channels - lane;
                    all.tile::<SIDE, RESULTS, LANES>(index, tile, (lane, there), &mut last, out);
                }
            }
        }
    }
}

impl InputTransform<'_> {
    /// Fills `transformed`, a piece of [`TransformLayout`], from tiles of `side` pixels; what lies outside of the map is zero.
    ///
    /// # Panics
    /// When a tile lies outside of `map`, or `transformed` is too small: that would be a mistake in a plan, not in an input.
    pub(crate) fn run(&self, isa: Isa, side: usize, transformed: &mut [f32]) {
        let all = TransformLayout::whole(self.tiles.len(), side * side);
        assert!(transformed.len() >= all.values(self.channels), "transforms of {} values", transformed.len());
        for tile in self.tiles {
            let range = tile.range(tile.input, side, self.results, self.channels);
            assert!(range.is_some_and(|range| range.end <= self.map.len()), "{tile:?} is outside of its map");
        }
        if side == WIDEST {
            dispatch::run(isa, InputTiles::<WIDEST> { all: self, transformed });
        } else {
            dispatch::run(isa, InputTiles::<5> { all: self, transformed });
        }
    }

    /// Channels `lane..lane + there` of one tile.
    ///
    /// # Safety
    /// The tile was checked as [`InputTransform::run`] does; the channels are there, `L` at most.
    #[inline(always)]
    unsafe fn tile<const SIDE: usize, const L: usize>(
        &self,
        index: usize,
        tile: &Tile,
        (lane, there): (usize, usize),
        half: &mut [[Lanes<L>; SIDE]; SIDE],
        transformed: &mut [f32],
    ) {
        let Self { map, channels, results, .. } = *self;
        let Tile { input, row, column, .. } = *tile;
        let (top, left) = (row * results, column * results);
        let (rows, columns) = (SIDE.min(input.rows - top), SIDE.min(input.columns - left));
        let start = input.start + top * input.line + left * channels + lane;
        for y in 0..SIDE {
            let mut line = [Lanes::ZERO; SIDE];
            let start = start + y * input.line;
            // Most tiles are whole. Loops of constant length: a line that is asked for by a number that is not known stays in memory.
            let whole = y < rows && columns == SIDE;
            for (x, pixel) in line.iter_mut().enumerate() {
                if whole || (y < rows && x < columns) {
                    // SAFETY: as the caller promises.
                    *pixel = unsafe { Lanes::read(map, start + x * channels, there) };
                }
            }
            for (column, value) in half.iter_mut().zip(&input_line(&line)) {
                column[y] = *value;
            }
        }
        let stride = TransformLayout::whole(self.tiles.len(), SIDE * SIDE).stride(0, channels);
        let mut at = index * channels + lane;
        // By reference throughout: iterators that own arrays of vectors copy them around.
        for column in half.iter() {
            for value in &input_line(column) {
                // SAFETY: as the caller promises.
                unsafe { value.write(transformed, at, there) };
                at += stride;
            }
        }
    }
}

impl OutputTransform<'_> {
    /// Fills the results of tiles of `form` in `out`, which is what follows `base` of the whole; results outside of the map are left out.
    ///
    /// # Panics
    /// When there are too few products, offsets or slopes, or a tile lies outside of `out`: that would be a mistake in a plan, not in an input.
    pub(crate) fn run(&self, isa: Isa, form: Form, out: &mut [f32]) {
        let (all, outputs) = (TransformLayout::whole(self.all, form.points()), self.outputs.len());
        assert!(self.products.len() >= all.values(outputs), "products of {} values", self.products.len());
        assert!(self.first + self.tiles.len() <= self.all, "tiles beyond {}", self.all);
        let most = self.channels.min(self.bias.len()).min(self.slopes.len());
        assert!(self.outputs.end <= most, "not one offset and slope an output");
        for tile in self.tiles {
            let range = tile.range(tile.output, form.results, form.results, self.channels);
            let within = self.base..self.base + out.len();
            let inside = range.is_some_and(|range| within.start <= range.start && range.end <= within.end);
            assert!(inside, "{tile:?} is outside of its part");
        }
        match form.results {
            4 => dispatch::run(isa, OutputTiles::<6, 4> { all: self, out }),
            3 => dispatch::run(isa, OutputTiles::<5, 3> { all: self, out }),
            _ => dispatch::run(isa, OutputTiles::<6, 2> { all: self, out }),
        }
    }

    /// Channels `lane..lane + there`, of those that the products are of, of one tile.
    ///
    /// # Safety
    /// The tile was checked as [`OutputTransform::run`] does; the channels are there, `L` at most.
    #[inline(always)]
    unsafe fn tile<const SIDE: usize, const RESULTS: usize, const L: usize>(
        &self,
        index: usize,
        tile: &Tile,
        (lane, there): (usize, usize),
        half: &mut [[Lanes<L>; RESULTS]; SIDE],
        out: &mut [f32],
    ) {
        let (channels, outputs) = (self.channels, self.outputs.len());
        let first = self.outputs.start + lane;
        let Grid { start, line, rows, columns } = tile.output;
        let (top, left) = (tile.row * RESULTS, tile.column * RESULTS);
        let start = start.wrapping_sub(self.base).wrapping_add(top * line + left * channels + first);
        let (rows, columns) = (rows - top, columns - left);
        let stride = TransformLayout::whole(self.all, SIDE * SIDE).stride(0, outputs);
        let mut at = (self.first + index) * outputs + lane;
        for half in &mut *half {
            let mut column = [Lanes::ZERO; SIDE];
            for value in &mut column {
                // SAFETY: as the caller promises.
                *value = unsafe { Lanes::read(self.products, at, there) };
                at += stride;
            }
            *half = output_line(&column);
        }
        // SAFETY: as the caller promises.
        let [bias, slope] = [self.bias, self.slopes].map(|each| unsafe { Lanes::read(each, first, there) });
        for y in 0..RESULTS.min(rows) {
            let mut across = [Lanes::ZERO; SIDE];
            for (value, column) in across.iter_mut().zip(half.iter()) {
                *value = column[y];
            }
            let across: [Lanes<L>; RESULTS] = output_line(&across);
            for (x, value) in across.iter().enumerate() {
                if x < columns {
                    let to = start + y * line + x * channels;
                    let value = *value + bias;
                    // SAFETY: as the caller promises.
                    unsafe {
                        let value = if self.accumulate { value + Lanes::read(out, to, there) } else { value };
                        value.sloped(slope).topped(self.top).write(out, to, there);
                    }
                }
            }
        }
    }
}

impl Tile {
    /// From its first to its last value in a map: it has `side` pixels on a side, as far as they are there, and stands `step` pixels from the next. `None`
    /// when nothing of it is there.
    fn range(&self, grid: Grid, side: usize, step: usize, channels: usize) -> Option<Range<usize>> {
        let (top, left) = (self.row * step, self.column * step);
        let there = |first: usize, all: usize| {
            all.checked_sub(first).filter(|rest| *rest > 0).map(|rest| rest.min(side))
        };
        let (rows, columns) = (there(top, grid.rows)?, there(left, grid.columns)?);
        let start = grid.start.checked_add(top * grid.line + left * channels)?;
        Some(start..start.checked_add((rows - 1) * grid.line + columns * channels)?)
    }
}

/// `Bᵀd` of one line. Values are put into their places one by one: lists of vectors that are copied go through memory.
#[inline(always)]
fn input_line<const SIDE: usize, const L: usize>(line: &[Lanes<L>; SIDE]) -> [Lanes<L>; SIDE] {
    let (a, b, c, d, e) = (line[0], line[1], line[2], line[3], line[4]);
    let mut out = [Lanes::ZERO; SIDE];
    if SIDE == WIDEST {
        let f = line[SIDE - 1];
        let (near, far) = (d - b * 4.0, e - c * 4.0);
        let (odd, even) = ((d - b) * 2.0, e - c);
        out[0] = a * 4.0 - c * 5.0 + e;
        out[1] = far + near;
        out[2] = far - near;
        out[3] = even + odd;
        out[4] = even - odd;
        out[SIDE - 1] = b * 4.0 - d * 5.0 + f;
    } else {
        let odd = d - b;
        out[0] = (a - c) * 2.0 + odd;
        out[1] = d - c - b * 2.0;
        out[2] = d - c * 3.0 + b * 2.0;
        out[3] = odd;
        out[4] = e - c - odd * 2.0;
    }
    out
}

/// `Aᵀm` of one line.
#[inline(always)]
fn output_line<const SIDE: usize, const RESULTS: usize, const L: usize>(
    m: &[Lanes<L>; SIDE],
) -> [Lanes<L>; RESULTS] {
    let (near, apart) = (m[1] + m[2], m[1] - m[2]);
    let (far, wide) = if SIDE == WIDEST { (m[3] + m[4], m[3] - m[4]) } else { (m[3], m[3]) };
    let mut out = [Lanes::ZERO; RESULTS];
    out[0] = m[0] + near + far;
    out[1] = apart + wide * 2.0;
    if RESULTS > 2 {
        out[RESULTS.min(3) - 1] = near + far * 4.0;
    }
    if RESULTS > 3 {
        out[RESULTS - 1] = apart + wide * 8.0;
    }
    // Infinity speaks for the last result only.
    out[RESULTS - 1] = out[RESULTS - 1] + m[SIDE - 1];
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Second tile of a map of 8 x 8 pixels of one channel.
    fn tile() -> Tile {
        let grid = Grid { start: 3, line: 8, rows: 8, columns: 8 };
        Tile { input: grid, output: Grid { rows: 6, columns: 6, ..grid }, row: 1, column: 1 }
    }

    fn transform_input(map: usize, values: usize) {
        let (map, mut out) = (vec![0.0; map], vec![0.0; values]);
        let all = InputTransform { map: &map, tiles: &[tile()], channels: 1, results: 4 };
        Isa::available().into_iter().for_each(|isa| all.run(isa, 6, &mut out));
    }

    fn transform_output(base: usize, out: usize) {
        let form = Form { side: 6, results: 4 };
        let products = vec![0.0; TransformLayout::whole(1, form.points()).values(1)];
        let (mut out, zeros) = (vec![0.0; out], [0.0]);
        let tiles = [tile()];
        let all = OutputTransform {
            products: &products,
            all: 1,
            tiles: &tiles,
            first: 0,
            channels: 1,
            outputs: 0..1,
            base,
            bias: &zeros,
            slopes: &zeros,
            top: Top::Open,
            accumulate: false,
        };
        Isa::available().into_iter().for_each(|isa| all.run(isa, form, &mut out));
    }

    #[test]
    fn a_tile_reaches_to_the_end_of_its_map() {
        // Four rows and columns are left of six.
        assert_eq!(tile().range(tile().input, 6, 4, 1), Some(3 + 4 * 8 + 4..3 + 7 * 8 + 8));
        assert_eq!(Tile { row: 2, ..tile() }.range(tile().input, 6, 4, 1), None);
        transform_input(3 + 64, TransformLayout::whole(1, 36).values(1));
        // Two rows and columns of results.
        transform_output(3 + 4 * 8 + 4, 8 + 2);
    }

    #[test]
    #[should_panic(expected = "is outside of its map")]
    fn a_tile_outside_of_its_map_is_refused() {
        transform_input(3 + 63, TransformLayout::whole(1, 36).values(1));
    }

    #[test]
    #[should_panic(expected = "transforms of")]
    fn too_little_room_for_transforms_is_refused() {
        transform_input(3 + 64, TransformLayout::whole(1, 36).values(1) - 1);
    }

    #[test]
    #[should_panic(expected = "is outside of its part")]
    fn a_tile_before_its_part_is_refused() {
        transform_output(3 + 4 * 8 + 5, 60);
    }

    #[test]
    #[should_panic(expected = "is outside of its part")]
    fn a_tile_behind_its_part_is_refused() {
        transform_output(3 + 4 * 8 + 4, 8 + 1);
    }
}
