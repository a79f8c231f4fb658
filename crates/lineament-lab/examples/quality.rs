//! How well the quality of a face tells how much of its attributes is right, beside three simple scores, and what abstaining gives and costs.
//! Prints `docs/quality.md`.
//!
//!     cargo run --release -p lineament-lab --example quality -- celeba test [MODEL]
//!
//! Recipes are chosen on `validation`, from which the quality itself is learned: there it is better than on anybody else.

#![allow(missing_docs)]

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

use lineament::attributes::OperatingPoint;
use lineament::crop::crop;
use lineament::{Bundle, Limits, Photo, Selection, Tagger};
use lineament_data::{Framing, Sample, Split, celeba};
use lineament_fit::bootstrap::{Interval, RESAMPLES, SEED, intervals};
use lineament_lab::Provenance;
use rayon::prelude::*;

/// What faces are chosen by: the model's quality first.
const SCORES: [&str; 4] = ["quality", "score of the box", "height of the box", "variance of the Laplacian"];

/// Shares of the faces that are left out.
const REJECTED: [f64; 6] = [0.0, 0.1, 0.2, 0.3, 0.5, 0.7];

/// Probabilities of being right from which on answers are given.
const ABSTAIN: [f32; 5] = [0.0, 0.7, 0.8, 0.9, 0.95];

struct Face {
    person: u64,
    /// In the order of [`SCORES`].
    scores: [f64; 4],
    /// Answers that are right, and all that are labelled.
    right: [f64; 2],
    /// For each of [`ABSTAIN`]: answers that are given and right, and those that are given.
    given: [[f64; 2]; ABSTAIN.len()],
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let data = PathBuf::from(arguments.next().ok_or("name the CelebA folder and a part of it")?);
    let split = match arguments.next().as_deref().and_then(|name| name.to_str()) {
        Some("validation") => Split::Validation,
        Some("test") => Split::Test,
        _ => return Err("name a part: validation or test".into()),
    };
    let bundle = match arguments.next() {
        Some(path) => Bundle::open(Path::new(&path))?,
        None => Bundle::embedded()?,
    };
    let hash = bundle.hash();
    let tagger = Tagger::builder().bundle(bundle.clone()).least_score(-1e30).quality(true).build()?;
    println!("# Quality\n");
    println!(
        "How far the attributes of a face can be trusted: the share of them that is expected to be right. `lineament predict --quality` answers with it, \
         `--least-quality` leaves faces out by it, and `--abstain` gives no answer where that would be right with too low a probability. A linear function of \
         how certain each answer is and of the size of the face was fitted to the share of the tags that the model answers right, on people of \
         the validation part and on copies of their faces that were spoiled at random (`recipes/quality.toml`). Here it meets the people of the \
         {split} part, as their images are, beside three scores that are used for the same purpose.\n"
    );
    let set = celeba::read(&data)?;
    for (framing, what) in [(Framing::Aligned, "Crops"), (Framing::Photo, "Un-cropped photos")] {
        let samples: Vec<&Sample> =
            set.samples.iter().filter(|sample| sample.split == split && sample.framing == framing).collect();
        if samples.is_empty() {
            continue;
        }
        let look = |sample: &&Sample| look(&tagger, &set.attributes, sample);
        let faces = samples.par_iter().map(look).collect::<Result<Vec<_>, _>>()?;
        let faces: Vec<Face> = faces.into_iter().flatten().collect();
        println!("## {what}\n");
        report(&faces);
    }
    cost(bundle, &set.samples)?;
    let provenance = Provenance::of(
        "cargo run --release -p lineament-lab --example quality",
        Path::new("."),
        rayon::current_num_threads(),
    );
    println!(
        "Model {} ({}). Commit {}; {}. Intervals are of 95 %, over people ({RESAMPLES} resamples, seed {SEED}).",
        tagger.card().name,
        hash.get(..8).unwrap_or(&hash),
        provenance.commit,
        provenance.machine
    );
    Ok(())
}

/// The best face of an image, where there is one.
fn look(tagger: &Tagger, labels: &[String], sample: &Sample) -> Result<Option<Face>, lineament::Error> {
    let photo = Photo::open(&sample.path, &Limits::default())?;
    let Some(face) = tagger.locate(&photo)?.into_iter().next() else { return Ok(None) };
    let record = tagger.record(&photo, &face)?;
    let card = tagger.card();
    let scores = tagger.scores(&photo, face)?;
    let (mut right, mut given) = ([0.0; 2], [[0.0; 2]; ABSTAIN.len()]);
    for (attribute, score) in card.attributes.iter().zip(&scores) {
        let place = labels.iter().position(|name| *name == attribute.name);
        let Some(tag) = place.and_then(|place| *sample.tags.get(place)?) else { continue };
        let read = attribute.read(*score, OperatingPoint::Accuracy);
        let hit = f64::from(u8::from(read.present == tag));
        let likely = if read.present { read.probability } else { 1.0 - read.probability };
        right = [right[0] + hit, right[1] + 1.0];
        for (slot, least) in given.iter_mut().zip(ABSTAIN) {
            if likely >= least {
                *slot = [slot[0] + hit, slot[1] + 1.0];
            }
        }
    }
    let side = |side: f32| (side.round() as u32).clamp(3, 512);
    let box_of_face = crop(&photo, face.rect, side(face.rect.width), side(face.rect.height));
    Ok(Some(Face {
        person: sample.identity.map_or(u64::MAX, u64::from),
        scores: [
            f64::from(record.quality.unwrap_or_default()),
            f64::from(face.score),
            f64::from(face.rect.height),
            laplacian_variance(&box_of_face),
        ],
        right,
        given,
    }))
}

/// The variance of the Laplacian of the grey image: a usual measure of sharpness.
fn laplacian_variance(photo: &Photo) -> f64 {
    let grey = |x: u32, y: u32| {
        let [red, green, blue] = photo.pixel(x, y).unwrap_or_default().map(f64::from);
        0.299 * red + 0.587 * green + 0.114 * blue
    };
    let (mut sum, mut squares, mut count) = (0.0, 0.0, 0.0_f64);
    for y in 1..photo.height().saturating_sub(1) {
        for x in 1..photo.width().saturating_sub(1) {
            let around = grey(x - 1, y) + grey(x + 1, y) + grey(x, y - 1) + grey(x, y + 1);
            let value = around - 4.0 * grey(x, y);
            (sum, squares, count) = (sum + value, squares + value * value, count + 1.0);
        }
    }
    squares / count.max(1.0) - (sum / count.max(1.0)).powi(2)
}

/// The share of right answers of the faces that are left when so many are left out by a score; `order` has the best first, `times` how often each counts.
fn kept(faces: &[Face], order: &[usize], times: &[f64], rejected: f64) -> f64 {
    let all: f64 = times.iter().sum();
    let (mut counted, mut right, mut labelled) = (0.0, 0.0, 0.0);
    for &place in order {
        if counted >= (1.0 - rejected) * all {
            break;
        }
        counted += times[place];
        right += times[place] * faces[place].right[0];
        labelled += times[place] * faces[place].right[1];
    }
    right / labelled.max(1.0)
}

fn report(faces: &[Face]) {
    let mut people: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (place, face) in faces.iter().enumerate() {
        people.entry(face.person).or_default().push(place);
    }
    let people: Vec<Vec<usize>> = people.into_values().collect();
    let orders: [Vec<usize>; 4] = std::array::from_fn(|score| {
        let mut order: Vec<usize> = (0..faces.len()).collect();
        order.sort_by(|a, b| faces[*b].scores[score].total_cmp(&faces[*a].scores[score]));
        order
    });
    // For each score what the best half gains over all, and then what that of the quality gains more than each of the others.
    let gains = |places: &[usize]| -> [f64; 7] {
        let mut times = vec![0.0; faces.len()];
        places.iter().flat_map(|person| &people[*person]).for_each(|place| times[*place] += 1.0);
        let all = kept(faces, &orders[0], &times, 0.0);
        let gain: [f64; 4] = std::array::from_fn(|score| kept(faces, &orders[score], &times, 0.5) - all);
        [gain[0], gain[1], gain[2], gain[3], gain[0] - gain[1], gain[0] - gain[2], gain[0] - gain[3]]
    };
    let everybody: Vec<usize> = (0..people.len()).collect();
    let whole = gains(&everybody);
    let ranges = intervals(people.len(), RESAMPLES, SEED, gains);
    println!(
        "{} faces of {} people. Mean accuracy of the faces that are left, in per cent, when so many are left out by each score:\n",
        faces.len(),
        people.len()
    );
    let header: Vec<String> = REJECTED.iter().map(|share| format!("{:.0} %", 100.0 * share)).collect();
    println!(
        "| left out | {} | gain of the better half | how much more quality gains |\n|---|{}---:|---:|",
        header.join(" | "),
        "---:|".repeat(REJECTED.len())
    );
    let once = vec![1.0; faces.len()];
    let range = |which: usize| ranges.as_ref().map_or_else(String::new, |ranges| interval(ranges[which]));
    for (score, name) in SCORES.iter().enumerate() {
        let curve: Vec<String> = REJECTED
            .iter()
            .map(|share| format!("{:.2}", 100.0 * kept(faces, &orders[score], &once, *share)))
            .collect();
        let more = match score {
            0 => String::new(),
            other => format!("{:+.2}{}", 100.0 * whole[3 + other], range(3 + other)),
        };
        println!(
            "| {name} | {} | {:+.2}{} | {more} |",
            curve.join(" | "),
            100.0 * whole[score],
            range(score)
        );
    }
    println!("\nIs a quality of 0.9 right nine times in ten? Faces in ten groups by their quality:\n");
    println!("| mean quality | {} |", tenths(faces, &orders[0], |face| face.scores[0], |_| 1.0));
    println!("|---|{}", "---:|".repeat(10));
    println!(
        "| share of right answers | {} |",
        tenths(faces, &orders[0], |face| face.right[0], |face| face.right[1])
    );
    println!(
        "\nWhat `--abstain P` gives: answers that would be right with a lower probability than P are not given.\n"
    );
    println!("| P | answers given | of them right |\n|---:|---:|---:|");
    for (which, least) in ABSTAIN.iter().enumerate() {
        let sum =
            |of: fn(&Face) -> [f64; 2], part: usize| faces.iter().map(|face| of(face)[part]).sum::<f64>();
        let all = sum(|face| face.right, 1);
        let (right, given) = faces.iter().fold((0.0, 0.0), |(right, given), face| {
            (right + face.given[which][0], given + face.given[which][1])
        });
        println!("| {least} | {:.1} % | {:.2} % |", 100.0 * given / all, 100.0 * right / given);
    }
    println!();
}

fn tenths(faces: &[Face], order: &[usize], of: impl Fn(&Face) -> f64, over: impl Fn(&Face) -> f64) -> String {
    let size = order.len().div_ceil(10);
    let mean = |part: &[usize]| {
        let sum = |value: &dyn Fn(&Face) -> f64| part.iter().map(|place| value(&faces[*place])).sum::<f64>();
        format!("{:.3}", sum(&of) / sum(&over))
    };
    order.chunks(size.max(1)).map(mean).collect::<Vec<_>>().join(" | ")
}

fn interval(range: Interval) -> String {
    format!(" ({:+.2} to {:+.2})", 100.0 * range.low, 100.0 * range.high)
}

/// What everything beside attributes costs: landmarks, pose, quality and embeddings, in turns on one thread.
fn cost(bundle: Bundle, samples: &[Sample]) -> Result<(), lineament::Error> {
    let plain = Tagger::builder().bundle(bundle).threads(1).build()?;
    let everything = Selection {
        landmarks: Some(true),
        quality: Some(true),
        embeddings: Some(true),
        ..Selection::default()
    };
    let everything = plain.with(&everything)?;
    let photos = samples.iter().filter(|sample| sample.framing == Framing::Photo).take(60);
    let photos =
        photos.map(|sample| Photo::open(&sample.path, &Limits::default())).collect::<Result<Vec<_>, _>>()?;
    let mut ratios = Vec::new();
    for turn in 0..12 {
        let mut seconds = [0.0; 2];
        for step in [turn % 2, 1 - turn % 2] {
            let begun = Instant::now();
            for photo in &photos {
                [&plain, &everything][step].predict(photo)?;
            }
            seconds[step] = begun.elapsed().as_secs_f64();
        }
        // The first turn warms up.
        if turn > 0 {
            ratios.push(seconds[1] / seconds[0]);
        }
    }
    ratios.sort_by(f64::total_cmp);
    println!(
        "## Cost\n\nA photo with landmarks, pose, quality and embeddings takes {:.3} times as long as one without, on one thread (median of {} turns over {} un-cropped \
         photos; from {:.3} to {:.3}).\n",
        ratios[ratios.len() / 2],
        ratios.len(),
        photos.len(),
        ratios[0],
        ratios[ratios.len() - 1]
    );
    Ok(())
}
