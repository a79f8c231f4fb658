//! Crowds: many drawn faces of all sizes in one image, tilted, some of them cut by its border.

use lineament::{Point, Rect};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::canvas::Frame;
use super::face::Face;
use super::person::{Look, Person};
use super::scene;
use super::tags::tags;
use super::{Drawn, DrawnFace};
use crate::error::DataError;

/// Half-heights of a head in the height of its face's box.
const HEADS: f32 = 1.0 / 1.64;

/// Places that are tried for a face of one size, before it is made smaller.
const TRIES: usize = 60;

/// A crowd.
#[derive(Clone, Debug, PartialEq)]
pub struct CrowdOptions {
    /// Width of the image, in pixels.
    pub width: u32,
    /// Height of the image, in pixels.
    pub height: u32,
    /// Faces, from 1 to 200.
    pub faces: u32,
    /// Smallest and largest height of a face's box, in pixels, evenly in the logarithm. Where there is no room left, faces come out smaller than drawn,
    /// but never below the smallest.
    pub heights: [f32; 2],
    /// Largest rotation of a face to either side, in degrees.
    pub tilt: f32,
    /// Share of faces that the border of the image cuts, up to a third of their width or height.
    pub cut: f64,
    /// Another seed draws another crowd.
    pub seed: u64,
}

impl Default for CrowdOptions {
    fn default() -> Self {
        Self { width: 640, height: 480, faces: 12, heights: [24.0, 120.0], tilt: 12.0, cut: 0.0, seed: 1 }
    }
}

impl CrowdOptions {
    /// Whether the options are in range.
    ///
    /// # Errors
    /// [`DataError::Setting`] with the first that is not.
    pub fn check(&self) -> Result<(), DataError> {
        let [least, most] = self.heights;
        let sides = [self.width, self.height];
        let checks = [
            (
                "width and height",
                format!("{} and {}", self.width, self.height),
                sides.iter().all(|side| (48..=8192).contains(side)),
                "48 to 8192 pixels",
            ),
            ("faces", self.faces.to_string(), (1..=200).contains(&self.faces), "1 to 200"),
            (
                "heights",
                format!("{least} to {most}"),
                4.0 <= least && least <= most && most <= 4096.0,
                "4 to 4096 pixels, the smaller first",
            ),
            ("tilt", self.tilt.to_string(), (0.0..=180.0).contains(&self.tilt), "0 to 180 degrees"),
            ("cut", self.cut.to_string(), (0.0..=1.0).contains(&self.cut), "a share from 0 to 1"),
        ];
        match checks.into_iter().find(|(_, _, fits, _)| !fits) {
            Some((name, value, _, expected)) => Err(DataError::Setting { name, value, expected }),
            None => Ok(()),
        }
    }
}

/// Draws a crowd; its faces come largest first. Heads do not overlap, and those for which there is no room even at the smallest height are left out.
pub(super) fn draw(options: &CrowdOptions, rng: &mut ChaCha8Rng) -> Drawn {
    let [least, most] = options.heights;
    let mut heights: Vec<f32> =
        (0..options.faces).map(|_| least * (most / least).powf(rng.random::<f32>())).collect();
    // Large ones find their place first.
    heights.sort_by(|a, b| b.total_cmp(a));
    let mut canvas = scene::background(options.width, options.height, rng);
    let mut cast: Vec<(Person, Look, Frame)> = Vec::new();
    for height in heights {
        let person = Person::draw(rng);
        let look = person.look(rng);
        let turn = (rng.random::<f32>() * 2.0 - 1.0) * options.tilt.to_radians();
        let cut = rng.random_bool(options.cut);
        let taken: Vec<Rect> = cast.iter().map(|(.., frame)| head(*frame)).collect();
        if let Some(frame) = place(options, height, turn, cut, &taken, rng) {
            cast.push((person, look, frame));
        }
    }
    cast.sort_by(|a, b| b.2.scale.total_cmp(&a.2.scale));
    let faces: Vec<Face<'_>> =
        cast.iter().map(|(person, look, frame)| Face { person, look, frame: *frame }).collect();
    // Bodies hang far down; they cover nobody's face.
    faces.iter().for_each(|face| face.draw_back(&mut canvas));
    faces.iter().for_each(|face| face.draw_front(&mut canvas));
    let found = faces.iter().map(|face| DrawnFace {
        rect: face.rect(),
        landmarks: face.landmarks(),
        tags: tags(face.person, face.look),
    });
    let faces = found.collect();
    Drawn { photo: scene::finish(canvas, false, rng), faces }
}

/// What a head covers with its hair.
fn head(frame: Frame) -> Rect {
    Rect::about(frame.centre, 2.6 * frame.scale, 2.8 * frame.scale)
}

/// Where a face of some height has room; a smaller one where that has none.
fn place(
    options: &CrowdOptions,
    height: f32,
    turn: f32,
    cut: bool,
    taken: &[Rect],
    rng: &mut ChaCha8Rng,
) -> Option<Frame> {
    let (right, bottom) = (options.width as f32, options.height as f32);
    let mut height = height;
    loop {
        let scale = height * HEADS;
        // Of a face that is cut, the middle lies about two thirds of its half-height within the border.
        let margin = if cut { 0.3 } else { 1.15 } * scale;
        for _ in 0..TRIES {
            let mut along = |length: f32| margin + rng.random::<f32>() * (length - 2.0 * margin).max(0.0);
            let mut centre = Point::new(along(right), along(bottom));
            if cut {
                // At one of the four sides.
                match rng.random_range(0..4) {
                    0 => centre.x = margin,
                    1 => centre.x = right - margin,
                    2 => centre.y = margin,
                    _ => centre.y = bottom - margin,
                }
            }
            let frame = Frame { centre, scale, turn };
            if 2.0 * margin <= right.min(bottom)
                && taken.iter().all(|other| other.intersection(head(frame)).is_none())
            {
                return Some(frame);
            }
        }
        let [least, _] = options.heights;
        if height <= least {
            return None;
        }
        height = (height * 0.8).max(least);
    }
}
