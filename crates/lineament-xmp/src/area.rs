//! Where a face stands, as the Metadata Working Group has it ("Guidelines for handling image metadata", version 2.0, 2010, image regions): centre and size as
//! shares of the image.
//!
//! The pixels meant are those of the file as it is stored, before a viewer turns it by its EXIF orientation: that is what digiKam and Lightroom write, and turn
//! themselves when they show a region. Our boxes are upright, and so are turned back here.

use lineament::Rect;

/// Centre and size, in widths and heights of the image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    /// Centre from the left.
    pub x: f64,
    /// Centre from the top.
    pub y: f64,
    /// Width.
    pub w: f64,
    /// Height.
    pub h: f64,
}

impl Area {
    /// What a box covers of the upright image; nothing where it lies outside.
    pub fn upright(rect: Rect, width: u32, height: u32) -> Option<Self> {
        let share = |low: f32, size: f32, whole: u32| {
            let whole = f64::from(whole.max(1));
            let from = (f64::from(low) / whole).clamp(0.0, 1.0);
            let to = (f64::from(low + size) / whole).clamp(0.0, 1.0);
            (to > from).then_some(((from + to) / 2.0, to - from))
        };
        let ((x, w), (y, h)) = (share(rect.x, rect.width, width)?, share(rect.y, rect.height, height)?);
        Some(Self { x, y, w, h })
    }

    /// The same in the stored image, which a viewer turns by this EXIF orientation (1 to 8).
    pub fn stored(self, orientation: u8) -> Self {
        let Self { x, y, w, h } = self;
        let (left, up) = (1.0 - x, 1.0 - y);
        let (x, y) = match orientation {
            2 => (left, y),
            3 => (left, up),
            4 => (x, up),
            5 => (y, x),
            6 => (y, left),
            7 => (up, left),
            8 => (up, x),
            _ => (x, y),
        };
        if orientation >= 5 { Self { x, y, w: h, h: w } } else { Self { x, y, w, h } }
    }

    /// What both cover.
    pub fn shared(&self, other: &Self) -> f64 {
        let shared = |a: f64, a_size: f64, b: f64, b_size: f64| {
            let low = (a - a_size / 2.0).max(b - b_size / 2.0);
            let high = (a + a_size / 2.0).min(b + b_size / 2.0);
            (high - low).max(0.0)
        };
        shared(self.x, self.w, other.x, other.w) * shared(self.y, self.h, other.y, other.h)
    }

    /// Intersection over union.
    pub fn overlap(&self, other: &Self) -> f64 {
        let both = self.shared(other);
        let either = self.w * self.h + other.w * other.h - both;
        if either > 0.0 { both / either } else { 0.0 }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use image::metadata::Orientation;
    use image::{DynamicImage, Rgb, RgbImage};

    #[test]
    fn a_box_of_the_upright_image_is_found_in_the_stored_one() {
        // A red spot in the stored image, found again after a viewer turned it.
        let spot = |x: u32, y: u32| (10..16).contains(&x) && (3..7).contains(&y);
        let stored =
            RgbImage::from_fn(40, 20, |x, y| if spot(x, y) { Rgb([255, 0, 0]) } else { Rgb([0; 3]) });
        for orientation in 1..=8 {
            let mut turned = DynamicImage::from(stored.clone());
            turned.apply_orientation(Orientation::from_exif(orientation).unwrap());
            let turned = turned.to_rgb8();
            let red: Vec<(u32, u32)> =
                turned.enumerate_pixels().filter(|(_, _, p)| p.0[0] > 0).map(|(x, y, _)| (x, y)).collect();
            let (left, top) =
                (red.iter().map(|p| p.0).min().unwrap(), red.iter().map(|p| p.1).min().unwrap());
            let (right, bottom) =
                (red.iter().map(|p| p.0).max().unwrap(), red.iter().map(|p| p.1).max().unwrap());
            let rect =
                Rect::new(left as f32, top as f32, (right - left + 1) as f32, (bottom - top + 1) as f32);
            let found = Area::upright(rect, turned.width(), turned.height()).unwrap().stored(orientation);
            let expected = Area { x: 13.0 / 40.0, y: 5.0 / 20.0, w: 6.0 / 40.0, h: 4.0 / 20.0 };
            for (one, other) in [found.x, found.y, found.w, found.h]
                .into_iter()
                .zip([expected.x, expected.y, expected.w, expected.h])
            {
                assert!((one - other).abs() < 1e-6, "{orientation}: {found:?}");
            }
        }
    }

    #[test]
    fn what_lies_outside_the_image_is_cut_off() {
        let area = Area::upright(Rect::new(-10.0, 50.0, 40.0, 100.0), 100, 100).unwrap();
        assert_eq!(area, Area { x: 0.15, y: 0.75, w: 0.3, h: 0.5 });
        assert_eq!(Area::upright(Rect::new(120.0, 0.0, 10.0, 10.0), 100, 100), None);
        assert!((area.overlap(&area) - 1.0).abs() < 1e-12);
        assert_eq!(area.overlap(&Area { x: 0.9, ..area }), 0.0);
    }
}
