//! A small rasteriser: shapes as signed distances, so that edges are antialiased, softened and combined by arithmetic.

use lineament::{Photo, Point};

/// Red, green and blue from 0 to 255.
pub(super) type Colour = [f32; 3];

/// Part of the way from one colour to another.
pub(super) fn mix(from: Colour, to: Colour, share: f32) -> Colour {
    let [r, g, b] = from;
    let [x, y, z] = to;
    [r + (x - r) * share, g + (y - g) * share, b + (z - b) * share]
}

/// A colour made lighter (above 1) or darker.
pub(super) fn times(colour: Colour, factor: f32) -> Colour {
    colour.map(|value| (value * factor).clamp(0.0, 255.0))
}

/// A point in local units.
pub(super) type Coord = [f32; 2];

/// What can be filled. All lengths are local units of a [`Frame`].
pub(super) enum Shape {
    /// Centre and the two radii, upright.
    Ellipse(Coord, Coord),
    /// Corners, closed.
    Polygon(Vec<Coord>),
    /// A stroke along points, with its radius.
    Stroke(Vec<Coord>, f32),
    /// The first without the second.
    Without(Box<Shape>, Box<Shape>),
    /// What both cover.
    Both(Box<Shape>, Box<Shape>),
}

impl Shape {
    pub(super) fn disc(centre: Coord, radius: f32) -> Self {
        Self::Ellipse(centre, [radius, radius])
    }

    /// A smooth stroke through three places (a quadratic curve with the middle one as its height).
    pub(super) fn arc(from: Coord, through: Coord, to: Coord, radius: f32) -> Self {
        let control = [0, 1].map(|i| 2.0 * through[i] - (from[i] + to[i]) / 2.0);
        let points = (0..=12).map(|step| {
            let t = step as f32 / 12.0;
            [0, 1].map(|i| (1.0 - t).powi(2) * from[i] + 2.0 * t * (1.0 - t) * control[i] + t * t * to[i])
        });
        Self::Stroke(points.collect(), radius)
    }

    pub(super) fn rectangle(left: f32, top: f32, right: f32, bottom: f32) -> Self {
        Self::Polygon(vec![[left, top], [right, top], [right, bottom], [left, bottom]])
    }

    pub(super) fn without(self, other: Self) -> Self {
        Self::Without(Box::new(self), Box::new(other))
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self::Both(Box::new(self), Box::new(other))
    }

    /// Distance to the edge, negative inside (exact but for ellipses, where it is near enough within a few pixels).
    fn distance(&self, [x, y]: Coord) -> f32 {
        match self {
            Self::Ellipse([cx, cy], [rx, ry]) => {
                let (u, v) = ((x - cx) / rx, (y - cy) / ry);
                let inner = u.hypot(v);
                let slope = (u / rx).hypot(v / ry);
                if slope > 0.0 { inner * (inner - 1.0) / slope } else { -rx.min(*ry) }
            }
            Self::Polygon(corners) => {
                let mut nearest = f32::INFINITY;
                let mut inside = false;
                let ends = corners.iter().cycle().skip(1);
                for (a, b) in corners.iter().zip(ends) {
                    nearest = nearest.min(to_segment([x, y], *a, *b));
                    if (a[1] > y) != (b[1] > y) && x < (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]) + a[0] {
                        inside = !inside;
                    }
                }
                if inside { -nearest } else { nearest }
            }
            Self::Stroke(points, radius) => {
                let parts = points.iter().zip(points.iter().skip(1));
                parts.map(|(a, b)| to_segment([x, y], *a, *b)).fold(f32::INFINITY, f32::min) - radius
            }
            Self::Without(a, b) => a.distance([x, y]).max(-b.distance([x, y])),
            Self::Both(a, b) => a.distance([x, y]).max(b.distance([x, y])),
        }
    }

    /// Left, top, right and bottom of what it can cover.
    fn bounds(&self) -> [f32; 4] {
        let of = |points: &[Coord], margin: f32| {
            points.iter().fold([f32::MAX, f32::MAX, f32::MIN, f32::MIN], |[l, t, r, b], [x, y]| {
                [l.min(x - margin), t.min(y - margin), r.max(x + margin), b.max(y + margin)]
            })
        };
        match self {
            Self::Ellipse([x, y], [rx, ry]) => [x - rx, y - ry, x + rx, y + ry],
            Self::Polygon(corners) => of(corners, 0.0),
            Self::Stroke(points, radius) => of(points, *radius),
            Self::Without(a, _) => a.bounds(),
            Self::Both(a, b) => {
                let ([l, t, r, d], [m, u, s, e]) = (a.bounds(), b.bounds());
                [l.max(m), t.max(u), r.min(s), d.min(e)]
            }
        }
    }
}

fn to_segment([x, y]: Coord, a: Coord, b: Coord) -> f32 {
    let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
    let length = dx * dx + dy * dy;
    let along = if length > 0.0 { ((x - a[0]) * dx + (y - a[1]) * dy) / length } else { 0.0 };
    let along = along.clamp(0.0, 1.0);
    (x - a[0] - along * dx).hypot(y - a[1] - along * dy)
}

/// Where local units lie on the canvas: shifted, enlarged and turned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// The local origin, in pixels.
    pub(super) centre: Point,
    /// Pixels of a local unit.
    pub(super) scale: f32,
    /// Clockwise, in radians.
    pub(super) turn: f32,
}

impl Frame {
    pub(super) fn to_canvas(self, [x, y]: Coord) -> Point {
        let (sin, cos) = self.turn.sin_cos();
        Point {
            x: self.centre.x + self.scale * (cos * x - sin * y),
            y: self.centre.y + self.scale * (sin * x + cos * y),
        }
    }
}

/// How a shape is laid on.
#[derive(Clone, Copy)]
pub(super) struct Ink {
    pub(super) colour: Colour,
    /// 1 covers, 0 is nothing.
    pub(super) opacity: f32,
    /// Width of the edge's fading, in local units; 0 is sharp.
    pub(super) soft: f32,
    /// Change of brightness for each local unit to the right: light from a side.
    pub(super) slope: f32,
}

impl Ink {
    pub(super) fn plain(colour: Colour) -> Self {
        Self { colour, opacity: 1.0, soft: 0.0, slope: 0.0 }
    }

    pub(super) fn thin(self, opacity: f32) -> Self {
        Self { opacity, ..self }
    }

    pub(super) fn soft(self, soft: f32) -> Self {
        Self { soft, ..self }
    }

    pub(super) fn lit(self, slope: f32) -> Self {
        Self { slope, ..self }
    }
}

/// An image in the making.
pub(super) struct Canvas {
    width: u32,
    height: u32,
    pixels: Vec<Colour>,
}

impl Canvas {
    pub(super) fn new(width: u32, height: u32, colour: Colour) -> Self {
        Self { width, height, pixels: vec![colour; width as usize * height as usize] }
    }

    /// Lays a shape on.
    pub(super) fn fill(&mut self, frame: Frame, shape: &Shape, ink: Ink) {
        let [left, top, right, bottom] = shape.bounds();
        let margin = ink.soft + 1.0 / frame.scale;
        let corners = [
            [left - margin, top - margin],
            [right + margin, top - margin],
            [left - margin, bottom + margin],
            [right + margin, bottom + margin],
        ]
        .map(|corner| frame.to_canvas(corner));
        let span = |values: [f32; 4], length: u32| {
            let low = values.iter().copied().fold(f32::INFINITY, f32::min).floor().max(0.0) as usize;
            let high = values.iter().copied().fold(0.0, f32::max).ceil().min(length as f32) as usize;
            low..high
        };
        let columns = span(corners.map(|p| p.x), self.width);
        let rows = span(corners.map(|p| p.y), self.height);
        let (sin, cos) = frame.turn.sin_cos();
        let fade = (ink.soft * frame.scale).max(1.0);
        for (y, row) in
            self.pixels.chunks_exact_mut(self.width as usize).enumerate().take(rows.end).skip(rows.start)
        {
            for (x, pixel) in row.iter_mut().enumerate().take(columns.end).skip(columns.start) {
                let dx = (x as f32 + 0.5 - frame.centre.x) / frame.scale;
                let dy = (y as f32 + 0.5 - frame.centre.y) / frame.scale;
                let local = [cos * dx + sin * dy, cos * dy - sin * dx];
                let cover = (0.5 - shape.distance(local) * frame.scale / fade).clamp(0.0, 1.0);
                if cover > 0.0 {
                    let colour = times(ink.colour, 1.0 + ink.slope * local[0]);
                    *pixel = mix(*pixel, colour, cover * ink.opacity);
                }
            }
        }
    }

    /// Changes every pixel by a function of its column and row.
    pub(super) fn change(&mut self, mut change: impl FnMut(f32, f32, Colour) -> Colour) {
        let width = self.width as usize;
        for (y, row) in self.pixels.chunks_exact_mut(width).enumerate() {
            for (x, pixel) in row.iter_mut().enumerate() {
                *pixel = change(x as f32, y as f32, *pixel);
            }
        }
    }

    /// The finished image.
    pub(super) fn into_photo(self) -> Photo {
        let mut photo = Photo::filled(self.width, self.height, [0; 3]);
        for (target, colour) in photo.pixels_mut().chunks_exact_mut(3).zip(&self.pixels) {
            target.copy_from_slice(&colour.map(|value| (value + 0.5) as u8));
        }
        photo
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn covered(shape: &Shape, frame: Frame) -> f32 {
        let mut canvas = Canvas::new(64, 64, [0.0; 3]);
        canvas.fill(frame, shape, Ink::plain([255.0; 3]));
        canvas.pixels.iter().map(|p| p[0] / 255.0).sum()
    }

    const MIDDLE: Frame = Frame { centre: Point { x: 32.0, y: 32.0 }, scale: 10.0, turn: 0.4 };

    #[test]
    fn areas_are_those_of_geometry() {
        let disc = covered(&Shape::disc([0.0, 0.0], 2.0), MIDDLE);
        assert!((disc - std::f32::consts::PI * 400.0).abs() < 12.0, "{disc}");
        let ellipse = covered(&Shape::Ellipse([0.2, 0.1], [2.0, 1.0]), MIDDLE);
        assert!((ellipse - std::f32::consts::PI * 200.0).abs() < 12.0, "{ellipse}");
        let square = covered(&Shape::rectangle(-1.0, -1.0, 1.0, 1.0), MIDDLE);
        assert!((square - 400.0).abs() < 4.0, "{square}");
        let half = Shape::disc([0.0, 0.0], 2.0).and(Shape::rectangle(0.0, -3.0, 3.0, 3.0));
        assert!((covered(&half, MIDDLE) - disc / 2.0).abs() < 8.0);
        let ring = Shape::disc([0.0, 0.0], 2.0).without(Shape::disc([0.0, 0.0], 1.0));
        assert!((covered(&ring, MIDDLE) - disc * 0.75).abs() < 8.0);
    }

    #[test]
    fn what_lies_outside_is_cut_off() {
        let far = Frame { centre: Point { x: -500.0, y: 900.0 }, ..MIDDLE };
        assert_eq!(covered(&Shape::disc([0.0, 0.0], 2.0), far), 0.0);
        let corner = Frame { centre: Point { x: 0.0, y: 0.0 }, ..MIDDLE };
        let quarter = covered(&Shape::disc([0.0, 0.0], 2.0), corner);
        assert!((quarter - std::f32::consts::PI * 100.0).abs() < 12.0, "{quarter}");
    }
}
