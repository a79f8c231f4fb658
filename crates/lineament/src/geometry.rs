//! Rectangles, points and affine maps in pixels of the image, and non-maximum suppression.
//!
//! Coordinates are continuous: the origin is the top left corner of the image and the pixel in column `i`
//! and row `j` covers `i..i + 1` by `j..j + 1`, so its centre lies at `(i + 0.5, j + 0.5)`.

use serde::{Deserialize, Serialize};

/// A point in an image, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Distance from the left edge.
    pub x: f32,
    /// Distance from the top edge.
    pub y: f32,
}

impl Point {
    /// The point at `x`, `y`.
    pub const fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }

    /// Distance to `other`, in pixels.
    pub fn distance(self, other: Self) -> f32 {
        (self.x - other.x).hypot(self.y - other.y)
    }
}

/// An upright rectangle, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rect {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Extent to the right of `x`.
    pub width: f32,
    /// Extent below `y`.
    pub height: f32,
}

impl Rect {
    /// The rectangle with the top left corner `x`, `y`.
    pub const fn new(x: f32, y: f32, width: f32, height: f32) -> Self {
        Self { x, y, width, height }
    }

    /// The rectangle of this size about `centre`.
    pub fn about(centre: Point, width: f32, height: f32) -> Self {
        Self::new(centre.x - width / 2.0, centre.y - height / 2.0, width, height)
    }

    /// Right edge.
    pub fn right(self) -> f32 {
        self.x + self.width
    }

    /// Bottom edge.
    pub fn bottom(self) -> f32 {
        self.y + self.height
    }

    /// The point in its middle.
    pub fn centre(self) -> Point {
        Point::new(self.x + self.width / 2.0, self.y + self.height / 2.0)
    }

    /// Area in square pixels; zero for a rectangle without extent.
    pub fn area(self) -> f32 {
        self.width.max(0.0) * self.height.max(0.0)
    }

    /// What both cover; `None` where they do not overlap.
    pub fn intersection(self, other: Self) -> Option<Self> {
        let (x, y) = (self.x.max(other.x), self.y.max(other.y));
        let width = self.right().min(other.right()) - x;
        let height = self.bottom().min(other.bottom()) - y;
        (width > 0.0 && height > 0.0).then_some(Self::new(x, y, width, height))
    }

    /// Intersection over union, between 0 and 1; 1 for a rectangle with itself, 0 where one of them has no
    /// area.
    pub fn iou(self, other: Self) -> f32 {
        let Some(both) = self.intersection(other) else { return 0.0 };
        // Single precision cancels when a small rectangle meets a large one.
        let area = |rect: Self| f64::from(rect.width) * f64::from(rect.height);
        let shared = area(both);
        let either = area(self) + area(other) - shared;
        if either > 0.0 { (shared / either).clamp(0.0, 1.0) as f32 } else { 0.0 }
    }

    /// Scaled by `factor` about its centre.
    pub fn scaled(self, factor: f32) -> Self {
        Self::about(self.centre(), self.width * factor, self.height * factor)
    }

    /// Shifted by `dx` to the right and `dy` down.
    pub fn moved(self, dx: f32, dy: f32) -> Self {
        Self::new(self.x + dx, self.y + dy, self.width, self.height)
    }

    /// The part inside an image of `width` by `height` pixels; without extent when it lies outside.
    pub fn clamped(self, width: u32, height: u32) -> Self {
        let (width, height) = (width as f32, height as f32);
        let (x, y) = (self.x.clamp(0.0, width), self.y.clamp(0.0, height));
        let right = self.right().clamp(x, width.max(x));
        let bottom = self.bottom().clamp(y, height.max(y));
        Self::new(x, y, right - x, bottom - y)
    }

    /// The square about the same centre whose side is the longer of the two.
    pub fn squared(self) -> Self {
        let side = self.width.max(self.height);
        Self::about(self.centre(), side, side)
    }

    /// Mirrored left to right in an image that is `width` pixels wide.
    pub fn mirrored(self, width: u32) -> Self {
        Self::new(width as f32 - self.right(), self.y, self.width, self.height)
    }

    /// Whether `point` lies inside; the left and top edges belong to it, the right and bottom edges do not.
    pub fn contains(self, point: Point) -> bool {
        point.x >= self.x && point.y >= self.y && point.x < self.right() && point.y < self.bottom()
    }

    /// Whether all four numbers are finite.
    pub fn is_finite(self) -> bool {
        [self.x, self.y, self.width, self.height].iter().all(|value| value.is_finite())
    }
}

/// Greedy non-maximum suppression: the best first, and of any two kept no pair overlaps by more than `iou`.
///
/// Equal scores keep their order; what has a score that is not a number goes last.
pub fn suppress(found: Vec<(Rect, f32)>, iou: f32) -> Vec<(Rect, f32)> {
    suppress_by(found, iou, |&(rect, score)| (rect, score))
}

/// [`suppress`] of things that have a rectangle and a score.
pub fn suppress_by<T>(mut found: Vec<T>, iou: f32, of: impl Fn(&T) -> (Rect, f32)) -> Vec<T> {
    let key = |one: &T| Some(of(one).1).filter(|score| !score.is_nan()).unwrap_or(f32::NEG_INFINITY);
    found.sort_by(|a, b| key(b).total_cmp(&key(a)));
    let mut kept: Vec<T> = Vec::new();
    for one in found {
        if kept.iter().all(|better| of(better).0.iou(of(&one).0) <= iou) {
            kept.push(one);
        }
    }
    kept
}

/// A map from points of an output image to points of a source image.
///
/// `[a, b, c, d, e, f]` sends `(u, v)` to `(a u + b v + c, d u + e v + f)`; both sides are continuous
/// coordinates, so the pixel in column `i` and row `j` of the output asks for `(i + 0.5, j + 0.5)`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Affine(pub [f32; 6]);

impl Affine {
    /// Every point to itself.
    pub const IDENTITY: Self = Self([1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);

    /// An output of `width` by `height` pixels that shows `rect`.
    pub fn of_rect(rect: Rect, width: u32, height: u32) -> Self {
        let (sx, sy) = (rect.width / width.max(1) as f32, rect.height / height.max(1) as f32);
        Self([sx, 0.0, rect.x, 0.0, sy, rect.y])
    }

    /// An output of `width` by `height` pixels that shows `rect` turned by `angle` radians about its centre
    /// (clockwise as a person sees it), so that what is seen turns the other way; `mirror` swaps left and
    /// right.
    pub fn of_turned(rect: Rect, angle: f32, mirror: bool, width: u32, height: u32) -> Self {
        let upright = Self::of_rect(rect, width, height);
        let centre = rect.centre();
        let (sin, cos) = angle.sin_cos();
        let turn = Self([
            cos,
            -sin,
            centre.x - cos * centre.x + sin * centre.y,
            sin,
            cos,
            centre.y - sin * centre.x - cos * centre.y,
        ]);
        let shown = upright.then(&turn);
        if mirror { Self([-1.0, 0.0, width as f32, 0.0, 1.0, 0.0]).then(&shown) } else { shown }
    }

    /// From a frame in which a square is upright, has a side of one and its centre at the origin, to the square about `centre` with this
    /// `side` that is turned clockwise by `angle` radians.
    pub fn of_frame(centre: Point, side: f32, angle: f32) -> Self {
        let (sin, cos) = angle.sin_cos();
        Self([side * cos, -side * sin, centre.x, side * sin, side * cos, centre.y])
    }

    /// Where `point` of the output lies in the source.
    pub fn apply(&self, point: Point) -> Point {
        let [a, b, c, d, e, f] = self.0;
        Point::new(a * point.x + b * point.y + c, d * point.x + e * point.y + f)
    }

    /// This map first, `next` after it.
    pub fn then(&self, next: &Self) -> Self {
        let [a, b, c, d, e, f] = self.0;
        let [na, nb, nc, nd, ne, nf] = next.0;
        Self([
            na * a + nb * d,
            na * b + nb * e,
            na * c + nb * f + nc,
            nd * a + ne * d,
            nd * b + ne * e,
            nd * c + ne * f + nf,
        ])
    }

    /// The map back; `None` where this one flattens the plane.
    pub fn inverse(&self) -> Option<Self> {
        let [a, b, c, d, e, f] = self.0.map(f64::from);
        let determinant = a * e - b * d;
        let back = [e, -b, b * f - c * e, -d, a, c * d - a * f].map(|value| (value / determinant) as f32);
        (determinant != 0.0 && back.iter().all(|value| value.is_finite())).then_some(Self(back))
    }

    /// How many pixels of the source one pixel of the output spans, along its row and along its column.
    pub fn scales(&self) -> (f32, f32) {
        let [a, b, _, d, e, _] = self.0;
        (a.hypot(d), b.hypot(e))
    }

    /// Whether all six numbers are finite.
    pub fn is_finite(&self) -> bool {
        self.0.iter().all(|value| value.is_finite())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rects() -> impl Strategy<Value = Rect> {
        (-50.0f32..200.0, -50.0f32..200.0, 0.5f32..120.0, 0.5f32..120.0)
            .prop_map(|(x, y, w, h)| Rect::new(x, y, w, h))
    }

    #[test]
    fn a_frame_is_that_of_the_turned_square() {
        let (centre, side, angle) = (Point::new(7.0, -3.0), 12.0, 0.4);
        // The same square as an output of one pixel, whose centre is at its half.
        let output = Affine::of_turned(Rect::about(centre, side, side), angle, false, 1, 1);
        let frame = Affine::of_frame(centre, side, angle);
        for (x, y) in [(0.0, 0.0), (0.5, -0.5), (-0.5, 0.25)] {
            let (own, other) = (frame.apply(Point::new(x, y)), output.apply(Point::new(x + 0.5, y + 0.5)));
            assert!(own.distance(other) < 1e-4, "{own:?}, {other:?}");
        }
    }

    proptest! {
        #[test]
        fn iou_is_symmetric_bounded_and_one_for_itself(a in rects(), b in rects()) {
            prop_assert_eq!(a.iou(b), b.iou(a));
            prop_assert!((0.0..=1.0).contains(&a.iou(b)));
            prop_assert!((a.iou(a) - 1.0).abs() < 1e-3);
        }

        #[test]
        fn an_intersection_lies_in_both(a in rects(), b in rects()) {
            if let Some(both) = a.intersection(b) {
                prop_assert!(both.area() <= a.area().min(b.area()) * 1.001);
            }
        }

        #[test]
        fn suppression_keeps_the_best_and_no_pair_above_the_threshold(
            found in prop::collection::vec((rects(), 0.0f32..1.0), 1..30), threshold in 0.0f32..1.0,
        ) {
            let kept = suppress(found.clone(), threshold);
            let best = found.iter().map(|f| f.1).fold(f32::MIN, f32::max);
            prop_assert_eq!(kept[0].1, best);
            prop_assert!(kept.windows(2).all(|pair| pair[0].1 >= pair[1].1));
            for (i, a) in kept.iter().enumerate() {
                for b in &kept[i + 1..] {
                    prop_assert!(a.0.iou(b.0) <= threshold);
                }
            }
            for rejected in found.iter().filter(|f| !kept.contains(f)) {
                prop_assert!(kept.iter().any(|k| k.1 >= rejected.1 && k.0.iou(rejected.0) > threshold));
            }
        }

        #[test]
        fn clamped_lies_inside_the_image(rect in rects(), width in 1u32..200, height in 1u32..200) {
            let inside = rect.clamped(width, height);
            prop_assert!(inside.x >= 0.0 && inside.y >= 0.0 && inside.width >= 0.0 && inside.height >= 0.0);
            prop_assert!(inside.right() <= width as f32 + 1e-3 && inside.bottom() <= height as f32 + 1e-3);
        }

        #[test]
        fn an_affine_map_and_its_inverse_cancel(rect in rects(), angle in -3.0f32..3.0, mirror: bool, x in 0.0f32..64.0, y in 0.0f32..64.0) {
            let map = Affine::of_turned(rect, angle, mirror, 64, 64);
            let back = map.inverse().unwrap();
            prop_assert!(back.apply(map.apply(Point::new(x, y))).distance(Point::new(x, y)) < 0.05);
        }
    }

    #[test]
    fn suppression_is_stable_and_puts_nan_last() {
        let far = |x: f32| Rect::new(x, 0.0, 1.0, 1.0);
        let kept = suppress(vec![(far(0.0), f32::NAN), (far(10.0), 0.5), (far(20.0), 0.5)], 0.3);
        assert_eq!(kept.iter().map(|k| k.0.x).collect::<Vec<_>>(), [10.0, 20.0, 0.0]);
    }

    #[test]
    fn rectangles_without_area_overlap_nothing() {
        let flat = Rect::new(1.0, 1.0, 0.0, 5.0);
        assert_eq!(flat.iou(flat), 0.0);
        assert_eq!(flat.iou(Rect::new(0.0, 0.0, 10.0, 10.0)), 0.0);
        assert_eq!(Rect::new(0.0, 0.0, -3.0, 2.0).area(), 0.0);
    }

    #[test]
    fn a_turned_map_keeps_the_centre_and_mirrors_the_corners() {
        let rect = Rect::new(10.0, 20.0, 40.0, 40.0);
        let turned = Affine::of_turned(rect, 0.7, false, 20, 20);
        assert!(turned.apply(Point::new(10.0, 10.0)).distance(rect.centre()) < 1e-4);
        let mirrored = Affine::of_turned(rect, 0.0, true, 20, 20);
        assert!(mirrored.apply(Point::new(0.0, 0.0)).distance(Point::new(50.0, 20.0)) < 1e-4);
        assert_eq!(turned.scales().0.round(), 2.0);
    }
}
