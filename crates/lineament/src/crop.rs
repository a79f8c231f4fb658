//! Parts of a photo at the size that a net wants.
//!
//! [`crop`] is separable: one set of triangle weights for the columns and one for the rows, wide when
//! shrinking (so that every source pixel counts) and bilinear when growing. [`warp`] does the same along
//! turned axes.

mod warp;

pub use warp::warp;

use crate::{Photo, Rect};

/// What `rect` shows, as a photo of `width` by `height` pixels.
///
/// The rectangle may reach outside of the picture or lie there altogether: the pixels of the edge are
/// repeated. Shrinking is antialiased, growing bilinear, and the whole picture at its own size is the picture
/// itself. A side of zero is taken as one; a rectangle that is not finite shows the whole picture.
pub fn crop(photo: &Photo, rect: Rect, width: u32, height: u32) -> Photo {
    let rect = if rect.is_finite() { rect } else { photo.rect() };
    let (width, height) = (width.max(1), height.max(1));
    let columns = Weights::new(rect.x, rect.width, width, photo.width());
    let rows = Weights::new(rect.y, rect.height, height, photo.height());

    let mut out = Photo::filled(width, height, [0; 3]);
    let (left, right) = columns.span();
    let stride = photo.width() as usize * 3;
    // One more in both, since pixels are read and written four values at a time.
    let mut column_sums = vec![0.0f32; (right - left) * 3 + 1];
    let mut sums = vec![0.0f32; width as usize * 3 + 1];
    for (row, line) in rows.iter().zip(out.pixels_mut().chunks_exact_mut(width as usize * 3)) {
        // Down the columns first: this loop runs over whole rows and so takes several pixels at a time.
        column_sums.fill(0.0);
        let sources = photo.pixels().chunks_exact(stride).skip(row.start);
        for (weight, source) in row.weights.iter().zip(sources) {
            let source = source.get(left * 3..right * 3).unwrap_or_default();
            for (sum, &value) in column_sums.iter_mut().zip(source) {
                *sum += weight * f32::from(value);
            }
        }
        for (number, column) in columns.iter().enumerate() {
            let mut taps = column_sums.get((column.start - left) * 3..).unwrap_or_default();
            // Four values are one vector; the last is the neighbour's, who writes over it.
            let mut sum = [0.5f32; 4];
            for weight in column.weights {
                let Some((tap, _)) = taps.split_first_chunk::<4>() else { break };
                sum.iter_mut().zip(tap).for_each(|(sum, value)| *sum += weight * value);
                taps = taps.get(3..).unwrap_or_default();
            }
            if let Some(to) = sums.get_mut(3 * number..).and_then(|rest| rest.first_chunk_mut()) {
                *to = sum;
            }
        }
        for (value, sum) in line.iter_mut().zip(&sums) {
            // Rounding leads just beyond 0 and 255. By way of a wider number, which whole vectors become.
            *value = sum.clamp(0.0, 255.0) as i32 as u8;
        }
    }
    out
}

/// For every output pixel along one axis, the run of source pixels that it averages.
struct Weights {
    runs: Vec<(usize, usize, usize)>,
    values: Vec<f32>,
}

/// One output pixel: the first source pixel and the weight of it and of those after it, which sum to one.
struct Run<'a> {
    start: usize,
    weights: &'a [f32],
}

impl Weights {
    /// `count` output pixels over `extent` source coordinates from `from`, of a source that is `length`
    /// pixels long.
    fn new(from: f32, extent: f32, count: u32, length: u32) -> Self {
        // Far beyond any picture, and still exact enough to count pixels with.
        let bound = |value: f32| f64::from(value).clamp(-1e9, 1e9);
        let step = bound(extent) / f64::from(count);
        let last = i64::from(length) - 1;
        let mut weights = Self { runs: Vec::with_capacity(count as usize), values: Vec::new() };
        for index in 0..count {
            let triangle = Triangle {
                centre: bound(from) + (f64::from(index) + 0.5) * step,
                radius: step.abs().max(1.0),
            };
            let (first, end) = triangle.support();
            let (start, stop) = (first.clamp(0, last), end.clamp(0, last));
            let offset = weights.values.len();
            let total = triangle.sum(first, end);
            for position in start..=stop {
                // Edge pixels stand for all that lies beyond them.
                let low = if position == start { first } else { position };
                let high = if position == stop { end } else { position };
                weights.values.push((triangle.sum(low, high) / total) as f32);
            }
            weights.runs.push((start as usize, offset, weights.values.len()));
        }
        weights
    }

    fn iter(&self) -> impl Iterator<Item = Run<'_>> {
        self.runs
            .iter()
            .map(|&(start, from, to)| Run { start, weights: self.values.get(from..to).unwrap_or_default() })
    }

    /// The source pixels that have a weight at all, from the first to one past the last.
    fn span(&self) -> (usize, usize) {
        let left = self.iter().map(|run| run.start).min().unwrap_or(0);
        let right = self.iter().map(|run| run.start + run.weights.len()).max().unwrap_or(0);
        (left, right)
    }
}

/// The weights `1 - |centre of pixel - centre| / radius`, where they are above zero.
struct Triangle {
    centre: f64,
    radius: f64,
}

impl Triangle {
    /// The first and last pixel with a weight above zero.
    fn support(&self) -> (i64, i64) {
        let first = (self.centre - self.radius - 0.5).floor() as i64 + 1;
        let last = (self.centre + self.radius - 0.5).ceil() as i64 - 1;
        (first, last.max(first))
    }

    /// Sum over the pixels `low..=high` of the support: two straight runs, so no loop, however many pixels
    /// lie outside of the picture.
    fn sum(&self, low: i64, high: i64) -> f64 {
        let middle = (self.centre - 0.5).floor() as i64;
        self.straight(low, high.min(middle)) + self.straight(low.max(middle + 1), high)
    }

    fn straight(&self, low: i64, high: i64) -> f64 {
        if low > high {
            return 0.0;
        }
        let weight = |position: i64| 1.0 - (position as f64 + 0.5 - self.centre).abs() / self.radius;
        (high - low + 1) as f64 * (weight(low) + weight(high)) / 2.0
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
