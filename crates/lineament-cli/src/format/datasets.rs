//! What the formats of labelling programs and trainers have in common: boxes inside of the image, and names of files.

use lineament::{FaceRecord, Prediction, Rect};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The only category.
pub const FACE: &str = "face";

/// What stands in a URL's path as it is.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The part of a face's box that lies inside of the image, since none of these programs knows boxes that reach beyond; none where nothing does.
pub fn inside(face: &FaceRecord, prediction: &Prediction) -> Option<Rect> {
    let rect = face.rect.clamped(prediction.width, prediction.height);
    (rect.area() > 0.0 && rect.is_finite()).then_some(rect)
}

/// So many decimals.
pub fn rounded(value: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (value * scale).round() / scale
}

/// A path as part of a URL.
pub fn escaped(path: &str) -> String {
    utf8_percent_encode(path, ESCAPED).to_string()
}
