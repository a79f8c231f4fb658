//! An audit: for whom a model errs, how far its probabilities can be believed, and which labels contradict each other.
//!
//! Groups are made of labels that people gave to images. They say how images were labelled, not who somebody is.

pub mod calibration;
pub mod contradictions;
pub mod groups;
pub mod second_look;

use lineament::{OperatingPoint, attributes::Reading};
use lineament_data::Sample;
use serde::Serialize;

use crate::observe::Observations;
use calibration::CalibrationRow;
use contradictions::{ContradictionRow, Rule};
use groups::{GroupRow, Grouping};
use second_look::Doubt;

/// What an audit found; each table is also a CSV file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Audit {
    /// Images in which a face was read.
    #[serde(rename = "pictures")]
    pub images: usize,
    /// Images left out, because no face was found in them.
    pub without_face: usize,
    /// Images that could not be read.
    pub skipped: usize,
    /// Errors by attribute and group.
    pub groups: Vec<GroupRow>,
    /// Expected calibration error by attribute and group.
    pub calibration: Vec<CalibrationRow>,
    /// Labels and answers that cannot both be.
    pub contradictions: Vec<ContradictionRow>,
    /// Labels most worth a second look.
    pub second_look: Vec<Doubt>,
}

/// One image as the audit sees it.
#[derive(Debug, Clone)]
pub(crate) struct Answered {
    /// The file, as the data set names it.
    pub name: String,
    /// The person, or a number of its own where the data does not say.
    pub person: u64,
    /// Labels, in the model's order.
    pub tags: Vec<Option<bool>>,
    /// Answers, in the model's order.
    pub answers: Vec<Reading>,
}

/// The number of the person on the image at a place; one of its own where the data does not say.
pub(crate) fn person(sample: &Sample, index: usize) -> u64 {
    // Identities are 32 bits: numbers above are free for those without.
    sample.identity.map_or((1 << 32) + index as u64, u64::from)
}

/// Audits the images of one pass. `doubts` is how many labels are listed for a second look.
///
/// The images should be ones that the model has not learnt from: what it has learnt by heart it does not doubt.
pub fn audit(
    observations: &Observations<'_>,
    point: OperatingPoint,
    groupings: &[Grouping],
    rules: &[Rule],
    doubts: usize,
) -> Audit {
    let card = observations.tagger.card();
    let pairs = observations.samples.iter().zip(&observations.seen).enumerate();
    let answered: Vec<Answered> = pairs
        .filter_map(|(index, (sample, seen))| {
            let read =
                |(card, &score): (&lineament::attributes::AttributeCard, &f32)| card.read(score, point);
            let scores = seen.scores.as_ref()?;
            Some(Answered {
                name: sample.name.clone(),
                person: person(sample, index),
                tags: sample.tags.clone(),
                answers: card.attributes.iter().zip(scores).map(read).collect(),
            })
        })
        .collect();
    let names = card.names();
    Audit {
        images: answered.len(),
        without_face: observations.seen.len() - answered.len(),
        skipped: observations.skipped.len(),
        groups: groups::rows(&answered, &names, groupings),
        calibration: calibration::rows(&answered, &names, groupings),
        contradictions: contradictions::rows(&answered, &names, rules),
        second_look: second_look::doubts(&answered, &names, doubts),
    }
}
