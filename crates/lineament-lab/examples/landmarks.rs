//! How far landmarks are from those that come with CelebA, by the model's net and by YuNet on the same faces, and how far the two are apart
//! in pose. Prints `docs/landmarks.md`.
//!
//!     cargo run --release -p lineament-lab --example landmarks -- celeba test [MODEL]
//!
//! Recipes and models are chosen on `validation`.

#![allow(missing_docs)]

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};

use lineament::locate::{DetectorFile, Pose};
use lineament::{Bundle, Limits, Photo, Point, Selection, Tagger};
use lineament_data::{Framing, Sample, Split, celeba};
use lineament_fit::bootstrap::{RESAMPLES, SEED, intervals};
use lineament_lab::Provenance;
use rayon::prelude::*;

/// Beyond this share of the distance of the eyes, landmarks count as missed.
const MISSED: f64 = 0.1;

/// What one finder says of one face.
struct Found {
    /// Mean distance of the five landmarks from the given ones, in distances of the eyes.
    error: f64,
    pose: Pose,
}

struct Face {
    person: u64,
    /// By the model, and by YuNet.
    found: [Option<Found>; 2],
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
    let nothing = Selection { attributes: Some(Vec::new()), landmarks: Some(true), ..Selection::default() };
    let finder = |detector: Option<DetectorFile>| -> Result<Tagger, lineament::Error> {
        let builder = Tagger::builder().bundle(bundle.clone()).least_score(-1e30);
        let builder = match detector {
            Some(file) => builder.detector(file),
            None => builder,
        };
        builder.build()?.with(&nothing)
    };
    let finders = [finder(None)?, finder(Some(DetectorFile::yunet()?))?];
    let hash = bundle.hash();
    println!("# Landmarks\n");
    println!(
        "Five landmarks of a face and the pose that follows from them: `lineament predict --landmarks`. A net of its own finds them \
         (recipe `landmarks`); it learned from landmarks that come with CelebA and that the detector YuNet made on larger versions of the images. No LNet \
         saw one. Both finders are asked for the best face of each image, and the model's net begins from the box that LNets found.\n"
    );
    let sets = celeba::read(&data)?;
    for (framing, what) in [(Framing::Aligned, "Crops"), (Framing::Photo, "Un-cropped photos")] {
        let samples: Vec<&Sample> = sets
            .samples
            .iter()
            .filter(|sample| sample.split == split && sample.framing == framing && sample.landmarks.is_some())
            .collect();
        if !samples.is_empty() {
            let faces: Vec<Face> =
                samples.into_par_iter().map(|sample| look(&finders, sample)).collect::<Result<_, _>>()?;
            report(what, &split.to_string(), &faces);
        }
    }
    let provenance = Provenance::of(
        "cargo run --release -p lineament-lab --example landmarks",
        Path::new("."),
        rayon::current_num_threads(),
    );
    println!(
        "Model {} ({}). Commit {}; {}. Intervals are of 95 %, over people ({RESAMPLES} resamples, seed {SEED}).",
        finders[0].card().name,
        hash.get(..8).unwrap_or(&hash),
        provenance.commit,
        provenance.machine
    );
    Ok(())
}

/// What both say of the face that has the given landmarks: the best of those whose landmarks are near enough to be of the same face.
fn look(finders: &[Tagger; 2], sample: &Sample) -> Result<Face, lineament::Error> {
    let photo = Photo::open(&sample.path, &Limits::default())?;
    let given = sample.landmarks.unwrap_or_default();
    let eyes = f64::from(given[0].distance(given[1])).max(1e-6);
    let found = |tagger: &Tagger| -> Result<Option<Found>, lineament::Error> {
        for face in tagger.predict(&photo)?.faces {
            let Some(landmarks) = face.landmarks else { continue };
            let away = |(a, b): (&Point, &Point)| f64::from(a.distance(*b));
            let error = landmarks.0.iter().zip(&given).map(away).sum::<f64>() / 5.0 / eyes;
            let Some(pose) = face.pose.filter(|_| error < 1.0) else { continue };
            return Ok(Some(Found { error, pose }));
        }
        Ok(None)
    };
    let person = sample.identity.map_or_else(|| u64::MAX - u64::from(photo.width()), u64::from);
    Ok(Face { person, found: [found(&finders[0])?, found(&finders[1])?] })
}

fn report(what: &str, split: &str, faces: &[Face]) {
    println!("## {what}\n");
    println!(
        "{} faces of the {split} part. Errors are mean distances of the five landmarks, in shares of the distance of the eyes.\n",
        faces.len()
    );
    println!(
        "| | faces found | mean error (interval) | median | error above {:.0} % |\n|---|---:|---:|---:|---:|",
        100.0 * MISSED
    );
    for (index, name) in ["the model's net, on boxes of LNets", "YuNet"].into_iter().enumerate() {
        let errors: Vec<(u64, f64)> =
            faces.iter().filter_map(|face| Some((face.person, face.found[index].as_ref()?.error))).collect();
        let mut sorted: Vec<f64> = errors.iter().map(|(_, error)| *error).collect();
        sorted.sort_by(f64::total_cmp);
        let mut people: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
        for (person, error) in &errors {
            let (sum, count) = people.entry(*person).or_default();
            (*sum, *count) = (*sum + error, *count + 1.0);
        }
        let people: Vec<(f64, f64)> = people.into_values().collect();
        let mean = |places: &[usize]| {
            let (sum, count) = places
                .iter()
                .fold((0.0, 0.0), |(sum, count), &place| (sum + people[place].0, count + people[place].1));
            [sum / count]
        };
        let all: Vec<usize> = (0..people.len()).collect();
        let [whole] = mean(&all);
        let interval = intervals(people.len(), RESAMPLES, SEED, mean).map(|[interval]| interval);
        let range = interval.map_or_else(String::new, |range| {
            format!(" ({:.2} to {:.2})", 100.0 * range.low, 100.0 * range.high)
        });
        let missed =
            sorted.iter().filter(|error| **error > MISSED).count() as f64 / sorted.len().max(1) as f64;
        println!(
            "| {name} | {:.1} % | {:.2} %{range} | {:.2} % | {:.1} % |",
            100.0 * errors.len() as f64 / faces.len() as f64,
            100.0 * whole,
            100.0 * sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN),
            100.0 * missed
        );
    }
    let pairs: Vec<(Pose, Pose)> = faces
        .iter()
        .filter_map(|face| Some((face.found[0].as_ref()?.pose, face.found[1].as_ref()?.pose)))
        .collect();
    let apart = |of: fn(Pose) -> f32| {
        pairs.iter().map(|(own, other)| f64::from((of(*own) - of(*other)).abs())).sum::<f64>()
            / pairs.len().max(1) as f64
    };
    println!(
        "\nPoses by the two sets of landmarks and the same mean face differ by {:.1}° in yaw, {:.1}° in pitch and {:.1}° in roll on average ({} \
         faces).\n",
        apart(|pose| pose.yaw),
        apart(|pose| pose.pitch),
        apart(|pose| pose.roll),
        pairs.len()
    );
}
