//! Faces that do not stand upright: the default model's LNets on un-cropped test photos that were turned by known angles.

use std::fmt::Write;

use lineament::crop::warp;
use lineament::{Affine, Limits, Photo, Point, Rect, Selection, Tagger};
use lineament_data::{Framing, Sample, Split};
use rayon::prelude::*;

use crate::error::ReproduceError;
use crate::lab::{Lab, embedded};
use crate::results::{Results, Store, percent, share};

/// What the experiment is called; `--only localisation` runs it, too.
pub const NAME: &str = "localisation_turned";

/// Clockwise, in degrees; from a quarter on, faces are looked for in any orientation.
const ANGLES: [f32; 6] = [0.0, 30.0, 45.0, 90.0, 180.0, 270.0];

const COLUMNS: [&str; 4] = ["degrees", "photos", "first_face", "roll_error"];

/// What was found in a photo: whether its first face is the given one, and how far its roll is off, in degrees.
struct Found {
    met: bool,
    off: f32,
}

pub fn run(lab: &Lab<'_>) -> Result<(), ReproduceError> {
    let bundle = embedded()?;
    let tagger = Tagger::new(bundle).map_err(|e| ReproduceError::model("the default bundle", e))?;
    let photos = lab.celeba.split(Split::Test).framing(Framing::Photo);
    let mut results = lab.results(&COLUMNS);
    let refused = |e| ReproduceError::model("the default bundle", e);
    let selection = Selection { any_orientation: Some(true), ..Selection::default() };
    let any = tagger.with(&selection).map_err(refused)?;
    for degrees in ANGLES {
        tracing::info!("{NAME}: {degrees} degrees");
        let tagger = if degrees < 90.0 { &tagger } else { &any };
        let look = |sample: &Sample| sample.rect.map(|given| find(tagger, sample, given, degrees));
        let found = photos.samples.par_iter().filter_map(look).collect::<Result<Vec<_>, _>>()?;
        add(&mut results, degrees, &found);
    }
    lab.store.write(NAME, &results)
}

fn find(tagger: &Tagger, sample: &Sample, given: Rect, degrees: f32) -> Result<Found, ReproduceError> {
    let refused = |e: lineament::Error| ReproduceError::model("the default bundle", e);
    let photo = Photo::open(&sample.path, &Limits::default()).map_err(|e| refused(e.into()))?;
    let (photo, given) = turned(&photo, given, degrees);
    let faces = tagger.locate(&photo).map_err(refused)?;
    Ok(match faces.first() {
        Some(face) => {
            let off = face.roll.map_or(f32::NAN, |roll| roll - degrees);
            Found { met: face.rect.iou(given) >= 0.5, off: (off - 360.0 * (off / 360.0).round()).abs() }
        }
        None => Found { met: false, off: f32::NAN },
    })
}

/// The photo turned clockwise, with nothing cut off, and the box around the ellipse in the given one, turned with it.
fn turned(photo: &Photo, given: Rect, degrees: f32) -> (Photo, Rect) {
    let (sine, cosine) = degrees.to_radians().sin_cos();
    let (width, height) = (photo.width() as f32, photo.height() as f32);
    let around = |across: f32, down: f32| (across * cosine).abs() + (down * sine).abs();
    let (wide, high) = (around(width, height).round(), around(height, width).round());
    // What is turned the other way in the photo is upright in a square about its middle.
    let shown = Rect::about(photo.rect().centre(), wide, high);
    let map = Affine::of_turned(shown, -degrees.to_radians(), false, wide as u32, high as u32);
    let centre = given.centre();
    let (x, y) = (centre.x - width / 2.0, centre.y - height / 2.0);
    let centre = Point::new(x * cosine - y * sine + wide / 2.0, x * sine + y * cosine + high / 2.0);
    let side = |across: f32, down: f32| (across * cosine).hypot(down * sine);
    let rect = Rect::about(centre, side(given.width, given.height), side(given.height, given.width));
    (warp(photo, &map, wide as u32, high as u32), rect)
}

fn add(results: &mut Results, degrees: f32, found: &[Found]) {
    let met = found.iter().filter(|found| found.met).count() as f64 / found.len() as f64;
    let mut off: Vec<f32> = found.iter().filter(|found| found.met).map(|found| found.off).collect();
    off.sort_by(f32::total_cmp);
    let off = off.get(off.len() / 2).copied().unwrap_or(f32::NAN);
    results.push(vec![degrees.to_string(), found.len().to_string(), share(met), format!("{off:.1}")]);
}

pub fn section(store: &Store) -> Result<String, ReproduceError> {
    let Some(results) = store.read(NAME)? else { return Ok(String::new()) };
    let mut page = String::from(
        "Un-cropped CelebA test photos, turned clockwise; from 90 degrees on with `--any-orientation`. The first face above the threshold must overlap the box \
         around the turned face by half: the ellipse in YuNet's box on the upright photo, turned. Rolls are measured against the angle, so that heads that were \
         tilted before count as errors.\n\n| degrees | photos | first face is the person's, % | median error of the roll, degrees |\n|---:|---:|---:|---:|\n",
    );
    for row in &results.rows {
        let text = |column| results.cell(row, column);
        let met = percent(results.number(row, "first_face"));
        // Writing to a string cannot fail.
        let _ =
            writeln!(page, "| {} | {} | {met} | {} |", text("degrees"), text("photos"), text("roll_error"));
    }
    Ok(page + &results.origin.note())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::results::testing::origin;

    #[test]
    fn a_turned_photo_shows_the_face_where_its_box_says() {
        // One bright spot in the middle of the box.
        let mut photo = Photo::filled(120, 80, [0; 3]);
        let given = Rect::about(Point::new(90.0, 30.0), 20.0, 30.0);
        for (at, pixel) in photo.pixels_mut().as_chunks_mut::<3>().0.iter_mut().enumerate() {
            let (x, y) = ((at % 120) as f32 + 0.5, (at / 120) as f32 + 0.5);
            if Point::new(x, y).distance(given.centre()) < 4.0 {
                *pixel = [255; 3];
            }
        }
        for degrees in [0.0, 30.0, 90.0, 180.0, 270.0] {
            let (shown, rect) = turned(&photo, given, degrees);
            let Point { x, y } = rect.centre();
            assert_eq!(shown.pixel(x as u32, y as u32).unwrap(), [255; 3], "{degrees}");
            let swapped = degrees == 90.0 || degrees == 270.0;
            let expected = if swapped { (30.0, 20.0, 80) } else { (20.0, 30.0, 120) };
            if degrees != 30.0 {
                assert!((rect.width - expected.0).abs() < 1e-3 && (rect.height - expected.1).abs() < 1e-3);
                assert_eq!(shown.width(), expected.2);
            }
        }
    }

    #[test]
    fn the_page_has_a_line_for_each_angle() {
        let mut results = Results::new(&COLUMNS, origin());
        add(&mut results, 45.0, &[Found { met: true, off: 3.0 }, Found { met: false, off: f32::NAN }]);
        let folder = tempfile::tempdir().unwrap();
        let store = Store::beside(&folder.path().join("results.md"));
        assert_eq!(section(&store).unwrap(), "");
        store.write(NAME, &results).unwrap();
        assert!(section(&store).unwrap().contains("| 45 | 2 | 50.0 | 3.0 |"));
    }
}
