//! What a localizer is asked for, and what it answers.

use std::ops::Deref;

use super::{Face, SmallestFace};
use crate::photo::Photo;

/// Which faces of a photo are wanted.
///
/// | asked | LNets slid over a pyramid | LNets of the paper, detectors | `whole` |
/// |---|---|---|---|
/// | `smallest_face` | from which size on they look; without it [`SmallestFace::usual_height_in`] | leaves out what is lower; without it nothing | nothing |
/// | `max_faces` | the best are answered | the same | the same |
/// | `any_orientation` | they also look at the photo turned by 90, 180 and 270 degrees | nothing | nothing |
///
/// A detector whose canvas is not fixed is shown the photo as large as the smallest face needs, the usual one where none is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Search {
    /// Least height of a face box; the localizer's own choice where there is none. A smaller one loses no face that a larger
    /// one found, save one that was at the very threshold: what else is seen moves windows a little.
    pub smallest_face: Option<SmallestFace>,
    /// How many faces are answered at most; all of them where there is none.
    pub max_faces: Option<usize>,
    /// Whether faces may stand in any orientation, and not about upright only.
    pub any_orientation: bool,
}

impl Search {
    /// Those of the faces, best first, that the search allows.
    pub fn limit(&self, mut found: Vec<Face>, photo: &Photo) -> Faces {
        if let Some(smallest) = self.smallest_face {
            let least = smallest.height_in(photo);
            found.retain(|face| face.rect.height >= least);
        }
        self.best(found)
    }

    /// The best of the faces, best first, of whatever size.
    pub fn best(&self, mut found: Vec<Face>) -> Faces {
        let wanted = self.max_faces.unwrap_or(usize::MAX);
        let left_out = found.len().saturating_sub(wanted);
        found.truncate(wanted);
        Faces { found, left_out }
    }
}

/// The faces of a photo. It is used as a slice of them, and says how many more there are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Faces {
    /// Best first.
    pub found: Vec<Face>,
    /// Faces that [`Search::max_faces`] cut, each weaker than those that were found.
    pub left_out: usize,
}

impl Deref for Faces {
    type Target = [Face];

    fn deref(&self) -> &[Face] {
        &self.found
    }
}

impl IntoIterator for Faces {
    type Item = Face;
    type IntoIter = std::vec::IntoIter<Face>;

    fn into_iter(self) -> Self::IntoIter {
        self.found.into_iter()
    }
}

impl<'a> IntoIterator for &'a Faces {
    type Item = &'a Face;
    type IntoIter = std::slice::Iter<'a, Face>;

    fn into_iter(self) -> Self::IntoIter {
        self.found.iter()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::geometry::Rect;

    fn faces() -> Vec<Face> {
        [(40.0, 0.9), (10.0, 0.8), (20.0, 0.7), (80.0, 0.6)]
            .map(|(height, score)| Face::new(Rect::new(0.0, 0.0, height, height), score))
            .to_vec()
    }

    #[test]
    fn the_best_are_kept_and_the_rest_is_counted() {
        let photo = Photo::filled(100, 100, [0; 3]);
        let of = |search: Search| {
            let faces = search.limit(faces(), &photo);
            (faces.iter().map(|face| face.rect.height).collect::<Vec<_>>(), faces.left_out)
        };
        let all = Search::default();
        assert_eq!(of(all), (vec![40.0, 10.0, 20.0, 80.0], 0));
        assert_eq!(of(Search { max_faces: Some(3), ..all }), (vec![40.0, 10.0, 20.0], 1));
        assert_eq!(of(Search { max_faces: Some(0), ..all }), (vec![], 4));
        let large = Search { smallest_face: Some(SmallestFace::pixels(20.0).unwrap()), ..all };
        assert_eq!(of(large), (vec![40.0, 20.0, 80.0], 0));
        // What is too small was not asked for, and is no face that a limit cut.
        assert_eq!(of(Search { max_faces: Some(2), ..large }), (vec![40.0, 20.0], 1));
    }
}
