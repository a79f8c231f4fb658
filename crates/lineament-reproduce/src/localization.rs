//! Where faces are found (paper section 4.1, Fig. 7): LNets with and without object pre-training and by the number of attributes that they learned from,
//! against detectors that were trained on boxes.

use std::collections::HashMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use lineament::locate::Localizer;
use lineament::{Limits, Photo, Rect, Search};
use lineament_data::{BoxedImage, Framing, Split, boxes};
use lineament_fit::bootstrap::{RESAMPLES, SEED, intervals};
use lineament_lab::background::background;
use lineament_lab::localization::{Located, OVERLAP, curve, localization, rate_at};
use lineament_lab::metrics::mean;
use lineament_train::{Recipe, trained_lnets};
use rayon::prelude::*;

use crate::detectors::{self, DETECTORS};
use crate::error::ReproduceError;
use crate::lab::{LNETS, Lab, NO_OBJECTS, embedded, without_objects};
use crate::results::{Results, Store, percent, share, signed};
use crate::tables::PAPER_RECIPE_LOCALISATION;
use crate::transfer;

/// False positives an image at which the curve is kept.
const FPPI: [f64; 7] = [0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0];

/// Images with the boxes that are given for them.
struct Photos {
    name: &'static str,
    paths: Vec<PathBuf>,
    given: Vec<Vec<Rect>>,
    /// Images of one group are of one person; those of nobody known stand alone.
    groups: Vec<u64>,
}

/// Boxes in each image, best first.
type Found = Vec<Vec<(Rect, f32)>>;

/// Boxes of a system in the images of a set, by the set's name.
type Find<'a> = dyn FnMut(&str, &[PathBuf]) -> Result<Found, ReproduceError> + 'a;

/// Images that localizers are asked about, and the table of what they found.
pub struct Measured {
    sets: [Photos; 2],
    /// Images without a face.
    empty: Vec<PathBuf>,
    /// A row a system and set.
    pub results: Results,
    /// For each system and set, whether the best box of each image meets a given one: 1 or 0.
    hits: HashMap<(String, &'static str), Vec<f64>>,
}

impl Measured {
    /// Reads the lists of images.
    ///
    /// # Errors
    /// Data that is not there.
    pub fn new(lab: &Lab<'_>) -> Result<Self, ReproduceError> {
        let recalls: Vec<String> = (3..=9).map(|tenths| format!("recall_0_{tenths}")).collect();
        let curves: Vec<String> = FPPI.iter().map(|rate| format!("tpr_at_{rate}")).collect();
        let mut columns =
            vec!["system", "set", "pictures", "dominant", "low", "high", "mean_iou", "tpr_background"];
        columns.extend(recalls.iter().chain(&curves).map(String::as_str));
        Ok(Self {
            sets: [celeba(lab), wider(lab)?],
            empty: lab.backgrounds()?.samples.into_iter().map(|sample| sample.path).collect(),
            results: lab.results(&columns),
            hits: HashMap::new(),
        })
    }

    fn add(&mut self, system: &str, found: &mut Find<'_>) -> Result<(), ReproduceError> {
        tracing::info!("localisation: {system}");
        let alarms = best(&found("background", &self.empty)?);
        for set in &self.sets {
            let (cells, hits) = row(system, set, found(set.name, &set.paths)?, &alarms);
            self.results.push(cells);
            self.hits.insert((system.to_owned(), set.name), hits);
        }
        Ok(())
    }

    /// In how many more images, as a share, one system finds the dominant face than another, set by set: the difference and its 95 % interval, the same
    /// images on both sides.
    pub fn ahead(&self, one: &str, other: &str) -> Vec<(&'static str, [f64; 3])> {
        let of = |system: &str, set: &Photos| self.hits.get(&(system.to_owned(), set.name));
        let compared = |set: &Photos| {
            let (one, other) = (of(one, set)?, of(other, set)?);
            let more: Vec<f64> = one.iter().zip(other).map(|(one, other)| one - other).collect();
            let [low, high] = over_groups(&more, &set.groups);
            Some((set.name, [mean(more), low, high]))
        };
        self.sets.iter().filter_map(compared).collect()
    }

    /// Adds what LNets find.
    ///
    /// # Errors
    /// An image that cannot be read.
    pub fn add_lnets(&mut self, system: &str, lnets: &dyn Localizer) -> Result<(), ReproduceError> {
        self.add(system, &mut |_, paths| look(lnets, paths))
    }
}

pub fn run(lab: &Lab<'_>) -> Result<(), ReproduceError> {
    let mut measured = Measured::new(lab)?;
    for (system, name, recipe) in variants(lab.recipe(), &lab.celeba.attributes) {
        measured.add_lnets(&system, lab.lnets(&name, &recipe)?.as_ref())?;
    }
    let bundle = embedded()?;
    measured.add_lnets("LNets, the default bundle", trained_lnets::of_bundle(&bundle)?.as_ref())?;
    let (models, work) =
        (lab.folder("../models", "YuNet and UltraFace as ONNX files")?, lab.work("detectors")?);
    for (name, system) in DETECTORS {
        measured.add(system, &mut |set, paths| detectors::found(name, set, paths, &models, &work))?;
    }
    lab.store.write("localisation", &measured.results)
}

/// The LNets that are compared: what the page calls them, their run, their recipe.
fn variants(recipe: &Recipe, attributes: &[String]) -> Vec<(String, String, Recipe)> {
    let whole = attributes.len();
    let mut all = vec![(format!("LNets, {whole} attributes"), LNETS.to_owned(), recipe.clone())];
    for (left, without) in transfer::fewer(attributes) {
        let fewer = Recipe { without, ..recipe.clone() };
        all.push((format!("LNets, {left} attributes"), format!("attributes_{left}"), fewer));
    }
    all.push((
        "LNets without object pre-training".to_owned(),
        NO_OBJECTS.to_owned(),
        without_objects(recipe),
    ));
    all
}

fn celeba(lab: &Lab<'_>) -> Photos {
    let test = lab.celeba.split(Split::Test).framing(Framing::Photo);
    let boxed = || test.samples.iter().filter_map(|sample| Some((sample, sample.rect?)));
    Photos {
        name: "celeba",
        paths: boxed().map(|(sample, _)| sample.path.clone()).collect(),
        given: boxed().map(|(_, rect)| vec![rect]).collect(),
        groups: boxed()
            .zip(0_u64..)
            .map(|((sample, _), place)| sample.identity.map_or((1 << 32) + place, u64::from))
            .collect(),
    }
}

/// WIDER FACE, with all boxes that are not marked invalid.
fn wider(lab: &Lab<'_>) -> Result<Photos, ReproduceError> {
    let set = boxes::read(&lab.folder("wider", "WIDER FACE pictures with boxes.csv")?)?;
    let valid = |image: &BoxedImage| {
        image.boxes.iter().filter(|given| !given.invalid).map(|given| given.rect).collect()
    };
    Ok(Photos {
        name: "wider",
        given: set.images.iter().map(valid).collect(),
        groups: (0..set.images.len() as u64).collect(),
        paths: set.images.into_iter().map(|image| image.path).collect(),
    })
}

/// The boxes of LNets in images, best first, and their scores.
///
/// # Errors
/// An image that cannot be read.
pub fn look(lnets: &dyn Localizer, paths: &[PathBuf]) -> Result<Found, ReproduceError> {
    let look = |path: &PathBuf| {
        let named = |reason: String| ReproduceError::model(path.display().to_string(), reason);
        let photo = Photo::open(Path::new(path), &Limits::default()).map_err(|e| named(e.to_string()))?;
        let faces = lnets.locate(&photo, &Search::default()).map_err(|e| named(e.to_string()))?;
        Ok(faces.into_iter().map(|face| (face.rect, face.score)).collect())
    };
    paths.par_iter().map(look).collect()
}

fn best(found: &Found) -> Vec<Option<f32>> {
    found.iter().map(|faces| faces.first().map(|(_, score)| *score)).collect()
}

/// The figures of a system on a set, and its hits.
fn row(system: &str, set: &Photos, found: Found, alarms: &[Option<f32>]) -> (Vec<String>, Vec<f64>) {
    let scores = best(&found);
    let images: Vec<Located> = found
        .into_iter()
        .zip(&set.given)
        .map(|(found, given)| Located { found, given: given.clone() })
        .collect();
    let all: Vec<&Located> = images.iter().collect();
    let figures = localization(&images);
    let hits: Vec<f64> =
        images.iter().map(|image| f64::from(u8::from(image.dominant_overlap() >= OVERLAP))).collect();
    let interval = over_groups(&hits, &set.groups);
    let mut cells = vec![
        system.to_owned(),
        set.name.to_owned(),
        images.len().to_string(),
        share(mean(hits.iter().copied())),
    ];
    cells.extend(interval.map(share));
    cells.push(share(figures.as_ref().map_or(f64::NAN, |figures| figures.mean_iou)));
    cells.push(share(background(&scores, alarms).tpr_at_1_in_100));
    let recall = figures.map(|figures| figures.recall_against_overlap).unwrap_or_default();
    cells.extend(recall.iter().map(|point| share(point.recall)));
    let curve = curve(&all, OVERLAP);
    cells.extend(FPPI.map(|rate| share(rate_at(&curve, rate))));
    (cells, hits)
}

/// The 95 % interval of a mean over images, by drawing groups again.
fn over_groups(values: &[f64], groups: &[u64]) -> [f64; 2] {
    let mut sums = std::collections::BTreeMap::<u64, (f64, f64)>::new();
    for (value, group) in values.iter().zip(groups) {
        let sum = sums.entry(*group).or_default();
        *sum = (sum.0 + value, sum.1 + 1.0);
    }
    let sums: Vec<(f64, f64)> = sums.into_values().collect();
    let drawn = |places: &[usize]| {
        let add = |a: (f64, f64), b: &(f64, f64)| (a.0 + b.0, a.1 + b.1);
        let (sum, count) = places.iter().filter_map(|place| sums.get(*place)).fold((0.0, 0.0), add);
        [sum / count]
    };
    intervals(sums.len(), RESAMPLES, SEED, drawn).map_or([f64::NAN; 2], |[found]| [found.low, found.high])
}

pub fn section(store: &Store) -> Result<String, ReproduceError> {
    let Some(mut results) = store.read("localisation")? else { return Ok(String::new()) };
    if let Some(more) = store.read(PAPER_RECIPE_LOCALISATION)? {
        // Beside the other LNets, above the detectors.
        let place = results.rows.iter().rposition(|row| results.cell(row, "system").starts_with("LNets"));
        let place = place.map_or(0, |last| last + 1);
        results.rows.splice(place..place, more.rows);
    }
    let mut page = String::from(
        "LNets are trained on image-level tags, without a single box; the detectors below them are trained on boxes. CelebA's boxes were made by YuNet, which flatters it there. \
         WIDER FACE's boxes were drawn by people (images of one to three clear faces, longest side 256; this set stands in for the paper's MobileFaces). `dominant`: the box with \
         the highest score overlaps a given one by half. `TPR` at a number of false positives per image (FPPI) counts all boxes. Last column: the share of face photos whose best score \
         is above the score that one in a hundred images without a face exceeds.\n",
    );
    tables(&mut page, &results);
    Ok(page + &results.origin.note())
}

/// A table a set.
pub fn tables(page: &mut String, results: &Results) {
    for set in ["celeba", "wider"] {
        table(page, results, set);
    }
}

/// How far one system is ahead of another, a row a pair and set.
pub fn ahead(page: &mut String, ahead: &Results) {
    *page += "\nPoints of dominant faces by which object pre-training is ahead, over the same images.\n\n| | of | images | ahead | interval |\n|---|---|---|---:|---|\n";
    for row in &ahead.rows {
        let points = |column| signed(ahead.number(row, column));
        // Writing to a string cannot fail.
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {} – {} |",
            ahead.cell(row, "system"),
            ahead.cell(row, "of"),
            title(ahead.cell(row, "set")),
            points("ahead"),
            points("low"),
            points("high"),
        );
    }
}

/// What the page calls a set.
fn title(set: &str) -> &'static str {
    if set == "celeba" { "Un-cropped CelebA test photos" } else { "WIDER FACE" }
}

fn table(page: &mut String, results: &Results, set: &str) {
    let title = title(set);
    // Writing to a string cannot fail.
    let _ = writeln!(
        page,
        "\n### {title}\n\n| system | dominant | interval | mean IoU | TPR at 0.01 FPPI | at 0.1 | at 1 | recall at overlap 0.3 | 0.5 | 0.7 | against backgrounds |\n\
         |---|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|"
    );
    for row in results.rows_of("set", set) {
        let value = |column| percent(results.number(row, column));
        let _ = writeln!(
            page,
            "| {} | {} | {} – {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            results.cell(row, "system"),
            value("dominant"),
            value("low"),
            value("high"),
            value("mean_iou"),
            value("tpr_at_0.01"),
            value("tpr_at_0.1"),
            value("tpr_at_1"),
            value("recall_0_3"),
            value("recall_0_5"),
            value("recall_0_7"),
            value("tpr_background"),
        );
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn images_of_one_person_are_drawn_together() {
        let values: Vec<f64> = (0..400).map(|place| f64::from(u8::from(place % 5 != 0))).collect();
        let alone: Vec<u64> = (0..400).collect();
        let [low, high] = over_groups(&values, &alone);
        // 2 x 1.96 x sqrt(0.8 x 0.2 / 400) = 0.0784.
        assert!((high - low - 0.0784).abs() < 0.01 && low < 0.8 && high > 0.8, "{low} {high}");
        let one: Vec<u64> = vec![7; 400];
        assert!(over_groups(&values, &one)[0].is_nan());
    }
}
