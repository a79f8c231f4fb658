//! Which faces a request looks for: the options that all routes for photos share. They are fields of each route's options,
//! since serde refuses unknown names only where nothing is flattened.

use lineament::locate::SmallestFaceError;
use lineament::{Selection, SmallestFace};
use serde::Deserialize;

use crate::problem::Problem;
use crate::queue::Weight;

/// A smallest face as it is typed.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub struct Smallest(SmallestFace);

impl TryFrom<String> for Smallest {
    type Error = SmallestFaceError;

    fn try_from(text: String) -> Result<Self, SmallestFaceError> {
        text.parse().map(Self)
    }
}

/// What a request says about its search.
#[derive(Clone, Copy, Default)]
pub struct SearchQuery {
    pub smallest_face: Option<Smallest>,
    pub max_faces: Option<usize>,
    pub any_orientation: Option<bool>,
}

impl SearchQuery {
    /// The search, with no more faces than an answer may hold.
    pub fn selection(self, faces: usize) -> Result<Selection, Problem> {
        if self.max_faces == Some(0) {
            return Err(Problem::bad_request(
                "max_faces is 0; give 1 or more, or leave it out for as many as an answer holds",
            ));
        }
        Ok(Selection {
            smallest_face: self.smallest_face.map(|Smallest(size)| size),
            max_faces: Some(self.max_faces.map_or(faces, |most| most.min(faces))),
            any_orientation: self.any_orientation,
            ..Selection::default()
        })
    }

    /// How much work it is beside that of a usual search: small faces and other orientations are looked for in many times
    /// as many pixels.
    pub fn weight(self) -> Weight {
        let more = self.smallest_face.is_some() || self.any_orientation == Some(true);
        if more { Weight::Heavy } else { Weight::Light }
    }
}
