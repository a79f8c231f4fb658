//! Filled rectangles and letters on a photo; what falls outside is left out.

use font8x8::{BASIC_FONTS, LATIN_FONTS, UnicodeFonts};

use super::turned::Turned;
use lineament::{Photo, Point, Rect};

/// Side of a letter at scale 1, in pixels.
pub(super) const GLYPH: u32 = 8;

/// A photo that is drawn upon.
pub(super) struct Canvas(Photo);

impl Canvas {
    pub(super) fn new(photo: Photo) -> Self {
        Self(photo)
    }

    pub(super) fn into_photo(self) -> Photo {
        self.0
    }

    /// The outline of a box, `line` pixels wide, inwards.
    pub(super) fn frame(&mut self, turned: Turned, line: u32, colour: [u8; 3]) {
        match turned.upright() {
            Some(rect) => self.upright_frame(rect, line, colour),
            None => self.paint(corners(turned.bounds()), |x, y, old| {
                let center = Point::new(x as f32 + 0.5, y as f32 + 0.5);
                if turned.outlines(center, line as f32) { colour } else { old }
            }),
        }
    }

    fn upright_frame(&mut self, rect: Rect, line: u32, colour: [u8; 3]) {
        let [x, y, right, bottom] = corners(rect);
        let line = i64::from(line).min((right - x + 1) / 2).min((bottom - y + 1) / 2).max(1);
        let (inner_top, inner_bottom) = (y + line, bottom - line);
        let sides = [
            [x, y, right, inner_top],
            [x, inner_bottom, right, bottom],
            [x, inner_top, x + line, inner_bottom],
            [right - line, inner_top, right, inner_bottom],
        ];
        for side in sides {
            self.paint(side, |_, _, _| colour);
        }
    }

    /// A dark ground for letters, through which the image still shows.
    pub(super) fn shade(&mut self, rect: Rect) {
        self.paint(corners(rect), |_, _, colour| colour.map(|value| value / 4));
    }

    /// A line of text with its top left corner at (`x`, `y`); letters that the font lacks become question
    /// marks.
    pub(super) fn text(&mut self, x: f32, y: f32, text: &str, scale: u32, colour: [u8; 3]) {
        let (top, scale) = (y.round() as i64, i64::from(scale));
        let mut left = x.round() as i64;
        for letter in text.chars() {
            let glyph =
                BASIC_FONTS.get(letter).or_else(|| LATIN_FONTS.get(letter)).or_else(|| BASIC_FONTS.get('?'));
            for (row, bits) in (0i64..).zip(glyph.unwrap_or_default()) {
                for column in (0i64..8).filter(|column| bits >> column & 1 == 1) {
                    let (x, y) = (left + column * scale, top + row * scale);
                    self.paint([x, y, x + scale, y + scale], |_, _, _| colour);
                }
            }
            left += i64::from(GLYPH) * scale;
        }
    }

    /// Applies `change` to the pixels of the columns `left..right` and the rows `top..bottom`: it gets column, row and
    /// color.
    fn paint(&mut self, [left, top, right, bottom]: [i64; 4], change: impl Fn(i64, i64, [u8; 3]) -> [u8; 3]) {
        let (width, height) = (i64::from(self.0.width()), i64::from(self.0.height()));
        let (left, right) = (left.clamp(0, width), right.clamp(0, width));
        let (top, bottom) = (top.clamp(0, height), bottom.clamp(0, height));
        if left >= right || top >= bottom {
            return;
        }
        let rows = self.0.pixels_mut().chunks_exact_mut(width as usize * 3);
        for (y, row) in (top..bottom).zip(rows.skip(top as usize)) {
            for (x, pixel) in (left..right).zip(row.chunks_exact_mut(3).skip(left as usize)) {
                if let Ok(colour) = <[u8; 3]>::try_from(&*pixel) {
                    pixel.copy_from_slice(&change(x, y, colour));
                }
            }
        }
    }
}

/// Left, top, right and bottom in whole pixels, near enough to any image to be reckoned with.
fn corners(rect: Rect) -> [i64; 4] {
    [rect.x, rect.y, rect.right(), rect.bottom()].map(|value| value.round().clamp(-1e9, 1e9) as i64)
}
