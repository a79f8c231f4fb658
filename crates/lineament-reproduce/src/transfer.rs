//! What nets know of what they were not taught (paper section 4.2, Table 2): FC vectors stay as they are, and SVMs alone learn attributes that the nets
//! never saw, or from another data set.

use std::fmt::Write;

use lineament::attributes::{EASY_TO_SEE, FaceRegion};
use lineament::{Limits, Photo, Rect, Tagger};
use lineament_data::{Dataset, Framing, Sample, Split, lfw, shuffled};
use lineament_fit::bootstrap::{RESAMPLES, SEED, intervals};
use lineament_fit::metrics::{Scored, Tally, average_precision, mean, roc_auc};
use lineament_fit::{CalibrationError, CrossValidation, Plane, ThresholdRule, assign_folds};
use lineament_train::Recipe;
use rayon::prelude::*;

use crate::error::ReproduceError;
use crate::lab::Lab;
use crate::results::{Store, percent, share};

/// Attributes that are left out at once.
const LEFT_OUT: usize = 10;
/// How often others are left out.
const SPLITS: usize = 3;
/// Parts of the people that are left out in turn to choose an SVM's cost.
const FOLDS: usize = 5;
/// Costs of the SVMs, the smoothest first.
const COSTS: [f64; 5] = [1e-4, 1e-3, 1e-2, 1e-1, 1.0];

const COLUMNS: [&str; 8] =
    ["experiment", "attribute", "nets", "pictures", "balanced_accuracy", "low", "high", "average_precision"];

/// The attributes that each split leaves out: the ten, and then others by the seed of the recipe.
fn left_out(attributes: &[String], seed: u64) -> Vec<Vec<String>> {
    let first: Vec<String> =
        attributes.iter().filter(|name| EASY_TO_SEE.contains(&name.as_str())).cloned().collect();
    let rest: Vec<&String> = attributes.iter().filter(|name| !first.contains(name)).collect();
    let order = shuffled(rest.len(), seed, 0);
    let drawn: Vec<String> =
        order.iter().filter_map(|place| rest.get(*place)).map(|n| (*n).clone()).collect();
    let others = drawn.chunks(LEFT_OUT).filter(|chunk| chunk.len() == LEFT_OUT).map(|chunk| {
        // In the order of the data, so that a recipe reads the same however they were drawn.
        attributes.iter().filter(|name| chunk.contains(name)).cloned().collect()
    });
    [first].into_iter().chain(others).filter(|list: &Vec<String>| !list.is_empty()).take(SPLITS).collect()
}

/// How many attributes are left, and which are left out: the ten, then a third of the others more, then two thirds.
pub fn fewer(attributes: &[String]) -> Vec<(usize, Vec<String>)> {
    let ten = |name: &&String| EASY_TO_SEE.contains(&name.as_str());
    let rest: Vec<&String> = attributes.iter().filter(|name| !ten(name)).collect();
    (1..=3)
        .map(|kept| {
            let stays = |name: &String| {
                rest.iter().position(|other| *other == name).is_some_and(|place| place % 3 <= 3 - kept)
            };
            let without: Vec<String> = attributes.iter().filter(|name| !stays(name)).cloned().collect();
            (attributes.len() - without.len(), without)
        })
        .filter(|(left, _)| *left > 0)
        .collect()
}

/// FC vectors of images, and what is known of them.
struct Seen {
    samples: Vec<Sample>,
    vectors: Vec<Vec<f32>>,
}

pub fn run(lab: &Lab<'_>) -> Result<(), ReproduceError> {
    let mut results = lab.results(&COLUMNS);
    let recipe = lab.recipe();
    lab.share_lnets("whole")?;
    let whole = lab.tagger("whole", recipe)?;
    let taught = of_celeba(lab, &whole)?;
    for (split, without) in left_out(&lab.celeba.attributes, recipe.seed).into_iter().enumerate() {
        let fewer = Recipe { without: without.clone(), ..recipe.clone() };
        // The first is what localization compares, too.
        let left = lab.celeba.attributes.len() - without.len();
        let first = format!("attributes_{left}");
        let name = if split == 0 { first.clone() } else { format!("unseen_{split}") };
        if split > 0 {
            // They place faces in training photos and say nothing of attributes.
            lab.share(&first, &name)?;
        }
        let tagger = lab.tagger(&name, &fewer)?;
        let unseen = of_celeba(lab, &tagger)?;
        for attribute in &without {
            let Some(place) = lab.celeba.attribute(attribute) else { continue };
            for (nets, [validation, test]) in [("never saw it", &unseen), ("saw it", &taught)] {
                let learned = learn(validation, place).map_err(|e| ReproduceError::model(attribute, e))?;
                results.push(row(&format!("split {}", split + 1), attribute, nets, &learned, test, place));
            }
        }
    }
    gender(lab, &whole, &taught, &mut |cells| results.push(cells))?;
    lab.store.write("transfer", &results)
}

/// LFW's manual label of gender: SVMs of LFW's own people, and those of CelebA's, asked of LFW people that neither knows.
fn gender(
    lab: &Lab<'_>,
    tagger: &Tagger,
    celeba: &[Seen; 2],
    push: &mut dyn FnMut(Vec<String>),
) -> Result<(), ReproduceError> {
    let set = lfw::read(&lab.folder("lfw", "LFW with male_manual.csv")?)?;
    let missing = || ReproduceError::model("lfw", "there is no label of gender in it (male_manual.csv)");
    let place = set.attribute("Male").ok_or_else(missing)?;
    let frame = lab.recipe().frames.get("lfw");
    let framed = |photo: &Photo| frame.map(|frame| frame.region(photo));
    let own = look(tagger, set.filter(|sample| sample.split != Split::Test), &framed)?;
    let test = look(tagger, set.split(Split::Test), &framed)?;
    let failed = |e: CalibrationError| ReproduceError::model("Male", e);
    let of_lfw = learn(&own, place).map_err(failed)?;
    push(row("LFW", "Male", "SVM of LFW people", &of_lfw, &test, place));
    let there = lab.celeba.attribute("Male").ok_or_else(missing)?;
    let of_celeba = learn(&celeba[0], there).map_err(failed)?;
    push(row("LFW", "Male", "SVM of CelebA people", &of_celeba, &test, place));
    Ok(())
}

/// CelebA's validation people and test crops, by landmarks.
fn of_celeba(lab: &Lab<'_>, tagger: &Tagger) -> Result<[Seen; 2], ReproduceError> {
    let nowhere = |_: &Photo| None;
    let validation = lab.celeba.split(Split::Validation).once_each(Framing::Aligned);
    let test = lab.celeba.split(Split::Test).framing(Framing::Aligned);
    Ok([look(tagger, validation, &nowhere)?, look(tagger, test, &nowhere)?])
}

/// FC vectors in the regions that landmarks give, else `framed`; images with neither are left out.
fn look(
    tagger: &Tagger,
    set: Dataset,
    framed: &(dyn Fn(&Photo) -> Option<Rect> + Sync),
) -> Result<Seen, ReproduceError> {
    let look = |sample: &Sample| {
        let named = |reason: String| ReproduceError::model(sample.path.display().to_string(), reason);
        let photo = Photo::open(&sample.path, &Limits::default()).map_err(|e| named(e.to_string()))?;
        let given = sample.landmarks.as_ref().and_then(|points| tagger.region_of_landmarks(points).ok());
        let Some(place) = given.or_else(|| framed(&photo).map(FaceRegion::from)) else { return Ok(None) };
        tagger.embed(&photo, place).map(Some).map_err(|e| named(e.to_string()))
    };
    let vectors = set.samples.par_iter().map(look).collect::<Result<Vec<_>, ReproduceError>>()?;
    let pairs = set.samples.into_iter().zip(vectors).filter_map(|(sample, vector)| Some((sample, vector?)));
    let (samples, vectors) = pairs.unzip();
    Ok(Seen { samples, vectors })
}

impl Seen {
    /// Vector, answer and person of every face of which the attribute is known.
    fn known(&self, attribute: usize) -> impl Iterator<Item = (&[f32], bool, u64)> {
        self.samples.iter().zip(&self.vectors).enumerate().filter_map(move |(place, (sample, vector))| {
            let answer = sample.tags.get(attribute).copied().flatten()?;
            let person = sample.identity.map_or((1 << 32) + place as u64, u64::from);
            Some((vector.as_slice(), answer, person))
        })
    }
}

/// An SVM on FC vectors: its cost and thresholds from people who were left out in turn.
struct Learned {
    plane: Plane,
    threshold: f32,
    images: usize,
}

fn learn(seen: &Seen, attribute: usize) -> Result<Learned, CalibrationError> {
    let known: Vec<(&[f32], bool, u64)> = seen.known(attribute).collect();
    let vectors: Vec<&[f32]> = known.iter().map(|(vector, ..)| *vector).collect();
    let answers: Vec<bool> = known.iter().map(|(_, answer, _)| *answer).collect();
    let folds = assign_folds(known.iter().map(|(.., person)| *person), FOLDS);
    let validation = CrossValidation::new(&vectors, answers.clone(), folds, None);
    let mut best: Option<(f64, f64, Vec<f32>)> = None;
    for cost in COSTS {
        let scores = validation.left_out_scores(cost);
        let ranking = scores.iter().zip(&answers).map(|(&score, &truth)| Scored { score, truth });
        let worth = roc_auc(&ranking.collect::<Vec<_>>());
        if best.as_ref().is_none_or(|(most, ..)| worth > *most) {
            best = Some((worth, cost, scores));
        }
    }
    let Some((_, cost, scores)) = best else { return Err(CalibrationError::Empty) };
    let threshold = ThresholdRule::Sigmoid.thresholds(&scores, &answers)?.balanced;
    Ok(Learned { plane: validation.plane(cost), threshold, images: answers.len() })
}

/// Asks the test people.
fn row(
    experiment: &str,
    name: &str,
    nets: &str,
    learned: &Learned,
    test: &Seen,
    attribute: usize,
) -> Vec<String> {
    let mut people = std::collections::BTreeMap::<u64, Tally>::new();
    let mut ranking = Vec::new();
    for (vector, truth, person) in test.known(attribute) {
        let vector: Vec<f64> = vector.iter().map(|v| f64::from(*v)).collect();
        let score = learned.plane.score(&vector) as f32;
        people.entry(person).or_default().add(truth, score > learned.threshold);
        ranking.push(Scored { score, truth });
    }
    let tallies: Vec<Tally> = people.into_values().collect();
    let balanced = |places: &mut dyn Iterator<Item = usize>| {
        let mut sum = Tally::default();
        places.filter_map(|place| tallies.get(place)).for_each(|tally| sum.merge(tally));
        sum.balanced_accuracy()
    };
    let drawn = |places: &[usize]| [balanced(&mut places.iter().copied())];
    let interval = intervals(tallies.len(), RESAMPLES, SEED, drawn);
    let [low, high] = interval.map_or([f64::NAN; 2], |[found]| [found.low, found.high]);
    vec![
        experiment.to_owned(),
        name.to_owned(),
        nets.to_owned(),
        learned.images.to_string(),
        share(balanced(&mut (0..tallies.len()))),
        share(low),
        share(high),
        share(average_precision(&ranking)),
    ]
}

pub fn section(store: &Store) -> Result<String, ReproduceError> {
    let Some(results) = store.read("transfer")? else { return Ok(String::new()) };
    let mut page = String::from(
        "Ten attributes are left out of the training of ANet. Then only SVMs are trained on them, on the FC vectors of validation people, and evaluated on test crops. \
         Next to them, the same SVMs on nets that were trained on all attributes. LNets, which only locate faces in training photos, leave out the attributes of the first split in \
         all three. Balanced accuracy, as in the paper's Table 2.\n\n\
         | experiment | attribute | nets never saw it | interval | nets saw it | interval |\n|---|---|---:|---|---:|---|\n",
    );
    let text = |row: &[String]| {
        let value = |column| percent(results.number(row, column));
        format!("{} | {} – {}", value("balanced_accuracy"), value("low"), value("high"))
    };
    // Writing to a string cannot fail.
    for pair in results.rows.chunks(2) {
        let [unseen, seen] = pair else { continue };
        if results.cell(unseen, "experiment") == "LFW" {
            continue;
        }
        let (experiment, attribute) = (results.cell(unseen, "experiment"), results.cell(unseen, "attribute"));
        let _ = writeln!(page, "| {experiment} | {attribute} | {} | {} |", text(unseen), text(seen));
    }
    let of = |nets: &str| {
        let own = results.rows_of("nets", nets);
        percent(mean(own.map(|row| results.number(row, "balanced_accuracy"))))
    };
    let _ = writeln!(page, "| | **mean** | **{}** | | **{}** | |\n", of("never saw it"), of("saw it"));
    for row in results.rows_of("experiment", "LFW") {
        let value = |column| percent(results.number(row, column));
        let _ = writeln!(
            page,
            "LFW's manual label of gender, {} ({} images): balanced accuracy {} ({} – {}).\n",
            results.cell(row, "nets"),
            results.cell(row, "pictures"),
            value("balanced_accuracy"),
            value("low"),
            value("high"),
        );
    }
    Ok(page + &results.origin.note())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn forty() -> Vec<String> {
        let others = (0..30).map(|number| format!("Other_{number}"));
        EASY_TO_SEE.iter().map(|name| (*name).to_owned()).chain(others).collect()
    }

    #[test]
    fn three_splits_leave_out_ten_each_and_none_twice() {
        let splits = left_out(&forty(), 7);
        assert_eq!(splits.iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 10]);
        assert!(splits[0].iter().all(|name| EASY_TO_SEE.contains(&name.as_str())));
        let mut all: Vec<&String> = splits.iter().flatten().collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 30);
        assert_eq!(splits, left_out(&forty(), 7));
    }

    #[test]
    fn fewer_attributes_are_parts_of_more() {
        let steps = fewer(&forty());
        assert_eq!(steps.iter().map(|(left, _)| *left).collect::<Vec<_>>(), [30, 20, 10]);
        for pair in steps.windows(2) {
            assert!(pair[0].1.iter().all(|name| pair[1].1.contains(name)));
        }
        assert_eq!(steps[0].1, left_out(&forty(), 1)[0], "one run serves both experiments");
    }
}
