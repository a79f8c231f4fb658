//! The compact recipe's way from responses to boxes: LNets that answer for windows of one size, slid over photos of many sizes.
//!
//! An LNet here is a window classifier without padding: shown one window it gives one cell, shown a larger image it gives the
//! cell of every window. Its first channel is the response to "there is a face here". LNet_o slides over a coarse pyramid of the
//! whole photo; around each of its best windows lies a head-shoulder region, over which LNet_s slides in a fine pyramid. Where
//! all training faces are framed alike the response is greatest for windows of that framing, so that scale comes from the tag "face" alone;
//! the box is the window times a few constants.

mod face_response;
mod parameters;
mod slider;

pub(super) use face_response::face_response;
pub use parameters::{PyramidParameters, WindowToBox};

use super::error::LocateError;
use super::response::ResponseMap;
use super::{Face, Faces, Localizer, ResponseMaps, Search};
use crate::crop::crop;
use crate::engine::Runner;
use crate::geometry::{Point, Rect, suppress};
use crate::input::Preprocess;
use crate::photo::Photo;
use rayon::prelude::*;
use slider::{Level, Slider};

/// Places and sizes within this share of the best window's side are averaged with it.
const NEIGHBOURHOOD: f32 = 0.25;

/// A window that an LNet responds to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// Its centre, in pixels of the photo.
    pub centre: Point,
    /// Its side, in pixels of the photo.
    pub side: f32,
    /// The response.
    pub score: f32,
}

impl Window {
    /// The window as a square.
    pub fn rect(&self) -> Rect {
        let half = self.side / 2.0;
        Rect::new(self.centre.x - half, self.centre.y - half, self.side, self.side)
    }

    /// The face box that the window stands for.
    pub fn face(&self, to_box: &WindowToBox) -> Rect {
        let (width, height) = (to_box.width * self.side, to_box.height * self.side);
        let x = self.centre.x + to_box.right * self.side;
        let y = self.centre.y + to_box.down * self.side;
        Rect::new(x - width / 2.0, y - height / 2.0, width, height)
    }
}

/// Two window classifiers, ready to locate faces.
pub struct PyramidLocalizer {
    lnet_o: Slider,
    lnet_s: Slider,
    parameters: PyramidParameters,
}

impl PyramidLocalizer {
    /// A localizer of two nets that see photos prepared in the same way.
    ///
    /// # Errors
    /// Parameters out of range, or a net that does not give one cell for its input.
    pub fn new(
        lnet_o: impl Into<Runner>,
        lnet_s: impl Into<Runner>,
        preprocess: Preprocess,
        parameters: PyramidParameters,
    ) -> Result<Self, LocateError> {
        parameters.check()?;
        Ok(Self {
            lnet_o: Slider::new(lnet_o, preprocess)?,
            lnet_s: Slider::new(lnet_s, preprocess)?,
            parameters,
        })
    }

    /// The first half: LNet_o's best windows, best first, none overlapping a better one by much.
    ///
    /// # Errors
    /// As [`Localizer::locate`].
    pub fn candidates(&self, photo: &Photo) -> Result<Vec<Window>, LocateError> {
        let p = &self.parameters;
        let levels = self.coarse(photo)?;
        let scored = levels.iter().flat_map(Level::windows).filter(|w| w.score > p.candidate_threshold);
        let kept = suppress(scored.map(|w| (w.rect(), w.score)).collect(), p.overlap);
        let least = kept.first().map_or(0.0, |(_, best)| best - p.candidate_margin);
        let window = |(rect, score): (Rect, f32)| Window { centre: rect.centre(), side: rect.width, score };
        let near = kept.into_iter().take_while(|(_, score)| *score >= least);
        Ok(near.take(p.candidates).map(window).collect())
    }

    /// LNet_s's windows for LNet_o's, best first; none is left out for its score.
    ///
    /// # Errors
    /// As [`Localizer::locate`].
    pub fn windows(&self, photo: &Photo) -> Result<Vec<Window>, LocateError> {
        Ok(self.refined(photo)?.into_iter().map(|(window, _)| window).collect())
    }

    /// The same, each with the window of LNet_o that it was found from.
    ///
    /// # Errors
    /// As [`Localizer::locate`].
    pub fn refined(&self, photo: &Photo) -> Result<Vec<(Window, Window)>, LocateError> {
        let candidates = self.candidates(photo)?;
        let mut refined: Vec<_> = self.refine(photo, &candidates)?.into_iter().zip(candidates).collect();
        refined.sort_by(|a, b| b.0.score.total_cmp(&a.0.score));
        Ok(refined)
    }

    fn coarse(&self, photo: &Photo) -> Result<Vec<Level>, LocateError> {
        let p = &self.parameters;
        let longest = photo.width().max(photo.height()) as f32;
        // Small photos are not blown up much.
        let finest = (p.longest_side as f32).min(2.0 * longest) / longest;
        // Shrunk once: all levels are drawn from a photo of the finest one's size.
        let side = |pixels: u32| ((pixels as f32 * finest).round() as u32).max(1);
        let small = crop(photo, photo.rect(), side(photo.width()), side(photo.height()));
        let shrunk =
            [small.width() as f32 / photo.width() as f32, small.height() as f32 / photo.height() as f32];
        let levels: Vec<f32> = (0..p.levels).map(|level| finest / p.step.powi(level as i32)).collect();
        let slide = |scale: &f32| -> Result<Vec<Level>, LocateError> {
            let window = self.lnet_o.window as f32 / scale;
            let margin = p.margin * window;
            let seen = Rect::new(
                -margin,
                -margin,
                photo.width() as f32 + 2.0 * margin,
                photo.height() as f32 + 2.0 * margin,
            );
            // What is smaller than a window is drawn in the middle of one.
            let seen = widened(seen, window);
            let pixels = |side: f32| ((side * scale).round() as u32).max(self.lnet_o.window);
            let [x, y] = shrunk;
            let of_small = Rect::new(seen.x * x, seen.y * y, seen.width * x, seen.height * y);
            self.lnet_o.slide(&[crop(&small, of_small, pixels(seen.width), pixels(seen.height))], &[seen])
        };
        let found = levels.par_iter().map(slide).collect::<Result<Vec<_>, _>>()?;
        Ok(found.into_iter().flatten().collect())
    }

    /// The fine pyramids over the head-shoulder regions of some windows; a level of all of them is one batch.
    fn refine(&self, photo: &Photo, windows: &[Window]) -> Result<Vec<Window>, LocateError> {
        if windows.is_empty() {
            return Ok(Vec::new());
        }
        let p = &self.parameters;
        let regions: Vec<Rect> = windows.iter().map(|window| window.rect().scaled(p.region)).collect();
        let fine = p.fine_levels as i32;
        let pixels = |step: i32| {
            let side = self.lnet_s.window as f32 * p.region / p.fine_step.powi(step);
            (side.round() as u32).max(self.lnet_s.window)
        };
        // As in the coarse pyramid: the photo is read once, for the finest level.
        let finest: Vec<Photo> =
            regions.par_iter().map(|region| crop(photo, *region, pixels(-fine), pixels(-fine))).collect();
        let slide = |step: i32| match pixels(step) {
            side if side == pixels(-fine) => self.lnet_s.slide(&finest, &regions),
            side => {
                let seen: Vec<Photo> =
                    finest.iter().map(|photo| crop(photo, photo.rect(), side, side)).collect();
                self.lnet_s.slide(&seen, &regions)
            }
        };
        let steps: Vec<i32> = (-fine..=fine).collect();
        let levels = steps.par_iter().map(|step| slide(*step)).collect::<Result<Vec<_>, _>>()?;
        let best = |(index, window): (usize, &Window)| {
            mean_window(levels.iter().filter_map(|level| level.get(index))).unwrap_or(*window)
        };
        Ok(windows.iter().enumerate().map(best).collect())
    }
}

/// The best window, moved to the mean of its neighbours weighted by the exponential of their responses: finer than the lattice.
fn mean_window<'a>(levels: impl Iterator<Item = &'a Level> + Clone) -> Option<Window> {
    let best = levels.clone().flat_map(Level::windows).max_by(|a, b| a.score.total_cmp(&b.score))?;
    let (mut weight, mut x, mut y, mut size) = (0.0, 0.0, 0.0, 0.0);
    for level in levels {
        for window in level.windows() {
            let reach = NEIGHBOURHOOD * best.side;
            let (dx, dy) = (window.centre.x - best.centre.x, window.centre.y - best.centre.y);
            if dx.abs() > reach || dy.abs() > reach {
                continue;
            }
            let w = f64::from((window.score - best.score).exp() * level.cell_area());
            weight += w;
            x += w * f64::from(dx);
            y += w * f64::from(dy);
            size += w * f64::from(window.side.ln());
        }
    }
    let centre = Point::new(best.centre.x + (x / weight) as f32, best.centre.y + (y / weight) as f32);
    Some(Window { centre, side: (size / weight).exp() as f32, score: best.score })
}

/// `rect`, each side at least `least`, about the same centre.
fn widened(rect: Rect, least: f32) -> Rect {
    let (width, height) = (rect.width.max(least), rect.height.max(least));
    Rect::new(rect.x - (width - rect.width) / 2.0, rect.y - (height - rect.height) / 2.0, width, height)
}

impl Localizer for PyramidLocalizer {
    fn locate(&self, photo: &Photo, search: &Search) -> Result<Faces, LocateError> {
        let p = &self.parameters;
        let windows = self.windows(photo)?.into_iter().filter(|w| w.score > p.threshold);
        let faces = suppress(windows.map(|w| (w.face(&p.face), w.score)).collect(), p.overlap);
        let faces = faces.into_iter().map(|(rect, score)| Face::new(rect, score)).collect();
        Ok(search.limit(faces, photo))
    }

    fn response_maps(&self) -> Option<&dyn ResponseMaps> {
        Some(self)
    }
}

impl ResponseMaps for PyramidLocalizer {
    /// The level that holds the strongest response.
    fn response_map(&self, photo: &Photo) -> Result<ResponseMap, LocateError> {
        let levels = self.coarse(photo)?;
        let strongest = levels.into_iter().max_by(|a, b| a.map.range().1.total_cmp(&b.map.range().1));
        strongest.map(|level| level.map).ok_or(LocateError::NoWindow { net: self.lnet_o.name().to_owned() })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use lineament_net::{Layer, Net, NetSpec, Shape, Weights};

    /// A window classifier of 16 px made by hand: bright inside the middle half, dark around it.
    fn bright_middle() -> Net {
        let spec = NetSpec {
            name: "bright".to_owned(),
            input: Shape::new(3, 16, 16),
            layers: vec![Layer::Conv {
                name: "responses".to_owned(),
                filters: 1,
                kernel: 16,
                stride: 1,
                padding: 0,
                bias: true,
            }],
        };
        let mut weights = Weights::random(&spec, 1).unwrap();
        for parameter in spec.parameters().unwrap() {
            let inside = |i: usize| (4..12).contains(&(i % 16)) && (4..12).contains(&(i / 16 % 16));
            let mut array = weights.get(&parameter.name).unwrap().clone();
            for (i, value) in array.data.iter_mut().enumerate() {
                // The middle is a quarter of the window, so the weights sum to nothing.
                *value = match (parameter.name.ends_with("bias"), inside(i)) {
                    (true, _) => -4.0,
                    (false, true) => 0.06,
                    (false, false) => -0.02,
                };
            }
            weights.insert(parameter.name, array);
        }
        Net::new(&spec, &weights).unwrap()
    }

    fn localizer() -> PyramidLocalizer {
        let parameters = PyramidParameters {
            threshold: 2.0,
            candidate_threshold: 0.0,
            longest_side: 128,
            face: WindowToBox { right: 0.0, down: 0.0, width: 0.5, height: 0.5 },
            ..PyramidParameters::default()
        };
        let preprocess = Preprocess { mean: [0.0; 3], std: [1.0; 3] };
        PyramidLocalizer::new(bright_middle(), bright_middle(), preprocess, parameters).unwrap()
    }

    fn scene(squares: &[(u32, u32, u32)]) -> Photo {
        let mut photo = Photo::filled(200, 150, [20; 3]);
        for (at, pixel) in photo.pixels_mut().as_chunks_mut::<3>().0.iter_mut().enumerate() {
            let (x, y) = (at as u32 % 200, at as u32 / 200);
            if squares
                .iter()
                .any(|(left, top, side)| (*left..left + side).contains(&x) && (*top..top + side).contains(&y))
            {
                *pixel = [240; 3];
            }
        }
        photo
    }

    #[test]
    fn squares_are_found_at_their_place_and_size() {
        let squares = [(20, 30, 24), (120, 60, 48)];
        let faces = localizer().locate(&scene(&squares), &Search::default()).unwrap();
        for (left, top, side) in squares {
            let given = Rect::new(left as f32, top as f32, side as f32, side as f32);
            let best = faces.iter().map(|f| f.rect.iou(given)).fold(0.0, f32::max);
            assert!(best > 0.7, "{given:?} is met with IoU {best}: {faces:?}");
        }
        assert!(faces.is_sorted_by(|a, b| a.score >= b.score));
    }

    #[test]
    fn lnet_s_is_asked_about_nothing_far_weaker_than_the_best() {
        let photo = scene(&[(20, 30, 24), (120, 60, 48)]);
        let asked = |margin| {
            let mut localizer = localizer();
            localizer.parameters.candidate_margin = margin;
            localizer.candidates(&photo).unwrap()
        };
        let (all, near, best) = (asked(100.0), asked(0.5), asked(0.0));
        assert!(all.len() > near.len() && !best.is_empty());
        assert_eq!(near, all[..near.len()]);
        assert!(near.iter().all(|window| window.score >= all[0].score - 0.5));
        assert!(all[near.len()].score < all[0].score - 0.5);
    }

    #[test]
    fn nothing_is_found_where_nothing_is() {
        assert!(localizer().locate(&scene(&[]), &Search::default()).unwrap().is_empty());
        for (width, height) in [(1, 1), (1, 300), (300, 2), (17, 5)] {
            let faces =
                localizer().locate(&Photo::filled(width, height, [90; 3]), &Search::default()).unwrap();
            assert!(faces.is_empty(), "{width} x {height}: {faces:?}");
        }
    }

    #[test]
    fn the_answer_is_the_same_on_any_number_of_threads() {
        let (localizer, photo) = (localizer(), scene(&[(20, 30, 24), (120, 60, 48)]));
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| localizer.locate(&photo, &Search::default()).unwrap())
        };
        assert_eq!(on(1), on(2));
        assert_eq!(on(1), on(7));
    }

    #[test]
    fn the_map_is_strongest_on_the_square() {
        let map = localizer().response_map(&scene(&[(120, 60, 48)])).unwrap();
        let (peak, _) = map.peak();
        assert!((peak.x - 144.0).abs() < 8.0 && (peak.y - 84.0).abs() < 8.0, "{peak:?}");
    }

    #[test]
    fn nets_that_are_no_window_classifiers_are_refused() {
        let conv =
            Layer::Conv { name: "c".to_owned(), filters: 1, kernel: 3, stride: 1, padding: 1, bias: true };
        let spec = NetSpec { name: "map".to_owned(), input: Shape::new(3, 16, 16), layers: vec![conv] };
        let net = || Net::new(&spec, &Weights::random(&spec, 1).unwrap()).unwrap();
        let made = PyramidLocalizer::new(net(), net(), Preprocess::default(), PyramidParameters::default());
        assert!(made.err().unwrap().to_string().contains("net map must give exactly one cell"));
        let wrong = PyramidParameters { step: 1.0, ..PyramidParameters::default() };
        assert!(wrong.check().unwrap_err().to_string().contains("localisation.step is 1"));
    }
}
