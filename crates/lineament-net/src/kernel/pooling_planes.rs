//! Largest values and means of windows of planes: maps with channels outermost, as callers hold them.

use super::isa::Isa;
use super::pooling::Pooling;
use super::simd::dispatch::{self, Loops};
use super::window::Window;
use crate::Shape;

/// How far windows stand apart.
const STRIDE: usize = 2;
/// The narrowest planes: a row fills the widest registers.
const NARROWEST: usize = 16;

/// Whether planes of `shape` can be pooled as planes: small windows side by side or overlapping, none of them over an edge. Those of narrow planes would
/// leave registers half empty.
pub(crate) fn suits(window: Window, shape: Shape) -> bool {
    let Window { kernel, stride, padding } = window;
    padding == [0; 2] && stride == STRIDE && (kernel == 2 || kernel == 3) && shape.width >= NARROWEST
}

/// Pools planes of `shape` (whose channels do not matter), one after the other, with windows that suit them.
///
/// # Panics
/// When they do not: that would be a mistake in a plan, not in an input.
pub(crate) fn pool(
    isa: Isa,
    pooling: Pooling,
    window: Window,
    (planes, shape): (&[f32], Shape),
    out: &mut [f32],
) {
    assert!(suits(window, shape), "{window:?} on planes of {shape}");
    let to = window.slide(shape);
    let planes = Planes { planes, width: shape.width, size: shape.height * shape.width, to, out };
    match (pooling, window.kernel) {
        (Pooling::Max, 2) => dispatch::run(isa, Kernel::<2, false>(planes)),
        (Pooling::Max, _) => dispatch::run(isa, Kernel::<3, false>(planes)),
        (Pooling::Mean, 2) => dispatch::run(isa, Kernel::<2, true>(planes)),
        (Pooling::Mean, _) => dispatch::run(isa, Kernel::<3, true>(planes)),
    }
}

/// Planes under way.
struct Planes<'a> {
    planes: &'a [f32],
    /// Values of a row and of a plane.
    width: usize,
    size: usize,
    to: Shape,
    out: &'a mut [f32],
}

/// Windows of `K` rows and columns.
struct Kernel<'a, const K: usize, const MEAN: bool>(Planes<'a>);

impl<const K: usize, const MEAN: bool> Loops for Kernel<'_, K, MEAN> {
    type Output = ();

    #[inline(always)]
    fn run<const L: usize>(self) {
        let Planes { planes, width, size, to, out } = self.0;
        // One row of windows down to a line; some values more than it has, so that all columns are read in pairs.
        let mut line = vec![0.0; (to.width + 1) * STRIDE + width % STRIDE];
        for (plane, out) in planes.chunks_exact(size).zip(out.chunks_exact_mut(to.height * to.width)) {
            for (row, out) in out.chunks_exact_mut(to.width).enumerate() {
                down::<K, MEAN, L>(&plane[row * STRIDE * width..][..K * width], &mut line[..width]);
                along::<K, MEAN>(&line, out);
            }
        }
    }
}

/// `K` rows to one. The last values overlap those before them, and are found once more.
#[inline(always)]
fn down<const K: usize, const MEAN: bool, const L: usize>(rows: &[f32], line: &mut [f32]) {
    let width = line.len();
    for at in (0..width).step_by(L) {
        let at = at.min(width - L);
        let mut found = [0.0; L];
        found.copy_from_slice(&rows[at..][..L]);
        for row in 1..K {
            let values = &rows[row * width + at..][..L];
            found.iter_mut().zip(values).for_each(|(found, value)| *found = join::<MEAN>(*found, *value));
        }
        line[at..][..L].copy_from_slice(&found);
    }
}

/// Each `K` values of a line, [`STRIDE`] apart.
#[inline(always)]
fn along<const K: usize, const MEAN: bool>(line: &[f32], out: &mut [f32]) {
    let share = 1.0 / (K * K) as f32;
    let next = line[STRIDE..].as_chunks::<STRIDE>().0;
    for ((out, pair), next) in out.iter_mut().zip(line.as_chunks::<STRIDE>().0).zip(next) {
        let found = join::<MEAN>(pair[0], pair[1]);
        let found = if K == 3 { join::<MEAN>(found, next[0]) } else { found };
        *out = if MEAN { found * share } else { found };
    }
}

#[inline(always)]
fn join<const MEAN: bool>(one: f32, other: f32) -> f32 {
    // A comparison becomes one instruction, where `f32::max` must look for NaN as well.
    if MEAN {
        one + other
    } else if other > one {
        other
    } else {
        one
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernel::value;

    proptest! {
        #[test]
        fn planes_are_pooled_as_pixels_are(
            planes in 1usize..4, height in 3usize..9, width in 16usize..70, three: bool, mean: bool,
        ) {
            let window = Window { kernel: if three { 3 } else { 2 }, stride: 2, padding: [0; 2] };
            let shape = Shape { channels: 1, height, width };
            let to = window.slide(shape);
            let pooling = if mean { Pooling::Mean } else { Pooling::Max };
            let map: Vec<f32> = (0..planes * height * width).map(value).collect();
            for isa in Isa::available() {
                let mut found = vec![0.0; planes * to.height * to.width];
                pool(isa, pooling, window, (&map, shape), &mut found);
                for (map, found) in map.chunks(height * width).zip(found.chunks(to.height * to.width)) {
                    for (row, found) in found.chunks(to.width).enumerate() {
                        let mut expected = vec![0.0; to.width];
                        pooling.row(isa, window, (map, shape, width), row, &mut expected);
                        for (found, expected) in found.iter().zip(expected) {
                            prop_assert!((found - expected).abs() < 1e-6, "{isa:?}: {found} {expected}");
                        }
                    }
                }
            }
        }
    }
}
