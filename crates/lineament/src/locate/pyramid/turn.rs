//! Quarter turns of what a net is shown.

use std::borrow::Cow;

use crate::photo::Photo;

/// How a face stands in the photo, by the quarter of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Upright,
    /// Turned clockwise by 90 degrees: the chin is on the left.
    Clockwise,
    UpsideDown,
    /// Turned the other way.
    Counterclockwise,
}

impl Turn {
    pub(super) const ALL: [Self; 4] =
        [Self::Upright, Self::Clockwise, Self::UpsideDown, Self::Counterclockwise];

    /// In degrees, clockwise.
    pub(super) fn roll(self) -> f32 {
        match self {
            Self::Upright => 0.0,
            Self::Clockwise => 90.0,
            Self::UpsideDown => 180.0,
            Self::Counterclockwise => -90.0,
        }
    }

    /// The image turned back, so that a face that stood like this is upright.
    pub(super) fn upright(self, image: &Photo) -> Cow<'_, Photo> {
        let (width, height) = (image.width(), image.height());
        let mut turned = match self {
            Self::Upright => return Cow::Borrowed(image),
            Self::UpsideDown => Photo::filled(width, height, [0; 3]),
            Self::Clockwise | Self::Counterclockwise => Photo::filled(height, width, [0; 3]),
        };
        let columns = turned.width();
        let (pixels, _) = turned.pixels_mut().as_chunks_mut::<3>();
        for (at, pixel) in (0u32..).zip(pixels) {
            let (x, y) = (at % columns, at / columns);
            let (x, y) = self.back([f64::from(x) + 0.5, f64::from(y) + 0.5], [width, height].map(f64::from));
            *pixel = image.pixel(x as u32, y as u32).unwrap_or_default();
        }
        Cow::Owned(turned)
    }

    /// Where a point of the image turned back lies in the image, which has this width and height.
    pub(super) fn back(self, [x, y]: [f64; 2], [width, height]: [f64; 2]) -> (f64, f64) {
        match self {
            Self::Upright => (x, y),
            Self::Clockwise => (width - y, x),
            Self::UpsideDown => (width - x, height - y),
            Self::Counterclockwise => (y, height - x),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_turned_back() {
        let photo = |width, height, values: &[u8]| {
            let mut photo = Photo::filled(width, height, [0; 3]);
            let pixels = photo.pixels_mut().as_chunks_mut::<3>().0;
            pixels.iter_mut().zip(values).for_each(|(pixel, value)| *pixel = [*value; 3]);
            photo
        };
        let seen = photo(3, 2, &[1, 2, 3, 4, 5, 6]);
        // The chin of a face that is turned clockwise is on the left: 1 and 4 go down.
        let expected = [
            (Turn::Upright, photo(3, 2, &[1, 2, 3, 4, 5, 6])),
            (Turn::Clockwise, photo(2, 3, &[3, 6, 2, 5, 1, 4])),
            (Turn::UpsideDown, photo(3, 2, &[6, 5, 4, 3, 2, 1])),
            (Turn::Counterclockwise, photo(2, 3, &[4, 1, 5, 2, 6, 3])),
        ];
        for (turn, turned) in expected {
            assert_eq!(turn.upright(&seen).pixels(), turned.pixels(), "{turn:?}");
        }
    }
}
