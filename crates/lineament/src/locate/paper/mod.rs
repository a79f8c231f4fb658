//! The paper's localization (section 3.1): LNet_o looks at the whole photo and finds head and shoulders,
//! LNet_s looks at those and finds the face. In both, EdgeBoxes windows are scored on the averaged response
//! map of the last convolution.

mod density_peaks;
mod responder;
mod windows;

pub use density_peaks::{DensityPeaks, Peak, PeakParameters};
pub use responder::{Responder, View};

use super::error::LocateError;
use super::parameters::{ParameterError, Range};
use super::response::ResponseMap;
use super::{Face, Faces, Localizer, ResponseMaps, Search};
use crate::engine::Runner;
use crate::geometry::{Rect, suppress};
use crate::input::Preprocess;
use crate::photo::Photo;
use edgeboxes::EdgeBoxes;
use serde::{Deserialize, Serialize};
use windows::{WindowScorer, best_window, best_windows, image_score};

/// What the paper's localization takes as parameters. The paper states the 500 windows and the division by the size;
/// the other defaults are our choice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PaperParameters {
    /// Least score of a face; chosen on images with and without faces.
    pub threshold: f32,
    /// Least score, on LNet_o's map, of a window that LNet_s is asked about.
    pub candidate_threshold: f32,
    /// Windows that LNet_s is asked about at most.
    pub candidates: usize,
    /// Power of the size that sums of LNet_o's responses are divided by: 1 in the paper. Less prefers larger windows.
    pub head_shoulder_size_power: f32,
    /// The same for LNet_s's responses.
    pub size_power: f32,
    /// LNet_o's window times this, made square, is the head-shoulder region.
    pub head_shoulder_enlarge: f32,
    /// LNet_s's window times this is the face.
    pub face_enlarge: f32,
    /// Candidates, and faces, overlap no better one by more than this IoU.
    pub overlap: f32,
    /// How several faces in one window are separated.
    pub peaks: PeakParameters,
    /// How candidate windows are made, 500 an image.
    pub edge_boxes: edgeboxes::Parameters,
}

impl Default for PaperParameters {
    fn default() -> Self {
        Self {
            threshold: 0.0,
            candidate_threshold: 0.0,
            candidates: 8,
            head_shoulder_size_power: 1.0,
            size_power: 1.0,
            head_shoulder_enlarge: 1.0,
            face_enlarge: 1.0,
            overlap: 0.3,
            peaks: PeakParameters::default(),
            edge_boxes: edgeboxes::Parameters::default(),
        }
    }
}

impl PaperParameters {
    /// Whether every value is one that the localizer can work with.
    ///
    /// # Errors
    /// Names the value that is out of range, and the range.
    pub fn check(&self) -> Result<(), ParameterError> {
        Range::of("threshold", -1e30, 1e30).holds(self.threshold)?;
        Range::of("candidate_threshold", -1e30, 1e30).holds(self.candidate_threshold)?;
        // Each of them costs a forward pass of LNet_s.
        Range::of("candidates", 1.0, 1000.0).holds(self.candidates as f64)?;
        Range::of("head_shoulder_size_power", 0.0, 2.0).holds(self.head_shoulder_size_power)?;
        Range::of("size_power", 0.0, 2.0).holds(self.size_power)?;
        Range::of("head_shoulder_enlarge", 0.1, 10.0).holds(self.head_shoulder_enlarge)?;
        Range::of("face_enlarge", 0.1, 10.0).holds(self.face_enlarge)?;
        Range::of("overlap", 0.0, 1.0).holds(self.overlap)?;
        self.peaks.check()?;
        Ok(self.edge_boxes.check()?)
    }
}

/// What a net saw, and the EdgeBoxes windows of that.
type Seen = (View, Vec<Rect>);

/// A head-shoulder region of a photo.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeadShoulders {
    /// The region, in pixels of the photo; it may reach beyond it.
    pub rect: Rect,
    /// The score of its window on LNet_o's map.
    pub score: f32,
}

/// The paper's two LNets, ready to locate faces.
#[derive(Debug)]
pub struct PaperLocalizer {
    lnet_o: Responder,
    lnet_s: Responder,
    edge_boxes: EdgeBoxes,
    parameters: PaperParameters,
}

impl PaperLocalizer {
    /// A localizer of two nets that see photos prepared in the same way.
    ///
    /// # Errors
    /// Parameters out of range, or a net that does not end in a map.
    pub fn new(
        lnet_o: impl Into<Runner>,
        lnet_s: impl Into<Runner>,
        preprocess: Preprocess,
        parameters: PaperParameters,
    ) -> Result<Self, LocateError> {
        parameters.check()?;
        Ok(Self {
            lnet_o: Responder::new(lnet_o, preprocess)?,
            lnet_s: Responder::new(lnet_s, preprocess)?,
            edge_boxes: EdgeBoxes::new(parameters.edge_boxes.clone()).map_err(ParameterError::from)?,
            parameters,
        })
    }

    /// Its parameters.
    pub fn parameters(&self) -> &PaperParameters {
        &self.parameters
    }

    /// The net that looks at whole photos.
    pub fn lnet_o(&self) -> &Responder {
        &self.lnet_o
    }

    /// The net that looks at head and shoulders.
    pub fn lnet_s(&self) -> &Responder {
        &self.lnet_s
    }

    /// The first half: head-shoulder regions by LNet_o, best first. They are also what LNet_s is trained on.
    ///
    /// # Errors
    /// As [`Localizer::locate`].
    pub fn head_shoulders(&self, photo: &Photo) -> Result<Vec<HeadShoulders>, LocateError> {
        let weighed = self.head_shoulders_weighed(photo, &[self.parameters.head_shoulder_size_power])?;
        Ok(weighed.into_iter().next().unwrap_or_default())
    }

    /// The same for each of several powers of the size instead of the parameter, from one view: what a power is chosen by.
    ///
    /// # Errors
    /// As [`Localizer::locate`].
    pub fn head_shoulders_weighed(
        &self,
        photo: &Photo,
        powers: &[f32],
    ) -> Result<Vec<Vec<HeadShoulders>>, LocateError> {
        let (view, windows) = self.lnet_o.whole_beside(photo, |seen| self.propose(seen))?;
        let p = &self.parameters;
        let weighed = powers.iter().map(|&power| {
            let scored = scored(&view, &windows, power);
            let best = best_windows(scored, p.candidate_threshold, p.overlap, p.candidates);
            let mut separated = suppress(self.separated(&view, best, power), p.overlap);
            separated.truncate(p.candidates);
            let region = |(window, score)| {
                // Square, so that LNet_s sees faces in their own proportions.
                let rect = view.to_photo(window).scaled(p.head_shoulder_enlarge).squared();
                HeadShoulders { rect, score }
            };
            separated.into_iter().map(region).collect()
        });
        Ok(weighed.collect())
    }

    /// The whole cascade with a threshold of one's own, as it is needed to choose one: all faces of at least
    /// this score, best first, none overlapping a better one.
    ///
    /// # Errors
    /// As [`Localizer::locate`].
    pub fn faces_above(&self, photo: &Photo, threshold: f32) -> Result<Vec<Face>, LocateError> {
        let weighed = self.faces_weighed(photo, threshold, &[self.parameters.size_power])?;
        Ok(weighed.into_iter().next().unwrap_or_default())
    }

    /// The same for each of several powers of the size instead of the parameter, from one view of either net.
    ///
    /// # Errors
    /// As [`Localizer::locate`].
    pub fn faces_weighed(
        &self,
        photo: &Photo,
        threshold: f32,
        powers: &[f32],
    ) -> Result<Vec<Vec<Face>>, LocateError> {
        let regions = self.head_shoulders(photo)?;
        let rects: Vec<Rect> = regions.iter().map(|region| region.rect).collect();
        let views = self.lnet_s.regions_beside(photo, &rects, |seen| self.propose(seen))?;
        let weighed = powers.iter().map(|&power| {
            let face = |((view, windows), region): (&Seen, &HeadShoulders)| {
                let (window, score) = best_window(&scored(view, windows, power))?;
                let face = view.to_photo(window).scaled(self.parameters.face_enlarge);
                let inside = face.clamped(photo.width(), photo.height());
                // The geometric mean: each net's responses have their own scale, and neither may drown the
                // other.
                let score = (region.score.max(0.0) * score.max(0.0)).sqrt();
                (inside.area() > 0.0 && score >= threshold).then_some((inside, score))
            };
            let faces = views.iter().zip(&regions).filter_map(face).collect();
            let best = suppress(faces, self.parameters.overlap);
            best.into_iter().map(|(rect, score)| Face::new(rect, score)).collect()
        });
        Ok(weighed.collect())
    }

    /// The score of a photo's best window on LNet_o's map, whose histograms over images with and without a
    /// face give the candidate threshold; none where the photo has no window.
    ///
    /// # Errors
    /// As [`Localizer::locate`].
    pub fn image_score(&self, photo: &Photo) -> Result<Option<f32>, LocateError> {
        let (view, windows) = self.lnet_o.whole_beside(photo, |seen| self.propose(seen))?;
        Ok(image_score(&scored(&view, &windows, self.parameters.head_shoulder_size_power)))
    }

    /// Candidate windows of what a net sees, in its pixels.
    fn propose(&self, seen: &Photo) -> Vec<Rect> {
        let (pixels, _) = seen.pixels().as_chunks();
        let proposals = self.edge_boxes.propose(edgeboxes::Image::rgb(seen.width() as usize, pixels));
        let rect = |of: edgeboxes::Window| {
            Rect::new(of.x0 as f32, of.y0 as f32, of.width() as f32, of.height() as f32)
        };
        proposals.into_iter().map(|proposal| rect(proposal.window)).collect()
    }

    /// Windows in which the map has several density peaks give way to a box a peak. The paper, after one face
    /// an image, keeps the densest alone; here all of them are wanted.
    fn separated(&self, view: &View, windows: Vec<(Rect, f32)>, size_power: f32) -> Vec<(Rect, f32)> {
        let scorer = WindowScorer::new(&view.map, size_power);
        let mut parts = Vec::with_capacity(windows.len());
        for (window, score) in windows {
            let peaks = DensityPeaks::within(&view.map, window, &self.parameters.peaks);
            if peaks.peaks().len() < 2 {
                parts.push((window, score));
                continue;
            }
            let boxes = peaks.boxes().iter().map(|&part| part.intersection(window).unwrap_or(part));
            parts.extend(
                scorer.score_all(boxes).into_iter().filter(|p| p.1 >= self.parameters.candidate_threshold),
            );
        }
        parts
    }
}

/// EdgeBoxes windows of what a net saw, scored on its map.
fn scored(view: &View, windows: &[Rect], size_power: f32) -> Vec<(Rect, f32)> {
    WindowScorer::new(&view.map, size_power).score_all(windows.iter().copied())
}

impl Localizer for PaperLocalizer {
    fn locate(&self, photo: &Photo, search: &Search) -> Result<Faces, LocateError> {
        Ok(search.limit(self.faces_above(photo, self.parameters.threshold)?, photo))
    }

    fn response_maps(&self) -> Option<&dyn ResponseMaps> {
        Some(self)
    }
}

impl ResponseMaps for PaperLocalizer {
    /// The averaged responses of the last convolution to the whole photo.
    fn response_map(&self, photo: &Photo) -> Result<ResponseMap, LocateError> {
        Ok(self.lnet_o.whole(photo)?.map_in_photo())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::drawing::{Drawing, red_detector};
    use super::*;

    const SKIN: [u8; 3] = [225, 60, 50];
    const GROUND: [u8; 3] = [120, 124, 128];

    fn localizer(parameters: PaperParameters) -> PaperLocalizer {
        PaperLocalizer::new(red_detector(128), red_detector(128), Preprocess::default(), parameters).unwrap()
    }

    /// The squares of 8 pixels that the test net answers with are coarse: a window must not shrink into one.
    fn parameters() -> PaperParameters {
        PaperParameters {
            threshold: 0.05,
            head_shoulder_size_power: 0.6,
            size_power: 0.6,
            head_shoulder_enlarge: 1.6,
            ..PaperParameters::default()
        }
    }

    #[test]
    fn one_drawn_face_is_found_at_its_place() {
        let face = Rect::new(150.0, 60.0, 90.0, 120.0);
        let mut drawing = Drawing::new(320, 240, GROUND);
        drawing.ellipse(face, SKIN).ellipse(Rect::new(20.0, 90.0, 90.0, 110.0), [40, 60, 200]);
        let found = localizer(parameters()).locate(&drawing.photo(), &Search::default()).unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].rect.iou(face) > 0.6, "{found:?}");
    }

    #[test]
    fn two_drawn_faces_are_found_best_first() {
        let faces = [Rect::new(30.0, 50.0, 80.0, 100.0), Rect::new(200.0, 70.0, 80.0, 100.0)];
        let mut drawing = Drawing::new(320, 240, GROUND);
        drawing.ellipse(faces[0], [180, 80, 80]).ellipse(faces[1], [250, 30, 30]);
        let found = localizer(parameters()).locate(&drawing.photo(), &Search::default()).unwrap();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].score > found[1].score);
        assert!(found[0].rect.iou(faces[1]) > 0.5 && found[1].rect.iou(faces[0]) > 0.5, "{found:?}");
    }

    #[test]
    fn a_scene_without_a_face_has_none() {
        let mut drawing = Drawing::new(300, 200, GROUND);
        drawing.ellipse(Rect::new(60.0, 40.0, 100.0, 120.0), [40, 60, 200]).noise(5, 8);
        let localizer = localizer(parameters());
        assert!(localizer.locate(&drawing.photo(), &Search::default()).unwrap().is_empty());
        assert!(localizer.image_score(&drawing.photo()).unwrap().unwrap() < 0.05);
        let flat = Photo::filled(200, 100, GROUND);
        assert!(localizer.locate(&flat, &Search::default()).unwrap().is_empty());
        assert_eq!(localizer.image_score(&flat).unwrap(), None);
    }

    #[test]
    fn the_threshold_decides() {
        let mut drawing = Drawing::new(200, 200, GROUND);
        drawing.ellipse(Rect::new(60.0, 50.0, 80.0, 100.0), SKIN);
        let photo = drawing.photo();
        let score = localizer(parameters()).locate(&photo, &Search::default()).unwrap()[0].score;
        let with = |threshold| localizer(PaperParameters { threshold, ..parameters() });
        assert_eq!(with(score).locate(&photo, &Search::default()).unwrap().len(), 1);
        assert!(with(score.next_up()).locate(&photo, &Search::default()).unwrap().is_empty());
        assert_eq!(with(1e9).faces_above(&photo, score).unwrap().len(), 1);
    }

    #[test]
    fn one_look_serves_several_powers() {
        let mut drawing = Drawing::new(240, 200, GROUND);
        drawing.ellipse(Rect::new(60.0, 50.0, 80.0, 100.0), SKIN).noise(5, 20);
        let photo = drawing.photo();
        let powers = [1.0, 0.6, 0.2];
        let whole = localizer(parameters());
        let regions = whole.head_shoulders_weighed(&photo, &powers).unwrap();
        let faces = whole.faces_weighed(&photo, 0.0, &powers).unwrap();
        assert_eq!((regions.len(), faces.len()), (3, 3));
        for ((power, regions), faces) in powers.into_iter().zip(regions).zip(faces) {
            let of_regions = PaperParameters { head_shoulder_size_power: power, ..parameters() };
            assert_eq!(localizer(of_regions).head_shoulders(&photo).unwrap(), regions);
            let of_faces = PaperParameters { size_power: power, threshold: 0.0, ..parameters() };
            assert_eq!(localizer(of_faces).locate(&photo, &Search::default()).unwrap().found, faces);
        }
    }

    #[test]
    fn one_window_over_two_faces_is_separated() {
        let faces = [Rect::new(24.0, 32.0, 32.0, 40.0), Rect::new(80.0, 32.0, 32.0, 40.0)];
        let mut drawing = Drawing::new(128, 96, GROUND);
        faces.iter().for_each(|&face| {
            drawing.ellipse(face, SKIN);
        });
        let localizer = localizer(parameters());
        let view = localizer.lnet_o().whole(&drawing.photo()).unwrap();
        let parts = localizer.separated(&view, vec![(Rect::new(16.0, 24.0, 104.0, 56.0), 1.0)], 0.6);
        assert_eq!(parts.len(), 2);
        for face in faces {
            assert!(parts.iter().any(|(part, _)| part.iou(face) > 0.5), "{face:?}: {parts:?}");
        }
        let single = vec![(Rect::new(16.0, 24.0, 48.0, 56.0), 1.0)];
        assert_eq!(localizer.separated(&view, single.clone(), 0.6), single);
    }

    #[test]
    fn photos_of_any_shape_are_taken() {
        for (width, height) in [(1, 1), (3, 700), (900, 4), (31, 33)] {
            let mut drawing = Drawing::new(width, height, SKIN);
            drawing.noise(2, 50);
            for face in localizer(parameters()).locate(&drawing.photo(), &Search::default()).unwrap() {
                assert_eq!(face.rect, face.rect.clamped(width, height));
                assert!(face.rect.area() > 0.0);
            }
        }
    }

    #[test]
    fn values_out_of_range_are_refused_by_name() {
        let refused = |parameters: PaperParameters| parameters.check().unwrap_err().to_string();
        let default = PaperParameters::default();
        assert!(default.check().is_ok());
        let error = refused(PaperParameters { threshold: f32::NAN, ..default.clone() });
        assert!(error.contains("localisation.threshold"), "{error}");
        let error = refused(PaperParameters { candidates: 0, ..default.clone() });
        assert!(error.contains("localisation.candidates"), "{error}");
        let peaks = PeakParameters { min_density: -1.0, ..PeakParameters::default() };
        let error = refused(PaperParameters { peaks, ..default });
        assert!(error.contains("localisation.peaks.min_density"), "{error}");
    }
}
