//! Annotated copies of photos: boxes and what was read in them.

mod canvas;
mod turned;

use canvas::{Canvas, GLYPH};
use lineament::{Photo, Rect};
use turned::Turned;

/// A box to draw, and lines of text about it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mark {
    /// The box, in pixels of the photo.
    pub rect: Rect,
    /// How far the box is turned clockwise about its center, in degrees; not at all where that is unknown.
    pub roll: Option<f32>,
    /// What stands beside it, a line an entry.
    pub lines: Vec<String>,
}

impl Mark {
    fn turned(&self) -> Turned {
        Turned::new(self.rect, self.roll.unwrap_or(0.0))
    }
}

/// Colours told apart by most colour-blind people too (Okabe and Ito, without black), the box of the first
/// mark first.
const COLOURS: [[u8; 3]; 6] =
    [[240, 228, 66], [86, 180, 233], [230, 159, 0], [0, 158, 115], [204, 121, 167], [213, 94, 0]];

/// A copy of `photo` with every mark drawn on it: lines and letters grow with the image, and the text of a
/// mark stands below, above or beside its box, where it covers no other box and no other text if there is
/// such a place, and always inside the image.
///
/// Text that the image is too small for is cut at its edge. Marks without a finite box are left out.
pub fn annotate(photo: &Photo, marks: &[Mark]) -> Photo {
    let marks: Vec<&Mark> = marks.iter().filter(|mark| mark.turned().bounds().is_finite()).collect();
    let mut canvas = Canvas::new(photo.clone());
    let side = photo.width().min(photo.height());
    let line = (side / 200).max(1);
    let mut taken: Vec<Rect> = marks.iter().map(|mark| mark.turned().bounds()).collect();
    let colours = || COLOURS.iter().cycle().copied();

    for (mark, colour) in marks.iter().zip(colours()) {
        canvas.frame(mark.turned(), line, colour);
    }
    for ((index, mark), colour) in marks.iter().enumerate().zip(colours()) {
        if mark.lines.is_empty() {
            continue;
        }
        let (scale, width, height) = text_size(&mark.lines, photo);
        let others: Vec<Rect> =
            taken.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, rect)| *rect).collect();
        let place = place(mark.turned().bounds(), width, height, line as f32, photo, &others);
        taken.push(place);
        canvas.shade(place);
        let pad = scale as f32;
        for (row, text) in mark.lines.iter().enumerate() {
            let y = place.y + pad + row as f32 * line_height(scale);
            canvas.text(place.x + pad, y, text, scale, colour);
        }
    }
    canvas.into_photo()
}

/// Pixels from one line of text to the next.
fn line_height(scale: u32) -> f32 {
    ((GLYPH + 2) * scale) as f32
}

/// The scale of the letters, and width and height of the block: letters of a fiftieth of the image, smaller
/// where they would not fit.
fn text_size(lines: &[String], photo: &Photo) -> (u32, f32, f32) {
    let letters = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0) as f32;
    let size = |scale: u32| {
        let pad = 2.0 * scale as f32;
        (letters * (GLYPH * scale) as f32 + pad, lines.len() as f32 * line_height(scale) + pad)
    };
    let fits = |scale: u32| {
        let (width, height) = size(scale);
        width <= photo.width() as f32 && height <= photo.height() as f32
    };
    let wanted = (photo.width().min(photo.height()) / (50 * GLYPH)).clamp(1, 64);
    let scale = (1..=wanted).rev().find(|&scale| fits(scale)).unwrap_or(1);
    let (width, height) = size(scale);
    (scale, width.min(photo.width() as f32), height.min(photo.height() as f32))
}

/// Where a block of text about `rect` goes: of the places around it, the first that covers least of `others`.
fn place(rect: Rect, width: f32, height: f32, gap: f32, photo: &Photo, others: &[Rect]) -> Rect {
    let seen = rect.clamped(photo.width(), photo.height());
    let (most_x, most_y) = (photo.width() as f32 - width, photo.height() as f32 - height);
    let around = [
        (seen.x, seen.bottom() + gap),
        (seen.x, seen.y - gap - height),
        (seen.right() + gap, seen.y),
        (seen.x - gap - width, seen.y),
        (seen.x + gap, seen.bottom() - gap - height),
    ];
    let shared = |place: Rect, other: Rect| place.intersection(other).map_or(0.0, Rect::area);
    let mut best: Option<(f32, Rect)> = None;
    for (x, y) in around {
        let place = Rect::new(x.clamp(0.0, most_x).floor(), y.clamp(0.0, most_y).floor(), width, height);
        // Its own box may be covered if need be, sooner than what belongs to others.
        let covered =
            others.iter().map(|&other| shared(place, other)).sum::<f32>() + shared(place, rect) / 2.0;
        if best.is_none_or(|(least, _)| covered < least) {
            best = Some((covered, place));
        }
    }
    best.map_or(Rect::new(0.0, 0.0, width, height), |(_, place)| place)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
