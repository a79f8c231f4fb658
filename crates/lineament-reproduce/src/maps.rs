//! What LNet_o responds to (paper Fig. 3): maps averaged over its last features, after objects alone, after tags alone, and after both.

use std::fmt::Write;

use lineament::engine::Engine;
use lineament::locate::{Responder, ResponseMap};
use lineament::{Limits, Photo, Rect};
use lineament_data::drawn::{DrawnOptions, image};
use lineament_data::{Framing, Split};
use lineament_fit::metrics::mean;
use lineament_net::NetSpec;
use lineament_train::{Recipe, Stage, folder};
use rayon::prelude::*;

use crate::error::ReproduceError;
use crate::lab::{LNETS, Lab, NO_OBJECTS, without_objects};
use crate::results::{Store, percent, share};

/// The photo is shown so large: a face of two fifths of it then fills a window of LNet_o, in which faces were framed to two thirds.
const LONGEST: usize = 64;
/// Drawn images that are asked about.
const DRAWN: u32 = 300;
/// The image that is shown beside a drawn one: of a public domain, and no one's data.
const ASTRONAUT: &[u8] = include_bytes!("../astronaut.png");
/// Height of a panel in pixels.
const PANEL: u32 = 160;

/// A photo and the box of its face.
pub type Boxed = (Photo, Rect);

pub fn run(lab: &Lab<'_>) -> Result<(), ReproduceError> {
    let recipe = lab.recipe();
    lab.lnets(LNETS, recipe)?;
    lab.lnets(NO_OBJECTS, &without_objects(recipe))?;
    let nets = [
        ("objects alone", responder(lab, LNETS, Stage::Objects)?),
        ("tags alone", responder(lab, NO_OBJECTS, Stage::LnetO)?),
        ("objects, then tags", responder(lab, LNETS, Stage::LnetO)?),
    ];
    let options = DrawnOptions { people: DRAWN, images_each: 1, most_faces: 1, ..DrawnOptions::default() };
    let drawn: Vec<Boxed> = (0..DRAWN)
        .filter_map(|person| {
            let drawn = image(&options, person, 0);
            Some((drawn.photo, drawn.faces.first()?.rect))
        })
        .collect();
    let sets = [("drawn faces", &drawn), ("CelebA test photos", &photos(lab)?)];
    let mut results = lab.results(&["learned_from", "set", "pictures", "peak_in_box", "contrast"]);
    for (learned_from, responder) in &nets {
        for (set, photos) in sets {
            let names = [*learned_from, set].map(str::to_owned);
            results.push([&names[..], &answers(responder, photos)?].concat());
        }
    }
    let responders: Vec<&Responder> = nets.iter().map(|(_, responder)| responder).collect();
    draw(lab, "maps_astronaut.png", &astronaut()?, &responders)?;
    if let Some((first, _)) = drawn.first() {
        draw(lab, "maps_drawn.png", first, &responders)?;
    }
    lab.store.write("maps", &results)
}

/// The image that is shown of no one's data.
///
/// # Errors
/// An image that cannot be decoded.
pub fn astronaut() -> Result<Photo, ReproduceError> {
    let astronaut = Photo::decode(ASTRONAUT, &Limits::default());
    astronaut.map_err(|e| ReproduceError::model("astronaut.png", e))
}

/// The cells `pictures`, `peak_in_box` and `contrast`: what maps say of where faces are.
///
/// # Errors
/// A response that is not finite.
pub fn answers(responder: &Responder, photos: &[Boxed]) -> Result<[String; 3], ReproduceError> {
    let seen: Vec<Seen> = photos.par_iter().map(|boxed| look(responder, boxed)).collect::<Result<_, _>>()?;
    let peaks = mean(seen.iter().map(|seen| f64::from(u8::from(seen.peak_inside))));
    let contrast = mean(seen.iter().map(|seen| seen.contrast));
    Ok([seen.len().to_string(), share(peaks), share(contrast)])
}

/// Saves a photo and the map of each net over it, in a row beside the results.
///
/// # Errors
/// A response that is not finite, or a file that cannot be written.
pub fn draw(
    lab: &Lab<'_>,
    name: &str,
    photo: &Photo,
    responders: &[&Responder],
) -> Result<(), ReproduceError> {
    let mut panels = vec![photo.clone()];
    for responder in responders {
        panels.push(map(responder, photo)?.over(photo, 0.75));
    }
    let path = lab.store.beside_results(name)?;
    in_a_row(&panels).save_png(&path).map_err(|e| ReproduceError::file(&path, e))
}

/// LNet_o without its responses, as a run left it after a stage.
fn responder(lab: &Lab<'_>, run: &str, stage: Stage) -> Result<Responder, ReproduceError> {
    let failed = |e: &dyn std::fmt::Display| ReproduceError::model(format!("{run}, {stage}"), e);
    let recipe = lab.recipe();
    let trunk = trunk(recipe, lab.celeba.attributes.len())?;
    let mut weights = folder::weights(&lab.work(run)?, "maps", stage.name(), "trunk", None)?;
    let parameters = trunk.parameters().map_err(|e| failed(&e))?;
    let others: Vec<String> = weights
        .iter()
        .filter(|(name, _)| parameters.iter().all(|parameter| parameter.name != *name))
        .map(|(name, _)| name.to_owned())
        .collect();
    for name in &others {
        weights.remove(name);
    }
    let net = Engine::Native.runner(&trunk, &weights).map_err(|e| failed(&e))?;
    Responder::new(net, recipe.preprocess).map_err(|e| failed(&e))
}

fn trunk(recipe: &Recipe, attributes: usize) -> Result<NetSpec, ReproduceError> {
    let mut trunk = recipe.locating.object_trunk(&recipe.nets.lnet_o, attributes)?;
    (trunk.input.height, trunk.input.width) = (LONGEST, LONGEST);
    Ok(trunk)
}

/// Un-cropped test photos and the boxes of their faces.
///
/// # Errors
/// A photo that cannot be read.
pub fn photos(lab: &Lab<'_>) -> Result<Vec<Boxed>, ReproduceError> {
    let test = lab.celeba.split(Split::Test).framing(Framing::Photo);
    let open = |(path, rect): (&std::path::PathBuf, Rect)| {
        let photo = Photo::open(path, &Limits::default());
        Ok((photo.map_err(|e| ReproduceError::model(path.display().to_string(), e))?, rect))
    };
    test.samples.iter().filter_map(|sample| Some((&sample.path, sample.rect?))).map(open).collect()
}

/// What a map says of where the face is.
struct Seen {
    /// Whether the highest response lies in the box.
    peak_inside: bool,
    /// Mean response in the box less that outside of it, in standard deviations of the map.
    contrast: f64,
}

/// The map of a whole photo, in its pixels.
///
/// # Errors
/// A response that is not finite.
fn map(responder: &Responder, photo: &Photo) -> Result<ResponseMap, ReproduceError> {
    let look = responder.whole(photo).map_err(|e| ReproduceError::model("LNet_o", e))?;
    Ok(look.map_in_photo())
}

/// What the map says of where the face is.
///
/// # Errors
/// As [`map`].
fn look(responder: &Responder, (photo, rect): &Boxed) -> Result<Seen, ReproduceError> {
    let map = map(responder, photo)?;
    let centre = |place: usize| map.cells().centre(place % map.width(), place / map.width());
    let (mut inside, mut outside) = (Vec::new(), Vec::new());
    for (place, value) in map.values().iter().enumerate() {
        let side = if rect.contains(centre(place)) { &mut inside } else { &mut outside };
        side.push(f64::from(*value));
    }
    let middle = mean(inside.iter().chain(&outside).copied());
    let spread = mean(inside.iter().chain(&outside).map(|value| (value - middle).powi(2))).sqrt();
    // A box between the centres of all cells, or over all of them, has no contrast; nor has a map that is the same everywhere.
    let reported = !inside.is_empty() && !outside.is_empty() && spread > 0.0;
    let contrast = if reported { (mean(inside) - mean(outside)) / spread } else { 0.0 };
    Ok(Seen { peak_inside: rect.contains(map.peak().0), contrast })
}

/// Images of one size beside each other, made [`PANEL`] high.
fn in_a_row(panels: &[Photo]) -> Photo {
    let scaled: Vec<Photo> = panels
        .iter()
        .map(|photo| {
            let width = PANEL * photo.width() / photo.height().max(1);
            lineament::crop::crop(photo, photo.rect(), width.max(1), PANEL)
        })
        .collect();
    let width = scaled.iter().map(Photo::width).sum();
    let mut row = Photo::filled(width, PANEL, [255; 3]);
    for (line, pixels) in row.pixels_mut().chunks_exact_mut(3 * width.max(1) as usize).enumerate() {
        let mut from = 0;
        for panel in &scaled {
            let length = 3 * panel.width() as usize;
            let there = &panel.pixels()[line * length..(line + 1) * length];
            pixels[from..from + length].copy_from_slice(there);
            from += length;
        }
    }
    row
}

pub fn section(store: &Store) -> Result<String, ReproduceError> {
    let Some(results) = store.read("maps")? else { return Ok(String::new()) };
    let mut page = String::from(
        "The last features of LNet_o, averaged over channels, on whole photos of 64 px. From left to right: the photo; the net trained on 200 classes of objects; the net trained on tags alone, \
         from random weights; the net trained on objects and then on tags.\n\n\
         ![Response maps of astronaut.png](results/maps_astronaut.png)\n\n![Response maps of a drawn face](results/maps_drawn.png)\n\n\
         `peak in the box`: the share of images whose highest response lies in the box of the face, in per cent. `contrast`: the mean response in the box minus the mean outside it, in \
         standard deviations of the map.\n\n| trained on | images | number | peak in the box | contrast |\n|---|---|---:|---:|---:|\n",
    );
    for row in &results.rows {
        // Writing to a string cannot fail.
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {:.2} |",
            results.cell(row, "learned_from"),
            results.cell(row, "set"),
            results.cell(row, "pictures"),
            percent(results.number(row, "peak_in_box")),
            results.number(row, "contrast"),
        );
    }
    Ok(page + &results.origin.note())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use lineament::input::Preprocess;
    use lineament_net::{Array, Layer, Net, Shape, Weights};

    /// A net that answers with how red a cell of 8 px is.
    fn red() -> Responder {
        let layers = vec![
            Layer::Conv {
                name: "c".into(),
                filters: 1,
                kernel: 1,
                stride: 1,
                padding: [0; 2],
                groups: 1,
                bias: false,
            },
            Layer::AvgPool { kernel: 8, stride: 8, padding: 0 },
        ];
        let spec = NetSpec { name: "red".into(), input: Shape::new(3, 64, 64), layers };
        let mut weights = Weights::new();
        weights.insert("c.weight", Array::new("c.weight", vec![1, 3, 1, 1], vec![1.0, -0.5, -0.5]).unwrap());
        Responder::new(Net::new(&spec, &weights).unwrap(), Preprocess::default()).unwrap()
    }

    #[test]
    fn contrast_tells_where_the_response_lies() {
        let mut photo = Photo::filled(64, 64, [90; 3]);
        let rect = Rect::new(16.0, 24.0, 16.0, 16.0);
        for (place, pixel) in photo.pixels_mut().chunks_exact_mut(3).enumerate() {
            if (16..32).contains(&(place % 64)) && (24..40).contains(&(place / 64)) {
                pixel.copy_from_slice(&[255, 0, 0]);
            }
        }
        let on = look(&red(), &(photo.clone(), rect)).unwrap();
        // 4 of 64 cells hold all: (1 - 0) / sqrt(p (1 - p)), p = 1/16.
        assert!(
            on.peak_inside && (on.contrast - 1.0 / (15.0f64 / 256.0).sqrt()).abs() < 1e-3,
            "{}",
            on.contrast
        );
        let off = look(&red(), &(photo.clone(), Rect::new(40.0, 0.0, 16.0, 16.0))).unwrap();
        assert!(!off.peak_inside && off.contrast < 0.0, "{}", off.contrast);
        let even = look(&red(), &(Photo::filled(64, 64, [90; 3]), rect)).unwrap();
        assert_eq!(even.contrast, 0.0);
    }

    #[test]
    fn panels_stand_beside_each_other() {
        let row = in_a_row(&[Photo::filled(20, 10, [1; 3]), Photo::filled(10, 10, [2; 3])]);
        assert_eq!((row.width(), row.height()), (3 * PANEL, PANEL));
        assert_eq!((row.pixel(2 * PANEL - 1, 9), row.pixel(2 * PANEL, 9)), (Some([1; 3]), Some([2; 3])));
    }
}
