//! How far landmarks are from those that come with CelebA, by the model's net and by YuNet on the same faces, how far poses are apart, and what
//! attributes gain where ANet's region is placed by landmarks. Prints `docs/landmarks.md`.
//!
//!     cargo run --release -p lineament-lab --example landmarks -- celeba test [MODEL] [human.jsonl mediapipe.jsonl]
//!
//! The last two are what the scripts in `poses/` write of the same images. Recipes and models are chosen on `validation`.

#![allow(missing_docs)]

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};

use lineament::attributes::{FaceRegion, OperatingPoint};
use lineament::locate::{DetectorFile, Pose};
use lineament::{Bundle, Face as LocatedFace, FaceRecord, Limits, Photo, Point, Rect, Selection, Tagger};
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
    /// By each of [`Lab::rivals`].
    rivals: Vec<Option<Pose>>,
    /// Labelled attributes, and how many of them are told right in the region of the box and in that of the landmarks.
    told: [f64; 3],
}

/// The faces of an image as the scripts in `poses/` write them.
#[derive(serde::Deserialize)]
struct RivalImage {
    name: String,
    faces: Vec<RivalFace>,
}

#[derive(serde::Deserialize)]
struct RivalFace {
    /// Left, top, width, height.
    r#box: [f32; 4],
    yaw: f32,
    pitch: f32,
    roll: f32,
}

/// What all images are looked at with.
struct Lab {
    /// The model, and YuNet in its place.
    finders: [Tagger; 2],
    /// The names of the data's labels.
    labels: Vec<String>,
    /// What others say of the faces of each image, and their names.
    rivals: Vec<(String, BTreeMap<String, Vec<RivalFace>>)>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let data = PathBuf::from(arguments.next().ok_or("name the CelebA folder and a part of it")?);
    let split = match arguments.next().as_deref().and_then(|name| name.to_str()) {
        Some("validation") => Split::Validation,
        Some("test") => Split::Test,
        _ => return Err("name a part: validation or test".into()),
    };
    let (mut bundle, mut rivals) = (Bundle::embedded()?, Vec::new());
    for path in arguments.map(PathBuf::from) {
        if path.extension().is_some_and(|ending| ending == "jsonl") {
            let text = std::fs::read_to_string(&path)?;
            let images = text.lines().map(serde_json::from_str::<RivalImage>);
            let images = images.map(|image| image.map(|image| (image.name, image.faces)));
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            rivals.push((name, images.collect::<Result<_, _>>()?));
        } else {
            bundle = Bundle::open(&path)?;
        }
    }
    let nothing = Selection { attributes: Some(Vec::new()), landmarks: Some(true), ..Selection::default() };
    let finder = |detector: Option<DetectorFile>| -> Result<Tagger, lineament::Error> {
        let builder = Tagger::builder().bundle(bundle.clone()).least_score(-1e30);
        let builder = match detector {
            Some(file) => builder.detector(file),
            None => builder,
        };
        builder.build()?.with(&nothing)
    };
    let sets = celeba::read(&data)?;
    let finders = [finder(None)?, finder(Some(DetectorFile::yunet()?))?];
    let lab = Lab { finders, labels: sets.attributes.clone(), rivals };
    let hash = bundle.hash();
    println!("# Landmarks\n");
    println!(
        "Five landmarks of a face and the pose that follows from them: `lineament predict --landmarks`. A net of its own finds them \
         (recipe `landmarks`); it learned from landmarks that come with CelebA and that the detector YuNet made on larger versions of the images. No LNet \
         saw one. Both finders are asked for the best face of each image, and the model's net begins from the box that LNets found. ANet's region is placed by \
         the box: on validation people, landmarks place it no better.\n\nPoses of others: `human` is `@vladmandic/human` 3.3.6, which takes its angles from \
         MediaPipe's mesh of 468 points in a way of its own; `mediapipe` is MediaPipe 0.10.21, the axes of the same mesh in its Python package (`crates/lineament-lab/examples/poses/`).\n"
    );
    let names: Vec<String> = lab.rivals.iter().map(|(name, _)| name.clone()).collect();
    for (framing, what) in [(Framing::Aligned, "Crops"), (Framing::Photo, "Un-cropped photos")] {
        let samples: Vec<&Sample> = sets
            .samples
            .iter()
            .filter(|sample| sample.split == split && sample.framing == framing && sample.landmarks.is_some())
            .collect();
        if !samples.is_empty() {
            let faces: Vec<Face> =
                samples.into_par_iter().map(|sample| lab.look(sample)).collect::<Result<_, _>>()?;
            report(what, &split.to_string(), &faces, &names);
        }
    }
    let provenance = Provenance::of(
        "cargo run --release -p lineament-lab --example landmarks",
        Path::new("."),
        rayon::current_num_threads(),
    );
    println!(
        "Model {} ({}). Commit {}; {}. Intervals are of 95 %, over people ({RESAMPLES} resamples, seed {SEED}).",
        lab.finders[0].card().name,
        hash.get(..8).unwrap_or(&hash),
        provenance.commit,
        provenance.machine
    );
    Ok(())
}

impl Lab {
    /// What is said of the face that has the given landmarks: the best of those whose landmarks are near enough to be of the same face.
    fn look(&self, sample: &Sample) -> Result<Face, lineament::Error> {
        let photo = Photo::open(&sample.path, &Limits::default())?;
        let given = sample.landmarks.unwrap_or_default();
        let eyes = f64::from(given[0].distance(given[1])).max(1e-6);
        let find = |tagger: &Tagger| -> Result<Option<(Found, FaceRecord)>, lineament::Error> {
            for face in tagger.predict(&photo)?.faces {
                let Some(landmarks) = face.landmarks else { continue };
                let away = |(a, b): (&Point, &Point)| f64::from(a.distance(*b));
                let error = landmarks.0.iter().zip(&given).map(away).sum::<f64>() / 5.0 / eyes;
                let Some(pose) = face.pose.filter(|_| error < 1.0) else { continue };
                return Ok(Some((Found { error, pose }, face)));
            }
            Ok(None)
        };
        let [own, yunet] = [find(&self.finders[0])?, find(&self.finders[1])?];
        let told = own.as_ref().map_or(Ok([0.0; 3]), |(_, face)| self.told(&photo, face, sample))?;
        let name = sample.path.file_name().unwrap_or_default().to_string_lossy();
        let said = self.rivals.iter().map(|(_, images)| images.get(&*name));
        let said = said.map(|faces| faces.filter(|_| sample.framing == Framing::Photo));
        let rivals = said.map(|faces| faces.and_then(|faces| nearest(faces, &given))).collect();
        let person = sample.identity.map_or_else(|| u64::MAX - u64::from(photo.width()), u64::from);
        let found = [own.map(|(found, _)| found), yunet.map(|(found, _)| found)];
        Ok(Face { person, found, rivals, told })
    }

    /// How much of what is labelled is told right, in the region of the box and in that of the landmarks, as the model found both.
    fn told(&self, photo: &Photo, face: &FaceRecord, sample: &Sample) -> Result<[f64; 3], lineament::Error> {
        let tagger = &self.finders[0];
        let card = tagger.card();
        let located = LocatedFace::from(face);
        let by_box = tagger.region_of(&located)?;
        let by_landmarks = card.anet().and_then(|anet| {
            let (upright, roll) = anet.region.upright_box(&face.landmarks?.0)?;
            Some(FaceRegion::turned(anet.region.of_box(upright).ok()?, upright, roll))
        });
        let mut told = [0.0; 3];
        for (slot, region) in [(1, by_box), (2, by_landmarks.unwrap_or(by_box))] {
            let scores = tagger.scores(photo, region)?;
            for (attribute, score) in card.attributes.iter().zip(&scores) {
                let place = self.labels.iter().position(|name| *name == attribute.name);
                let Some(tag) = place.and_then(|place| *sample.tags.get(place)?) else { continue };
                let right = attribute.read(*score, OperatingPoint::Accuracy).present == tag;
                told[slot] += f64::from(u8::from(right));
                told[0] += 0.5;
            }
        }
        Ok(told)
    }
}

/// The pose of the face whose box holds the given nose, where there is one.
fn nearest(faces: &[RivalFace], given: &[Point; 5]) -> Option<Pose> {
    let holds = |face: &&RivalFace| {
        let [x, y, width, height] = face.r#box;
        Rect::new(x, y, width, height).contains(given[2])
    };
    faces.iter().find(holds).map(|face| Pose { yaw: face.yaw, pitch: face.pitch, roll: face.roll })
}

fn report(what: &str, split: &str, faces: &[Face], rivals: &[String]) {
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
    poses(faces, rivals);
    regions(faces);
}

/// How far each two say that faces look from each other.
fn poses(faces: &[Face], rivals: &[String]) {
    let names = ["the model", "YuNet's landmarks and the same mean face"].map(str::to_owned);
    let all: Vec<String> = names.into_iter().chain(rivals.iter().map(|name| format!("`{name}`"))).collect();
    let pose = |face: &Face, who: usize| match who {
        0 | 1 => face.found[who].as_ref().map(|found| found.pose),
        rival => face.rivals.get(rival - 2).copied().flatten(),
    };
    println!(
        "\nHow far poses are apart, in degrees on average:\n\n| | | faces | yaw | pitch | roll |\n|---|---|---:|---:|---:|---:|"
    );
    for one in 0..all.len() {
        for other in one + 1..all.len() {
            let pairs: Vec<(Pose, Pose)> =
                faces.iter().filter_map(|face| pose(face, one).zip(pose(face, other))).collect();
            let mean = |of: fn(&Pose) -> f32| {
                let sum: f64 = pairs.iter().map(|(one, other)| f64::from((of(one) - of(other)).abs())).sum();
                sum / pairs.len() as f64
            };
            if !pairs.is_empty() {
                let apart = [mean(|pose| pose.yaw), mean(|pose| pose.pitch), mean(|pose| pose.roll)];
                let [yaw, pitch, roll] = apart.map(|degrees| format!("{degrees:.1}"));
                println!("| {} | {} | {} | {yaw} | {pitch} | {roll} |", all[one], all[other], pairs.len());
            }
        }
    }
}

/// What attributes gain by regions from landmarks.
fn regions(faces: &[Face]) {
    let mut people: BTreeMap<u64, [f64; 3]> = BTreeMap::new();
    for face in faces {
        let sum = people.entry(face.person).or_default();
        sum.iter_mut().zip(face.told).for_each(|(sum, own)| *sum += own);
    }
    let people: Vec<[f64; 3]> = people.into_values().collect();
    let shares = |places: &[usize]| {
        let sum = |which: usize| places.iter().map(|&place| people[place][which]).sum::<f64>();
        [sum(1) / sum(0), sum(2) / sum(0), (sum(2) - sum(1)) / sum(0)].map(|share| 100.0 * share)
    };
    let all: Vec<usize> = (0..people.len()).collect();
    let [by_box, by_landmarks, gain] = shares(&all);
    let range = intervals(people.len(), RESAMPLES, SEED, shares)
        .map_or_else(String::new, |[.., gain]| format!(" ({:+.2} to {:+.2})", gain.low, gain.high));
    println!(
        "\nWith ANet's region placed by the box, {by_box:.2} % of the tags are told right; by the model's landmarks, {by_landmarks:.2} %: {gain:+.2}{range}.\n"
    );
}
