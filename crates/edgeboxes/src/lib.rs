#![doc = include_str!("../README.md")]

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod drawing;
mod edges;
mod groups;
mod image;
mod integral;
mod lists;
mod nms;
mod parameters;
mod paths;
mod pixels;
mod refine;
mod rim;
mod score;
mod sliding;
mod window;

pub use image::Image;
pub use integral::Integral;
pub use parameters::{ParameterError, Parameters};
pub use window::{Proposal, Window};

use edges::Edges;
use groups::EdgeGroups;
use rayon::prelude::*;
use score::{BoxScorer, Scratch};

/// Proposes windows with checked parameters.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EdgeBoxes {
    parameters: Parameters,
}

impl EdgeBoxes {
    /// EdgeBoxes with these parameters.
    ///
    /// # Errors
    /// As [`Parameters::check`].
    pub fn new(parameters: Parameters) -> Result<Self, ParameterError> {
        parameters.check()?;
        Ok(Self { parameters })
    }

    /// The parameters it works with.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Windows in pixels of the image with their scores, best first; none in an image without edges.
    ///
    /// Blur and smallest window are in pixels and the work grows with the area, so that a photo is best scaled to a few
    /// hundred pixels before. Work is spread over the threads of the rayon pool at hand; the same windows come for any
    /// number of them.
    pub fn propose(&self, image: Image<'_>) -> Vec<Proposal> {
        if image.height() == 0 {
            return Vec::new();
        }
        let p = &self.parameters;
        let edges = Edges::of(image, p.blur, p.thin, p.edge_min_magnitude);
        let groups = EdgeGroups::of(&edges, &p.grouping());
        let scorer = BoxScorer::new(&edges, &groups, p.kappa);
        let step_ratio = p.step_ratio();
        let mut found: Vec<(Window, f32)> = p
            .grid(edges.width(), edges.height())
            .into_par_iter()
            .with_min_len(256)
            .map_init(Scratch::default, |scratch, start| {
                let score = scorer.score_above(&start, p.min_score, scratch)?;
                Some(refine::refined(&scorer, start, score, step_ratio, scratch))
            })
            .flatten()
            .collect();
        // Windows as the second key: an order that depends on nothing but the windows, and brings equal ones together.
        found.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        found.dedup();
        nms::strongest(&found, p.beta, p.windows)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::drawing::Drawing;
    use super::*;

    /// The window of this size with the top left corner `x`, `y`.
    fn window(x: usize, y: usize, width: usize, height: usize) -> Window {
        Window { x0: x, y0: y, x1: x + width, y1: y + height }
    }

    #[test]
    fn the_best_windows_hold_the_ellipses_that_are_drawn() {
        let mut drawing = Drawing::new(160, 120, [200, 190, 180]);
        let drawn = [window(20, 24, 48, 64), window(96, 40, 40, 44)];
        drawing.ellipse(drawn[0], [60, 80, 40]);
        drawing.ellipse(drawn[1], [90, 30, 30]);
        let found = EdgeBoxes::default().propose(drawing.image());
        for ellipse in drawn {
            let best = found.iter().take(20).map(|one| one.window.iou(&ellipse)).fold(0.0, f32::max);
            assert!(best > 0.7, "{ellipse:?}: {best}");
        }
    }

    #[test]
    fn windows_are_sorted_inside_the_image_and_apart() {
        let mut drawing = Drawing::new(130, 97, [10, 20, 30]);
        drawing.noise(7, 60);
        drawing.ellipse(window(30, 20, 50, 60), [230, 200, 190]);
        let boxes = EdgeBoxes::default();
        let found = boxes.propose(drawing.image());
        assert!(found.len() > 20 && found.len() <= 500);
        assert!(found.windows(2).all(|pair| pair[0].score >= pair[1].score));
        for (i, Proposal { window, score }) in found.iter().enumerate() {
            assert!(window.x0 < window.x1 && window.x1 <= 130 && window.y0 < window.y1 && window.y1 <= 97);
            assert!(*score > boxes.parameters().min_score);
            assert!(found[..i].iter().all(|better| better.window.iou(window) <= 0.75));
        }
    }

    #[test]
    fn any_number_of_threads_gives_the_same_windows() {
        let mut drawing = Drawing::new(120, 90, [128, 128, 128]);
        drawing.noise(3, 90);
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| EdgeBoxes::default().propose(drawing.image()))
        };
        assert!(!with(1).is_empty());
        assert_eq!(with(1), with(3));
    }

    #[test]
    fn images_of_any_shape_are_taken() {
        for (width, height) in [(1, 1), (1, 300), (300, 1), (31, 31), (400, 12)] {
            let mut drawing = Drawing::new(width, height, [128, 128, 128]);
            drawing.noise(1, 100);
            EdgeBoxes::default().propose(drawing.image());
        }
        assert!(EdgeBoxes::default().propose(Image::rgb(80, &[[4, 5, 6]; 6400])).is_empty());
        assert!(EdgeBoxes::default().propose(Image::grey(80, &[])).is_empty());
        assert!(EdgeBoxes::default().propose(Image::grey(0, &[1])).is_empty());
    }

    #[test]
    fn grey_is_seen_as_the_same_in_three_channels() {
        let grey: Vec<u8> = (0..90 * 60u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let rgb: Vec<[u8; 3]> = grey.iter().map(|&value| [value; 3]).collect();
        let boxes = EdgeBoxes::default();
        let (of_grey, of_rgb) = (boxes.propose(Image::grey(90, &grey)), boxes.propose(Image::rgb(90, &rgb)));
        let best = |found: &[Proposal]| found.first().map(|one| one.window);
        assert!(best(&of_grey).is_some());
        assert_eq!(best(&of_grey), best(&of_rgb));
    }
}
