//! Images explained as a sparse sum of few neurons, for the page.

use lineament::crop::crop;
use lineament::explain::{ExplainOptions, Explanation};
use lineament::{Face, Photo, Rect, Tagger};

/// Longest side of an image on the page, in pixels.
const SIDE: f32 = 240.0;
/// Attributes of a face that are explained.
const ATTRIBUTES: usize = 4;
/// Neurons named for each.
const NEURONS: usize = 5;

/// A face in an image of its own, explained.
#[derive(Debug, Clone)]
pub struct Explained {
    /// What the image is called.
    pub title: String,
    /// The part of the image around the face.
    pub photo: Photo,
    /// Where the face is in it.
    pub face: Rect,
    /// The most probable attributes; their regions are in pixels of `photo`.
    pub reported: Vec<Explanation>,
}

/// Explains the most probable attributes of a face.
///
/// # Errors
/// A box without an inside.
pub fn explain(tagger: &Tagger, photo: &Photo, face: &Face, title: &str) -> lineament::Result<Explained> {
    let mut reported =
        tagger.explain(photo, face, &ExplainOptions { neurons: NEURONS, ..ExplainOptions::default() })?;
    reported.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    reported.truncate(ATTRIBUTES);
    let shown = face.rect.scaled(1.9).clamped(photo.width(), photo.height());
    let scale = SIDE / shown.width.max(shown.height).max(1.0);
    let pixels = |length: f32| (length * scale).round().max(1.0) as u32;
    let moved = |rect: Rect| {
        Rect::new(
            (rect.x - shown.x) * scale,
            (rect.y - shown.y) * scale,
            rect.width * scale,
            rect.height * scale,
        )
    };
    for one in &mut reported {
        one.region = moved(one.region);
    }
    Ok(Explained {
        title: title.to_owned(),
        photo: crop(photo, shown, pixels(shown.width), pixels(shown.height)),
        face: moved(face.rect),
        reported,
    })
}
