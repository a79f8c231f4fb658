//! What UltraFace's outputs mean (Linzaer's Ultra-Light-Fast-Generic-Face-Detector, the exports with decoded boxes).

use super::super::Face;
use super::{LocateError, Outputs};
use crate::geometry::Rect;

/// Its outputs.
pub(super) const OUTPUTS: [&str; 2] = ["scores", "boxes"];

/// Colours between -1 and 1, red first.
pub(super) fn number(colour: u8) -> f32 {
    (f32::from(colour) - 127.0) / 128.0
}

/// Cells of its four maps, three boxes in each of the first, two or three in the others.
fn boxes([width, height]: [u32; 2]) -> usize {
    [(8, 3), (16, 2), (32, 2), (64, 3)]
        .iter()
        .map(|(stride, each)| (width.div_ceil(*stride) * height.div_ceil(*stride) * each) as usize)
        .sum()
}

/// The faces of all boxes with a score of `threshold` or more, in pixels of the canvas.
pub(super) fn faces(outputs: &Outputs, canvas: [u32; 2], threshold: f32) -> Result<Vec<Face>, LocateError> {
    let count = boxes(canvas);
    let scores = outputs.get("scores", 2 * count)?.as_chunks::<2>().0;
    let corners = outputs.get("boxes", 4 * count)?.as_chunks::<4>().0;
    let [width, height] = canvas.map(|side| side as f32);
    let faces = scores.iter().zip(corners).filter(|&(&[_, face], _)| face >= threshold);
    Ok(faces
        .map(|(&[_, score], &[left, top, right, bottom])| {
            let (x, y) = (left * width, top * height);
            Face::new(Rect::new(x, y, (right - left) * width, (bottom - top) * height), score)
        })
        .collect())
}
