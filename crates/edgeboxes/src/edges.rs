//! Gradient edges: what EdgeBoxes reads instead of Structured Edges, so that no forest is needed.

use crate::Image;

/// Contrast (of grey in 0..1, per pixel) below which a whole image counts as flat: dividing by a smaller
/// maximum would turn sensor noise and rounding into edges.
const FLAT: f32 = 1e-3;

/// Edges of a image, one value a pixel, row by row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Edges {
    width: usize,
    height: usize,
    magnitude: Vec<f32>,
    orientation: Vec<f32>,
}

impl Edges {
    /// Gradient magnitude of the grey, triangle-blurred image, divided by its maximum.
    ///
    /// `blur` is the radius of the triangle filter in pixels (0: none; 4 in EdgeBoxes' own advice for gradient
    /// edges). With `thin`, pixels that are no maximum across their edge are set to nothing, and so are edges up to the
    /// strength `least` in any case.
    pub(crate) fn of(image: Image<'_>, blur: usize, thin: bool, least: f32) -> Self {
        let (width, height) = (image.width(), image.height());
        Self::of_grey(&image.luma(), width, height, blur, thin, least)
    }

    fn of_grey(grey: &[f32], width: usize, height: usize, blur: usize, thin: bool, least: f32) -> Self {
        let slope = Slope::of(&triangle_blur(grey, width, height, blur), width, height);
        let strongest = slope.steepness.iter().fold(0.0f32, |most, &one| if one > most { one } else { most });
        let mut magnitude = vec![0.0; grey.len()];
        let mut orientation = vec![0.0; grey.len()];
        if strongest >= FLAT {
            // A rim of nothing: every pixel has all of its neighbours.
            let padded = Padded::of(&slope.steepness, width, strongest);
            let least = least.max(0.0);
            for (y, line) in slope.steepness.chunks_exact(width.max(1)).enumerate() {
                for (x, steepness) in line.iter().enumerate() {
                    // Most pixels of most images end here, before a root or an angle.
                    let m = steepness / strongest;
                    if m > least {
                        let i = y * width + x;
                        let normal = (slope.across[i] / steepness, slope.down[i] / steepness);
                        if !thin || padded.is_ridge(x, y, normal) {
                            magnitude[i] = m;
                            orientation[i] = tangent(normal.0, normal.1);
                        }
                    }
                }
            }
        }
        Self { width, height, magnitude, orientation }
    }

    /// Pixels in a row.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Rows of pixels.
    pub(crate) fn height(&self) -> usize {
        self.height
    }

    /// Edge strength in 0..=1, row by row; the strongest edge before thinning is 1.
    pub(crate) fn magnitude(&self) -> &[f32] {
        &self.magnitude
    }

    /// Direction in which the edge runs (not of its gradient), in radians within [0, pi), row by row; 0 where there is none.
    pub(crate) fn orientation(&self) -> &[f32] {
        &self.orientation
    }

    #[cfg(test)]
    pub(crate) fn from_parts(
        width: usize,
        height: usize,
        magnitude: Vec<f32>,
        orientation: Vec<f32>,
    ) -> Self {
        assert!(magnitude.len() == width * height && orientation.len() == width * height);
        Self { width, height, magnitude, orientation }
    }
}

/// Separable filter of weights 1, 2, ..., r + 1, ..., 2, 1 over their sum; edge pixels are repeated outside.
fn triangle_blur(values: &[f32], width: usize, height: usize, radius: usize) -> Vec<f32> {
    if radius == 0 || width == 0 || height == 0 {
        return values.to_vec();
    }
    let weights: Vec<f32> = (0..=2 * radius)
        .map(|k| (radius + 1 - k.abs_diff(radius)) as f32 / ((radius + 1) * (radius + 1)) as f32)
        .collect();
    let mut across = vec![0.0f32; values.len()];
    let mut padded = vec![0.0f32; width + 2 * radius];
    for (row, out) in values.chunks_exact(width).zip(across.chunks_exact_mut(width)) {
        padded[..radius].fill(row[0]);
        padded[radius..radius + width].copy_from_slice(row);
        padded[radius + width..].fill(row[width - 1]);
        for (k, w) in weights.iter().enumerate() {
            out.iter_mut().zip(&padded[k..]).for_each(|(o, v)| *o += w * v);
        }
    }
    let mut both = vec![0.0f32; values.len()];
    for (y, out) in both.chunks_exact_mut(width).enumerate() {
        for (k, w) in weights.iter().enumerate() {
            let start = (y + k).saturating_sub(radius).min(height - 1) * width;
            out.iter_mut().zip(&across[start..start + width]).for_each(|(o, v)| *o += w * v);
        }
    }
    both
}

/// The gradient: central differences, one-sided at the rim.
struct Slope {
    across: Vec<f32>,
    down: Vec<f32>,
    /// Its length.
    steepness: Vec<f32>,
}

impl Slope {
    fn of(values: &[f32], width: usize, height: usize) -> Self {
        let nothing = || vec![0.0f32; values.len()];
        let mut slope = Self { across: nothing(), down: nothing(), steepness: nothing() };
        if width == 0 {
            return slope;
        }
        for y in 0..height {
            let row = |y: usize| &values[y * width..][..width];
            let (above, below) = (y.saturating_sub(1), (y + 1).min(height - 1));
            let (here, apart) = (row(y), (below - above).max(1) as f32);
            let across = &mut slope.across[y * width..][..width];
            if let [first, .., last] = across {
                *first = here[1] - here[0];
                *last = here[width - 1] - here[width - 2];
            }
            for (across, (right, left)) in across.iter_mut().skip(1).zip(here.iter().skip(2).zip(here)) {
                *across = (right - left) / 2.0;
            }
            let down = &mut slope.down[y * width..][..width];
            for (down, (below, above)) in down.iter_mut().zip(row(below).iter().zip(row(above))) {
                *down = (below - above) / apart;
            }
            let steepness = &mut slope.steepness[y * width..][..width];
            for (steepness, (dx, dy)) in steepness.iter_mut().zip(across.iter().zip(down.iter())) {
                // Differences of values within 0..1: nothing overflows, which `hypot` would take its time to make sure of.
                *steepness = (dx * dx + dy * dy).sqrt();
            }
        }
        slope
    }
}

/// Magnitudes with a rim of nothing about them, so that edges along the rim of the image stay.
struct Padded {
    stride: usize,
    magnitude: Vec<f32>,
}

impl Padded {
    /// Magnitudes over the strongest.
    fn of(steepness: &[f32], width: usize, strongest: f32) -> Self {
        let stride = width + 2;
        let mut magnitude = vec![0.0f32; stride * (steepness.len() / width.max(1) + 2)];
        let rows = steepness.chunks_exact(width.max(1)).zip(magnitude.chunks_exact_mut(stride).skip(1));
        for (row, out) in rows {
            out[1..].iter_mut().zip(row).for_each(|(out, one)| *out = one / strongest);
        }
        Self { stride, magnitude }
    }

    /// Non-maximum suppression: whether a pixel is at least as strong as the edge map one pixel further along its
    /// normal, and stronger than one pixel back. The normal is taken within a half-plane, so that exactly one of two
    /// equal neighbours is.
    fn is_ridge(&self, x: usize, y: usize, (nx, ny): (f32, f32)) -> bool {
        let (nx, ny) = if nx < 0.0 || (nx == 0.0 && ny < 0.0) { (-nx, -ny) } else { (nx, ny) };
        let centre = (y + 1) * self.stride + x + 1;
        let m = self.magnitude[centre];
        // Read between four pixel centres, of which this pixel is one: a normal has the length 1.
        let (fx, fy) = (nx.abs(), ny.abs());
        let read = |beside: usize, level: usize, corner: usize| {
            let near = m * (1.0 - fx) + self.magnitude[beside] * fx;
            let far = self.magnitude[level] * (1.0 - fx) + self.magnitude[corner] * fx;
            near * (1.0 - fy) + far * fy
        };
        let (below, above) = (centre + self.stride, centre - self.stride);
        let (ahead, behind) = if ny < 0.0 { (above, below) } else { (below, above) };
        m >= read(centre + 1, ahead, ahead + 1) && m > read(centre - 1, behind, behind - 1)
    }
}

/// Angle of the line at right angles to a direction, within [0, pi).
fn tangent(nx: f32, ny: f32) -> f32 {
    let angle = nx.atan2(-ny).rem_euclid(std::f32::consts::PI);
    // rem_euclid rounds tiny negative angles up to pi itself.
    if angle >= std::f32::consts::PI { 0.0 } else { angle }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::f32::consts::{FRAC_PI_2, PI};

    fn step(width: usize, height: usize, bright: impl Fn(usize, usize) -> bool) -> Vec<f32> {
        (0..width * height).map(|i| f32::from(u8::from(bright(i % width, i / width)))).collect()
    }

    #[test]
    fn a_flat_image_has_no_edges() {
        assert!(
            Edges::of(Image::rgb(9, &[[90, 12, 200]; 63]), 4, true, 0.0)
                .magnitude()
                .iter()
                .all(|&m| m == 0.0)
        );
    }

    #[test]
    fn a_image_of_one_pixel_is_taken() {
        assert_eq!(Edges::of(Image::rgb(1, &[[1, 2, 3]]), 4, true, 0.0).magnitude(), [0.0]);
    }

    #[test]
    fn an_upright_step_is_one_thin_upright_line() {
        let edges = Edges::of_grey(&step(20, 12, |x, _| x >= 10), 20, 12, 2, true, 0.0);
        for y in 0..12 {
            let on: Vec<usize> = (0..20).filter(|x| edges.magnitude()[y * 20 + x] > 0.5).collect();
            assert_eq!(on.len(), 1, "row {y}: {on:?}");
            assert!((9..=10).contains(&on[0]));
            assert!((edges.orientation()[y * 20 + on[0]] - FRAC_PI_2).abs() < 1e-3);
        }
    }

    #[test]
    fn a_level_step_runs_at_angle_nought() {
        let edges = Edges::of_grey(&step(12, 20, |_, y| y >= 10), 12, 20, 2, false, 0.0);
        let strongest =
            (0..240).max_by(|&a, &b| edges.magnitude()[a].total_cmp(&edges.magnitude()[b])).unwrap();
        let angle = edges.orientation()[strongest];
        assert!(angle < 1e-3 || PI - angle < 1e-3, "{angle}");
        assert_eq!(edges.magnitude()[strongest], 1.0);
    }

    #[test]
    fn the_blur_keeps_a_constant_and_spreads_a_point_as_a_triangle() {
        assert!(triangle_blur(&[3.0; 30], 6, 5, 4).iter().all(|v| (v - 3.0).abs() < 1e-5));
        let mut point = vec![0.0; 81];
        point[40] = 16.0;
        let spread = triangle_blur(&point, 9, 9, 1);
        assert_eq!(&spread[30..33], &[1.0, 2.0, 1.0]);
        assert_eq!(&spread[39..42], &[2.0, 4.0, 2.0]);
    }

    #[test]
    fn thinning_keeps_what_interpolation_between_pixels_finds_strongest() {
        let (width, height) = (23, 17);
        let noisy: Vec<f32> =
            (0..391u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as f32 / 255.0).collect();
        let slope = Slope::of(&triangle_blur(&noisy, width, height, 2), width, height);
        let magnitude = &slope.steepness;
        let padded = Padded::of(magnitude, width, 1.0);
        let mut kept = 0;
        // The plain twin: any point of the plane, read by floors.
        let at = |x: f32, y: f32| {
            let read = |x: f32, y: f32| {
                let inside = x >= 0.0 && y >= 0.0 && x < width as f32 && y < height as f32;
                if inside { magnitude[y as usize * width + x as usize] } else { 0.0 }
            };
            let ((x0, y0), (fx, fy)) = ((x.floor(), y.floor()), (x - x.floor(), y - y.floor()));
            let above = read(x0, y0) * (1.0 - fx) + read(x0 + 1.0, y0) * fx;
            let below = read(x0, y0 + 1.0) * (1.0 - fx) + read(x0 + 1.0, y0 + 1.0) * fx;
            above * (1.0 - fy) + below * fy
        };
        for (i, &m) in magnitude.iter().enumerate().filter(|&(_, &m)| m > 0.0) {
            let (x, y) = (i % width, i / width);
            let (nx, ny) = (slope.across[i] / m, slope.down[i] / m);
            let (ahead, behind) = (at(x as f32 + nx, y as f32 + ny), at(x as f32 - nx, y as f32 - ny));
            let strongest = m.max(ahead).max(behind);
            let ridge = padded.is_ridge(x, y, (nx, ny));
            assert!(if ridge { m >= strongest - 1e-6 } else { m <= strongest + 1e-6 });
            kept += usize::from(ridge);
        }
        assert!(kept > 40);
    }

    #[test]
    fn slopes_are_differences_of_neighbours() {
        let values: Vec<f32> = (0..35u32).map(|i| (i * i % 17) as f32 / 17.0).collect();
        for (width, height) in [(5usize, 7usize), (7, 5), (1, 35), (35, 1), (2, 17)] {
            let slope = Slope::of(&values[..width * height], width, height);
            for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
                let at = |x: usize, y: usize| values[y * width + x];
                let (left, right) = (x.saturating_sub(1), (x + 1).min(width - 1));
                let (above, below) = (y.saturating_sub(1), (y + 1).min(height - 1));
                let dx = (at(right, y) - at(left, y)) / (right - left).max(1) as f32;
                let dy = (at(x, below) - at(x, above)) / (below - above).max(1) as f32;
                let i = y * width + x;
                let found = (slope.across[i], slope.down[i], slope.steepness[i]);
                assert_eq!(found, (dx, dy, (dx * dx + dy * dy).sqrt()), "{x}, {y} of {width} x {height}");
            }
        }
    }

    #[test]
    fn edges_up_to_the_least_strength_are_left_out() {
        let noisy: Vec<f32> =
            (0..600u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as f32 / 255.0).collect();
        for thin in [false, true] {
            let all = Edges::of_grey(&noisy, 30, 20, 1, thin, 0.0);
            let some = Edges::of_grey(&noisy, 30, 20, 1, thin, 0.4);
            let pairs = || all.magnitude().iter().zip(some.magnitude());
            assert!(pairs().all(|(&a, &b)| b == if a > 0.4 { a } else { 0.0 }));
            assert!(pairs().any(|(&a, &b)| a > 0.0 && b == 0.0));
        }
    }

    #[test]
    fn orientations_lie_in_a_half_turn() {
        let noisy: Vec<f32> =
            (0..600u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as f32 / 255.0).collect();
        let edges = Edges::of_grey(&noisy, 30, 20, 0, false, 0.0);
        assert!(edges.orientation().iter().all(|a| (0.0..PI).contains(a)));
    }
}
