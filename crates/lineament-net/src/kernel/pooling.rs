//! Largest values and means of windows.

use super::isa::Isa;
use super::simd::dispatch::{self, Loops};
use super::window::Window;
use crate::Shape;

/// Channels that are pooled at once where there are fewer than a register holds.
const NARROW: usize = 4;

/// What becomes of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pooling {
    Max,
    /// The padding is not counted.
    Mean,
}

/// The pixels of a window.
pub(crate) trait Pixels {
    /// Calls `f` with where each pixel's channels begin in the map.
    fn each(&self, f: impl FnMut(usize));
}

/// A rectangle of a map.
struct Taps {
    start: usize,
    rows: usize,
    columns: usize,
    line: usize,
    channels: usize,
}

impl Pixels for Taps {
    #[inline(always)]
    fn each(&self, mut f: impl FnMut(usize)) {
        for row in 0..self.rows {
            for column in 0..self.columns {
                f(self.start + row * self.line + column * self.channels);
            }
        }
    }
}

/// Consecutive windows under way.
struct Run<'a, F> {
    pooling: Pooling,
    map: &'a [f32],
    channels: usize,
    pixels: F,
    into: &'a mut [f32],
}

impl<P: Pixels, F: Fn(usize) -> P> Loops for Run<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<const L: usize>(self) {
        let Self { pooling, map, channels, pixels, into } = self;
        for (window, out) in into.chunks_exact_mut(channels).enumerate() {
            let pixels = pixels(window);
            if channels >= L {
                pooling.channels::<L>(map, &pixels, out);
            } else if channels >= NARROW {
                pooling.channels::<NARROW>(map, &pixels, out);
            } else {
                pooling.channels::<1>(map, &pixels, out);
            }
        }
    }
}

impl Pooling {
    /// One row of the output map; `line` values lie between the rows of `map`.
    pub(crate) fn row(
        self,
        isa: Isa,
        window: Window,
        (map, shape, line): (&[f32], Shape, usize),
        row: usize,
        into: &mut [f32],
    ) {
        let channels = shape.channels;
        let (rows, top) = window.taps(row, shape.height);
        let taps = |column| {
            let (columns, left) = window.taps(column, shape.width);
            let start = top * line + left * channels;
            Taps { start, rows: rows.len(), columns: columns.len(), line, channels }
        };
        self.windows(isa, map, channels, taps, into);
    }

    /// Consecutive windows of pixels with `channels` values; `pixels` tells which pixels a window has.
    pub(crate) fn windows<P: Pixels>(
        self,
        isa: Isa,
        map: &[f32],
        channels: usize,
        pixels: impl Fn(usize) -> P,
        into: &mut [f32],
    ) {
        dispatch::run(isa, Run { pooling: self, map, channels, pixels, into });
    }

    /// All channels of one window, `L` at a time. The last ones overlap those before them, and are found once more.
    #[inline(always)]
    fn channels<const L: usize>(self, map: &[f32], pixels: &impl Pixels, out: &mut [f32]) {
        let Some(last) = out.len().checked_sub(L) else { return };
        for channel in (0..out.len()).step_by(L) {
            let channel = channel.min(last);
            out[channel..][..L].copy_from_slice(&self.window::<L>(map, pixels, channel));
        }
    }

    /// `L` channels of one window.
    #[inline(always)]
    fn window<const L: usize>(self, map: &[f32], pixels: &impl Pixels, channel: usize) -> [f32; L] {
        let mut out = [if self == Self::Max { f32::NEG_INFINITY } else { 0.0 }; L];
        let mut count = 0;
        pixels.each(|start| {
            let pixel = &map[start + channel..][..L];
            match self {
                Self::Max => out.iter_mut().zip(pixel).for_each(|(out, value)| {
                    // Written as a comparison: it becomes one instruction, where `f32::max` must look for NaN as well.
                    *out = if *value > *out { *value } else { *out };
                }),
                Self::Mean => out.iter_mut().zip(pixel).for_each(|(out, value)| *out += value),
            }
            count += 1;
        });
        if self == Self::Mean {
            let share = 1.0 / count as f32;
            out.iter_mut().for_each(|out| *out *= share);
        }
        out
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernel::value;

    proptest! {
        #[test]
        fn every_path_agrees_with_plain_windows(
            height in 3usize..9, width in 3usize..9, channels in 1usize..40, kernel in 1usize..4, stride in 1usize..4, padded: bool, mean: bool,
        ) {
            let before = if padded { kernel / 2 } else { 0 };
            let window = Window { kernel, stride, padding: [before; 2] };
            let shape = Shape { channels, height, width };
            // Room between the rows, which must not be read.
            let line = width * channels + 3;
            let map: Vec<f32> = (0..height * line).map(value).collect();
            let to = window.slide(shape);
            let pooling = if mean { Pooling::Mean } else { Pooling::Max };
            for isa in Isa::available() {
                for row in 0..to.height {
                    let mut found = vec![0.0; to.width * channels];
                    pooling.row(isa, window, (&map, shape, line), row, &mut found);
                    for (at, found) in found.into_iter().enumerate() {
                        let (column, channel) = (at / channels, at % channels);
                        let inside = |start: usize, n: usize| {
                            (0..kernel).map(move |tap| start + tap).filter(move |&at| {
                                at >= before && at < n + before
                            })
                        };
                        let values: Vec<f64> = inside(row * stride, height)
                            .flat_map(|y| inside(column * stride, width).map(move |x| (y, x)))
                            .map(|(y, x)| (y - before) * line + (x - before) * channels + channel)
                            .map(|at| f64::from(map[at]))
                            .collect();
                        let expected = if mean {
                            values.iter().sum::<f64>() / values.len() as f64
                        } else {
                            values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
                        };
                        prop_assert!((f64::from(found) - expected).abs() < 1e-6, "{isa:?}: {found} {expected}");
                    }
                }
            }
        }
    }
}
