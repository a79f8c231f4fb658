//! Turned parts of a photo.

use super::crop;
use crate::{Affine, Photo, Rect};

/// What an output of `width` by `height` pixels shows when each of its places is looked up through `map`.
///
/// Like [`crop`], with axes that may be turned, mirrored and skewed: edge pixels are repeated, shrinking is antialiased, growing bilinear. An
/// upright map gives what [`crop`] gives, to the rounding down to half size and nearly so below. A side of zero is taken as one; a
/// map that is not finite shows the whole picture.
pub fn warp(photo: &Photo, map: &Affine, width: u32, height: u32) -> Photo {
    let (width, height) = (width.max(1), height.max(1));
    if !map.is_finite() {
        return crop(photo, photo.rect(), width, height);
    }
    let (across, down) = map.scales();
    // A tent over many pixels is slow: below half size the photo is shrunk upright first, and the tent works on what is left. The second
    // bound keeps it small where one axis shrinks far more than the other.
    let shrink = (across.min(down) / 2.0).max(across.max(down) / 16.0);
    if shrink <= 1.0 {
        return Tent::new(map, 0.0).draw(photo, map, width, height);
    }
    let seen = seen(photo, map, width, height, shrink);
    let (columns, rows) = ((seen.width / shrink).ceil().max(1.0), (seen.height / shrink).ceil().max(1.0));
    let part = Rect::new(seen.x, seen.y, columns * shrink, rows * shrink);
    let small = crop(photo, part, columns as u32, rows as u32);
    let [a, b, c, d, e, f] = map.0.map(|value| value / shrink);
    let map = Affine([a, b, c - seen.x / shrink, d, e, f - seen.y / shrink]);
    // The shrinking was a tent of one pixel of the small picture already, and variances add up.
    Tent::new(&map, 1.0).draw(&small, &map, width, height)
}

/// The part of the photo that the output and its tents reach, and some edge around the photo where they reach beyond.
fn seen(photo: &Photo, map: &Affine, width: u32, height: u32, shrink: f32) -> Rect {
    let corners = [(0, 0), (width, 0), (0, height), (width, height)]
        .map(|(x, y)| map.apply(crate::Point::new(x as f32, y as f32)));
    let (across, down) = map.scales();
    let margin = across + down + 2.0 * shrink;
    let bounds = |values: [f32; 4], length: u32| {
        let low = values.iter().copied().fold(f32::INFINITY, f32::min) - margin;
        let high = values.iter().copied().fold(f32::NEG_INFINITY, f32::max) + margin;
        let edge = 3.0 * shrink;
        (low.clamp(-edge, length as f32), high.clamp(0.0, length as f32 + edge))
    };
    let (left, right) = bounds(corners.map(|corner| corner.x), photo.width());
    let (top, bottom) = bounds(corners.map(|corner| corner.y), photo.height());
    Rect::new(left, top, right - left, bottom - top)
}

/// The filter of one output pixel: a product of two triangles along the axes of the output, at least a pixel of the source in radius.
struct Tent {
    /// From an offset in the source to the two axes, each in units of its radius.
    axes: [f64; 4],
    /// How far it reaches in the source, to the sides and up and down.
    reach: (f64, f64),
}

impl Tent {
    /// The tent of `map`, narrower by what a tent of radius `done` has smoothed already.
    fn new(map: &Affine, done: f64) -> Self {
        let [a, b, _, d, e, _] = map.0.map(f64::from);
        let stretch = |x: f64, y: f64| {
            let length = x.hypot(y);
            let radius = (length * length - done * done).max(1.0).sqrt();
            (x / length * radius, y / length * radius)
        };
        let ((a, d), (b, e)) = (stretch(a, d), stretch(b, e));
        let determinant = a * e - b * d;
        let growing = a.hypot(d) <= 1.0 && b.hypot(e) <= 1.0;
        // Growing asks for plain bilinear, whichever way the axes lie, and so does a map that flattens the picture.
        if growing || determinant.is_nan() || determinant.abs() < 1e-3 {
            return Self { axes: [1.0, 0.0, 0.0, 1.0], reach: (1.0, 1.0) };
        }
        Self {
            axes: [e, -b, -d, a].map(|value| value / determinant),
            reach: (a.abs() + b.abs(), d.abs() + e.abs()),
        }
    }

    fn draw(&self, photo: &Photo, map: &Affine, width: u32, height: u32) -> Photo {
        let mut out = Photo::filled(width, height, [0; 3]);
        let [a, b, c, d, e, f] = map.0.map(f64::from);
        for (row, line) in out.pixels_mut().chunks_exact_mut(width as usize * 3).enumerate() {
            let v = row as f64 + 0.5;
            for (column, pixel) in line.chunks_exact_mut(3).enumerate() {
                let u = column as f64 + 0.5;
                pixel.copy_from_slice(&self.look(photo, a * u + b * v + c, d * u + e * v + f));
            }
        }
        out
    }

    /// The colour about (`x`, `y`).
    fn look(&self, photo: &Photo, x: f64, y: f64) -> [u8; 3] {
        let (wide, high) = (i64::from(photo.width()), i64::from(photo.height()));
        // Further out there is nothing but edge.
        let x = x.clamp(-self.reach.0 - 1.0, wide as f64 + self.reach.0 + 1.0);
        let y = y.clamp(-self.reach.1 - 1.0, high as f64 + self.reach.1 + 1.0);
        let first = |centre: f64, reach: f64| (centre - reach - 0.5).floor() as i64 + 1;
        let last = |centre: f64, reach: f64| (centre + reach - 0.5).ceil() as i64 - 1;
        let (left, right) = (first(x, self.reach.0), last(x, self.reach.0));
        let [ux, uy, vx, vy] = self.axes.map(|value| value as f32);
        let (mut sum, mut total) = ([0.0f32; 3], 0.0f32);
        for row in first(y, self.reach.1)..=last(y, self.reach.1) {
            let dy = (row as f64 + 0.5 - y) as f32;
            let line = row.clamp(0, high - 1) * wide;
            for column in left..=right {
                let dx = (column as f64 + 0.5 - x) as f32;
                let weight =
                    (1.0 - (ux * dx + uy * dy).abs()).max(0.0) * (1.0 - (vx * dx + vy * dy).abs()).max(0.0);
                let at = (line + column.clamp(0, wide - 1)) as usize * 3;
                let Some(colour) = photo.pixels().get(at..at + 3) else { continue };
                for (sum, &value) in sum.iter_mut().zip(colour) {
                    *sum += weight * f32::from(value);
                }
                total += weight;
            }
        }
        // The cast saturates and takes the not-a-number of a tent without a pixel, which cannot be, to zero.
        sum.map(|value| (value / total + 0.5) as u8)
    }
}
