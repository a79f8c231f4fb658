//! Square windows of a photo, upright or turned.

use super::parameters::WindowToBox;
use super::response::Response;
use crate::crop::{crop, warp};
use crate::geometry::{Affine, Point, Rect};
use crate::photo::Photo;

/// The most that one answer moves a window, in its sides, and the most that it changes the logarithm of its side: far beyond
/// what LNets learn.
const MOST: f32 = 1.0;

/// A square window of a photo and how an LNet responds to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// Its centre, in pixels of the photo.
    pub centre: Point,
    /// Its side, in pixels of the photo.
    pub side: f32,
    /// How far it is turned clockwise about its centre, in degrees between -180 and 180.
    pub roll: f32,
    /// The response to "there is a face here".
    pub score: f32,
}

impl Window {
    /// The window as a square, not turned.
    pub fn rect(&self) -> Rect {
        Rect::about(self.centre, self.side, self.side)
    }

    /// The box around the face that the window stands for, whose sides are those of the photo however the face is turned.
    pub fn face(&self, to_box: &WindowToBox) -> Rect {
        let centre = self.point_at(to_box.right, to_box.down);
        let [width, height] = to_box.sides(self.roll);
        Rect::about(centre, width * self.side, height * self.side)
    }

    /// The face's own window, by what an LNet says about this one.
    pub fn corrected(&self, response: &Response) -> Self {
        let bounded = |value: f32| value.clamp(-MOST, MOST);
        Self {
            centre: self.point_at(bounded(response.right), bounded(response.down)),
            side: self.side * bounded(response.size).exp(),
            roll: half_turned(self.roll + response.roll()),
            score: response.face,
        }
    }

    /// The window of a face that is turned clockwise by `roll` degrees and has the box `upright` when it stands upright, about
    /// the same centre.
    pub fn of_face(upright: Rect, roll: f32, to_box: &WindowToBox) -> Self {
        let window = Self { centre: upright.centre(), side: upright.width / to_box.width, roll, score: 0.0 };
        Self { centre: window.point_at(-to_box.right, -to_box.down), ..window }
    }

    /// What an LNet is shown of it: an image of `side` by `side` pixels, in which a face turned like the window is upright.
    pub fn drawn(&self, photo: &Photo, side: u32) -> Photo {
        if self.roll == 0.0 {
            return crop(photo, self.rect(), side, side);
        }
        warp(photo, &Affine::of_turned(self.rect(), self.roll.to_radians(), false, side, side), side, side)
    }

    /// The point that lies so many sides right of the centre and below it, seen along the window's own axes.
    fn point_at(&self, right: f32, down: f32) -> Point {
        let (sine, cosine) = self.roll.to_radians().sin_cos();
        Point::new(
            self.centre.x + (right * cosine - down * sine) * self.side,
            self.centre.y + (right * sine + down * cosine) * self.side,
        )
    }
}

/// The same direction between -180 and 180 degrees.
fn half_turned(degrees: f32) -> f32 {
    degrees - 360.0 * (degrees / 360.0).round()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TO_BOX: WindowToBox = WindowToBox { right: 0.0, down: 0.25, width: 0.6, height: 0.8 };

    fn window(roll: f32) -> Window {
        Window { centre: Point::new(50.0, 40.0), side: 20.0, roll, score: 0.0 }
    }

    #[test]
    fn boxes_turn_with_the_window() {
        let close = |found: Rect, expected: Rect| {
            let apart = [found.x - expected.x, found.y - expected.y, found.right() - expected.right()];
            assert!(apart.iter().all(|apart| apart.abs() < 1e-4), "{found:?} {expected:?}");
            assert!((found.height - expected.height).abs() < 1e-4, "{found:?} {expected:?}");
        };
        close(window(0.0).face(&TO_BOX), Rect::about(Point::new(50.0, 45.0), 12.0, 16.0));
        // A head that lies to the right has its chin on the left.
        close(window(90.0).face(&TO_BOX), Rect::about(Point::new(45.0, 40.0), 16.0, 12.0));
        close(window(180.0).face(&TO_BOX), Rect::about(Point::new(50.0, 35.0), 12.0, 16.0));
    }

    #[test]
    fn offsets_are_sides_along_the_axes_of_the_window() {
        let response =
            Response { face: 2.0, right: 0.5, down: -0.1, size: 2.0f32.ln(), sine: 1.0, cosine: 1.0 };
        let upright = window(0.0).corrected(&response);
        assert!(upright.centre.distance(Point::new(60.0, 38.0)) < 1e-4, "{upright:?}");
        assert!((upright.side - 40.0).abs() < 1e-4 && (upright.roll - 45.0).abs() < 1e-4);
        assert_eq!(upright.score, 2.0);
        let lying = window(90.0).corrected(&response);
        assert!(lying.centre.distance(Point::new(52.0, 50.0)) < 1e-4, "{lying:?}");
        assert!((lying.roll - 135.0).abs() < 1e-3);
        assert!((window(170.0).corrected(&response).roll + 145.0).abs() < 1e-3);
    }

    #[test]
    fn a_turned_window_is_drawn_upright() {
        // A bright spot above the centre of the window.
        let mut photo = Photo::filled(100, 80, [10; 3]);
        for (at, pixel) in photo.pixels_mut().as_chunks_mut::<3>().0.iter_mut().enumerate() {
            if (48..52).contains(&(at % 100)) && (32..36).contains(&(at / 100)) {
                *pixel = [250; 3];
            }
        }
        let brightest = |roll| {
            let drawn = window(roll).drawn(&photo, 20);
            let at = drawn.pixels().chunks_exact(3).enumerate().max_by_key(|(_, pixel)| pixel[0]).unwrap().0;
            (at % 20, at / 20)
        };
        assert!(matches!(brightest(0.0), (8..=11, 2..=5)), "{:?}", brightest(0.0));
        // Turned back by a quarter, what was above is on the left.
        assert!(matches!(brightest(90.0), (2..=5, 8..=11)), "{:?}", brightest(90.0));
        assert!(matches!(brightest(-90.0), (14..=17, 8..=11)), "{:?}", brightest(-90.0));
    }

    proptest! {
        #[test]
        fn no_answer_leaves_the_photo_far_behind(
            roll in -180.0f32..180.0, right in -1e30f32..1e30, size in -1e30f32..1e30, sine in -9.0f32..9.0,
        ) {
            let response = Response { face: 0.0, right, down: right, size, sine, cosine: 0.0 };
            let moved = window(roll).corrected(&response);
            prop_assert!(moved.centre.distance(window(roll).centre) < 30.0);
            prop_assert!((20.0 / 2.8..20.0 * 2.8).contains(&moved.side));
            prop_assert!((-180.0..=180.0).contains(&moved.roll));
        }
    }
}
