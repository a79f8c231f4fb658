//! What taught attributes are worth: ten attributes that a bundle never learned, from fifty images a side of CelebA's training part, asked of its test
//! people. Writes the figures into `docs/teach.md` and `docs/teach.csv`.
//!
//!     lineament train --recipe lab --data celeba ... --output ten --without Eyeglasses,Wearing_Hat,...
//!     cargo run --release -p lineament-lab --example teach -- ten/model.lineament celeba docs
//!
//! A bundle that was trained on one of the ten would flatter itself: with it the figures are printed and nothing is written.

#![allow(missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use lineament::attributes::{EASY_TO_SEE, Group};
use lineament::output::write_whole;
use lineament::{Bundle, Tagger};
use lineament_data::{Dataset, Framing, Sample, Split, celeba, shuffled};
use lineament_fit::metrics::{Scored, Tally, average_precision, mean};
use lineament_fit::{
    EmbedError, Figures, FitError, ImageEmbedding, LabelledImage, TrainOptions, TrainedHead, embed, examples,
    train_head,
};
use lineament_lab::Provenance;
use rayon::prelude::*;

/// Images with an attribute, and as many without it.
const A_SIDE: usize = 50;

/// Each draws other images to teach from.
const SEEDS: [u64; 5] = [1, 2, 3, 4, 5];

/// One attribute taught from the images of one seed.
struct Row {
    name: &'static str,
    seed: u64,
    /// Balanced accuracy and average precision on test people.
    test: [f64; 2],
    /// What teaching itself said: balanced accuracy and its interval.
    reported: Option<[f64; 3]>,
    learned: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "give the bundle (or `default`), CelebA's folder, and the folder of the report";
    let mut next = || arguments.next().ok_or(usage);
    let (model, data, docs) = (next()?, PathBuf::from(next()?), PathBuf::from(next()?));
    let bundle = if model == "default" { Bundle::embedded()? } else { Bundle::open(Path::new(&model))? };
    let known: Vec<&str> = EASY_TO_SEE.into_iter().filter(|name| bundle.card().find(name).is_ok()).collect();
    let tagger = Tagger::new(bundle.clone())?;
    let set = celeba::read(&data)?;
    let places = EASY_TO_SEE.map(|name| set.attribute(name));
    let train = set.split(Split::Train).once_each(Framing::Photo);
    // Measured as `evaluate` does: in photos as they were taken.
    let test = set.split(Split::Test).framing(Framing::Photo);

    let mut drawn = BTreeMap::new();
    for seed in SEEDS {
        for (name, place) in EASY_TO_SEE.into_iter().zip(places) {
            let place = place.ok_or_else(|| format!("the data does not tell {name}"))?;
            drawn.insert((name, seed), (place, sides(&train, place, seed)));
        }
    }
    let wanted: BTreeSet<usize> = drawn.values().flat_map(|(_, taken)| taken.iter().copied()).collect();
    eprintln!("{} pictures to teach from, {} to ask about", wanted.len(), test.len());
    let images: Vec<&Sample> = wanted.iter().filter_map(|place| train.samples.get(*place)).collect();
    let looks: BTreeMap<usize, Option<ImageEmbedding>> =
        wanted.iter().copied().zip(look_at(&tagger, &images)?).collect();
    let seen = look_at(&tagger, &test.samples.iter().collect::<Vec<_>>())?;

    let mut rows = Vec::new();
    for ((name, seed), (place, taken)) in &drawn {
        let asked = taken.iter().filter_map(|image| {
            let (sample, look) = (train.samples.get(*image)?, looks.get(image)?.as_ref()?);
            let answer = sample.tags.get(*place).copied().flatten()?;
            Some(LabelledImage {
                name: sample.name.clone(),
                embedding: look.clone(),
                answer,
                person: sample.identity,
            })
        });
        let (examples, _) = examples(name, &asked.collect::<Vec<_>>())?;
        let options = TrainOptions { by: Group::Person, seed: *seed, ..TrainOptions::default() };
        rows.push(row(name, *seed, &test, *place, &seen, train_head(name, &examples, &options))?);
    }
    let table = table(&rows);
    println!("{table}");
    if !known.is_empty() {
        println!("Nothing is written: the model was trained on {}, which flatters it.", known.join(", "));
        return Ok(());
    }
    let command =
        format!("cargo run --release -p lineament-lab --example teach -- {model} {} docs", data.display());
    write(&docs, &rows, &table, &bundle, &Provenance::of(command, &docs, rayon::current_num_threads()))
}

/// Places of as many images with the attribute as without it.
fn sides(train: &Dataset, attribute: usize, seed: u64) -> Vec<usize> {
    let mut left = [A_SIDE; 2];
    let mut taken = Vec::new();
    for place in shuffled(train.len(), seed, attribute as u64) {
        let tag = train.samples.get(place).and_then(|sample| sample.tags.get(attribute).copied().flatten());
        if let Some(left) = tag.and_then(|tag| left.get_mut(usize::from(tag))).filter(|left| **left > 0) {
            *left -= 1;
            taken.push(place);
        }
    }
    taken
}

fn look_at(tagger: &Tagger, samples: &[&Sample]) -> Result<Vec<Option<ImageEmbedding>>, EmbedError> {
    samples.par_iter().map(|sample| embed(tagger, &sample.path)).collect()
}

/// Asks the test people. A missed face counts with the majority answer of the test part, and so does everybody where nothing was learned.
fn row(
    name: &'static str,
    seed: u64,
    test: &Dataset,
    place: usize,
    seen: &[Option<ImageEmbedding>],
    result: Result<TrainedHead, FitError>,
) -> Result<Row, FitError> {
    let truth = |sample: &Sample| sample.tags.get(place).copied().flatten();
    let mut truths = Tally::default();
    test.samples.iter().filter_map(truth).for_each(|truth| truths.add(truth, truth));
    let reported = |f: &Figures| [f.balanced_accuracy, f.interval.low, f.interval.high];
    let (head, reported) = match result {
        Ok(head) => (Some(head.clone()), Some(reported(&head.figures))),
        Err(refused @ FitError::LearnedNothing { .. }) => (None, refused.figures().map(reported)),
        // Too few faces found, for example: that is no measurement.
        Err(other) => return Err(other),
    };
    let (mut tally, mut ranking) = (Tally::default(), Vec::new());
    for (sample, look) in test.samples.iter().zip(seen) {
        let Some(truth) = truth(sample) else { continue };
        let (answer, score) = match (&head, look) {
            (Some(head), Some(look)) => {
                let vector: Vec<f64> = look.vector.iter().map(|v| f64::from(*v)).collect();
                let score = head.plane.score(&vector) as f32;
                (score > head.card.thresholds.balanced, head.card.platt.probability(score))
            }
            _ => (truths.majority(), truths.positives() as f32),
        };
        tally.add(truth, answer);
        ranking.push(Scored { score, truth });
    }
    let test = [tally.balanced_accuracy(), average_precision(&ranking)];
    Ok(Row { name, seed, test, reported, learned: head.is_some() })
}

fn table(rows: &[Row]) -> String {
    let mut text = "| attribute | balanced accuracy | least of the seeds | most | average precision | cross-validation estimates |\n\
                    |---|---|---|---|---|---|\n"
        .to_owned();
    let mut line = |name: &str, own: &[&Row]| {
        let balanced = || own.iter().map(|row| row.test[0]);
        let (least, most) = (balanced().fold(1.0, f64::min), balanced().fold(0.0, f64::max));
        let precision = mean(own.iter().map(|row| row.test[1]));
        let reported = mean(own.iter().filter_map(|row| row.reported).map(|reported| reported[0]));
        let middle = mean(balanced());
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {name} | {middle:.3} | {least:.3} | {most:.3} | {precision:.3} | {reported:.3} |"
        );
    };
    for name in EASY_TO_SEE {
        line(name, &rows.iter().filter(|row| row.name == name).collect::<Vec<_>>());
    }
    line("**mean**", &rows.iter().collect::<Vec<_>>());
    let of_seed = |seed| mean(rows.iter().filter(|row| row.seed == seed).map(|row| row.test[0]));
    let refused = rows.iter().filter(|row| !row.learned).count();
    let _ = writeln!(
        text,
        "\nMean of the ten, seed by seed: {}. Refused as not learned, and counted as the majority answer: {refused} of {}.",
        SEEDS.map(|seed| format!("{:.3}", of_seed(seed))).join(", "),
        rows.len()
    );
    text
}

const BEGIN: &str = "<!-- figures: begin -->";
const END: &str = "<!-- figures: end -->";

/// Puts the table into the page, between its two marks, and the single figures beside it.
fn write(
    docs: &Path,
    rows: &[Row],
    table: &str,
    bundle: &Bundle,
    provenance: &Provenance,
) -> Result<(), Box<dyn Error>> {
    let mut csv =
        "attribute,seed,learned,balanced_accuracy,average_precision,told_balanced_accuracy,told_low,told_high\n"
            .to_owned();
    for Row { name, seed, test: [balanced, precision], reported, learned } in rows {
        let reported =
            reported.map_or(",,".to_owned(), |reported| reported.map(|t| format!("{t:.4}")).join(","));
        writeln!(csv, "{name},{seed},{learned},{balanced:.4},{precision:.4},{reported}")?;
    }
    let page = docs.join("teach.md");
    let text = std::fs::read_to_string(&page)?;
    let (Some(from), Some(to)) = (text.find(BEGIN), text.find(END)) else {
        return Err(format!("{} has no place for figures ({BEGIN} ... {END})", page.display()).into());
    };
    let Provenance { command, commit, machine } = provenance;
    let section = format!(
        "{BEGIN}\n{table}\nModel: SHA-256 `{}`, {} attributes, none of the ten among them. Measured by `{command}` at commit {commit} on {machine}.\n",
        bundle.hash(),
        bundle.card().attributes.len()
    );
    let section = lineament_lab::markdown::wrap(&section);
    let text = [text.get(..from).unwrap_or_default(), &section, text.get(to..).unwrap_or_default()].concat();
    for (path, text) in [(page, text), (docs.join("teach.csv"), csv)] {
        write_whole(&path, |file| file.write_all(text.as_bytes()))?;
    }
    Ok(())
}
