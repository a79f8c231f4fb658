//! How poorly embeddings tell people apart: pairs of LFW's photos, of one person or of two. Writes `docs/embeddings.md`.
//!
//!     cargo run --release -p lineament-lab --example verification -- lfw docs/embeddings.md [PEOPLE]
//!
//! PEOPLE is how many of LFW's people are drawn, all by default.

#![allow(missing_docs)]

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use lineament::{Limits, Photo, Tagger};
use lineament_data::{Dataset, lfw, shuffled};
use lineament_lab::provenance::Provenance;
use rayon::prelude::*;

/// As in LFW's own protocol.
const FOLDS: usize = 10;
const PAIRS: usize = 300;
const SEED: u64 = 1;
/// Steps of cosine similarity that are told apart over all pairs.
const STEPS: usize = 1 << 16;

type Failure = Box<dyn Error + Send + Sync>;

/// A face of a person, as a vector of length 1.
struct Face {
    person: u32,
    vector: Vec<f32>,
}

/// Pairs of one person and of two, by cosine similarity.
struct Histogram {
    same: Vec<u64>,
    different: Vec<u64>,
}

/// What all pairs say.
struct AllPairs {
    same: u64,
    different: u64,
    auc: f64,
    equal_error: f64,
    /// Share of pairs of one person that are known at one confusion in a hundred, and in a thousand, pairs of two.
    known: [f64; 2],
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let (data, output, people) = match arguments.as_slice() {
        [data, output] => (data, output, None),
        [data, output, people] => (data, output, Some(people.to_string_lossy().parse::<usize>()?)),
        _ => return Err("verification LFW OUTPUT.md [PEOPLE]".into()),
    };
    let tagger = Tagger::embedded()?;
    let whole = lfw::read(data)?;
    let drawn: Vec<usize> =
        shuffled(whole.people(), SEED, 1).into_iter().take(people.unwrap_or(usize::MAX)).collect();
    let set = whole.filter(|sample| sample.identity.is_some_and(|person| drawn.contains(&(person as usize))));
    let faces: Vec<Face> = embedded(&tagger, &set)?;
    let all = all_pairs(&faces);
    let folds = folds(&faces);
    let page = page(&tagger, [&whole, &set], &faces, &all, &folds, output);
    std::fs::write(output, page)?;
    Ok(())
}

/// The best face of every photo; photos without one are left out.
fn embedded(tagger: &Tagger, set: &Dataset) -> Result<Vec<Face>, Failure> {
    let look = |sample: &lineament_data::Sample| -> Result<Option<Face>, Failure> {
        let Some(person) = sample.identity else { return Ok(None) };
        let photo = Photo::open(&sample.path, &Limits::default())?;
        let Some(face) = tagger.locate(&photo)?.into_iter().next() else { return Ok(None) };
        let mut vector = tagger.embed(&photo, face)?;
        let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
        vector.iter_mut().for_each(|value| *value /= length);
        Ok(Some(Face { person, vector }))
    };
    let found: Vec<Option<Face>> = set.samples.par_iter().map(look).collect::<Result<_, _>>()?;
    Ok(found.into_iter().flatten().collect())
}

fn cosine(a: &Face, b: &Face) -> f32 {
    a.vector.iter().zip(&b.vector).map(|(a, b)| a * b).sum()
}

fn all_pairs(faces: &[Face]) -> AllPairs {
    let empty = || Histogram { same: vec![0; STEPS], different: vec![0; STEPS] };
    let histogram = faces
        .par_iter()
        .enumerate()
        .fold(empty, |mut histogram, (place, one)| {
            for other in &faces[place + 1..] {
                let step = ((cosine(one, other) + 1.0) / 2.0 * (STEPS - 1) as f32).round() as usize;
                let same = one.person == other.person;
                let counts = if same { &mut histogram.same } else { &mut histogram.different };
                counts[step.min(STEPS - 1)] += 1;
            }
            histogram
        })
        .reduce(empty, |mut one, other| {
            one.same.iter_mut().zip(other.same).for_each(|(sum, count)| *sum += count);
            one.different.iter_mut().zip(other.different).for_each(|(sum, count)| *sum += count);
            one
        });
    let (same, different) = (histogram.same.iter().sum::<u64>(), histogram.different.iter().sum::<u64>());
    let (mut accepted, mut confused) = (0_u64, 0_u64);
    let mut all = AllPairs { same, different, auc: 0.0, equal_error: 1.0, known: [0.0; 2] };
    let mut apart = f64::INFINITY;
    // From the most alike down.
    for (own, others) in histogram.same.iter().zip(&histogram.different).rev() {
        all.auc += *others as f64 * (accepted as f64 + *own as f64 / 2.0);
        accepted += own;
        confused += others;
        let (rate, false_rate) = (accepted as f64 / same as f64, confused as f64 / different as f64);
        if (1.0 - rate - false_rate).abs() < apart {
            apart = (1.0 - rate - false_rate).abs();
            all.equal_error = (1.0 - rate + false_rate) / 2.0;
        }
        for (known, most) in all.known.iter_mut().zip([0.01, 0.001]) {
            if false_rate <= most {
                *known = rate;
            }
        }
    }
    all.auc /= same as f64 * different as f64;
    all
}

/// Accuracy on each fold of people, 300 pairs of one person and 300 of two, at the threshold that is best on the other folds.
fn folds(faces: &[Face]) -> Vec<f64> {
    let mut people: BTreeMap<u32, Vec<&Face>> = BTreeMap::new();
    faces.iter().for_each(|face| people.entry(face.person).or_default().push(face));
    let people: Vec<Vec<&Face>> = people.into_values().collect();
    let mut dealt: Vec<Vec<&Vec<&Face>>> = vec![Vec::new(); FOLDS];
    for (turn, place) in shuffled(people.len(), SEED, 0).into_iter().enumerate() {
        dealt[turn % FOLDS].push(&people[place]);
    }
    let pairs: Vec<Vec<(f32, bool)>> =
        dealt.iter().enumerate().map(|(fold, people)| drawn(people, fold)).collect();
    let right = |pairs: &[(f32, bool)], threshold: f32| {
        pairs.iter().filter(|(score, same)| (*score >= threshold) == *same).count()
    };
    (0..FOLDS)
        .map(|fold| {
            let others: Vec<(f32, bool)> = pairs
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != fold)
                .flat_map(|(_, pairs)| pairs.clone())
                .collect();
            let steps = (-1000..=1000).map(|step| step as f32 / 1000.0);
            let threshold = steps.max_by_key(|threshold| right(&others, *threshold)).unwrap_or_default();
            right(&pairs[fold], threshold) as f64 / pairs[fold].len() as f64
        })
        .collect()
}

fn drawn(people: &[&Vec<&Face>], fold: usize) -> Vec<(f32, bool)> {
    let same: Vec<(&Face, &Face)> = people
        .iter()
        .flat_map(|own| (0..own.len()).flat_map(move |a| (a + 1..own.len()).map(move |b| (own[a], own[b]))))
        .collect();
    let of_same = shuffled(same.len(), SEED, 100 + fold as u64).into_iter().take(PAIRS).map(|at| same[at]);
    // Two people, and one photo of each.
    let two = (0..PAIRS as u64).map(|pair| {
        let stream = 1000 * (fold as u64 + 1) + pair;
        let chosen = shuffled(people.len(), SEED, stream);
        let (one, other) = (people[chosen[0]], people[chosen[1]]);
        (one[pair as usize % one.len()], other[(pair as usize / 2) % other.len()])
    });
    of_same.map(|(a, b)| (cosine(a, b), true)).chain(two.map(|(a, b)| (cosine(a, b), false))).collect()
}

fn page(
    tagger: &Tagger,
    [whole, set]: [&Dataset; 2],
    faces: &[Face],
    all: &AllPairs,
    folds: &[f64],
    output: &Path,
) -> String {
    let mean = folds.iter().sum::<f64>() / folds.len() as f64;
    let variance = folds.iter().map(|fold| (fold - mean).powi(2)).sum::<f64>() / (folds.len() - 1) as f64;
    let error = (variance / folds.len() as f64).sqrt();
    let percent = |value: f64| format!("{:.1} %", 100.0 * value);
    let checkout = output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let drawn = if set.len() < whole.len() { format!(" {}", set.people()) } else { String::new() };
    let command = format!(
        "cargo run --release -p lineament-lab --example verification -- lfw docs/embeddings.md{drawn}"
    );
    let provenance = Provenance::of(command, checkout, rayon::current_num_threads());
    let card = tagger.card();
    let mut page = String::from("# Embeddings are not for telling people apart\n\n");
    let _ = write!(
        page,
        "`{}` wrote this page.\n\n\
         `--embeddings` gives the vector that attributes are read from: {} numbers a face. It serves to learn custom attributes, to sort \
         photos by what faces look like, and to find labels that are wrong. It was trained so that attributes can be read from it by a \
         plane. The default model's net began with the first blocks of a net that recognizes faces, and learned from that net's vectors \
         ([MODEL_CARD.md](../MODEL_CARD.md)): so some of what tells people apart is left in it. The table says how far that \
         goes, so that nobody takes it for more. Lineament does not identify people and offers nothing to do so.\n\n\
         | pairs of LFW's photos, by cosine similarity | |\n|---|---:|\n\
         | accuracy, {PAIRS} pairs of one person and {PAIRS} of two in each of {FOLDS} folds of people, threshold from the other folds | {} ± {} |\n\
         | area under the ROC curve, all pairs | {:.3} |\n\
         | equal error rate, all pairs | {} |\n\
         | pairs of one person that are known, at one confusion in 100 pairs of two | {} |\n\
         | the same at one in 1,000 | {} |\n\n\
         Guessing is right for 50 % of the pairs, has an area of 0.5 and an equal error rate of 50 %. Nets that are made to recognize faces are right for \
         more than 99 % of LFW's own pairs.\n\n\
         * Photos: {} of {} people, drawn from the {} of LFW who have two or more; a face is found in {} of them, and the best one is taken. All pairs: {} of one \
         person and {} of two. ± is the standard error over folds. LFW's own list of pairs is not used: these photos are central crops, and not all of \
         them are there.\n\
         * These figures flatter the default model: it learned from that net's vectors of these very photos.\n\
         * Model: {} {} ({}). Machine: {}. Commit: {}.\n",
        provenance.command,
        tagger.embedding_length(),
        percent(mean),
        percent(error),
        all.auc,
        percent(all.equal_error),
        percent(all.known[0]),
        percent(all.known[1]),
        set.len(),
        set.people(),
        whole.people(),
        faces.len(),
        all.same,
        all.different,
        card.name,
        card.version,
        tagger.hash().get(..8).unwrap_or_default(),
        provenance.machine,
        provenance.commit,
    );
    lineament_lab::markdown::wrap(&page)
}
