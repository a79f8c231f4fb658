//! What YuNet's outputs mean (libfacedetection; OpenCV's `FaceDetectorYN` reads them in the same way).

use super::super::Face;
use super::{LocateError, Outputs};
use crate::geometry::{Point, Rect};

/// Pixels to a cell of each of its three maps.
const STRIDES: [u32; 3] = [8, 16, 32];

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
            found.push(Face { landmarks: Some(landmarks), ..Face::new(rect, score) });
        }
    }
    Ok(found)
}
