//! EdgeBoxes: windows that are likely to hold a whole object, from edges alone (Zitnick and Dollar, "Edge
//! Boxes: Locating Object Proposals from Edges", ECCV 2014). The paper takes 500 of them a picture as
//! candidates for faces.

use super::box_score::{BoxScorer, PixelBox, Scratch};
use super::edge_groups::{EdgeGroups, Grouping};
use super::edges::Edges;
use super::parameters::{ParameterError, Range};
use super::strongest::strongest;
use crate::geometry::Rect;
use crate::photo::Photo;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Refined boxes have at least this many pixels a side.
const LEAST_SIDE: usize = 4;

/// What EdgeBoxes can be told. The defaults are its authors', but for `windows`, which is the paper's 500.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EdgeBoxesParameters {
    /// Windows returned at most.
    pub windows: usize,
    /// Radius of the triangle blur before the gradient, in pixels.
    pub blur: usize,
    /// Whether edges are thinned to their maxima.
    pub thin: bool,
    /// IoU of neighbouring windows of the grid: the step of the sliding windows.
    pub alpha: f32,
    /// IoU above which the weaker of two windows is dropped.
    pub beta: f32,
    /// Windows must score above this.
    pub min_score: f32,
    /// Edges up to this strength (the strongest is 1) are left out.
    pub edge_min_magnitude: f32,
    /// Summed change of orientation, in units of pi, at which a group is closed.
    pub edge_merge_threshold: f32,
    /// Groups up to this summed strength are dissolved.
    pub cluster_min_magnitude: f32,
    /// Longest to shortest side of the windows of the grid.
    pub max_aspect_ratio: f32,
    /// Area of the smallest windows of the grid, in pixels.
    pub min_box_area: f32,
    /// Exponent of the affinity of two groups.
    pub gamma: f32,
    /// Exponent of the half perimeter that a score is divided by: above 1, small windows need less.
    pub kappa: f32,
}

impl Default for EdgeBoxesParameters {
    fn default() -> Self {
        Self {
            windows: 500,
            blur: 4,
            thin: true,
            alpha: 0.65,
            beta: 0.75,
            min_score: 0.01,
            edge_min_magnitude: 0.1,
            edge_merge_threshold: 0.5,
            cluster_min_magnitude: 0.5,
            max_aspect_ratio: 3.0,
            min_box_area: 1000.0,
            gamma: 2.0,
            kappa: 1.5,
        }
    }
}

impl EdgeBoxesParameters {
    /// Whether every value is one that EdgeBoxes can work with.
    ///
    /// # Errors
    /// Names the value that is out of range, and the range.
    pub fn check(&self) -> Result<(), ParameterError> {
        Range::of("edge_boxes.windows", 1.0, 100_000.0).holds(self.windows as f64)?;
        Range::of("edge_boxes.blur", 0.0, 64.0).holds(self.blur as f64)?;
        // Closer to 1, the grid grows without bound.
        Range::of("edge_boxes.alpha", 0.2, 0.9).holds(self.alpha)?;
        Range::of("edge_boxes.beta", 0.0, 1.0).holds(self.beta)?;
        Range::of("edge_boxes.min_score", 0.0, 1e6).holds(self.min_score)?;
        Range::of("edge_boxes.edge_min_magnitude", 0.0, 1.0).holds(self.edge_min_magnitude)?;
        Range::of("edge_boxes.edge_merge_threshold", 0.0, 1e6).holds(self.edge_merge_threshold)?;
        Range::of("edge_boxes.cluster_min_magnitude", 0.0, 1e6).holds(self.cluster_min_magnitude)?;
        Range::of("edge_boxes.max_aspect_ratio", 1.0, 100.0).holds(self.max_aspect_ratio)?;
        Range::of("edge_boxes.min_box_area", 64.0, 1e9).holds(self.min_box_area)?;
        // Closer to 0, every group reaches every other.
        Range::of("edge_boxes.gamma", 0.5, 100.0).holds(self.gamma)?;
        Range::of("edge_boxes.kappa", 0.0, 10.0).holds(self.kappa)
    }

    fn grouping(&self) -> Grouping {
        Grouping {
            merge_threshold: self.edge_merge_threshold,
            min_group_magnitude: self.cluster_min_magnitude,
            gamma: self.gamma,
        }
    }
}

/// Proposes windows with checked parameters.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EdgeBoxes {
    parameters: EdgeBoxesParameters,
}

impl EdgeBoxes {
    /// EdgeBoxes with these parameters.
    ///
    /// # Errors
    /// As [`EdgeBoxesParameters::check`].
    pub fn new(parameters: EdgeBoxesParameters) -> Result<Self, ParameterError> {
        parameters.check()?;
        Ok(Self { parameters })
    }

    /// What it was told.
    pub fn parameters(&self) -> &EdgeBoxesParameters {
        &self.parameters
    }

    /// Windows in pixels of the picture with their scores, best first; none in a picture without edges.
    ///
    /// Blur and smallest window are in pixels and the work grows with the area, so that a photo is best
    /// scaled to the few hundred pixels that the nets look at before. The same windows come for any number of
    /// threads.
    pub fn propose(&self, photo: &Photo) -> Vec<(Rect, f32)> {
        let p = &self.parameters;
        let edges = Edges::of(photo, p.blur, p.thin, p.edge_min_magnitude);
        let groups = EdgeGroups::of(&edges, &p.grouping());
        let scorer = BoxScorer::new(&edges, &groups, p.kappa);
        let mut found: Vec<(PixelBox, f32)> = self
            .grid(edges.width(), edges.height())
            .into_par_iter()
            .with_min_len(256)
            .map_init(Scratch::default, |scratch, start| {
                let score = scorer.score_above(&start, p.min_score, scratch)?;
                Some(self.refined(&scorer, start, score, scratch))
            })
            .flatten()
            .collect();
        // Boxes as the second key: an order that depends on nothing but the boxes, and brings equal ones
        // together.
        found.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        found.dedup();
        strongest(&found, p.beta, p.windows)
    }

    /// Windows of all sizes and shapes about evenly over the picture, neighbours overlapping by alpha; each
    /// once.
    fn grid(&self, width: usize, height: usize) -> Vec<PixelBox> {
        let p = &self.parameters;
        let scale_step = (1.0 / p.alpha).sqrt();
        let aspect_step = (1.0 + p.alpha) / (2.0 * p.alpha);
        let least = p.min_box_area.sqrt();
        let aspects = (p.max_aspect_ratio.ln() / (2.0 * aspect_step.ln())).floor() as i32;
        let scales = ((width.max(height) as f32 / least).ln() / scale_step.ln()).ceil().max(0.0) as i32;

        let mut shapes = Vec::new();
        for scale in 0..scales {
            let side = least * scale_step.powi(scale);
            for aspect in -aspects..=aspects {
                let ratio = aspect_step.powi(aspect);
                let (w, h) = (side * ratio, side / ratio);
                // A window that is a little too large for the picture stands for the one that fills it.
                if w <= width as f32 * aspect_step && h <= height as f32 * aspect_step {
                    shapes.push(((w as usize).clamp(1, width), (h as usize).clamp(1, height)));
                }
            }
        }
        shapes.sort_unstable();
        shapes.dedup();

        let mut boxes = Vec::new();
        for (w, h) in shapes {
            for y in self.places(h, height) {
                boxes.extend(self.places(w, width).map(|x| PixelBox { x0: x, y0: y, x1: x + w, y1: y + h }));
            }
        }
        boxes
    }

    /// Where windows of one side begin: from one rim of the picture to the other.
    fn places(&self, side: usize, length: usize) -> impl Iterator<Item = usize> + use<> {
        let step = ((side as f32 * self.step_ratio()) as usize).max(2);
        let last = length - side;
        (0..last).step_by(step).chain([last])
    }

    fn step_ratio(&self) -> f32 {
        (1.0 - self.parameters.alpha) / (1.0 + self.parameters.alpha)
    }

    /// Moves one side after the other, out or in, wherever the score rises, by half the step of the grid and
    /// then by half of that, until the step is 2 pixels.
    fn refined(
        &self,
        scorer: &BoxScorer,
        start: PixelBox,
        score: f32,
        scratch: &mut Scratch,
    ) -> (PixelBox, f32) {
        let (mut best, mut best_score) = (start, score);
        let mut step_x = (start.width() as f32 * self.step_ratio()) as usize;
        let mut step_y = (start.height() as f32 * self.step_ratio()) as usize;
        loop {
            (step_x, step_y) = (step_x / 2, step_y / 2);
            if step_x <= 2 && step_y <= 2 {
                return (best, best_score);
            }
            (step_x, step_y) = (step_x.max(1), step_y.max(1));
            for side in [Side::Top, Side::Bottom, Side::Left, Side::Right] {
                let step = if matches!(side, Side::Top | Side::Bottom) { step_y } else { step_x };
                // Inwards only where outwards did not help.
                for outwards in [true, false] {
                    let moved = side.moved(&best, step, outwards, scorer.width(), scorer.height());
                    if moved == best {
                        continue;
                    }
                    if let Some(better) = scorer.score_above(&moved, best_score, scratch) {
                        (best, best_score) = (moved, better);
                        break;
                    }
                }
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Side {
    Top,
    Bottom,
    Left,
    Right,
}

impl Side {
    /// The box with this side moved, not beyond the picture; the same box where it would become too thin.
    fn moved(self, area: &PixelBox, step: usize, outwards: bool, width: usize, height: usize) -> PixelBox {
        let shifted = |at: usize, up: bool, limit: usize| {
            if up { (at + step).min(limit) } else { at.saturating_sub(step) }
        };
        let mut moved = *area;
        match self {
            Self::Top => moved.y0 = shifted(area.y0, !outwards, height),
            Self::Bottom => moved.y1 = shifted(area.y1, outwards, height),
            Self::Left => moved.x0 = shifted(area.x0, !outwards, width),
            Self::Right => moved.x1 = shifted(area.x1, outwards, width),
        }
        if moved.width() < LEAST_SIDE || moved.height() < LEAST_SIDE { *area } else { moved }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::drawing::Drawing;
    use super::*;

    #[test]
    fn the_best_windows_hold_the_ellipses_that_are_drawn() {
        let mut drawing = Drawing::new(160, 120, [200, 190, 180]);
        let rects = [Rect::new(20.0, 24.0, 48.0, 64.0), Rect::new(96.0, 40.0, 40.0, 44.0)];
        drawing.ellipse(rects[0], [60, 80, 40]);
        drawing.ellipse(rects[1], [90, 30, 30]);
        let windows = EdgeBoxes::default().propose(&drawing.photo());
        for rect in rects {
            let best = windows.iter().take(20).map(|(w, _)| w.iou(rect)).fold(0.0, f32::max);
            assert!(best > 0.7, "{rect:?}: {best}");
        }
    }

    #[test]
    fn windows_are_sorted_inside_the_picture_and_apart() {
        let mut drawing = Drawing::new(130, 97, [10, 20, 30]);
        drawing.noise(7, 60);
        drawing.ellipse(Rect::new(30.0, 20.0, 50.0, 60.0), [230, 200, 190]);
        let boxes = EdgeBoxes::default();
        let windows = boxes.propose(&drawing.photo());
        assert!(windows.len() > 20 && windows.len() <= 500);
        assert!(windows.windows(2).all(|pair| pair[0].1 >= pair[1].1));
        for (i, (rect, score)) in windows.iter().enumerate() {
            assert_eq!(*rect, rect.clamped(130, 97));
            assert!(*score > boxes.parameters().min_score);
            assert!(windows[..i].iter().all(|(better, _)| better.iou(*rect) <= 0.75));
        }
    }

    #[test]
    fn any_number_of_threads_gives_the_same_windows() {
        let mut drawing = Drawing::new(120, 90, [128, 128, 128]);
        drawing.noise(3, 90);
        let photo = drawing.photo();
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| EdgeBoxes::default().propose(&photo))
        };
        assert_eq!(with(1), with(3));
    }

    #[test]
    fn pictures_of_any_shape_are_taken() {
        for (width, height) in [(1, 1), (1, 300), (300, 1), (31, 31), (400, 12)] {
            let mut drawing = Drawing::new(width, height, [128, 128, 128]);
            drawing.noise(1, 100);
            EdgeBoxes::default().propose(&drawing.photo());
        }
        assert!(EdgeBoxes::default().propose(&Photo::filled(80, 80, [4, 5, 6])).is_empty());
    }

    #[test]
    fn the_grid_has_no_window_twice_and_reaches_every_rim() {
        let grid = EdgeBoxes::default().grid(224, 168);
        let mut sorted = grid.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), grid.len());
        assert!(grid.iter().all(|b| b.x0 < b.x1 && b.x1 <= 224 && b.y0 < b.y1 && b.y1 <= 168));
        assert!(grid.iter().any(|b| b.x1 == 224 && b.y1 == 168 && b.x0 > 0));
        // Neighbours within a row overlap by about alpha.
        let row: Vec<_> = grid.iter().filter(|b| (b.y0, b.y1) == (grid[0].y0, grid[0].y1)).collect();
        let overlap = row[0].rect().iou(row[1].rect());
        assert!(overlap > 0.6, "{overlap}");
    }

    #[test]
    fn values_out_of_range_are_refused_by_name() {
        for (name, parameters) in [
            ("alpha", EdgeBoxesParameters { alpha: 1.0, ..Default::default() }),
            ("windows", EdgeBoxesParameters { windows: 0, ..Default::default() }),
            ("kappa", EdgeBoxesParameters { kappa: f32::NAN, ..Default::default() }),
            ("min_box_area", EdgeBoxesParameters { min_box_area: 1.0, ..Default::default() }),
        ] {
            let error = EdgeBoxes::new(parameters).unwrap_err().to_string();
            assert!(error.contains(&format!("edge_boxes.{name}")), "{error}");
        }
    }

    #[test]
    fn a_misspelt_parameter_is_refused() {
        assert!(serde_json::from_str::<EdgeBoxesParameters>(r#"{"alhpa": 0.5}"#).is_err());
        assert_eq!(serde_json::from_str::<EdgeBoxesParameters>("{}").unwrap(), Default::default());
    }
}
