//! Whether every face of a photo is found, whatever its size: the default model's LNets beside detectors that were trained on boxes.

use std::fmt::Write;
use std::path::PathBuf;

use lineament::Tagger;
use lineament::locate::LocalizerSpec;
use lineament_data::{BoxedSet, boxes};
use lineament_lab::detection::{Detection, HEIGHTS, Searched, detection};
use lineament_lab::evaluate_boxes;

use crate::detectors::{self, DETECTORS};
use crate::error::ReproduceError;
use crate::lab::{Lab, embedded};
use crate::results::{Results, Store, percent, share};

/// What the experiment is called; `--only localisation` runs it, too.
pub const NAME: &str = "localisation_heights";

/// Folders with `images/` and `boxes.csv`, and what the page calls them.
const SETS: [(&str, &str); 2] = [
    ("wider_large", "WIDER FACE, photos up to 1,024 px with any number of faces"),
    ("wider", "WIDER FACE, photos of 256 px with one to three faces"),
];

const COLUMNS: [&str; 9] = [
    "system",
    "set",
    "pictures",
    "best_box",
    "height",
    "faces",
    "average_precision",
    "recall_at_0.1",
    "recall_at_1",
];

pub fn run(lab: &Lab<'_>) -> Result<(), ReproduceError> {
    let (models, work) =
        (lab.folder("../models", "YuNet and UltraFace as ONNX files")?, lab.work("detectors")?);
    let refused =
        |error: lineament::Error| ReproduceError::model("the default bundle".to_owned(), error.to_string());
    let tagger = Tagger::builder().bundle(embedded()?).least_score(LocalizerSpec::EVERY_SCORE);
    let tagger = tagger.build().map_err(refused)?;
    let mut results = lab.results(&COLUMNS);
    for (name, _) in SETS {
        let set = boxes::read(&lab.folder(name, "photos with boxes.csv")?)?;
        tracing::info!("{NAME}: LNets on {name}");
        let lnets = evaluate_boxes(&tagger, &set, None, &|| ())?;
        add(&mut results, "LNets, the default bundle", name, set.images.len(), &lnets.detection);
        let paths: Vec<PathBuf> = set.images.iter().map(|image| image.path.clone()).collect();
        for (detector, system) in DETECTORS {
            tracing::info!("{NAME}: {system} on {name}");
            let found = detectors::found(detector, name, &paths, &models, &work)?;
            add(&mut results, system, name, set.images.len(), &detection(&searched(&set, found), None));
        }
    }
    lab.store.write(NAME, &results)
}

fn searched(set: &BoxedSet, found: Vec<Vec<(lineament::Rect, f32)>>) -> Vec<Searched> {
    let images = set.images.iter().zip(found);
    images.map(|(image, found)| Searched { found, given: image.boxes.clone() }).collect()
}

fn add(results: &mut Results, system: &str, set: &str, images: usize, figures: &Detection) {
    for line in &figures.heights {
        results.push(vec![
            system.to_owned(),
            set.to_owned(),
            images.to_string(),
            share(figures.best_box_meets_a_face),
            line.height.clone(),
            line.faces.to_string(),
            share(line.average_precision),
            share(line.recall_at_0_1),
            share(line.recall_at_1),
        ]);
    }
}

pub fn section(store: &Store) -> Result<String, ReproduceError> {
    let Some(results) = store.read(NAME)? else { return Ok(String::new()) };
    let mut page = String::from(
        "LNets are trained on image-level tags, without a single box; the detectors are trained on boxes, all but the Haar cascade on those of WIDER FACE's training part. \
         Boxes overlap by half (IoU 0.5) and are matched as WIDER FACE does it; faces that are marked invalid or of another height count as neither found nor false alarm. \
         Average precision, and behind it recall at 0.1 false alarms a picture, in per cent. First column: the strongest box meets a face, whatever its height.\n",
    );
    for (set, title) in SETS {
        table(&mut page, &results, set, title);
    }
    Ok(page + &results.origin.note())
}

fn table(page: &mut String, results: &Results, set: &str, title: &str) {
    let mut heading = "| system | best box |".to_owned();
    for heights in &HEIGHTS {
        let faces = results.rows_of("set", set).find(|row| results.cell(row, "height") == heights.name);
        let faces = faces.map_or("0", |row| results.cell(row, "faces"));
        // Writing to a string cannot fail.
        let _ = write!(heading, " {} ({faces}) |", heights.name);
    }
    let _ = writeln!(page, "\n### {title}\n\n{heading}\n|---|---:|{}", "---:|".repeat(HEIGHTS.len()));
    let mut systems: Vec<&str> = results.rows_of("set", set).map(|row| results.cell(row, "system")).collect();
    systems.dedup();
    for system in systems {
        let own = || results.rows_of("set", set).filter(|row| results.cell(row, "system") == system);
        let best = own().next().map_or(f64::NAN, |row| results.number(row, "best_box"));
        let _ = write!(page, "| {system} | {} |", percent(best));
        for row in own() {
            let value = |column| percent(results.number(row, column));
            let _ = write!(page, " {} / {} |", value("average_precision"), value("recall_at_0.1"));
        }
        page.push('\n');
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::results::testing::origin;
    use lineament::Rect;
    use lineament_data::{BoxedImage, GivenBox};

    #[test]
    fn a_system_has_a_row_in_the_table_of_each_set() {
        let rect = Rect::new(0.0, 0.0, 30.0, 30.0);
        let image = BoxedImage { path: "a.jpg".into(), boxes: vec![GivenBox { rect, invalid: false }] };
        let set = BoxedSet { name: "wider".to_owned(), images: vec![image], report: Default::default() };
        let mut results = Results::new(&COLUMNS, origin());
        for (system, found) in [("LNets", vec![vec![]]), ("YuNet", vec![vec![(rect, 0.9)]])] {
            add(&mut results, system, "wider", 1, &detection(&searched(&set, found), None));
        }
        let folder = tempfile::tempdir().unwrap();
        let store = Store::beside(&folder.path().join("results.md"));
        assert_eq!(section(&store).unwrap(), "");
        store.write(NAME, &results).unwrap();
        let page = section(&store).unwrap();
        assert!(page.contains("| all (1) |") && page.contains("| 16 to 24 px (0) |"), "{page}");
        assert!(page.contains("| LNets | 0.0 | 0.0 / 0.0 |"), "{page}");
        assert!(page.contains("| YuNet | 100.0 | 100.0 / 100.0 |"), "{page}");
    }
}
