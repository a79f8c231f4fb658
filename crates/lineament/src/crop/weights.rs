//! The triangle weights of one axis.

/// For every output pixel along one axis, the run of source pixels that it averages; all runs are as long as the longest.
pub(super) struct Weights {
    starts: Vec<usize>,
    /// Run after run, `taps` each.
    values: Vec<f32>,
    taps: usize,
}

/// One output pixel: the first source pixel and the weights of it and of those after it, which sum to one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Run<'a> {
    pub(super) start: usize,
    pub(super) weights: &'a [f32],
}

impl Weights {
    /// `count` output pixels over `extent` source coordinates from `from`, of a source that is `length`
    /// pixels long.
    pub(super) fn new(from: f32, extent: f32, count: u32, length: u32) -> Self {
        // Far beyond any image, and still exact enough to count pixels with.
        let bound = |value: f32| f64::from(value).clamp(-1e9, 1e9);
        let step = bound(extent) / f64::from(count);
        let last = i64::from(length) - 1;
        let triangles = || {
            (0..count).map(|index| Triangle {
                centre: bound(from) + (f64::from(index) + 0.5) * step,
                radius: step.abs().max(1.0),
            })
        };
        let inside = |(first, end): (i64, i64)| (first.clamp(0, last), end.clamp(0, last));
        let taps =
            triangles().map(|triangle| inside(triangle.support())).map(|(start, stop)| stop - start + 1);
        let taps = taps.max().unwrap_or(1);
        let mut weights =
            Self { starts: Vec::with_capacity(count as usize), values: Vec::new(), taps: taps as usize };
        for triangle in triangles() {
            let (first, end) = triangle.support();
            let (start, stop) = inside((first, end));
            let total = triangle.sum(first, end);
            // A shorter run has weights of nothing behind it, or before it at the end of the source.
            let begin = start.min(last + 1 - taps);
            for position in begin..begin + taps {
                // Edge pixels stand for all that lies beyond them.
                let low = if position == start { first } else { position };
                let high = if position == stop { end } else { position };
                let weight = if !(start..=stop).contains(&position) {
                    0.0
                } else if low == high {
                    triangle.weight(low)
                } else {
                    triangle.sum(low, high)
                };
                weights.values.push((weight / total) as f32);
            }
            weights.starts.push(begin as usize);
        }
        weights
    }

    /// The runs of all output pixels.
    pub(super) fn iter(&self) -> impl Iterator<Item = Run<'_>> {
        let weights = self.values.chunks_exact(self.taps.max(1));
        self.starts.iter().zip(weights).map(|(&start, weights)| Run { start, weights })
    }

    /// How many source pixels a run has.
    pub(super) fn taps(&self) -> usize {
        self.taps
    }

    /// The source pixels of all runs, from the first to one past the last.
    pub(super) fn span(&self) -> (usize, usize) {
        let left = self.starts.iter().min().copied().unwrap_or(0);
        let right = self.starts.iter().max().map_or(0, |start| start + self.taps);
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
        let first = floor(self.centre - self.radius - 0.5) + 1;
        let last = -floor(-(self.centre + self.radius - 0.5)) - 1;
        (first, last.max(first))
    }

    /// Sum over the pixels `low..=high` of the support: two straight runs, so no loop, however many pixels
    /// lie outside of the image.
    fn sum(&self, low: i64, high: i64) -> f64 {
        let middle = floor(self.centre - 0.5);
        self.straight(low, high.min(middle)) + self.straight(low.max(middle + 1), high)
    }

    fn straight(&self, low: i64, high: i64) -> f64 {
        if low > high {
            return 0.0;
        }
        (high - low + 1) as f64 * (self.weight(low) + self.weight(high)) / 2.0
    }

    /// The weight of one pixel.
    fn weight(&self, position: i64) -> f64 {
        1.0 - (position as f64 + 0.5 - self.centre).abs() / self.radius
    }
}

/// The whole number below; what processors without an instruction for it call a function for.
fn floor(value: f64) -> i64 {
    let whole = value as i64;
    whole - i64::from(whole as f64 > value)
}
