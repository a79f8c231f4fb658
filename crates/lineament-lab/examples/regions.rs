//! Whether the regions of `lineament explain` lie where the attributes are: for attributes with a place of their own (a smile is at the mouth), the share of
//! faces that have them by their label in which the map's peak is near that place, by both kinds of maps and by chance. Prints the table of
//! `docs/insight.md`.
//!
//!     cargo run --release -p lineament-lab --example regions -- celeba test
//!
//! The way of hiding places was chosen on `validation`.

#![allow(missing_docs)]

use std::error::Error;
use std::path::PathBuf;

use lineament::explain::{ExplainOptions, MapSource};
use lineament::{Limits, Photo, Point, Rect, Selection, Tagger};
use lineament_data::{Framing, Sample, Split, celeba};
use rayon::prelude::*;

/// How near counts, in the distance from the eyes to the mouth.
const NEAR: f32 = 0.5;
/// Places to a side of the face box that stand for chance.
const GRID: usize = 20;
const SOURCES: [MapSource; 2] = [MapSource::Hidden, MapSource::Responses];

/// Where in a face an attribute is.
#[derive(Clone, Copy)]
enum FacePart {
    Mouth,
    Eyes,
    Nose,
    Top,
    Chin,
}

const ATTRIBUTES: [(&str, FacePart); 15] = [
    ("Smiling", FacePart::Mouth),
    ("Mouth_Slightly_Open", FacePart::Mouth),
    ("Wearing_Lipstick", FacePart::Mouth),
    ("Eyeglasses", FacePart::Eyes),
    ("Narrow_Eyes", FacePart::Eyes),
    ("Bushy_Eyebrows", FacePart::Eyes),
    ("Arched_Eyebrows", FacePart::Eyes),
    ("Bags_Under_Eyes", FacePart::Eyes),
    ("Big_Nose", FacePart::Nose),
    ("Pointy_Nose", FacePart::Nose),
    ("Bangs", FacePart::Top),
    ("Bald", FacePart::Top),
    ("Receding_Hairline", FacePart::Top),
    ("Wearing_Hat", FacePart::Top),
    ("Goatee", FacePart::Chin),
];

/// Landmarks, and the length that "near" is measured by.
struct Frame {
    landmarks: [Point; 5],
    eyes: Point,
    mouth: Point,
    length: f32,
}

impl Frame {
    fn of(landmarks: [Point; 5]) -> Self {
        let [left, right, _, left_corner, right_corner] = landmarks;
        let middle = |a: Point, b: Point| Point::new((a.x + b.x) / 2.0, (a.y + b.y) / 2.0);
        let (eyes, mouth) = (middle(left, right), middle(left_corner, right_corner));
        let length = eyes.distance(mouth).max(1.05 * left.distance(right)).max(1.0);
        Self { landmarks, eyes, mouth, length }
    }

    fn is_near(&self, point: Point, place: FacePart) -> bool {
        let [left, right, nose, left_corner, right_corner] = self.landmarks;
        let (down_x, down_y) = (self.mouth.x - self.eyes.x, self.mouth.y - self.eyes.y);
        let scale = self.length / down_x.hypot(down_y).max(1.0);
        // So many lengths below the point, along the face.
        let below =
            |from: Point, by: f32| Point::new(from.x + down_x * scale * by, from.y + down_y * scale * by);
        let aside = |from: Point, by: f32| Point::new(from.x + self.length * by, from.y);
        let brow = below(self.eyes, -1.1);
        let marks = match place {
            FacePart::Mouth => vec![left_corner, right_corner, self.mouth],
            FacePart::Eyes => vec![left, right, self.eyes],
            FacePart::Nose => vec![nose],
            FacePart::Top => vec![brow, aside(brow, -0.7), aside(brow, 0.7)],
            FacePart::Chin => vec![self.mouth, below(self.mouth, 0.6)],
        };
        marks.into_iter().any(|mark| mark.distance(point) <= NEAR * self.length)
    }

    /// The share of the face box that is near.
    fn chance(&self, face: Rect, place: FacePart) -> f64 {
        let at = |i: usize| (i as f32 + 0.5) / GRID as f32;
        let points = (0..GRID * GRID)
            .map(|i| Point::new(face.x + face.width * at(i % GRID), face.y + face.height * at(i / GRID)));
        points.filter(|&point| self.is_near(point, place)).count() as f64 / (GRID * GRID) as f64
    }
}

/// For one attribute of one face: which one, by chance, and whether each kind of map peaks near its place.
type Seen = (usize, f64, [bool; 2]);

fn look(
    tagger: &Tagger,
    sample: &Sample,
    places: &[usize],
) -> Result<Vec<Seen>, Box<dyn Error + Send + Sync>> {
    let Some(landmarks) = sample.landmarks else { return Ok(Vec::new()) };
    let photo = Photo::open(&sample.path, &Limits::default())?;
    let (frame, nose) = (Frame::of(landmarks), landmarks[2]);
    let inside = |rect: &Rect| rect.contains(nose);
    let Some(face) = tagger.locate(&photo)?.into_iter().find(|face| inside(&face.rect)) else {
        return Ok(Vec::new());
    };
    let present = |&(_, place): &(usize, &usize)| sample.tags.get(*place).copied().flatten() == Some(true);
    let chosen: Vec<usize> = places.iter().enumerate().filter(present).map(|(row, _)| row).collect();
    let names = chosen.iter().map(|&row| ATTRIBUTES[row].0.to_owned()).collect();
    let tagger = tagger.with(&Selection { attributes: Some(names), ..Selection::default() })?;
    let mut seen: Vec<Seen> =
        chosen.iter().map(|&row| (row, frame.chance(face.rect, ATTRIBUTES[row].1), [false; 2])).collect();
    for (column, source) in SOURCES.into_iter().enumerate() {
        let options = ExplainOptions { source, ..ExplainOptions::default() };
        for (reported, seen) in tagger.explain(&photo, &face, &options)?.iter().zip(&mut seen) {
            if reported.source != source {
                return Err("the model has no channel for each attribute".into());
            }
            seen.2[column] = frame.is_near(reported.map.peak().0, ATTRIBUTES[seen.0].1);
        }
    }
    Ok(seen)
}

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut arguments = std::env::args().skip(1);
    let data = PathBuf::from(arguments.next().ok_or("give CelebA's folder, and validation or test")?);
    let split = match arguments.next().as_deref() {
        Some("validation") => Split::Validation,
        Some("test") => Split::Test,
        _ => return Err("say validation or test".into()),
    };
    let tagger = Tagger::embedded()?;
    let set = celeba::read(&data)?;
    let tagged = |(name, _): (&str, FacePart)| {
        set.attribute(name).ok_or_else(|| format!("the data does not tell {name}"))
    };
    let places = ATTRIBUTES.into_iter().map(tagged).collect::<Result<Vec<_>, _>>()?;
    let photos = set.split(split).framing(Framing::Photo);
    let seen: Vec<Vec<Seen>> =
        photos.samples.par_iter().map(|sample| look(&tagger, sample, &places)).collect::<Result<_, _>>()?;
    let faces = seen.iter().filter(|seen| !seen.is_empty()).count();
    let all: Vec<Seen> = seen.into_iter().flatten().collect();
    println!("{faces} faces of the {split} part\n");
    println!("| attribute | faces that have it | by chance | hidden | responses |\n|---|---|---|---|---|");
    let mut means = [0.0; 3];
    for (row, (name, _)) in ATTRIBUTES.into_iter().enumerate() {
        let of: Vec<&Seen> = all.iter().filter(|seen| seen.0 == row).collect();
        let share = |sum: f64| sum / of.len().max(1) as f64;
        let near = |column: usize| share(of.iter().filter(|seen| seen.2[column]).count() as f64);
        let shares = [share(of.iter().map(|seen| seen.1).sum()), near(0), near(1)];
        means.iter_mut().zip(shares).for_each(|(mean, share)| *mean += share / ATTRIBUTES.len() as f64);
        let [chance, hidden, responses] = shares.map(|share| 100.0 * share);
        println!("| {name} | {} | {chance:.0} % | {hidden:.0} % | {responses:.0} % |", of.len());
    }
    let [chance, hidden, responses] = means.map(|share| 100.0 * share);
    println!("| mean | | {chance:.0} % | {hidden:.0} % | {responses:.0} % |");
    Ok(())
}
