//! The constants of the localizer, chosen on the validation part.

use std::path::PathBuf;

use lineament::locate::{LocateError, PyramidLocalizer, PyramidParameters, Window, WindowToBox};
use lineament::{Photo, Point, Rect, Search};
use lineament_data::{Sample, Split};
use lineament_fit::detection_threshold::at_false_alarms;
use rayon::prelude::*;

use super::localizer;
use crate::context::Context;
use crate::error::TrainError;
use crate::recipe::PyramidRecipe;
use crate::sets::{faceless, open_photo, photos};
use crate::stage::Stage;

/// Photos from which the constants of the box are chosen at least.
const FEWEST: usize = 20;

/// Windows that overlap by more than this IoU are of one face.
const SAME: f32 = 0.5;

/// A photo's best window and the box that was given.
type Pair = (Window, Rect);

/// How LNet_s came to a window: the best scores of LNet_o and of its own first look that lead there.
struct Trace {
    window: Window,
    candidate: f32,
    first_look: f32,
}

/// Chooses, on the validation part, what LNet_s looks at and looks at twice (by the faces that would be lost), the constants from window to box (medians over
/// photos with a given box) and the threshold (on images without a face).
///
/// # Errors
/// When an image can't be read or a net can't be run.
pub fn calibrate(context: &Context<'_>, recipe: &PyramidRecipe) -> Result<PyramidParameters, TrainError> {
    let mut chosen = recipe.localisation.clone();
    let nets = &context.recipe.nets;
    let lnet_o = context.weights(Stage::LnetS, Stage::LnetO, "trunk", Some(&nets.lnet_o))?;
    let lnet_s = context.weights(Stage::LnetS, Stage::LnetS, "trunk", Some(&nets.lnet_s))?;
    let with =
        |parameters: &PyramidParameters| localizer(context, &lnet_o, (&nets.lnet_s, &lnet_s), parameters);
    let boxed: Vec<Sample> =
        photos(&context.sets, Split::Validation).into_iter().filter(|s| s.rect.is_some()).collect();
    if let Some(lost) = recipe.candidates_lost {
        let localizer = with(&chosen)?;
        let ways = in_each(&boxed, |photo| best_trace(&localizer, photo))?;
        let found = || ways.iter().filter(|(way, given)| is_near(&(way.window, *given)));
        if let Some(threshold) = all_but(found().map(|(way, _)| way.candidate).collect(), lost) {
            chosen.candidate_threshold = threshold;
        }
        if let Some(threshold) = all_but(found().map(|(way, _)| way.first_look).collect(), lost) {
            chosen.second_look = threshold;
        }
    }
    let localizer = with(&chosen)?;
    let search = Search::default();
    let pairs = in_each(&boxed, |photo| Ok(localizer.windows(photo, &search)?.into_iter().next()))?;
    if let Some(face) = window_to_box(&pairs) {
        chosen.face = face;
    }
    let without = faceless(&context.sets);
    let scores = |path: &PathBuf| {
        let windows = localizer.windows(&open_photo(path)?, &search);
        let windows = windows.map_err(|e| TrainError::Net(e.to_string()))?;
        Ok(windows.iter().map(|window| window.score).collect())
    };
    let alarms = without.par_iter().map(scores).collect::<Result<Vec<Vec<f32>>, TrainError>>()?.concat();
    let faces: Vec<f32> = pairs.iter().map(|(window, _)| window.score).collect();
    if !without.is_empty() && !faces.is_empty() {
        let boundary = at_false_alarms(&faces, &alarms, without.len(), recipe.false_alarms)
            .map_err(|e| TrainError::Net(e.to_string()))?;
        chosen.threshold = boundary.threshold;
    }
    let right = pairs.iter().filter(|(window, given)| window.face(&chosen.face).iou(*given) >= 0.5);
    let passed = faces.iter().filter(|score| **score > chosen.threshold);
    tracing::info!(
        "lnet_s: validation: {} of {} boxes at IoU 0.5, {} above the threshold {:.3} ({} pictures without a face); \
         LNet_s looks at windows above {:.3}, and again above {:.3}",
        right.count(),
        boxed.len(),
        passed.count(),
        chosen.threshold,
        without.len(),
        chosen.candidate_threshold,
        chosen.second_look
    );
    Ok(chosen)
}

/// What is best found in each photo, with the photo's box.
fn in_each<T: Send>(
    boxed: &[Sample],
    find: impl Fn(&Photo) -> Result<Option<T>, LocateError> + Sync,
) -> Result<Vec<(T, Rect)>, TrainError> {
    let of = |sample: &Sample| {
        let found = find(&open_photo(&sample.path)?).map_err(|e| TrainError::Net(e.to_string()))?;
        Ok(found.zip(sample.rect))
    };
    let found = boxed.par_iter().map(of).collect::<Result<Vec<_>, TrainError>>()?;
    Ok(found.into_iter().flatten().collect())
}

/// The way from LNet_o's windows to the one that LNet_s responds to most.
fn best_trace(localizer: &PyramidLocalizer, photo: &Photo) -> Result<Option<Trace>, LocateError> {
    let candidates = localizer.candidates(photo, &Search::default())?;
    let first = localizer.look(photo, &candidates)?;
    let second = localizer.look(photo, &first)?;
    let best = second.iter().copied().max_by(|a, b| a.score.total_cmp(&b.score));
    let Some(window) = best else { return Ok(None) };
    // Neighboring windows lead to the same face: it is lost where none of them is looked at.
    let same = |other: &Window| other.rect().iou(window.rect()) > SAME;
    let strongest = |looked_at: &[Window]| {
        let scores = looked_at.iter().zip(&second).filter(|(_, end)| same(end)).map(|(seen, _)| seen.score);
        scores.fold(f32::NEG_INFINITY, f32::max)
    };
    Ok(Some(Trace { window, candidate: strongest(&candidates), first_look: strongest(&first) }))
}

/// Whether the window is on the box at all.
fn is_near((window, given): &Pair) -> bool {
    window.rect().iou(*given) > 0.25
}

/// The threshold that all but a share of the scores exceed.
fn all_but(mut scores: Vec<f32>, lost: f64) -> Option<f32> {
    scores.sort_by(f32::total_cmp);
    scores.get((scores.len() as f64 * lost) as usize).map(|score| score.next_down())
}

/// Medians of where given boxes lie in the windows, over photos where the window is on the box at all.
fn window_to_box(pairs: &[Pair]) -> Option<WindowToBox> {
    let near: Vec<&Pair> = pairs.iter().filter(|pair| is_near(pair)).collect();
    if near.len() < FEWEST {
        return None;
    }
    let median = |of: &dyn Fn(&Window, &Rect) -> f32| {
        let mut values: Vec<f32> = near.iter().map(|(w, r)| of(w, r) / w.side).collect();
        values.sort_by(f32::total_cmp);
        values[values.len() / 2]
    };
    Some(WindowToBox {
        right: median(&|w, r| upright(w, r.centre()).x),
        down: median(&|w, r| upright(w, r.centre()).y),
        width: median(&|_, r| r.width),
        height: median(&|_, r| r.height),
    })
}

/// From the center of a window to a point, to the right and down as the face stands.
fn upright(window: &Window, point: Point) -> Point {
    let (x, y) = (point.x - window.centre.x, point.y - window.centre.y);
    let (sine, cosine) = window.roll.to_radians().sin_cos();
    Point::new(cosine * x + sine * y, cosine * y - sine * x)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn pair(x: f32, roll: f32, given: Rect) -> Pair {
        (Window { centre: Point::new(x, 100.0), side: 50.0, score: 1.0, roll }, given)
    }

    #[test]
    fn a_share_of_the_scores_lies_below_the_threshold() {
        let scores: Vec<f32> = (0..200).map(|i| i as f32 / 10.0).collect();
        let passed = |threshold: f32| scores.iter().filter(|score| **score > threshold).count();
        assert_eq!(passed(all_but(scores.clone(), 0.05).unwrap()), 190);
        assert_eq!(passed(all_but(scores.clone(), 0.0).unwrap()), 200);
        assert_eq!(all_but(Vec::new(), 0.1), None);
    }

    #[test]
    fn boxes_are_measured_from_upright_windows() {
        // A box below the center of the window; of a head that is turned by a quarter clockwise, it lies on the left.
        let below = |x: f32| Rect::about(Point::new(x, 105.0), 30.0, 40.0);
        let left = |x: f32| Rect::about(Point::new(x - 5.0, 100.0), 30.0, 40.0);
        let far = Rect::new(0.0, 0.0, 4.0, 4.0);
        let mut pairs: Vec<Pair> =
            (0..15).map(|i| pair(100.0 + i as f32, 0.0, below(100.0 + i as f32))).collect();
        pairs.extend((0..15).map(|i| pair(100.0 + i as f32, 90.0, left(100.0 + i as f32))));
        pairs.extend((0..20).map(|_| pair(100.0, 0.0, far)));
        let face = window_to_box(&pairs).unwrap();
        let expected = [(face.right, 0.0), (face.down, 0.1), (face.width, 0.6), (face.height, 0.8)];
        assert!(expected.iter().all(|(found, given)| (found - given).abs() < 1e-4), "{face:?}");
        assert_eq!(window_to_box(&pairs[..10]), None);
    }
}
