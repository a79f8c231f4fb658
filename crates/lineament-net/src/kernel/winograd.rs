//! Convolutions of stride 1 by Winograd's minimal filtering: F(4 x 4, 3 x 3) takes 36 multiplications for 16 sums instead of 144, F(2 x 2, 5 x 5) for 4
//! instead of 100, F(3 x 3, 3 x 3) 25 for 9 instead of 81. Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016.
//!
//! The map is cut into tiles of 6 x 6 or 5 x 5 that overlap. Each tile and each filter is transformed, the places of the transforms are matrix products of
//! their own (over channels), and the products are transformed back to results. The points of a tile's side are 0, 1, -1, 2, (for six) -2, and infinity.

use std::ops::Range;

use super::activation::Activation;
use super::aligned::{Aligned, LANES};
use super::panels::Panels;
use super::path::Path;
use super::places::Matrix;
use super::sums::sums;

/// The largest side of a tile.
const WIDEST: usize = 6;

/// A size of tiles for a size of kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Form {
    /// Pixels on a side of a tile: 6, or 5 for kernels of 3.
    pub(crate) side: usize,
    /// Results on a side of a tile.
    pub(crate) results: usize,
}

impl Form {
    /// The forms for a kernel; none for most.
    pub(crate) fn of_kernel(kernel: usize) -> impl Iterator<Item = Self> {
        let sides: &[usize] = match kernel {
            3 => &[6, 5],
            5 => &[6],
            _ => &[],
        };
        sides.iter().map(move |&side| Self { side, results: side + 1 - kernel })
    }

    /// Multiplications for one tile of one channel: the places of a transform.
    pub(crate) fn places(self) -> usize {
        self.side * self.side
    }

    /// Tiles down and across a map of so many results.
    pub(crate) fn tiles(self, rows: usize, columns: usize) -> [usize; 2] {
        [rows, columns].map(|side| side.div_ceil(self.results))
    }
}

/// Filters made ready.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Winograd {
    inputs: usize,
    outputs: usize,
    form: Form,
    /// One matrix a place of the transform.
    places: Vec<Panels>,
    bias: Vec<f32>,
    slopes: Vec<f32>,
}

/// A map in memory, padding included: where its first value stands, values between rows, rows and columns that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grid {
    pub(crate) start: usize,
    pub(crate) line: usize,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

/// One tile: which map of the batch, and its row and column among the tiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tile {
    pub(crate) input: Grid,
    pub(crate) output: Grid,
    pub(crate) row: usize,
    pub(crate) column: usize,
}

impl Winograd {
    /// From `weight` `[kernel, kernel, inputs, outputs]`, where the kernel is what `form` is for, and `bias` `[outputs]`.
    pub(crate) fn new(
        weight: &[f32],
        bias: &[f32],
        form: Form,
        outputs: usize,
        activation: &Activation,
    ) -> Self {
        /// The finite points, and what keeps the transform of a tile free of fractions.
        const SIX: [(f64, f64); 5] =
            [(0.0, 1.0 / 4.0), (1.0, -1.0 / 6.0), (-1.0, -1.0 / 6.0), (2.0, 1.0 / 24.0), (-2.0, 1.0 / 24.0)];
        const FIVE: [(f64, f64); 4] =
            [(0.0, 1.0 / 2.0), (1.0, -1.0 / 2.0), (-1.0, -1.0 / 6.0), (2.0, 1.0 / 6.0)];
        let Form { side, results } = form;
        let (kernel, points) = (side + 1 - results, if side == 6 { &SIX[..] } else { &FIVE[..] });
        let bank = weight.len() / (kernel * kernel);
        // Powers of a point; of infinity, the last tap.
        let factor = |place: usize, tap: usize| match points.get(place) {
            Some((point, scale)) => scale * point.powi(tap as i32),
            None => f64::from(u8::from(tap + 1 == kernel)),
        };
        let places = (0..form.places()).map(|place| {
            let factors: Vec<f64> = (0..kernel * kernel)
                .map(|tap| factor(place / side, tap / kernel) * factor(place % side, tap % kernel))
                .collect();
            let matrix: Vec<f32> = (0..bank)
                .map(|at| {
                    let taps = weight[at..].iter().step_by(bank).zip(&factors);
                    taps.map(|(value, factor)| f64::from(*value) * factor).sum::<f64>() as f32
                })
                .collect();
            Panels::new(&matrix, &[], outputs, &Activation::Identity)
        });
        Self {
            inputs: bank / outputs.max(1),
            outputs,
            form,
            places: places.collect(),
            bias: bias.to_vec(),
            slopes: activation.slopes(outputs),
        }
    }

    /// The results of `tiles`, whose inputs lie in `map` and outputs in `out`, which is what follows `base` of the whole output. When `onto`, they
    /// are added to what `out` holds.
    pub(crate) fn run(
        &self,
        path: Path,
        map: &[f32],
        tiles: &[Tile],
        (out, base): (&mut [f32], usize),
        onto: bool,
        buffer: &mut Aligned,
    ) {
        let (wide, deep) = (tiles.len() * self.inputs, tiles.len() * self.outputs);
        let places = self.form.places();
        let (spread, products) = buffer.grown(places * (wide + deep)).split_at_mut(places * wide);
        for (index, tile) in tiles.iter().enumerate() {
            let to = Spread { start: index * self.inputs, place: wide, channels: self.inputs };
            if self.form.side == 6 {
                on!(path, spread_tile::<6>(map, tile, self.form.results, to, spread));
            } else {
                on!(path, spread_tile::<5>(map, tile, self.form.results, to, spread));
            }
        }
        let windows = Matrix { inner: self.inputs, outputs: self.outputs };
        for (place, panels) in self.places.iter().enumerate() {
            let from = &spread[place * wide..(place + 1) * wide];
            let to = &mut products[place * deep..(place + 1) * deep];
            sums(path, panels, from, &windows, 0..tiles.len(), to, false);
        }
        for (index, tile) in tiles.iter().enumerate() {
            let from = Spread { start: index * self.outputs, place: deep, channels: self.outputs };
            let tile =
                Tile { output: Grid { start: tile.output.start.wrapping_sub(base), ..tile.output }, ..*tile };
            match self.form.results {
                4 => on!(path, gather_tile::<6, 4>(self, products, from, &tile, out, onto)),
                3 => on!(path, gather_tile::<5, 3>(self, products, from, &tile, out, onto)),
                _ => on!(path, gather_tile::<6, 2>(self, products, from, &tile, out, onto)),
            }
        }
    }
}

/// Where a tile's transform lies: the first value, values between places, values of a place.
#[derive(Debug, Clone, Copy)]
struct Spread {
    start: usize,
    place: usize,
    channels: usize,
}

/// Eight channels of one place.
type Lanes = [f32; LANES];

/// `BᵀdB` of one tile; what lies outside of the map is zero.
#[inline(always)]
fn spread_tile<const SIDE: usize>(map: &[f32], tile: &Tile, results: usize, to: Spread, spread: &mut [f32]) {
    let Tile { input, row, column, .. } = *tile;
    let (top, left) = (row * results, column * results);
    let (rows, columns) = (SIDE.min(input.rows - top), SIDE.min(input.columns - left));
    let start = input.start + top * input.line + left * to.channels;
    for lane in (0..to.channels).step_by(LANES) {
        let there = LANES.min(to.channels - lane);
        let mut half = [[[0.0; LANES]; SIDE]; SIDE];
        for y in 0..rows {
            let mut line = [[0.0; LANES]; SIDE];
            for (x, pixel) in line.iter_mut().enumerate().take(columns) {
                read(&map[start + y * input.line + x * to.channels + lane..], there, pixel);
            }
            half.iter_mut().zip(spread_line(line)).for_each(|(column, value)| column[y] = value);
        }
        for (x, column) in half.into_iter().enumerate() {
            for (y, value) in spread_line(column).iter().enumerate() {
                let at = (y * SIDE + x) * to.place + to.start + lane;
                write(value, there, &mut spread[at..]);
            }
        }
    }
}

/// `AᵀmA` of one tile, with offset, sum and slope; results outside of the map are left out.
#[inline(always)]
fn gather_tile<const SIDE: usize, const RESULTS: usize>(
    winograd: &Winograd,
    products: &[f32],
    from: Spread,
    tile: &Tile,
    out: &mut [f32],
    onto: bool,
) {
    let Tile { output, row, column, .. } = *tile;
    let (top, left) = (row * RESULTS, column * RESULTS);
    let (rows, columns) = (RESULTS.min(output.rows - top), RESULTS.min(output.columns - left));
    let start = output.start.wrapping_add(top * output.line + left * from.channels);
    for lane in (0..from.channels).step_by(LANES) {
        let there = LANES.min(from.channels - lane);
        let mut half = [[[0.0; LANES]; RESULTS]; SIDE];
        for (x, half) in half.iter_mut().enumerate() {
            let mut column = [[0.0; LANES]; SIDE];
            for (y, value) in column.iter_mut().enumerate() {
                read(&products[(y * SIDE + x) * from.place + from.start + lane..], there, value);
            }
            *half = gather_line::<SIDE, RESULTS>(column);
        }
        let (mut bias, mut slope) = ([0.0; LANES], [0.0; LANES]);
        read(&winograd.bias[lane..], there, &mut bias);
        read(&winograd.slopes[lane..], there, &mut slope);
        for y in 0..rows {
            let line = half.map(|column| column[y]);
            for (x, mut value) in gather_line::<SIDE, RESULTS>(line).into_iter().enumerate().take(columns) {
                let to = &mut out[start + y * output.line + x * from.channels + lane..];
                let mut before = [0.0; LANES];
                if onto {
                    read(to, there, &mut before);
                }
                for i in 0..LANES {
                    let sum = value[i] + bias[i] + before[i];
                    let below = if sum > 0.0 { 0.0 } else { sum };
                    value[i] = (if sum > 0.0 { sum } else { 0.0 }) + slope[i] * below;
                }
                write(&value, there, to);
            }
        }
    }
}

/// `Bᵀd` of one line.
#[inline(always)]
fn spread_line<const SIDE: usize>(line: [Lanes; SIDE]) -> [Lanes; SIDE] {
    let mut out = [[0.0; LANES]; SIDE];
    for i in 0..LANES {
        let at = |x: usize| if x < SIDE { line[x][i] } else { 0.0 };
        let [a, b, c, d, e, f] = [at(0), at(1), at(2), at(3), at(4), at(5)];
        let places = if SIDE == WIDEST {
            let (near, far) = (d - 4.0 * b, e - 4.0 * c);
            let (odd, even) = (2.0 * (d - b), e - c);
            [4.0 * a - 5.0 * c + e, far + near, far - near, even + odd, even - odd, 4.0 * b - 5.0 * d + f]
        } else {
            let odd = d - b;
            [2.0 * (a - c) + odd, d - c - 2.0 * b, d - 3.0 * c + 2.0 * b, odd, e - c - 2.0 * odd, 0.0]
        };
        out.iter_mut().zip(places).for_each(|(out, place)| out[i] = place);
    }
    out
}

/// `Aᵀm` of one line.
#[inline(always)]
fn gather_line<const SIDE: usize, const RESULTS: usize>(m: [Lanes; SIDE]) -> [Lanes; RESULTS] {
    let mut out = [[0.0; LANES]; RESULTS];
    for i in 0..LANES {
        let (near, apart) = (m[1][i] + m[2][i], m[1][i] - m[2][i]);
        let (far, wide) =
            if SIDE == WIDEST { (m[3][i] + m[4][i], m[3][i] - m[4][i]) } else { (m[3][i], m[3][i]) };
        let sums = [m[0][i] + near + far, apart + 2.0 * wide, near + 4.0 * far, apart + 8.0 * wide];
        for (r, out) in out.iter_mut().enumerate() {
            // Infinity speaks for the last result only.
            out[i] = if r + 1 == RESULTS { sums[r] + m[SIDE - 1][i] } else { sums[r] };
        }
    }
    out
}

#[inline(always)]
fn read(from: &[f32], there: usize, to: &mut Lanes) {
    if let (LANES, Some(from)) = (there, from.first_chunk()) {
        *to = *from;
    } else {
        to[..there].copy_from_slice(&from[..there]);
    }
}

#[inline(always)]
fn write(from: &Lanes, there: usize, to: &mut [f32]) {
    if let (LANES, Some(to)) = (there, to.first_chunk_mut()) {
        *to = *from;
    } else {
        to[..there].copy_from_slice(&from[..there]);
    }
}

/// The tiles of tile rows `rows` (counted through all maps of a batch); a map has `down` rows of `across` tiles.
pub(crate) fn tiles(
    rows: Range<usize>,
    grids: impl Fn(usize) -> [Grid; 2],
    [down, across]: [usize; 2],
) -> impl Iterator<Item = Tile> {
    rows.flat_map(move |index| {
        let [input, output] = grids(index / down);
        (0..across).map(move |column| Tile { input, output, row: index % down, column })
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(i: usize) -> f32 {
        ((i * 2_654_435_761) % 2001) as f32 / 1000.0 - 1.0
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]
        #[test]
        fn every_path_agrees_with_plain_windows(
            form in 0usize..3, rows in 1usize..12, columns in 1usize..12, inputs in 1usize..20, outputs in 1usize..20, onto: bool,
        ) {
            let kernel = if form == 2 { 5 } else { 3 };
            let form = Form::of_kernel(kernel).nth(form % 2).unwrap();
            let [height, width] = [rows, columns].map(|side| side + kernel - 1);
            let map: Vec<f32> = (0..height * width * inputs).map(value).collect();
            let weight: Vec<f32> = (0..kernel * kernel * inputs * outputs).map(|i| value(i + 7)).collect();
            let bias: Vec<f32> = (0..outputs).map(|i| value(i + 3)).collect();
            let before: Vec<f32> = (0..rows * columns * outputs).map(|i| value(i + 99)).collect();
            let slopes: Vec<f32> = (0..outputs).map(|i| value(i + 1)).collect();
            let winograd = Winograd::new(&weight, &bias, form, outputs, &Activation::Prelu(slopes.clone()));
            let input = Grid { start: 0, line: width * inputs, rows: height, columns: width };
            let output = Grid { start: 50, line: columns * outputs, rows, columns };
            let parts = form.tiles(rows, columns);
            let tiles: Vec<Tile> = tiles(0..parts[0], |_| [input, output], parts).collect();
            for path in Path::all() {
                let (mut out, mut buffer) = (before.clone(), Aligned::default());
                winograd.run(path, &map, &tiles, (&mut out, 50), onto, &mut buffer);
                for (at, found) in out.iter().enumerate() {
                    let (pixel, filter) = (at / outputs, at % outputs);
                    let (row, column) = (pixel / columns, pixel % columns);
                    let mut sum = f64::from(bias[filter]) + if onto { f64::from(before[at]) } else { 0.0 };
                    for tap in 0..kernel * kernel {
                        for channel in 0..inputs {
                            let from = ((row + tap / kernel) * width + column + tap % kernel) * inputs + channel;
                            sum += f64::from(map[from]) * f64::from(weight[(tap * inputs + channel) * outputs + filter]);
                        }
                    }
                    let expected = if sum > 0.0 { sum } else { sum * f64::from(slopes[filter]) };
                    prop_assert!((f64::from(*found) - expected).abs() < 2e-4, "{path:?}: {found} {expected}");
                }
            }
        }
    }
}
