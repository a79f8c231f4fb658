//! Whole systems against each other (paper section 4.2, Table 1): test crops and un-cropped photos, each system finding its faces as it does, or given
//! their landmarks.

use std::fmt::Write;

use lineament::Tagger;
use lineament_data::{Framing, Split};
use lineament_lab::{FaceFrom, Observations, paper};

use crate::error::ReproduceError;
use crate::figures::{self, Answers};
use crate::lab::{Lab, NO_OBJECTS, embedded, without_objects};
use crate::results::{Results, Store, percent, share, signed};
use crate::tables::PAPER_RECIPE;

const FACETRACER: &str = "FaceTracer";
const PANDA_W: &str = "PANDA-w";
const PANDA_L: &str = "PANDA-l";
const DETECTOR: &str = "YuNet + ANet";
const SCRATCH: &str = "LNets+ANet without pre-training";
pub const OURS: &str = "LNets+ANet, recipe lab";
pub const PAPER: &str = "LNets+ANet, the paper's recipe";
pub const DEFAULT: &str = "LNets+ANet, the default bundle";

/// Those that are LNets+ANet as a whole, as the others are set against them.
const OWN: [&str; 3] = [OURS, PAPER, DEFAULT];

/// The systems in the order of the page, with the paper's column of the same kind.
const SYSTEMS: [(&str, paper::System); 8] = [
    (FACETRACER, paper::System::FaceTracer),
    (PANDA_W, paper::System::PandaW),
    (PANDA_L, paper::System::PandaL),
    (DETECTOR, paper::System::DetectorAnet),
    (SCRATCH, paper::System::WithoutPretraining),
    (OURS, paper::System::LnetsAnet),
    (PAPER, paper::System::LnetsAnet),
    (DEFAULT, paper::System::LnetsAnet),
];

/// The test part as it was aligned.
const CROPS: &str = "crops";

/// Images that all systems are asked about.
pub const SETS: [(&str, Framing, &str); 2] =
    [(CROPS, Framing::Aligned, "Test crops"), ("photos", Framing::Photo, "Un-cropped test photos")];

/// The experiment, and its table of each system as a whole.
const MEANS: &str = "systems";
/// What follows an experiment's name in the table of attribute by attribute.
const ATTRIBUTES: &str = "_attributes";
/// And in the table of ours against the others, the same people on both sides.
const AHEAD: &str = "_ahead";

/// A model, and what it is called with the faces that it finds or is given.
pub struct Entry {
    /// The model.
    pub tagger: Tagger,
    /// Its names and where its faces come from.
    pub roles: &'static [(&'static str, FaceFrom)],
}

/// One system on one set.
struct One {
    name: &'static str,
    region: FaceFrom,
    answers: Answers,
}

pub fn run(lab: &Lab<'_>) -> Result<(), ReproduceError> {
    measure(lab, &systems(lab)?, MEANS, |_| true)
}

/// Asks systems about all sets; the tables of the experiment keep the rows in which one of the wanted is named.
///
/// # Errors
/// Data that cannot be read, tables that cannot be written.
pub fn measure(
    lab: &Lab<'_>,
    systems: &[Entry],
    experiment: &str,
    wanted: impl Fn(&str) -> bool,
) -> Result<(), ReproduceError> {
    let mut means = figures::table(lab, &["set", "system", "region", "pictures", "faces_missed"]);
    let mut attributes = lab.results(&[
        "set",
        "system",
        "region",
        "attribute",
        "accuracy",
        "balanced_accuracy",
        "average_precision",
        "majority",
    ]);
    let mut ahead = lab.results(&["set", "ours", "system", "region", "ahead", "low", "high"]);
    for (set, framing, _) in SETS {
        let data = lab.celeba.framing(framing);
        let mut all = Vec::new();
        for Entry { tagger, roles } in systems {
            for &(name, region) in *roles {
                tracing::info!("{experiment}: {name} on {set}, {}", reported(region));
                let seen = Observations::of(tagger, &data, Split::Test, region, &|| {})?;
                all.push(One { name, region, answers: Answers::of(&seen) });
            }
        }
        for one in &all {
            if wanted(one.name) {
                means.push(mean_row(set, one));
                attribute_rows(set, one, &mut |row| attributes.push(row));
            }
            // Ours as it is used: it finds its faces itself, whatever the other is given.
            let own = |ours: &&One| OWN.contains(&ours.name) && ours.region == FaceFrom::Located;
            // Against itself: what its own LNets do in the place of the detector whose landmarks are given.
            let kept = |ours: &&One| wanted(ours.name) || wanted(one.name) || ours.name == one.name;
            let other = |ours: &&One| (ours.name, ours.region) != (one.name, one.region);
            for ours in all.iter().filter(own).filter(other).filter(kept) {
                let names = [set, ours.name, one.name, reported(one.region)].map(str::to_owned);
                ahead.push([&names[..], &ours.answers.ahead_of(&one.answers).map(share)].concat());
            }
        }
    }
    lab.store.write(&format!("{experiment}{ATTRIBUTES}"), &attributes)?;
    lab.store.write(&format!("{experiment}{AHEAD}"), &ahead)?;
    // Last: it says that the experiment is done.
    lab.store.write(experiment, &means)
}

/// All systems, trained where they are not there yet.
fn systems(lab: &Lab<'_>) -> Result<Vec<Entry>, ReproduceError> {
    use FaceFrom::{Landmarks, Located};
    let yunet = lab.folder("../models", "YuNet as an ONNX file")?.join("yunet_n_dynamic.onnx");
    let recipe = lab.recipe();
    let (ours, default) = (ours(lab)?, default_bundle()?);
    let facetracer = lab.system("facetracer", &lab.facetracer().clone().into(), None)?;
    let detector = lab.system("yunet_anet", &recipe.clone().into(), Some(&yunet))?;
    let scratch = lab.tagger(NO_OBJECTS, &without_objects(recipe))?;
    // One training of PANDA is two systems: what it finds itself, and what it is given.
    let panda = lab.system("panda", &lab.panda().clone().into(), Some(&yunet))?;
    Ok(vec![
        Entry { tagger: facetracer, roles: &[(FACETRACER, Landmarks)] },
        Entry { tagger: panda, roles: &[(PANDA_W, Located), (PANDA_L, Landmarks)] },
        Entry { tagger: detector, roles: &[(DETECTOR, Located)] },
        Entry { tagger: scratch, roles: &[(SCRATCH, Located)] },
        Entry { tagger: ours, roles: &[(OURS, Located), (OURS, Landmarks)] },
        Entry { tagger: default, roles: &[(DEFAULT, Located), (DEFAULT, Landmarks)] },
    ])
}

/// [`OURS`]: the recipe that is varied, as it is.
///
/// # Errors
/// What stopped its training.
pub fn ours(lab: &Lab<'_>) -> Result<Tagger, ReproduceError> {
    lab.share_lnets("whole")?;
    lab.tagger("whole", lab.recipe())
}

/// [`DEFAULT`]: the model that the program carries.
///
/// # Errors
/// A damaged model.
pub fn default_bundle() -> Result<Tagger, ReproduceError> {
    Tagger::new(embedded()?).map_err(|e| ReproduceError::model(DEFAULT, e))
}

fn reported(region: FaceFrom) -> &'static str {
    match region {
        FaceFrom::Located => "found",
        FaceFrom::Landmarks => "given",
    }
}

fn mean_row(set: &str, One { name, region, answers }: &One) -> Vec<String> {
    let names = [set, name, reported(*region)].map(str::to_owned);
    [&names[..], &answers.counts(), &answers.figures()].concat()
}

fn attribute_rows(set: &str, One { name, region, answers }: &One, push: &mut dyn FnMut(Vec<String>)) {
    for (accurate, balanced) in answers.accurate.attributes.iter().zip(&answers.balanced.attributes) {
        let names = [set, name, reported(*region), &accurate.name].map(str::to_owned);
        let figures = [
            accurate.accuracy,
            balanced.balanced_accuracy,
            accurate.average_precision,
            accurate.majority_accuracy,
        ];
        push([&names[..], &figures.map(share)].concat());
    }
}

pub fn section(store: &Store) -> Result<String, ReproduceError> {
    let Some(means) = store.read(MEANS)? else { return Ok(String::new()) };
    let with_paper = |mut table: Results, suffix: &str| {
        let more = store.read(&format!("{PAPER_RECIPE}{suffix}"))?;
        table.rows.extend(more.into_iter().flat_map(|more| more.rows));
        Ok::<_, ReproduceError>(table)
    };
    let of = |suffix: &str| store.read(&format!("{MEANS}{suffix}"));
    let (Some(attributes), Some(ahead)) = (of(ATTRIBUTES)?, of(AHEAD)?) else { return Ok(String::new()) };
    let means = with_paper(means, "")?;
    let (attributes, ahead) = (with_paper(attributes, ATTRIBUTES)?, with_paper(ahead, AHEAD)?);
    let mut page = String::from(
        "Each system answers with its own thresholds; the balanced accuracy is at the balanced operating point. `found`: the system finds the face itself, and the majority answer \
         stands for a face that it misses. `given`: landmarks say where the face is (YuNet's, which flatters YuNet and the systems that are given them). The settings of FaceTracer \
         and PANDA are the best of several on held-out validation people ([baselines.md](baselines.md)). YuNet + ANet and the system without pre-training are otherwise recipe \
         `lab`. LNets without pre-training start from random weights. None of our nets is trained on identities; a section below measures that. The paper's figures are from the \
         full test part, ours from half of its people.\n",
    );
    for (set, _, title) in SETS {
        // Writing to a string cannot fail.
        let _ = writeln!(page, "\n### {title}\n");
        mean_table(&mut page, &means, set);
        ahead_table(&mut page, &ahead, set);
    }
    attribute_table(&mut page, &attributes);
    Ok(page + &means.origin.note())
}

fn mean_table(page: &mut String, means: &Results, set: &str) {
    *page += "| system | faces | not found | accuracy | interval | balanced accuracy | average precision | majority answer | the paper's |\n\
              |---|---|---:|---:|---|---:|---:|---:|---:|\n";
    let mut rows: Vec<&Vec<String>> = means.rows_of("set", set).collect();
    rows.sort_by_key(|row| SYSTEMS.iter().position(|(system, _)| *system == means.cell(row, "system")));
    for row in rows {
        let value = |column| percent(means.number(row, column));
        let name = means.cell(row, "system");
        let _ = writeln!(
            page,
            "| {name} | {} | {} | {} | {} – {} | {} | {} | {} | {} |",
            means.cell(row, "region"),
            means.cell(row, "faces_missed"),
            value("accuracy"),
            value("low"),
            value("high"),
            value("balanced_accuracy"),
            value("average_precision"),
            value("majority"),
            percent(column(name).map_or(f64::NAN, paper::mean_accuracy)),
        );
    }
}

fn ahead_table(page: &mut String, ahead: &Results, set: &str) {
    let rows: Vec<&Vec<String>> = ahead.rows_of("set", set).collect();
    let own: Vec<&str> =
        OWN.into_iter().filter(|ours| rows.iter().any(|row| ahead.cell(row, "ours") == *ours)).collect();
    let heads: String = own.iter().map(|ours| format!(" {ours} | interval |")).collect();
    let _ = writeln!(
        page,
        "\nPoints of mean accuracy by which LNets+ANet is ahead when it finds the face itself, over the same people on both sides. The rows against itself with \
         given faces show what is lost when LNets replace a detector.\n\n\
         | of | faces |{heads}\n|---|---|{}",
        "---:|---|".repeat(own.len())
    );
    for (name, region) in SYSTEMS.iter().flat_map(|(name, _)| [(*name, "found"), (*name, "given")]) {
        let cells = |ours: &&str| {
            let row = rows.iter().find(|row| {
                ahead.cell(row, "ours") == *ours
                    && ahead.cell(row, "system") == name
                    && ahead.cell(row, "region") == region
            })?;
            let points = |column| signed(ahead.number(row, column));
            Some(format!(" {} | {} – {} |", points("ahead"), points("low"), points("high")))
        };
        let found: Vec<Option<String>> = own.iter().map(cells).collect();
        if found.iter().any(Option::is_some) {
            let cells: String =
                found.into_iter().map(|cells| cells.unwrap_or_else(|| "  |  |".to_owned())).collect();
            let _ = writeln!(page, "| {name} | {region} |{cells}");
        }
    }
}

/// Accuracy on test crops, attribute by attribute, the paper's in brackets.
fn attribute_table(page: &mut String, attributes: &Results) {
    *page += "\n### Attribute by attribute\n\nAccuracy on test crops, in brackets the figures that the paper prints.\n\n| attribute | majority answer |";
    let shown = [
        (FACETRACER, "given"),
        (PANDA_W, "found"),
        (PANDA_L, "given"),
        (DETECTOR, "found"),
        (SCRATCH, "found"),
        (OURS, "found"),
        (PAPER, "given"),
        (DEFAULT, "found"),
    ];
    for (name, _) in shown {
        let _ = write!(page, " {name} |");
    }
    let _ = writeln!(page, "\n|---|{}", "---:|".repeat(1 + shown.len()));
    let rows: Vec<&Vec<String>> = attributes.rows_of("set", CROPS).collect();
    let of = |name: &str, region: &str| {
        let (name, region) = (name.to_owned(), region.to_owned());
        rows.iter()
            .filter(move |row| {
                attributes.cell(row, "system") == name && attributes.cell(row, "region") == region
            })
            .copied()
            .collect::<Vec<_>>()
    };
    let columns = shown.map(|(name, region)| (name, of(name, region)));
    for (place, row) in columns.first().map_or(&[][..], |(_, rows)| rows).iter().enumerate() {
        let attribute = attributes.cell(row, "attribute");
        let _ = write!(page, "| {attribute} | {} |", percent(attributes.number(row, "majority")));
        for (name, rows) in &columns {
            let own = rows.get(place).map_or(f64::NAN, |row| attributes.number(row, "accuracy"));
            let printed = column(name).and_then(|system| paper::accuracy(system, attribute));
            let printed = printed.map_or_else(|| "–".to_owned(), |share| format!("{:.0}", 100.0 * share));
            let _ = write!(page, " {} ({printed}) |", percent(own));
        }
        *page += "\n";
    }
}

/// The paper's column for a system.
fn column(name: &str) -> Option<paper::System> {
    SYSTEMS.iter().find(|(system, _)| *system == name).map(|(_, column)| *column)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::results::testing::table;

    #[test]
    fn the_page_sets_ours_against_each() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::beside(&folder.path().join("results.md"));
        assert_eq!(section(&store).unwrap(), "");
        let means = "set;system;region;pictures;faces_missed;accuracy;low;high;balanced_accuracy;average_precision;majority";
        store
            .write(MEANS, &table(means, &["photos;PANDA-l;given;643;0;0.85;0.84;0.86;0.8;0.7;0.799"]))
            .unwrap();
        let attributes = "set;system;region;attribute;accuracy;balanced_accuracy;average_precision;majority";
        store
            .write(
                &format!("{MEANS}{ATTRIBUTES}"),
                &table(
                    attributes,
                    &[
                        "crops;FaceTracer;given;Bald;0.9;0.8;0.7;0.98",
                        "crops;PANDA-l;given;Bald;0.97;0.8;0.7;0.98",
                    ],
                ),
            )
            .unwrap();
        let ahead = format!("photos;{DEFAULT};PANDA-l;given;0.0212;0.0112;0.0312");
        store
            .write(&format!("{MEANS}{AHEAD}"), &table("set;ours;system;region;ahead;low;high", &[&ahead]))
            .unwrap();
        let page = section(&store).unwrap();
        assert!(
            page.contains("| PANDA-l | given | 0 | 85.0 | 84.0 – 86.0 | 80.0 | 70.0 | 79.9 | 85.4 |"),
            "{page}"
        );
        assert!(page.contains("| PANDA-l | given | +2.12 | +1.12 – +3.12 |"), "{page}");
        assert!(page.contains("| Bald | 98.0 | 90.0 (89) | – (92) | 97.0 (96) |"), "{page}");
    }
}
