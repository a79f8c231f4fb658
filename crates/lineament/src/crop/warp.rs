//! Turned parts of a photo.

use super::crop;
use crate::{Affine, Photo, Rect};

/// The most pixels of the photo to one of the output that are reckoned with: far beyond any image.
const LARGEST: f32 = 1e9;

/// What an output of `width` by `height` pixels shows when each of its places is looked up through `map`.
///
/// Like [`crop`], with axes that may be turned, mirrored and skewed: edge pixels are repeated, shrinking is
/// antialiased, growing bilinear. An upright map gives what [`crop`] gives, to the rounding down to half size
/// and nearly so below. A side of zero is taken as one; a map that is not finite, or has a thousand million pixels of the
/// photo in one of the output, shows the full image.
pub fn warp(photo: &Photo, map: &Affine, width: u32, height: u32) -> Photo {
    let (width, height) = (width.max(1), height.max(1));
    let (across, down) = map.scales();
    // Sizes of finite maps may overflow, too.
    if !map.is_finite() || across.max(down) > LARGEST {
        return crop(photo, photo.rect(), width, height);
    }
    // A tent over many pixels is slow: below half size the photo is shrunk upright first, to one and a half
    // times what is asked for, and the tent works on what is left. The second bound keeps it small where one
    // axis shrinks far more than the other.
    let shrink = (across.min(down) / 1.5).max(across.max(down) / 16.0);
    if across.max(down) <= 2.0 || shrink <= 1.0 {
        return Tent::new(map, 0.0).draw(photo, map, width, height);
    }
    let seen = seen(photo, map, width, height, shrink);
    let (columns, rows) = ((seen.width / shrink).ceil().max(1.0), (seen.height / shrink).ceil().max(1.0));
    let part = Rect::new(seen.x, seen.y, columns * shrink, rows * shrink);
    let small = crop(photo, part, columns as u32, rows as u32);
    let [a, b, c, d, e, f] = map.0.map(|value| value / shrink);
    let map = Affine([a, b, c - seen.x / shrink, d, e, f - seen.y / shrink]);
    // The shrinking was a tent of one pixel of the small image already, and variances add up.
    Tent::new(&map, 1.0).draw(&small, &map, width, height)
}

/// The part of the photo that the output and its tents reach, and some edge around the photo where they reach
/// beyond.
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

/// The filter of one output pixel: a product of two triangles along the axes of the output, at least a pixel
/// of the source in radius.
struct Tent {
    /// From an offset in the source to the two axes, each in units of its radius.
    axes: [f32; 4],
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
        // Growing asks for plain bilinear, whichever way the axes lie, and so does a map that flattens the
        // image.
        if growing || determinant.is_nan() || determinant.abs() < 1e-3 {
            return Self { axes: [1.0, 0.0, 0.0, 1.0], reach: (1.0, 1.0) };
        }
        Self {
            axes: [e, -b, -d, a].map(|value| (value / determinant) as f32),
            reach: (a.abs() + b.abs(), d.abs() + e.abs()),
        }
    }

    fn draw(&self, photo: &Photo, map: &Affine, width: u32, height: u32) -> Photo {
        let mut out = Photo::filled(width, height, [0; 3]);
        let columns = Edged::new(photo.width(), self.reach.0);
        let rows = Edged::new(photo.height(), self.reach.1);
        let [a, b, c, d, e, f] = map.0.map(f64::from);
        for (row, line) in out.pixels_mut().chunks_exact_mut(width as usize * 3).enumerate() {
            let v = row as f64 + 0.5;
            for (column, pixel) in line.chunks_exact_mut(3).enumerate() {
                let u = column as f64 + 0.5;
                let (across, x) = columns.about(a * u + b * v + c);
                let (down, y) = rows.about(d * u + e * v + f);
                pixel.copy_from_slice(&self.look(photo, (across, x), (down, y)));
            }
        }
        out
    }

    /// The mean colour of some columns and rows, the first of which lie off the centre of the tent by (`x`,
    /// `y`).
    fn look(&self, photo: &Photo, (columns, x): (&[usize], f32), (rows, y): (&[usize], f32)) -> [u8; 3] {
        let [ux, uy, vx, vy] = self.axes;
        let (mut sum, mut total) = ([0.0f32; 3], 0.0f32);
        let stride = photo.width() as usize;
        for (dy, row) in (0u8..).map(|step| y + f32::from(step)).zip(rows) {
            let Some(line) = photo.pixels().get(row * stride * 3..(row + 1) * stride * 3) else { continue };
            let (mut u, mut v) = (ux * x + uy * dy, vx * x + vy * dy);
            for column in columns {
                let weight = (1.0 - u.abs()).max(0.0) * (1.0 - v.abs()).max(0.0);
                if let Some([red, green, blue]) = line.get(column * 3..column * 3 + 3) {
                    sum[0] += weight * f32::from(*red);
                    sum[1] += weight * f32::from(*green);
                    sum[2] += weight * f32::from(*blue);
                    total += weight;
                }
                (u, v) = (u + ux, v + vx);
            }
        }
        // The cast saturates and takes the not-a-number of a tent without a pixel, which cannot be, to zero.
        sum.map(|value| (value / total + 0.5) as u8)
    }
}

/// The pixels along one side of a photo, with those of its edge repeated as far as a tent reaches beyond.
struct Edged {
    pixels: Vec<usize>,
    length: f64,
    margin: f64,
    reach: f64,
}

impl Edged {
    fn new(length: u32, reach: f64) -> Self {
        // One more on each side than the farthest tent, which stops a pixel beyond its own reach, needs.
        let margin = 2 * reach.ceil() as i64 + 3;
        let last = i64::from(length) - 1;
        let pixels = (-margin..=last + margin).map(|at| at.clamp(0, last) as usize).collect();
        Self { pixels, length: f64::from(length), margin: margin as f64, reach }
    }

    /// The pixels of a tent about `centre`, and how far the middle of the first of them lies off it.
    fn about(&self, centre: f64) -> (&[usize], f32) {
        // Further out there is nothing but edge.
        let centre = centre.clamp(-self.reach - 1.0, self.length + self.reach + 1.0);
        let first = (centre - self.reach - 0.5).floor() + 1.0;
        let last = (centre + self.reach - 0.5).ceil() - 1.0;
        let pixels = self.pixels.get((first + self.margin) as usize..=(last + self.margin) as usize);
        (pixels.unwrap_or_default(), (first + 0.5 - centre) as f32)
    }
}
