//! A detector in the place of the LNets: opening one, and which square around its boxes is the
//! one that landmarks would give.

use lineament::attributes::Region;
use lineament::locate::{Detector, DetectorFile};
use lineament::{Point, Rect};

use crate::error::TrainError;

/// In training there is a face in every photo, whatever its score.
pub const LEAST: f32 = Detector::LEAST_SCORE;

/// A detector's file and the constants that its authors run it with; the names of its outputs say which one it is.
///
/// # Errors
/// A file that can't be read, or that is none of the detectors that are known.
pub fn open(path: &std::path::Path) -> Result<(Detector, Vec<u8>), TrainError> {
    let file = DetectorFile::named(path).map_err(|error| TrainError::Recipe(error.to_string()))?;
    Ok(file.into_parts())
}

/// A rule with the square around a box fitted to the square of the landmarks: the medians of size and place. Boxes of another face than the marked one say
/// nothing; where none is left, the rule stays as it is.
pub fn fitted(rule: Region, marked: &[(Rect, [Point; 5])]) -> Region {
    let (mut sizes, mut shifts) = (Vec::new(), Vec::new());
    for (rect, landmarks) in marked {
        let Ok(square) = rule.of_landmarks(landmarks) else { continue };
        if rect.contains(landmarks[2]) && rect.height > 0.0 {
            sizes.push(square.height / rect.height);
            shifts.push((square.centre().y - rect.centre().y) / rect.height);
        }
    }
    let middle = |mut values: Vec<f32>| {
        values.sort_by(f32::total_cmp);
        values.get(values.len() / 2).copied()
    };
    match (middle(sizes), middle(shifts)) {
        (Some(enlarge), Some(shift)) => Region { enlarge, shift, ..rule },
        _ => rule,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_square_around_a_box_is_that_of_the_landmarks() {
        let rule = Region::default();
        let face = |x: f32, y: f32| {
            [(-9.0, -10.0), (9.0, -10.0), (0.0, 0.0), (-7.0, 10.0), (7.0, 10.0)]
                .map(|(right, down)| Point::new(x + right, y + down))
        };
        let at = |x: f32, y: f32| {
            let square = rule.of_landmarks(&face(x, y)).unwrap();
            // A box of half its side, a tenth of a box above its centre.
            let centre = Point::new(square.centre().x, square.centre().y - 0.05 * square.height);
            (Rect::about(centre, 0.4 * square.height, 0.5 * square.height), face(x, y))
        };
        // Somebody else's box says nothing.
        let marked = [at(100.0, 100.0), (Rect::new(0.0, 0.0, 5.0, 5.0), face(300.0, 40.0)), at(60.0, 150.0)];
        let fitted = fitted(rule, &marked);
        assert!((fitted.enlarge - 2.0).abs() < 1e-4 && (fitted.shift - 0.1).abs() < 1e-4, "{fitted:?}");
        assert_eq!(super::fitted(rule, &marked[1..2]), rule);
    }
}
