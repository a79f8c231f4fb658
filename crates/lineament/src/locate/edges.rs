//! Gradient edges: what EdgeBoxes reads in the place of Structured Edges, so that no forest is needed.

use crate::photo::Photo;

/// Contrast (of grey in 0..1, per pixel) below which a whole picture counts as flat: dividing by a smaller
/// maximum would turn sensor noise and rounding into edges.
const FLAT: f32 = 1e-3;

/// Edges of a picture, one value a pixel, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Edges {
    width: usize,
    height: usize,
    magnitude: Vec<f32>,
    orientation: Vec<f32>,
}

impl Edges {
    /// Gradient magnitude of the grey, triangle-blurred picture, divided by its maximum.
    ///
    /// `blur` is the radius of the triangle filter in pixels (0: none; 4 in EdgeBoxes' own advice for gradient
    /// edges). With `thin`, pixels that are no maximum across their edge are set to nothing.
    pub fn of(photo: &Photo, blur: usize, thin: bool) -> Self {
        let (width, height) = (photo.width() as usize, photo.height() as usize);
        Self::of_grey(&grey(photo), width, height, blur, thin)
    }

    fn of_grey(grey: &[f32], width: usize, height: usize, blur: usize, thin: bool) -> Self {
        let smooth = triangle_blur(grey, width, height, blur);
        let (mut magnitude, normal) = gradient(&smooth, width, height);
        let strongest = magnitude.iter().fold(0.0f32, |a, &b| a.max(b));
        if strongest < FLAT {
            magnitude.fill(0.0);
        } else {
            magnitude.iter_mut().for_each(|m| *m /= strongest);
            if thin {
                magnitude = thinned(&magnitude, &normal, width, height);
            }
        }
        // An angle is dear, and thinning leaves few edges.
        let angle = |(&m, &(x, y)): (&f32, &(f32, f32))| if m > 0.0 { tangent(x, y) } else { 0.0 };
        let orientation = magnitude.iter().zip(&normal).map(angle).collect();
        Self { width, height, magnitude, orientation }
    }

    /// Pixels in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows of pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Edge strength in 0..=1, row by row; the strongest edge before thinning is 1.
    pub fn magnitude(&self) -> &[f32] {
        &self.magnitude
    }

    /// Direction in which the edge runs (not of its gradient), in radians within [0, pi), row by row; 0 where there is none.
    pub fn orientation(&self) -> &[f32] {
        &self.orientation
    }

    #[cfg(test)]
    pub(super) fn from_parts(
        width: usize,
        height: usize,
        magnitude: Vec<f32>,
        orientation: Vec<f32>,
    ) -> Self {
        assert!(magnitude.len() == width * height && orientation.len() == width * height);
        Self { width, height, magnitude, orientation }
    }
}

/// Luma of ITU-R BT.601 in 0..1.
fn grey(photo: &Photo) -> Vec<f32> {
    photo
        .pixels()
        .chunks_exact(3)
        .map(|p| (0.299 * f32::from(p[0]) + 0.587 * f32::from(p[1]) + 0.114 * f32::from(p[2])) / 255.0)
        .collect()
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

/// Magnitude and (x, y) direction of the gradient: central differences, one-sided at the rim.
fn gradient(values: &[f32], width: usize, height: usize) -> (Vec<f32>, Vec<(f32, f32)>) {
    let mut magnitude = Vec::with_capacity(values.len());
    let mut normal = Vec::with_capacity(values.len());
    for y in 0..height {
        let (above, below) = (y.saturating_sub(1), (y + 1).min(height - 1));
        for x in 0..width {
            let (left, right) = (x.saturating_sub(1), (x + 1).min(width - 1));
            let dx = (values[y * width + right] - values[y * width + left]) / (right - left).max(1) as f32;
            let dy = (values[below * width + x] - values[above * width + x]) / (below - above).max(1) as f32;
            // Differences of values within 0..1: nothing overflows, which `hypot` would take its time to make sure of.
            let length = (dx * dx + dy * dy).sqrt();
            magnitude.push(length);
            normal.push(if length > 0.0 { (dx / length, dy / length) } else { (1.0, 0.0) });
        }
    }
    (magnitude, normal)
}

/// Non-maximum suppression: a pixel stays when it is at least as strong as the edge map one pixel further along
/// its normal, and stronger than one pixel back. The normal is taken within a half-plane, so that exactly one
/// of two equal neighbours stays. Outside of the picture there is nothing, so that edges along its rim stay.
fn thinned(magnitude: &[f32], normal: &[(f32, f32)], width: usize, height: usize) -> Vec<f32> {
    // A rim of nothing: every pixel has all of its neighbours.
    let stride = width + 2;
    let mut padded = vec![0.0f32; stride * (height + 2)];
    for (row, out) in magnitude.chunks_exact(width.max(1)).zip(padded.chunks_exact_mut(stride).skip(1)) {
        out[1..=width].copy_from_slice(row);
    }
    let mut kept = vec![0.0f32; magnitude.len()];
    for (i, (&m, &(nx, ny))) in magnitude.iter().zip(normal).enumerate() {
        if m <= 0.0 {
            continue;
        }
        let (nx, ny) = if nx < 0.0 || (nx == 0.0 && ny < 0.0) { (-nx, -ny) } else { (nx, ny) };
        let centre = (i / width + 1) * stride + i % width + 1;
        // Read between four pixel centres, of which this pixel is one: a normal has the length 1.
        let (fx, fy) = (nx.abs(), ny.abs());
        let read = |beside: usize, level: usize, corner: usize| {
            let near = padded[centre] * (1.0 - fx) + padded[beside] * fx;
            let far = padded[level] * (1.0 - fx) + padded[corner] * fx;
            near * (1.0 - fy) + far * fy
        };
        let (below, above) = (centre + stride, centre - stride);
        let (ahead, behind) = if ny < 0.0 { (above, below) } else { (below, above) };
        if m >= read(centre + 1, ahead, ahead + 1) && m > read(centre - 1, behind, behind - 1) {
            kept[i] = m;
        }
    }
    kept
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
    fn a_flat_picture_has_no_edges() {
        let photo = Photo::new(9, 7, [90, 12, 200].repeat(63)).unwrap();
        assert!(Edges::of(&photo, 4, true).magnitude().iter().all(|&m| m == 0.0));
    }

    #[test]
    fn a_picture_of_one_pixel_is_taken() {
        let photo = Photo::new(1, 1, vec![1, 2, 3]).unwrap();
        assert_eq!(Edges::of(&photo, 4, true).magnitude(), [0.0]);
    }

    #[test]
    fn an_upright_step_is_one_thin_upright_line() {
        let edges = Edges::of_grey(&step(20, 12, |x, _| x >= 10), 20, 12, 2, true);
        for y in 0..12 {
            let on: Vec<usize> = (0..20).filter(|x| edges.magnitude()[y * 20 + x] > 0.5).collect();
            assert_eq!(on.len(), 1, "row {y}: {on:?}");
            assert!((9..=10).contains(&on[0]));
            assert!((edges.orientation()[y * 20 + on[0]] - FRAC_PI_2).abs() < 1e-3);
        }
    }

    #[test]
    fn a_level_step_runs_at_angle_nought() {
        let edges = Edges::of_grey(&step(12, 20, |_, y| y >= 10), 12, 20, 2, false);
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
        let (magnitude, normal) = gradient(&triangle_blur(&noisy, width, height, 2), width, height);
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
        let kept = thinned(&magnitude, &normal, width, height);
        for (i, (&m, &(nx, ny))) in magnitude.iter().zip(&normal).enumerate() {
            let (x, y) = ((i % width) as f32, (i / width) as f32);
            let strongest = m.max(at(x + nx, y + ny)).max(at(x - nx, y - ny));
            assert!(if kept[i] > 0.0 { m >= strongest - 1e-6 } else { m <= strongest + 1e-6 });
        }
        assert!(kept.iter().filter(|&&m| m > 0.0).count() > 40);
    }

    #[test]
    fn orientations_lie_in_a_half_turn() {
        let noisy: Vec<f32> =
            (0..600u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as f32 / 255.0).collect();
        let edges = Edges::of_grey(&noisy, 30, 20, 0, false);
        assert!(edges.orientation().iter().all(|a| (0.0..PI).contains(a)));
    }
}
