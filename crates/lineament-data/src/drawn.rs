//! A seeded generator of drawn faces, of images without one, and of objects: for tests that may not carry a person's image, and for a
//! demonstration of training in seconds.
//!
//! A person is a fixed draw of shapes and colours; an image adds a smile, glasses, light, a place. All of CelebA's forty tags
//! are known (what cannot be drawn follows a rule, see `drawn/tags.rs`), as are the person, the box and the five
//! landmarks. Everything depends on the seed and the numbers of person and image alone.

mod canvas;
mod crowd;
mod face;
mod hair;
mod objects;
mod person;
mod scene;
mod tags;
mod write;

use lineament::{Photo, Point, Rect};

use crate::augment::{Key, purpose};
use crate::error::DataError;

pub use crowd::CrowdOptions;
pub use objects::OBJECTS;
pub use write::{write_backgrounds, write_celeba, write_objects};

/// What is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawnOptions {
    /// How many people, at least three (one a split).
    pub people: u32,
    /// How many images of each, at least one.
    pub images_each: u32,
    /// Another seed draws other people.
    pub seed: u64,
    /// Smallest and largest longest side of an un-cropped image, in pixels.
    pub sides: [u32; 2],
    /// Most faces in an image; the tags, box and landmarks in CelebA's lists are those of the largest.
    pub most_faces: u32,
}

impl Default for DrawnOptions {
    fn default() -> Self {
        Self { people: 60, images_each: 8, seed: 1, sides: [128, 208], most_faces: 2 }
    }
}

impl DrawnOptions {
    /// Whether the options are in range.
    ///
    /// # Errors
    /// [`DataError::Setting`] with the first that is not.
    pub fn check(&self) -> Result<(), DataError> {
        let [least, most] = self.sides;
        let checks = [
            ("people", self.people.to_string(), self.people >= 3, "at least 3, one for each split"),
            ("pictures_each", self.images_each.to_string(), self.images_each >= 1, "at least 1"),
            ("most_faces", self.most_faces.to_string(), (1..=9).contains(&self.most_faces), "1 to 9"),
            (
                "sides",
                format!("{least} to {most}"),
                48 <= least && least <= most && most <= 2048,
                "48 to 2048, the smaller first",
            ),
            (
                "people times pictures_each",
                format!("{} times {}", self.people, self.images_each),
                self.people.checked_mul(self.images_each).is_some_and(|n| n < 1_000_000),
                "fewer than a million pictures, as the names have six digits",
            ),
        ];
        match checks.into_iter().find(|(_, _, fits, _)| !fits) {
            Some((name, value, _, expected)) => Err(DataError::Setting { name, value, expected }),
            None => Ok(()),
        }
    }
}

/// A drawn image.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawn {
    /// The image.
    pub photo: Photo,
    /// Its faces, the largest (the person asked for) first.
    pub faces: Vec<DrawnFace>,
}

/// What is known about a drawn face.
#[derive(Clone, Debug, PartialEq)]
pub struct DrawnFace {
    /// From the forehead to the chin, in pixels.
    pub rect: Rect,
    /// Eyes, nose and corners of the mouth, in pixels.
    pub landmarks: [Point; 5],
    /// One truth for each of [`lineament::attributes::CELEBA`].
    pub tags: [bool; 40],
}

/// Draws image number `number` of person number `person`.
pub fn image(options: &DrawnOptions, person: u32, number: u32) -> Drawn {
    let (seed, index) = (options.seed, u64::from(person));
    let who = person::Person::draw(&mut Key { seed, epoch: 0, index }.stream(purpose::PERSON));
    let mut rng = Key { seed, epoch: u64::from(number), index }.stream(purpose::IMAGE);
    scene::with_faces(options, &who, &mut rng)
}

/// Draws crowd number `number`: its faces come largest first, with boxes that may reach beyond the image.
///
/// # Errors
/// [`DataError::Setting`] for options out of range.
pub fn crowd(options: &CrowdOptions, number: u32) -> Result<Drawn, DataError> {
    options.check()?;
    let key = Key { seed: options.seed, epoch: 0, index: u64::from(number) };
    Ok(crowd::draw(options, &mut key.stream(purpose::CROWD)))
}

/// Draws image number `number` without a face.
pub fn background(options: &DrawnOptions, number: u32) -> Photo {
    let key = Key { seed: options.seed, epoch: 0, index: u64::from(number) };
    scene::without_faces(options, &mut key.stream(purpose::BACKGROUND))
}

/// Draws image number `number` of an object of class `class` (an index into [`OBJECTS`]), `side` by `side` pixels.
pub fn object(class: usize, number: u32, side: u32, seed: u64) -> Photo {
    let key = Key { seed, epoch: class as u64, index: u64::from(number) };
    objects::draw(class, side, &mut key.stream(purpose::OBJECT))
}

#[cfg(test)]
mod tests;
