//! The compact recipe's way from responses to boxes: LNets that answer for windows of one size, slid over photos of many sizes.
//!
//! An LNet here is a window classifier without padding: shown one window it gives one cell, shown a larger image it gives the
//! cell of every window. A cell holds the response to "there is a face here" and says where the face's own window lies, of what
//! size it is and how it is turned ([`Response`]); training shifts, resizes and turns windows and asks by how much, so that no
//! box is needed to learn it.
//!
//! LNet_o slides over a pyramid of the photo, from the size at which the smallest face fills its window on. What it takes for a
//! face, moved as it says, are the candidates. LNet_s looks at each of them, and once more at the window that it corrects it
//! to, turned upright; the second answer decides. Overlapping windows become one by votes, and the box is the window times a
//! few constants.

mod classifier;
mod grounds;
mod levels;
mod parameters;
mod response;
mod sweep;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod turn;
mod votes;
mod window;

pub(crate) use levels::{FACE, STRIP};
pub use parameters::{PyramidParameters, WindowToBox};
pub use response::Response;
pub(crate) use response::without_attributes;
pub use window::Window;

use super::error::LocateError;
use super::response::ResponseMap;
use super::{Cells, Face, Faces, Localizer, ResponseMaps, Search, SmallestFace};
use crate::engine::Runner;
use crate::geometry::Point;
use crate::input::Preprocess;
use crate::photo::Photo;
use classifier::Classifier;
use grounds::Grounds;
use levels::Level;
use rayon::prelude::*;
use sweep::{Seen, Sweep};
use turn::Turn;
use votes::thinned;

/// Windows that LNet_s looks at together.
const BATCH: usize = 16;
/// Windows whose faces overlap by more than this IoU after LNet_s's first look are of one face, and it looks at one of them
/// again.
pub(crate) const SAME: f32 = 0.7;

/// Two window classifiers, ready to locate faces.
#[derive(Debug)]
pub struct PyramidLocalizer {
    lnet_o: Classifier,
    lnet_s: Classifier,
    parameters: PyramidParameters,
    tile: usize,
}

/// What LNet_o has for LNet_s.
#[derive(Default)]
struct Proposed {
    /// What it takes for a face.
    candidates: Vec<Window>,
    /// The best windows that are as large as the photo: looked at where nothing else is a face, since LNet_o does not know one
    /// of which no edge is seen.
    filling: Vec<Window>,
}

impl PyramidLocalizer {
    /// A localizer of two nets that see photos prepared in the same way.
    ///
    /// # Errors
    /// Parameters out of range, or a net that does not give one cell of six channels for its input.
    pub fn new(
        lnet_o: impl Into<Runner>,
        lnet_s: impl Into<Runner>,
        preprocess: Preprocess,
        parameters: PyramidParameters,
    ) -> Result<Self, LocateError> {
        parameters.check()?;
        Ok(Self {
            lnet_o: Classifier::new(lnet_o, preprocess)?,
            lnet_s: Classifier::new(lnet_s, preprocess)?,
            parameters,
            tile: sweep::TILE,
        })
    }

    /// What LNet_o takes for a face: its windows, moved and resized as it says, best first, those that overlap as one. They
    /// are turned as the photo was when it saw them.
    ///
    /// # Errors
    /// As [`Localizer::locate`].
    pub fn candidates(&self, photo: &Photo, search: &Search) -> Result<Vec<Window>, LocateError> {
        Ok(self.proposed(&self.sweep(photo, search), photo, search)?.candidates)
    }

    /// LNet_s looks at windows, each drawn as it is turned: their faces' own windows, in the same order, with its responses.
    ///
    /// # Errors
    /// As [`Localizer::locate`].
    pub fn look(&self, photo: &Photo, windows: &[Window]) -> Result<Vec<Window>, LocateError> {
        self.look_at(&Grounds::of_photo(photo), windows)
    }

    /// LNet_s's windows after its second look, best first, those that overlap as one; the threshold of faces leaves none out.
    ///
    /// # Errors
    /// As [`Localizer::locate`].
    pub fn windows(&self, photo: &Photo, search: &Search) -> Result<Vec<Window>, LocateError> {
        let p = &self.parameters;
        let sweep = self.sweep(photo, search);
        let Proposed { candidates, filling } = self.proposed(&sweep, photo, search)?;
        let mut found = self.look_twice(&sweep.grounds, &candidates)?;
        if found.iter().all(|window| window.score <= p.threshold) {
            found.extend(self.look_twice(&sweep.grounds, &filling)?);
        }
        Ok(thinned(found, &p.face, p.overlap))
    }

    /// The windows that LNet_s corrects others to, and says that it would see a face in, looked at in turn.
    fn look_twice(&self, grounds: &Grounds<'_>, windows: &[Window]) -> Result<Vec<Window>, LocateError> {
        let p = &self.parameters;
        let mut first = self.look_at(grounds, windows)?;
        first.retain(|window| window.score > p.second_look);
        self.look_at(grounds, &thinned(first, &p.face, p.overlap.max(SAME)))
    }

    fn look_at(&self, grounds: &Grounds<'_>, windows: &[Window]) -> Result<Vec<Window>, LocateError> {
        let look = |windows: &[Window]| -> Result<Vec<Window>, LocateError> {
            let draw = |window: &Window| grounds.draw_window(window, self.lnet_s.window);
            let seen: Vec<Photo> = windows.par_iter().map(draw).collect();
            let responses = self.lnet_s.respond(&seen)?;
            let corrected = |(image, window): (usize, &Window)| {
                Ok(window.corrected(&self.lnet_s.checked(responses.at(image, 0), 0, 0)?))
            };
            windows.iter().enumerate().map(corrected).collect()
        };
        let looked = windows.par_chunks(BATCH).map(look).collect::<Result<Vec<_>, _>>()?;
        Ok(looked.into_iter().flatten().collect())
    }

    /// What LNet_s is to look at, by a sweep.
    fn proposed(&self, sweep: &Sweep<'_>, photo: &Photo, search: &Search) -> Result<Proposed, LocateError> {
        let p = &self.parameters;
        let turns = if search.any_orientation { &Turn::ALL[..] } else { &[Turn::Upright] };
        let mut all = Proposed::default();
        for found in sweep.read(turns, |seen| self.proposed_in(photo, &seen))? {
            all.candidates.extend(found.candidates);
            all.filling.extend(found.filling);
        }
        let mut candidates = thinned(all.candidates, &p.face, p.overlap);
        candidates.truncate(p.candidates);
        Ok(Proposed { candidates, ..all })
    }

    /// LNet_o over the levels that a search asks for.
    fn sweep<'a>(&'a self, photo: &'a Photo, search: &Search) -> Sweep<'a> {
        let smallest = match search.smallest_face {
            Some(smallest) => smallest.height_in(photo),
            None => SmallestFace::usual_height_in(photo),
        };
        let levels = Level::of(photo, smallest, &self.lnet_o, &self.parameters);
        Sweep::new(&self.lnet_o, photo, levels, self.tile)
    }

    /// The windows of a tile that LNet_o takes for a face, and the best of those about all of the photo.
    fn proposed_in(&self, photo: &Photo, seen: &Seen<'_>) -> Result<Proposed, LocateError> {
        let scores = seen.faces().iter().enumerate();
        // LNet_s says itself how a face is turned, and knows it better.
        let moved =
            |window: Window, response: &Response| Window { roll: window.roll, ..window.corrected(response) };
        let mut filling = Vec::new();
        if seen.level.side() >= photo.width().max(photo.height()) as f32
            && let Some((at, _)) = scores.clone().max_by(|a, b| a.1.total_cmp(b.1))
        {
            let (window, response) = seen.window(at)?;
            filling.push(moved(window, &response));
        }
        // What is no number is looked at, to be refused.
        let above =
            scores.filter(|(_, score)| **score > self.parameters.candidate_threshold || !score.is_finite());
        let mut candidates = Vec::new();
        for (at, _) in above {
            let (window, response) = seen.window(at)?;
            if Level::is_wanted(&window, photo, self.parameters.margin) {
                candidates.push(moved(window, &response));
            }
        }
        Ok(Proposed { candidates, filling })
    }
}

impl Localizer for PyramidLocalizer {
    fn locate(&self, photo: &Photo, search: &Search) -> Result<Faces, LocateError> {
        let windows = self.windows(photo, search)?.into_iter();
        let face = |window: Window| Face {
            roll: Some(window.roll),
            ..Face::new(window.face(&self.parameters.face), window.score)
        };
        let faces = windows.take_while(|window| window.score > self.parameters.threshold).map(face);
        Ok(search.limit(faces.collect(), photo))
    }

    fn response_maps(&self) -> Option<&dyn ResponseMaps> {
        Some(self)
    }
}

impl ResponseMaps for PyramidLocalizer {
    /// The level that holds the strongest response.
    fn response_map(&self, photo: &Photo) -> Result<ResponseMap, LocateError> {
        let mut sweep = self.sweep(photo, &Search::default());
        if sweep.levels.is_empty() {
            // Too small for any face: one window over all of it.
            sweep = Sweep::new(&self.lnet_o, photo, vec![Level::whole(photo, &self.lnet_o)], self.tile);
        }
        let maps = sweep
            .read(&[Turn::Upright], |seen| Ok((seen.number, seen.tile.clone(), seen.faces().to_vec())))?;
        let peak = |values: &[f32]| values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let strongest = maps.iter().max_by(|a, b| peak(&a.2).total_cmp(&peak(&b.2)));
        let number = strongest.map_or(0, |(number, ..)| *number);
        let no_level = || LocateError::NoWindow { net: self.lnet_o.name().to_owned() };
        let level = sweep.levels.get(number).ok_or_else(no_level)?;
        let mut values = vec![0.0; level.columns * level.rows];
        for (_, tile, responses) in maps.iter().filter(|(of, ..)| *of == number) {
            let lines = values.chunks_exact_mut(level.columns).skip(tile.rows.start);
            for (line, own) in lines.zip(responses.chunks_exact(tile.columns.len())) {
                if let Some(line) = line.get_mut(tile.columns.clone()) {
                    line.copy_from_slice(own);
                }
            }
        }
        let (half, stride) = (f64::from(self.lnet_o.window) / 2.0, f64::from(self.lnet_o.stride));
        let distance = (stride / level.scale) as f32;
        let cells = Cells { origin: level.in_photo(half, half), stride: Point::new(distance, distance) };
        ResponseMap::new(level.columns, level.rows, values, cells)
            .map_err(|cause| LocateError::Response { net: self.lnet_o.name().to_owned(), cause })
    }
}
