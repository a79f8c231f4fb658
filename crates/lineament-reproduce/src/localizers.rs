//! LNets in the place of an off-the-shelf detector (paper section 4.2): one ANet, that of the default bundle, and the faces it looks at found by one localizer
//! after the other. There is a face in every image, as in the paper, so each localizer's best box counts, however weak; an image in which it has none
//! is answered with the majority.

use std::collections::HashMap;
use std::fmt::Write;
use std::path::PathBuf;

use lineament::attributes::Region;
use lineament::locate::{Face, Localizer};
use lineament::{Point, Rect, Tagger};
use lineament_data::{Dataset, Framing, Sample, Split};
use lineament_lab::{FaceFrom, Observations};
use lineament_train::{detector, trained_lnets};

use crate::detectors::{self, DETECTORS};
use crate::error::ReproduceError;
use crate::figures::{self, Answers};
use crate::lab::{Lab, embedded};
use crate::localization::look;
use crate::results::{Store, percent, share, signed};
use crate::systems::SETS;

/// The experiment.
pub const NAME: &str = "localisers";

/// What the page calls the LNets, the faces that they are sure of, and the faces that landmarks place.
const LNETS: &str = "LNets";
const SURE: &str = "LNets, above their threshold only";
const GIVEN: &str = "YuNet's landmarks, given";

/// What boxes of photos are fitted on: the validation part.
const FITTED_ON: &str = "validation";

/// Best boxes of the images of a set.
type Boxes = HashMap<PathBuf, Face>;

/// The LNets, and one localizer after the other.
struct Localizers<'a> {
    lab: &'a Lab<'a>,
    lnets: Box<dyn Localizer>,
    models: PathBuf,
    kept: PathBuf,
}

impl Localizers<'_> {
    /// The best box of a localizer in each image; that of the LNets where no detector is named.
    fn find(&self, detector: Option<&str>, set: &str, images: &Dataset) -> Result<Boxes, ReproduceError> {
        tracing::info!("{NAME}: {} on {set}", detector.unwrap_or("LNets"));
        let paths: Vec<PathBuf> = images.samples.iter().map(|sample| sample.path.clone()).collect();
        let found = match detector {
            None => look(self.lnets.as_ref(), &paths)?,
            Some(name) => detectors::found(name, set, &paths, &self.models, &self.kept)?,
        };
        let best = |(path, found): (PathBuf, Vec<(Rect, f32)>)| {
            let (rect, score) = found.into_iter().next()?;
            Some((path, Face::new(rect, score)))
        };
        Ok(paths.into_iter().zip(found).filter_map(best).collect())
    }

    /// The square around a localizer's boxes that landmarks would give, from validation photos.
    fn fit(&self, rule: Region, detector: Option<&str>) -> Result<Region, ReproduceError> {
        let photos = self.lab.celeba.split(Split::Validation).framing(Framing::Photo);
        let found = self.find(detector, FITTED_ON, &photos)?;
        let marked = photos.samples.iter().filter_map(|sample| {
            let face = found.get(&sample.path)?;
            Some((face.rect, sample.landmarks?))
        });
        Ok(detector::fitted(rule, &marked.collect::<Vec<(Rect, [Point; 5])>>()))
    }
}

pub fn run(lab: &Lab<'_>) -> Result<(), ReproduceError> {
    let bundle = embedded()?;
    let localizers = Localizers {
        lab,
        lnets: trained_lnets::of_bundle(&bundle)?,
        models: lab.folder("../models", "YuNet and UltraFace as ONNX files")?,
        kept: lab.work(NAME)?,
    };
    let tagger = Tagger::new(bundle).map_err(|e| ReproduceError::model("the default bundle", e))?;
    let rule = lab.recipe().region;
    let named = [(None, LNETS)].into_iter().chain(DETECTORS.map(|(name, reported)| (Some(name), reported)));
    let rules = named.map(|(name, reported)| Ok((name, reported, localizers.fit(rule, name)?)));
    let rules = rules.collect::<Result<Vec<_>, ReproduceError>>()?;

    let columns = ["set", "localiser", "pictures", "faces_missed", "ahead", "ahead_low", "ahead_high"];
    let mut results = figures::table(lab, &columns);
    for (set, framing, _) in SETS {
        let images = lab.celeba.framing(framing);
        let test = images.split(Split::Test);
        let mut all: Vec<(&str, Answers)> = Vec::new();
        for (name, reported, rule) in &rules {
            let found = localizers.find(*name, set, &test)?;
            let place = |sample: &Sample| {
                let face = *found.get(&sample.path)?;
                Some((face, rule.of_box(face.rect).ok()?.into()))
            };
            let seen = Observations::found_by(&tagger, &images, Split::Test, &place)?;
            all.push((*reported, Answers::of(&seen)));
        }
        for (reported, from) in [(SURE, FaceFrom::Located), (GIVEN, FaceFrom::Landmarks)] {
            let seen = Observations::of(&tagger, &images, Split::Test, from, &|| {})?;
            all.push((reported, Answers::of(&seen)));
        }
        for (reported, answers) in &all {
            let lnets = all.first().filter(|(first, _)| first != reported);
            let ahead = lnets.map_or([f64::NAN; 3], |(_, lnets)| lnets.ahead_of(answers)).map(share);
            let names = [set, reported].map(str::to_owned);
            results.push([&names[..], &answers.counts(), &ahead, &answers.figures()].concat());
        }
    }
    lab.store.write(NAME, &results)
}

pub fn section(store: &Store) -> Result<String, ReproduceError> {
    let Some(results) = store.read(NAME)? else { return Ok(String::new()) };
    let mut page = String::from(
        "The ANet of the default model sees the faces that each localizer in turn finds. Every photo holds a face, as in the paper, so the best box counts, however low its score. \
         Where there is no box, the majority answer stands. The square around each localizer's boxes is fitted to landmarks on validation photos. `LNets ahead`: points of mean \
         accuracy by which the LNets in the first row are ahead, over the same people. The paper's detectors were those of 2014.\n",
    );
    for (set, _, title) in SETS {
        // Writing to a string cannot fail.
        let _ = writeln!(
            page,
            "\n### {title}\n\n| faces found by | none found | accuracy | interval | LNets ahead | interval | balanced accuracy | average precision | majority answer |\n\
             |---|---:|---:|---|---:|---|---:|---:|---:|"
        );
        for row in results.rows_of("set", set) {
            let value = |column| percent(results.number(row, column));
            let points = |column| signed(results.number(row, column));
            // The LNets are not set against themselves.
            let interval = match results.number(row, "ahead").is_finite() {
                true => format!("{} – {}", points("ahead_low"), points("ahead_high")),
                false => "–".to_owned(),
            };
            let _ = writeln!(
                page,
                "| {} | {} | {} | {} – {} | {} | {interval} | {} | {} | {} |",
                results.cell(row, "localiser"),
                results.cell(row, "faces_missed"),
                value("accuracy"),
                value("low"),
                value("high"),
                points("ahead"),
                value("balanced_accuracy"),
                value("average_precision"),
                value("majority"),
            );
        }
    }
    Ok(page + &results.origin.note())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::results::testing::table;

    #[test]
    fn the_page_sets_the_lnets_against_each() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::beside(&folder.path().join("results.md"));
        assert_eq!(section(&store).unwrap(), "");
        let columns = "set;localiser;pictures;faces_missed;ahead;ahead_low;ahead_high;accuracy;low;high;balanced_accuracy;average_precision;majority";
        let rows = [
            "crops;LNets;9;0;NaN;NaN;NaN;0.9;0.8;0.95;0.7;0.6;0.5",
            "photos;Haar cascade;9;2;0.015;0.01;0.02;0.85;0.8;0.9;0.7;0.6;0.5",
        ];
        store.write(NAME, &table(columns, &rows)).unwrap();
        let page = section(&store).unwrap();
        assert!(page.contains("| LNets | 0 | 90.0 | 80.0 – 95.0 | – | – | 70.0 | 60.0 | 50.0 |"), "{page}");
        let (crops, photos) = page.split_once("### Un-cropped test photos").unwrap();
        assert!(
            !crops.contains("Haar")
                && photos.contains("| Haar cascade | 2 | 85.0 | 80.0 – 90.0 | +1.50 | +1.00 – +2.00 |"),
            "{page}"
        );
    }
}
