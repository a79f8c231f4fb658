//! What YuNet's outputs mean (libfacedetection; OpenCV's `FaceDetectorYN` reads them in the same way).

use super::super::Face;
use super::{LocateError, Outputs};
use crate::geometry::{Point, Rect};

/// Pixels to a cell of each of its three maps.
const STRIDES: [u32; 3] = [8, 16, 32];

/// Its outputs.
pub(super) const OUTPUTS: [&str; 12] = [
    "cls_8", "cls_16", "cls_32", "obj_8", "obj_16", "obj_32", "bbox_8", "bbox_16", "bbox_32", "kps_8",
    "kps_16", "kps_32",
];

/// It takes colours as they are, blue first.
pub(super) fn number(colour: u8) -> f32 {
    f32::from(colour)
}

/// The faces of all cells with a score of `threshold` or more, in pixels of the canvas. Landmarks: the eyes, nose, corners of the mouth, left as
/// seen in the image first.
pub(super) fn faces(
    outputs: &Outputs,
    [width, height]: [u32; 2],
    threshold: f32,
) -> Result<Vec<Face>, LocateError> {
    let mut found = Vec::new();
    for stride in STRIDES {
        let (columns, rows) = ((width / stride) as usize, (height / stride) as usize);
        let output =
            |kind: &str, each: usize| outputs.get(&format!("{kind}_{stride}"), columns * rows * each);
        let (class, object) = (output("cls", 1)?, output("obj", 1)?);
        let boxes = output("bbox", 4)?.as_chunks::<4>().0;
        let points = output("kps", 10)?.as_chunks::<10>().0;
        let size = stride as f32;
        let cells = class.iter().zip(object).zip(boxes.iter().zip(points)).enumerate();
        for (cell, ((class, object), (&[x, y, w, h], points))) in cells {
            let score = (class.clamp(0.0, 1.0) * object.clamp(0.0, 1.0)).sqrt();
            if score < threshold {
                continue;
            }
            let (column, row) = ((cell % columns) as f32, (cell / columns) as f32);
            let at = |x: f32, y: f32| Point::new((column + x) * size, (row + y) * size);
            let mut landmarks = [Point::new(0.0, 0.0); 5];
            for (landmark, &[x, y]) in landmarks.iter_mut().zip(points.as_chunks::<2>().0) {
                *landmark = at(x, y);
            }
            let rect = Rect::about(at(x, y), w.exp() * size, h.exp() * size);
            found.push(Face {
                landmarks: Some(landmarks),
                roll: Some(roll(&landmarks)),
                ..Face::new(rect, score)
            });
        }
    }
    Ok(found)
}

/// How far a head is turned clockwise, in degrees: by the way from the eyes to the mouth, which is long in profiles, too, where the eyes
/// fall together.
fn roll([left, right, _, mouth_left, mouth_right]: &[Point; 5]) -> f32 {
    let across = mouth_left.x + mouth_right.x - left.x - right.x;
    let down = mouth_left.y + mouth_right.y - left.y - right.y;
    (-across).atan2(down).to_degrees()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_that_is_turned_clockwise_has_a_positive_roll() {
        let upright = [(-10.0, -10.0), (10.0, -10.0), (0.0, 0.0), (-7.0, 12.0), (7.0, 12.0)];
        for degrees in [-170.0_f32, -90.0, -30.0, 0.0, 15.0, 45.0, 120.0] {
            let (sine, cosine) = degrees.to_radians().sin_cos();
            // Clockwise, as one sees it where y goes down.
            let turned = upright.map(|(x, y)| Point::new(x * cosine - y * sine, x * sine + y * cosine));
            assert!((roll(&turned) - degrees).abs() < 1e-3, "{degrees} {}", roll(&turned));
        }
    }
}
