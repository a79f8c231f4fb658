//! A detector of others in the place of the LNets: where it finds the faces that ANet learns from, and which square around its boxes is the
//! one that landmarks would give.

use std::path::PathBuf;

use lineament::attributes::Region;
use lineament::locate::{Detector, Family};
use lineament::{Point, Rect};
use lineament_data::Split;

use crate::checkpoint::write_whole;
use crate::error::TrainError;
use crate::located::Located;
use crate::locating::photos;
use crate::run::Run;

/// In training there is a face in every photo, whatever its score.
pub(crate) const LEAST: f32 = 0.02;

/// A detector's file and the constants that its authors run it with; what it is, is told from the names of its outputs.
///
/// # Errors
/// A file that can't be read, or that is none of the detectors that are known.
pub fn open(path: &std::path::Path) -> Result<(Detector, Vec<u8>), TrainError> {
    let onnx = std::fs::read(path).map_err(|e| TrainError::io(path, e))?;
    let names = |name: &str| onnx.windows(name.len()).any(|part| part == name.as_bytes());
    let family = if names("kps_32") && names("bbox_32") {
        Family::Yunet
    } else if names("scores") && names("boxes") {
        Family::Ultraface
    } else {
        let why = format!(
            "{}: this is none of the detectors that are known, YuNet and UltraFace, as ONNX",
            path.display()
        );
        return Err(TrainError::Recipe(why));
    };
    let detector = Detector::of(family);
    // A file that can't be run is refused now, not after hours.
    detector.localizer(&onnx).map_err(|e| TrainError::Recipe(format!("{}: {e}", path.display())))?;
    Ok((detector, onnx))
}

/// Looks for the dominant face of every tagged photo.
///
/// # Errors
/// When a photo can't be read or the detector can't be run.
pub fn find_faces(run: &Run<'_>, detector: &Detector, onnx: &[u8]) -> Result<Located, TrainError> {
    let eager = Detector { threshold: LEAST, ..detector.clone() };
    let localizer = eager.localizer(onnx).map_err(|e| TrainError::Net(e.to_string()))?;
    let of = |split| photos(run, split).into_iter().map(|sample| sample.path);
    let paths: Vec<PathBuf> = of(Split::Train).chain(of(Split::Validation)).collect();
    Located::find(localizer.as_ref(), &paths)
}

/// Fits the square around a box to the square of the landmarks, on training photos that have some: the medians of size and place. Where none
/// has, the recipe's constants stay.
///
/// # Errors
/// When the file can't be written.
pub fn fit_region(run: &Run<'_>, located: &Located) -> Result<(), TrainError> {
    let marked = photos(run, Split::Train);
    let marked: Vec<(Rect, [Point; 5])> =
        marked.iter().filter_map(|sample| located.get(&sample.path).zip(sample.landmarks)).collect();
    let fitted = fitted(run.recipe.region, &marked);
    tracing::info!(
        "detector: the square is {:.4} heights of its boxes, {:.4} below their centres ({} photos)",
        fitted.enlarge,
        fitted.shift,
        marked.len()
    );
    let text = serde_json::to_string_pretty(&fitted).map_err(|e| TrainError::Net(e.to_string()))?;
    Ok(write_whole(&file(run), text.as_bytes())?)
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

/// What [`fit_region`] found.
///
/// # Errors
/// When it can't be read.
pub fn region(run: &Run<'_>) -> Result<Region, TrainError> {
    let path = file(run);
    let text = std::fs::read_to_string(&path).map_err(|e| TrainError::io(&path, e))?;
    serde_json::from_str(&text).map_err(|e| {
        TrainError::Net(format!("{}: {e}; delete it and located.csv to fit it again", path.display()))
    })
}

fn file(run: &Run<'_>) -> PathBuf {
    run.folder().join("region.json")
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
