//! A box that stands as its face does.

use lineament::{Point, Rect};

/// Boxes that are turned less are drawn upright: an edge of 100 pixels ends one pixel away.
const LEAST: f32 = 0.6;

/// A box, turned about its center.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Turned {
    rect: Rect,
    sine: f32,
    cosine: f32,
}

impl Turned {
    /// The box, turned clockwise by so many degrees.
    pub(super) fn new(rect: Rect, degrees: f32) -> Self {
        let degrees = if degrees.abs() < LEAST { 0.0 } else { degrees };
        let (sine, cosine) = degrees.to_radians().sin_cos();
        Self { rect, sine, cosine }
    }

    /// The box itself where it is not turned.
    pub(super) fn upright(self) -> Option<Rect> {
        (self.sine == 0.0).then_some(self.rect)
    }

    /// The least upright rectangle around it.
    pub(super) fn bounds(self) -> Rect {
        if let Some(rect) = self.upright() {
            return rect;
        }
        let (center, Rect { width, height, .. }) = (self.center(), self.rect);
        let (sine, cosine) = (self.sine.abs(), self.cosine.abs());
        let (across, down) = (width * cosine + height * sine, width * sine + height * cosine);
        Rect::new(center.x - across / 2.0, center.y - down / 2.0, across, down)
    }

    /// Whether a point of the photo lies inside, and less than `line` pixels from an edge.
    pub(super) fn outlines(self, point: Point, line: f32) -> bool {
        let center = self.center();
        let (x, y) = (point.x - center.x, point.y - center.y);
        // Seen from the box: turned back.
        let (right, down) = (x * self.cosine + y * self.sine, y * self.cosine - x * self.sine);
        let inside = (self.rect.width / 2.0 - right.abs()).min(self.rect.height / 2.0 - down.abs());
        (0.0..line).contains(&inside)
    }

    fn center(self) -> Point {
        Point::new(self.rect.x + self.rect.width / 2.0, self.rect.y + self.rect.height / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOX: Rect = Rect { x: 10.0, y: 20.0, width: 40.0, height: 60.0 };

    #[test]
    fn a_quarter_turn_swaps_the_sides() {
        let Rect { x, y, width, height } = Turned::new(BOX, 90.0).bounds();
        for (found, expected) in [(x, 0.0), (y, 30.0), (width, 60.0), (height, 40.0)] {
            assert!((found - expected).abs() < 1e-3, "{found} {expected}");
        }
    }

    #[test]
    fn a_turned_box_is_outlined_along_its_own_edges() {
        let turned = Turned::new(BOX, 30.0);
        assert_eq!((Turned::new(BOX, 0.3).upright(), turned.upright()), (Some(BOX), None));
        // The middle of the upper edge goes to the right: clockwise.
        let (x, y) = (30.0 + 29.0 * 30_f32.to_radians().sin(), 50.0 - 29.0 * 30_f32.to_radians().cos());
        assert!(turned.outlines(Point::new(x, y), 2.0));
        assert!(!turned.outlines(Point::new(x, y), 0.5), "one pixel inside");
        assert!(!turned.outlines(Point::new(60.0 - x, y), 2.0), "not the other way round");
        assert!(!turned.outlines(Point::new(30.0, 50.0), 2.0), "its center is left alone");
    }
}
