//! From coefficients to samples: the inverse cosine transform of blocks (ITU T.81, A.3.3).

use super::frame::Component;
use super::scan::ZIGZAG;

/// Samples of a component in eight bits: `width` in a row of `stride`.
pub(super) struct Plane {
    pub(super) stride: usize,
    pub(super) samples: Vec<u8>,
}

/// Cosines of k pi / 16, halved, the first once more by the root of two: the factors of the transform.
const COSINES: [f32; 8] = [
    0.353_553_4,
    0.490_392_65,
    0.461_939_78,
    0.415_734_82,
    0.353_553_4,
    0.277_785_12,
    0.191_341_72,
    0.097_545_16,
];

/// `BASIS[u][x]`: what coefficient `u` adds to sample `x`.
const BASIS: [[f32; 8]; 8] = basis();

#[allow(clippy::indexing_slicing, reason = "evaluated when compiled: an index out of bounds does not build")]
const fn basis() -> [[f32; 8]; 8] {
    let mut basis = [[0.0; 8]; 8];
    let mut u = 0;
    while u < 8 {
        let mut x = 0;
        while x < 8 {
            // The cosine's period is 32, and its quarters mirror each other.
            let angle = (2 * x + 1) * u % 32;
            let angle = if angle > 16 { 32 - angle } else { angle };
            basis[u][x] = match angle {
                0 => COSINES[0],
                8 => 0.0,
                1..8 => COSINES[angle],
                16 => -COSINES[0],
                _ => -COSINES[16 - angle],
            };
            x += 1;
        }
        u += 1;
    }
    basis
}

/// Samples of a component, whose coefficients are taken from it.
pub(super) fn plane(component: &mut Component, precision: u8) -> Plane {
    let mut steps = [0.0f32; 64];
    for (&natural, &step) in ZIGZAG.iter().zip(component.steps.iter().flatten()) {
        if let Some(to) = steps.get_mut(usize::from(natural)) {
            *to = f32::from(step);
        }
    }
    let blocks = std::mem::take(&mut component.blocks);
    let stride = component.stride * 8;
    let mut samples = vec![0; blocks.len() * 64];
    // To eight bits, with the middle at 128.
    let (scale, middle) =
        if precision == 12 { (255.0 / 4095.0, 2048.0 * 255.0 / 4095.0) } else { (1.0, 128.0) };
    for (band, row) in
        samples.chunks_exact_mut((stride * 8).max(1)).zip(blocks.chunks(component.stride.max(1)))
    {
        for (at, block) in row.iter().enumerate() {
            let values = transform(block, &steps);
            for (line, values) in band.chunks_exact_mut(stride.max(1)).zip(values) {
                for (to, value) in line.iter_mut().skip(at * 8).zip(values) {
                    // Saturates.
                    *to = (value * scale + middle + 0.5) as u8;
                }
            }
        }
    }
    Plane { stride, samples }
}

fn transform(block: &[i16; 64], steps: &[f32; 64]) -> [[f32; 8]; 8] {
    let [dc, rest @ ..] = block;
    let [step, ..] = steps;
    if rest.iter().all(|&value| value == 0) {
        return [[f32::from(*dc) * step / 8.0; 8]; 8];
    }
    // Rows of coefficients to rows of samples, and then columns.
    let mut half = [[0.0f32; 8]; 8];
    for ((row, steps), to) in block.chunks_exact(8).zip(steps.chunks_exact(8)).zip(&mut half) {
        for ((&value, &step), basis) in row.iter().zip(steps).zip(&BASIS) {
            if value != 0 {
                let value = f32::from(value) * step;
                to.iter_mut().zip(basis).for_each(|(to, basis)| *to += value * basis);
            }
        }
    }
    let mut samples = [[0.0f32; 8]; 8];
    for (row, basis) in half.iter().zip(&BASIS) {
        for (to, &factor) in samples.iter_mut().zip(basis) {
            to.iter_mut().zip(row).for_each(|(to, value)| *to += value * factor);
        }
    }
    samples
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::needless_range_loop)]
mod tests {
    use super::*;

    #[test]
    fn the_transform_is_the_one_of_the_standard() {
        let block: [i16; 64] = std::array::from_fn(|at| ((at * 37 + 11) % 41) as i16 - 20);
        let steps: [f32; 64] = std::array::from_fn(|at| 1.0 + (at % 7) as f32);
        let ours = transform(&block, &steps);
        let half = |u: usize| if u == 0 { std::f64::consts::FRAC_1_SQRT_2 } else { 1.0 };
        let cosine = |x: usize, u: usize| ((2 * x + 1) as f64 * u as f64 * std::f64::consts::PI / 16.0).cos();
        for y in 0..8 {
            for x in 0..8 {
                let mut sum = 0.0;
                for v in 0..8 {
                    for u in 0..8 {
                        let value = f64::from(block[v * 8 + u]) * f64::from(steps[v * 8 + u]);
                        sum += half(u) * half(v) / 4.0 * value * cosine(x, u) * cosine(y, v);
                    }
                }
                assert!((sum - f64::from(ours[y][x])).abs() < 1e-3, "{x}, {y}: {sum} and {}", ours[y][x]);
            }
        }
    }
}
