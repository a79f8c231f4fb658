//! Weighted sums of pixels, down the columns and then along the rows.

use lineament_net::Loops;

use super::weights::{Run, Weights};
use crate::Photo;

/// Values that are summed down the columns at a time: as many as stay in registers.
const BLOCK: usize = 32;

/// Any number of pixels in a run.
const MANY: usize = 0;

/// Rows that are summed along at a time.
const ROWS: usize = 4;

/// Numbers from here to twice as much are whole in single precision, so that adding it rounds.
const WHOLE: f32 = 8_388_608.0;

/// A photo drawn by the weights of its columns and rows.
pub(super) struct Sums<'a> {
    pub(super) photo: &'a Photo,
    pub(super) columns: &'a Weights,
    pub(super) rows: &'a Weights,
    pub(super) out: &'a mut Photo,
}

impl Loops for Sums<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const L: usize>(self) {
        // Growing takes two pixels of a row, and shrinking to no less than half three or five.
        match self.columns.taps() {
            1 => self.draw::<1>(),
            2 => self.draw::<2>(),
            3 => self.draw::<3>(),
            4 => self.draw::<4>(),
            5 => self.draw::<5>(),
            _ => self.draw::<MANY>(),
        }
    }
}

impl Sums<'_> {
    #[inline(always)]
    fn draw<const N: usize>(self) {
        let (left, right) = self.columns.span();
        let line = self.out.width() as usize * 3;
        // One more in both, since pixels are read and written four values at a time.
        let (wide, long) = ((right - left) * 3 + 1, line + 1);
        let mut columns = vec![0.0f32; ROWS * wide];
        let mut sums = vec![0.0f32; ROWS * long];
        // Beyond the edges of the photo a row is the one before it, and drawn once.
        let mut rows: Vec<(Run<'_>, usize)> = Vec::new();
        for row in self.rows.iter() {
            match rows.last_mut() {
                Some((last, times)) if *last == row => *times += 1,
                _ => rows.push((row, 1)),
            }
        }
        let mut lines = self.out.pixels_mut().chunks_exact_mut(line);
        // What is found of a column and its weights serves several rows.
        for rows in rows.chunks(ROWS) {
            for ((row, _), columns) in rows.iter().zip(columns.chunks_exact_mut(wide)) {
                down(self.photo, *row, left, columns.split_last_mut().map_or(&mut [], |(_, rest)| rest));
            }
            for (number, column) in self.columns.iter().enumerate() {
                let first = (column.start - left) * 3;
                let mut taps = [[].as_slice(); ROWS];
                for (row, taps) in taps.iter_mut().enumerate() {
                    *taps = columns.get(row * wide + first..).unwrap_or_default();
                }
                // Called by name: what is handed over as a function is not compiled for these vectors.
                let found = if N == MANY { along_many(column, taps) } else { along::<N>(column, taps) };
                for (row, sum) in found.iter().enumerate() {
                    // The last of the four values is the neighbour's, who writes over it.
                    if let Some(to) =
                        sums.get_mut(row * long + 3 * number..).and_then(|rest| rest.first_chunk_mut())
                    {
                        *to = *sum;
                    }
                }
            }
            for ((_, times), sums) in rows.iter().zip(sums.chunks_exact(long)) {
                for line in lines.by_ref().take(*times) {
                    line.iter_mut().zip(sums).for_each(|(value, sum)| *value = byte(*sum));
                }
            }
        }
    }
}

/// Sums of a run of rows, from the column `left` on.
#[inline(always)]
fn down(photo: &Photo, rows: Run<'_>, left: usize, sums: &mut [f32]) {
    let mut at = 0;
    match sums.len().checked_sub(BLOCK) {
        Some(last) => {
            while at < sums.len() {
                // The last block overlaps the one before it, and sums the same.
                down_block::<BLOCK>(photo, rows, left, sums, at.min(last));
                at += BLOCK;
            }
        }
        None => {
            while at < sums.len() {
                down_block::<1>(photo, rows, left, sums, at);
                at += 1;
            }
        }
    }
}

/// Sums of a run of rows for `N` values from the `at`-th on.
#[inline(always)]
fn down_block<const N: usize>(photo: &Photo, rows: Run<'_>, left: usize, sums: &mut [f32], at: usize) {
    let mut block = [0.0f32; N];
    let stride = photo.width() as usize * 3;
    let mut from = rows.start * stride + left * 3 + at;
    for weight in rows.weights {
        let Some(values) = photo.pixels().get(from..).and_then(|rest| rest.first_chunk::<N>()) else {
            return;
        };
        block.iter_mut().zip(values).for_each(|(sum, &value)| *sum += weight * f32::from(value));
        from += stride;
    }
    if let Some(to) = sums.get_mut(at..).and_then(|rest| rest.first_chunk_mut()) {
        *to = block;
    }
}

/// The sum of a run of `N` pixels in each of some rows, and half for rounding.
#[inline(always)]
fn along<const N: usize>(run: Run<'_>, rows: [&[f32]; ROWS]) -> [[f32; 4]; ROWS] {
    let mut sums = [[0.5f32; 4]; ROWS];
    let Some(weights) = run.weights.first_chunk::<N>() else { return sums };
    for (sum, pixels) in sums.iter_mut().zip(&rows) {
        let Some(pixels) = pixels.get(..3 * N + 1) else { continue };
        for tap in 0..N {
            for value in 0..4 {
                sum[value] += weights[tap] * pixels[3 * tap + value];
            }
        }
    }
    sums
}

/// The same for runs of any length.
#[inline(always)]
fn along_many(run: Run<'_>, rows: [&[f32]; ROWS]) -> [[f32; 4]; ROWS] {
    let mut sums = [[0.5f32; 4]; ROWS];
    for (sum, mut pixels) in sums.iter_mut().zip(rows) {
        for weight in run.weights {
            let Some((pixel, _)) = pixels.split_first_chunk::<4>() else { break };
            sum.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += weight * value);
            pixels = pixels.get(3..).unwrap_or_default();
        }
    }
    sums
}

/// The whole part of a sum; rounding leads just beyond 0 and 255. It is what a cast does, in steps that become vectors.
#[inline(always)]
fn byte(sum: f32) -> u8 {
    let sum = sum.clamp(0.0, 255.0);
    let nearest = (sum + WHOLE) - WHOLE;
    let whole = if nearest > sum { nearest - 1.0 } else { nearest };
    (whole + WHOLE).to_bits() as u8
}

#[cfg(test)]
mod tests {
    use super::byte;

    #[test]
    fn bytes_are_what_a_cast_gives() {
        for whole in 0..256 {
            let whole = whole as f32;
            for sum in [
                whole.next_down(),
                whole,
                whole.next_up(),
                whole + 0.5,
                (whole + 0.5).next_up(),
                whole + 0.99,
            ] {
                assert_eq!(byte(sum), sum as u8, "{sum}");
            }
        }
        for sum in [-3.0, -0.0, 255.5, 256.0, 1e9, f32::INFINITY, f32::NEG_INFINITY] {
            assert_eq!(byte(sum), sum as u8, "{sum}");
        }
    }
}
