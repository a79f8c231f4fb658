//! The way of Winograd's tiles to their places and back, some channels at a time. Plain loops over neighbouring channels: each path compiles them for its
//! own vectors.

use std::ops::{Add, Mul, Sub};

use super::aligned::LANES;
use super::compiled::{self, Loops};
use super::path::Path;
use super::places::Pieces;
use super::winograd::{Form, Grid, Tile};

/// The largest side of a tile.
const WIDEST: usize = 6;

/// Tiles that are to be transformed: `BᵀdB` of each, for each channel.
pub(crate) struct Spreading<'a> {
    pub(crate) map: &'a [f32],
    pub(crate) tiles: &'a [Tile],
    pub(crate) channels: usize,
    /// Results on a side of a tile, which is how far tiles stand apart.
    pub(crate) results: usize,
}

/// Products that are to be transformed back: `AᵀmA` of each tile, with offset, sum and slope.
pub(crate) struct Gathering<'a> {
    /// One piece of all tiles.
    pub(crate) products: &'a [f32],
    pub(crate) all: usize,
    /// Those that are transformed, the first of which is number `first` of all.
    pub(crate) tiles: &'a [Tile],
    pub(crate) first: usize,
    pub(crate) channels: usize,
    /// Where in the whole output the part begins that is written.
    pub(crate) base: usize,
    pub(crate) bias: &'a [f32],
    pub(crate) slopes: &'a [f32],
    pub(crate) onto: bool,
}

/// Tiles of one size on their way out.
struct Spread<'a, const SIDE: usize> {
    all: &'a Spreading<'a>,
    spread: &'a mut [f32],
}

impl<const SIDE: usize> Loops for Spread<'_, SIDE> {
    #[inline(always)]
    fn run<const L: usize>(self) {
        let Self { all, spread } = self;
        let mut half = [[Lanes::ZERO; SIDE]; SIDE];
        let mut last = [[Lanes::ZERO; SIDE]; SIDE];
        for (index, tile) in all.tiles.iter().enumerate() {
            let whole = all.channels - all.channels % L;
            for lane in (0..whole).step_by(L) {
                all.tile::<SIDE, L>(index, tile, (lane, L), &mut half, spread);
            }
            for lane in (whole..all.channels).step_by(LANES) {
                all.tile::<SIDE, LANES>(
                    index,
                    tile,
                    (lane, LANES.min(all.channels - lane)),
                    &mut last,
                    spread,
                );
            }
        }
    }
}

/// Tiles of one form on their way back.
struct Gather<'a, const SIDE: usize, const RESULTS: usize> {
    all: &'a Gathering<'a>,
    out: &'a mut [f32],
}

impl<const SIDE: usize, const RESULTS: usize> Loops for Gather<'_, SIDE, RESULTS> {
    #[inline(always)]
    fn run<const L: usize>(self) {
        let Self { all, out } = self;
        let mut half = [[Lanes::ZERO; RESULTS]; SIDE];
        let mut last = [[Lanes::ZERO; RESULTS]; SIDE];
        for (index, tile) in all.tiles.iter().enumerate() {
            let whole = all.channels - all.channels % L;
            for lane in (0..whole).step_by(L) {
                all.tile::<SIDE, RESULTS, L>(index, tile, (lane, L), &mut half, out);
            }
            for lane in (whole..all.channels).step_by(LANES) {
                all.tile::<SIDE, RESULTS, LANES>(
                    index,
                    tile,
                    (lane, LANES.min(all.channels - lane)),
                    &mut last,
                    out,
                );
            }
        }
    }
}

impl Spreading<'_> {
    /// Fills `spread`, a piece of [`Pieces`], from tiles of `side` pixels; what lies outside of the map is zero.
    pub(crate) fn run(&self, path: Path, side: usize, spread: &mut [f32]) {
        if side == WIDEST {
            compiled::run(path, Spread::<WIDEST> { all: self, spread });
        } else {
            compiled::run(path, Spread::<5> { all: self, spread });
        }
    }

    /// Channels `lane..lane + there` of one tile.
    #[inline(always)]
    fn tile<const SIDE: usize, const L: usize>(
        &self,
        index: usize,
        tile: &Tile,
        (lane, there): (usize, usize),
        half: &mut [[Lanes<L>; SIDE]; SIDE],
        spread: &mut [f32],
    ) {
        let Self { map, channels, results, .. } = *self;
        let Tile { input, row, column, .. } = *tile;
        let (top, left) = (row * results, column * results);
        let (rows, columns) = (SIDE.min(input.rows - top), SIDE.min(input.columns - left));
        let start = input.start + top * input.line + left * channels + lane;
        for y in 0..SIDE {
            let mut line = [Lanes::ZERO; SIDE];
            if y < rows {
                for (x, pixel) in line.iter_mut().enumerate() {
                    if x < columns {
                        *pixel = Lanes::read(&map[start + y * input.line + x * channels..], there);
                    }
                }
            }
            for (column, value) in half.iter_mut().zip(&spread_line(line)) {
                column[y] = *value;
            }
        }
        let apart = Pieces::whole(self.tiles.len(), SIDE * SIDE).apart(0, channels);
        let mut at = index * channels + lane;
        // By reference throughout: iterators that own arrays of vectors copy them around.
        for column in half.iter() {
            for value in &spread_line(*column) {
                value.write(&mut spread[at..], there);
                at += apart;
            }
        }
    }
}

impl Gathering<'_> {
    /// Fills the results of tiles of `form` in `out`, which is what follows `base` of the whole; results outside of the map are left out.
    pub(crate) fn run(&self, path: Path, form: Form, out: &mut [f32]) {
        match form.results {
            4 => compiled::run(path, Gather::<6, 4> { all: self, out }),
            3 => compiled::run(path, Gather::<5, 3> { all: self, out }),
            _ => compiled::run(path, Gather::<6, 2> { all: self, out }),
        }
    }

    /// Channels `lane..lane + there` of one tile.
    #[inline(always)]
    fn tile<const SIDE: usize, const RESULTS: usize, const L: usize>(
        &self,
        index: usize,
        tile: &Tile,
        (lane, there): (usize, usize),
        half: &mut [[Lanes<L>; RESULTS]; SIDE],
        out: &mut [f32],
    ) {
        let channels = self.channels;
        let Grid { start, line, rows, columns } = tile.output;
        let (top, left) = (tile.row * RESULTS, tile.column * RESULTS);
        let start = start.wrapping_sub(self.base).wrapping_add(top * line + left * channels + lane);
        let (rows, columns) = (rows - top, columns - left);
        let apart = Pieces::whole(self.all, SIDE * SIDE).apart(0, channels);
        let mut at = (self.first + index) * channels + lane;
        for half in &mut *half {
            let mut column = [Lanes::ZERO; SIDE];
            for value in &mut column {
                *value = Lanes::read(&self.products[at..], there);
                at += apart;
            }
            *half = gather_line(column);
        }
        let bias = Lanes::read(&self.bias[lane..], there);
        let slope = Lanes::read(&self.slopes[lane..], there);
        for y in 0..RESULTS {
            if y >= rows {
                break;
            }
            let mut across = [Lanes::ZERO; SIDE];
            for (value, column) in across.iter_mut().zip(half.iter()) {
                *value = column[y];
            }
            let across: [Lanes<L>; RESULTS] = gather_line(across);
            for (x, value) in across.iter().enumerate() {
                if x < columns {
                    let to = &mut out[start + y * line + x * channels..];
                    let value = *value + bias;
                    let value = if self.onto { value + Lanes::read(to, there) } else { value };
                    value.sloped(slope).write(to, there);
                }
            }
        }
    }
}

/// `Bᵀd` of one line.
#[inline(always)]
fn spread_line<const SIDE: usize, const L: usize>(line: [Lanes<L>; SIDE]) -> [Lanes<L>; SIDE] {
    let [a, b, c, d, e] = [line[0], line[1], line[2], line[3], line[4]];
    let mut out = [Lanes::ZERO; SIDE];
    if SIDE == WIDEST {
        let f = line[SIDE - 1];
        let (near, far) = (d - b * 4.0, e - c * 4.0);
        let (odd, even) = ((d - b) * 2.0, e - c);
        let ends = [a * 4.0 - c * 5.0 + e, b * 4.0 - d * 5.0 + f];
        let places = [ends[0], far + near, far - near, even + odd, even - odd, ends[1]];
        out.copy_from_slice(&places[..SIDE]);
    } else {
        let odd = d - b;
        let places = [(a - c) * 2.0 + odd, d - c - b * 2.0, d - c * 3.0 + b * 2.0, odd, e - c - odd * 2.0];
        out.copy_from_slice(&places[..SIDE]);
    }
    out
}

/// `Aᵀm` of one line.
#[inline(always)]
fn gather_line<const SIDE: usize, const RESULTS: usize, const L: usize>(
    m: [Lanes<L>; SIDE],
) -> [Lanes<L>; RESULTS] {
    let (near, apart) = (m[1] + m[2], m[1] - m[2]);
    let (far, wide) = if SIDE == WIDEST { (m[3] + m[4], m[3] - m[4]) } else { (m[3], m[3]) };
    let sums = [m[0] + near + far, apart + wide * 2.0, near + far * 4.0, apart + wide * 8.0];
    let mut out = [Lanes::ZERO; RESULTS];
    out.copy_from_slice(&sums[..RESULTS]);
    // Infinity speaks for the last result only.
    out[RESULTS - 1] = out[RESULTS - 1] + m[SIDE - 1];
    out
}

/// Neighbouring channels of one pixel or place.
#[derive(Debug, Clone, Copy)]
struct Lanes<const L: usize>([f32; L]);

impl<const L: usize> Lanes<L> {
    const ZERO: Self = Self([0.0; L]);

    /// The first `there` values.
    #[inline(always)]
    fn read(from: &[f32], there: usize) -> Self {
        let mut lanes = Self::ZERO;
        lanes.0[..there].copy_from_slice(&from[..there]);
        lanes
    }

    #[inline(always)]
    fn write(self, to: &mut [f32], there: usize) {
        to[..there].copy_from_slice(&self.0[..there]);
    }

    /// Negative values multiplied with their slope.
    #[inline(always)]
    fn sloped(mut self, slope: Self) -> Self {
        for (value, slope) in self.0.iter_mut().zip(slope.0) {
            let below = if *value > 0.0 { 0.0 } else { *value };
            *value = (if *value > 0.0 { *value } else { 0.0 }) + slope * below;
        }
        self
    }
}

impl<const L: usize> Add for Lanes<L> {
    type Output = Self;

    #[inline(always)]
    fn add(mut self, other: Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(value, other)| *value += other);
        self
    }
}

impl<const L: usize> Sub for Lanes<L> {
    type Output = Self;

    #[inline(always)]
    fn sub(mut self, other: Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(value, other)| *value -= other);
        self
    }
}

impl<const L: usize> Mul<f32> for Lanes<L> {
    type Output = Self;

    #[inline(always)]
    fn mul(mut self, factor: f32) -> Self {
        self.0.iter_mut().for_each(|value| *value *= factor);
        self
    }
}
