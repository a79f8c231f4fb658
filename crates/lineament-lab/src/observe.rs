//! One pass over the pictures of a split: the faces found, and the scores read in the dominant one.
//!
//! A picture is decoded, answered and dropped; what stays is its boxes and one score an attribute, so that memory does
//! not grow with the pictures. Work is spread over the rayon pool of the caller, and the order of the pictures is kept.

use std::path::{Path, PathBuf};

use lineament::{Limits, Photo, PhotoError, Rect, Tagger, TaggerError};
use lineament_data::{Dataset, Framing, Sample, Split};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Where the face region of a picture comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaceFrom {
    /// The localiser finds it in the photo, end to end.
    Located,
    /// The given landmarks place it: the attribute half alone.
    Landmarks,
}

impl FaceFrom {
    /// The framing that shows what is asked: photos to find faces in, aligned pictures to read attributes in.
    pub(crate) fn framing(self) -> Framing {
        match self {
            Self::Located => Framing::Photo,
            Self::Landmarks => Framing::Aligned,
        }
    }
}

/// Why a split cannot be measured at all. What concerns one picture only is counted as skipped.
#[derive(Debug, Error)]
pub enum EvaluateError {
    /// The split is empty.
    #[error("the data set {data} has no picture in its {split} part: choose another with --split")]
    NoPictures {
        /// Name of the data set.
        data: String,
        /// The split asked for.
        split: Split,
    },
    /// No picture has landmarks.
    #[error(
        "none of the {split} pictures of {data} has landmarks: use --region located, or add the five landmarks to the data"
    )]
    NoLandmarks {
        /// Name of the data set.
        data: String,
        /// The split asked for.
        split: Split,
    },
    /// Nothing to compare the answers with.
    #[error(
        "{data} labels none of the attributes this model knows: name its columns as `lineament model show` lists them"
    )]
    NoLabels {
        /// Name of the data set.
        data: String,
    },
    /// Every picture was skipped.
    #[error("none of the {pictures} pictures of {data} could be read; the first: {first}")]
    NothingRead {
        /// Name of the data set.
        data: String,
        /// How many were tried.
        pictures: usize,
        /// What was wrong with the first.
        first: String,
    },
}

/// What was seen in one picture.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// Faces found, best first; empty where the region was given.
    pub found: Vec<(Rect, f32)>,
    /// The square region that was read; `None` where no face was found.
    pub region: Option<Rect>,
    /// The score of every attribute of the model; `None` where no face was found.
    pub scores: Option<Vec<f32>>,
}

/// A picture that could not be answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// The file.
    pub path: PathBuf,
    /// What was wrong with it.
    pub reason: String,
}

/// Everything one pass over a split gave: enough to evaluate any operating point.
#[derive(Debug)]
pub struct Observations<'a> {
    pub(crate) tagger: &'a Tagger,
    pub(crate) split: Split,
    pub(crate) face_from: FaceFrom,
    /// Tags in the order of the model's attributes.
    pub(crate) samples: Vec<Sample>,
    pub(crate) seen: Vec<Seen>,
    pub(crate) skipped: Vec<Skipped>,
    pub(crate) without_landmarks: usize,
    pub(crate) unknown_to_model: Vec<String>,
}

/// What can go wrong with one picture.
#[derive(Debug, Error)]
enum PictureError {
    #[error(transparent)]
    Photo(#[from] PhotoError),
    #[error(transparent)]
    Tagger(#[from] TaggerError),
}

impl<'a> Observations<'a> {
    /// Looks at every picture of `split`, calling `done` after each.
    ///
    /// [`FaceFrom::Located`] takes the un-cropped photos and [`FaceFrom::Landmarks`] the aligned pictures; a split that
    /// has only the other framing is measured on that. A picture without landmarks is given the region that the others
    /// have in the middle (the median, relative to the picture), which fits a set framed around the face.
    ///
    /// # Errors
    /// A split without pictures, labels or landmarks, or in which nothing could be read.
    pub fn of(
        tagger: &'a Tagger,
        data: &Dataset,
        split: Split,
        face_from: FaceFrom,
        done: &(dyn Fn() + Sync),
    ) -> Result<Self, EvaluateError> {
        let names: Vec<String> = tagger.card().names().into_iter().map(str::to_owned).collect();
        let name = || data.name.clone();
        let mut samples = data.split(split).with_attributes(&names).samples;
        if samples.iter().any(|sample| sample.framing == face_from.framing()) {
            samples.retain(|sample| sample.framing == face_from.framing());
        }
        if samples.is_empty() {
            return Err(EvaluateError::NoPictures { data: name(), split });
        }
        if samples.iter().all(|sample| sample.tags.iter().all(Option::is_none)) {
            return Err(EvaluateError::NoLabels { data: name() });
        }
        let without_landmarks = samples.iter().filter(|sample| sample.landmarks.is_none()).count();
        if face_from == FaceFrom::Landmarks && without_landmarks == samples.len() {
            return Err(EvaluateError::NoLandmarks { data: name(), split });
        }
        let answers = match face_from {
            FaceFrom::Located => located(tagger, &samples, done),
            FaceFrom::Landmarks => from_landmarks(tagger, &samples, done),
        };
        let mut observations = Self {
            tagger,
            split,
            face_from,
            samples: Vec::with_capacity(samples.len()),
            seen: Vec::with_capacity(samples.len()),
            skipped: Vec::new(),
            without_landmarks: if face_from == FaceFrom::Landmarks { without_landmarks } else { 0 },
            unknown_to_model: data.attributes.iter().filter(|name| !names.contains(name)).cloned().collect(),
        };
        for (sample, answer) in samples.into_iter().zip(answers) {
            match answer {
                Ok(seen) => {
                    observations.samples.push(sample);
                    observations.seen.push(seen);
                }
                Err(error) => {
                    observations.skipped.push(Skipped { path: sample.path, reason: error.to_string() });
                }
            }
        }
        match observations.skipped.first() {
            Some(first) if observations.seen.is_empty() => Err(EvaluateError::NothingRead {
                data: name(),
                pictures: observations.skipped.len(),
                first: first.reason.clone(),
            }),
            _ => Ok(observations),
        }
    }

    /// How many pictures could not be read.
    pub fn skipped(&self) -> usize {
        self.skipped.len()
    }

    /// The best score of every picture; `None` where no face was found.
    pub(crate) fn best_scores(&self) -> Vec<Option<f32>> {
        self.seen.iter().map(|seen| seen.found.first().map(|(_, score)| *score)).collect()
    }
}

/// The best score of every picture that can be read (`None`: no face found), and those that cannot.
pub fn best_scores(
    tagger: &Tagger,
    paths: &[PathBuf],
    done: &(dyn Fn() + Sync),
) -> (Vec<Option<f32>>, Vec<Skipped>) {
    let look = |path: &PathBuf| -> Result<Option<f32>, PictureError> {
        let best = tagger.locate(&open(path)?)?.first().map(|face| face.score);
        Ok(best)
    };
    let answers: Vec<_> = paths.par_iter().map(|path| (path, look(path))).inspect(|_| done()).collect();
    let mut skipped = Vec::new();
    let mut scores = Vec::with_capacity(answers.len());
    for (path, answer) in answers {
        match answer {
            Ok(best) => scores.push(best),
            Err(error) => skipped.push(Skipped { path: path.clone(), reason: error.to_string() }),
        }
    }
    (scores, skipped)
}

fn open(path: &Path) -> Result<Photo, PhotoError> {
    Photo::open(path, &Limits::default())
}

fn located(tagger: &Tagger, samples: &[Sample], done: &(dyn Fn() + Sync)) -> Vec<Result<Seen, PictureError>> {
    let look = |sample: &Sample| {
        let photo = open(&sample.path)?;
        let found: Vec<(Rect, f32)> =
            tagger.locate(&photo)?.into_iter().map(|face| (face.rect, face.score)).collect();
        let region = found.first().map(|(dominant, _)| tagger.region_of_box(*dominant)).transpose()?;
        let scores = region.map(|region| tagger.scores_in(&photo, region)).transpose()?;
        Ok(Seen { found, region, scores })
    };
    samples.par_iter().map(look).inspect(|_| done()).collect()
}

/// A face region in shares of its picture: centre, and side against the height.
#[derive(Debug, Clone, Copy)]
struct Relative {
    x: f32,
    y: f32,
    side: f32,
}

impl Relative {
    fn of(region: Rect, photo: &Photo) -> Self {
        let (width, height) = (photo.width() as f32, photo.height() as f32);
        let centre = region.centre();
        Self { x: centre.x / width, y: centre.y / height, side: region.height / height }
    }

    fn on(self, photo: &Photo) -> Rect {
        let (width, height) = (photo.width() as f32, photo.height() as f32);
        let centre = lineament::Point::new(self.x * width, self.y * height);
        Rect::about(centre, self.side * height, self.side * height)
    }

    /// The median of each share; the middle of the picture where there are none.
    fn median(all: &[Self]) -> Self {
        let middle = |share: fn(&Self) -> f32, otherwise: f32| {
            let mut shares: Vec<f32> = all.iter().map(share).collect();
            shares.sort_by(f32::total_cmp);
            shares.get(shares.len() / 2).copied().unwrap_or(otherwise)
        };
        Self {
            x: middle(|region| region.x, 0.5),
            y: middle(|region| region.y, 0.5),
            side: middle(|region| region.side, 1.0),
        }
    }
}

fn from_landmarks(
    tagger: &Tagger,
    samples: &[Sample],
    done: &(dyn Fn() + Sync),
) -> Vec<Result<Seen, PictureError>> {
    let read = |photo: &Photo, region: Rect| -> Result<Seen, PictureError> {
        Ok(Seen { found: Vec::new(), region: Some(region), scores: Some(tagger.scores_in(photo, region)?) })
    };
    let given: Vec<Option<Result<(Seen, Relative), PictureError>>> = samples
        .par_iter()
        .map(|sample| {
            let landmarks = sample.landmarks?;
            let look = || {
                let photo = open(&sample.path)?;
                let region = tagger.region_of_landmarks(&landmarks)?;
                Ok((read(&photo, region)?, Relative::of(region, &photo)))
            };
            let seen = look();
            done();
            Some(seen)
        })
        .collect();
    let regions: Vec<Relative> = given.iter().flatten().flatten().map(|(_, relative)| *relative).collect();
    let usual = Relative::median(&regions);
    given
        .into_par_iter()
        .zip(samples)
        .map(|(given, sample)| match given {
            Some(seen) => seen.map(|(seen, _)| seen),
            None => {
                let look = || {
                    let photo = open(&sample.path)?;
                    read(&photo, usual.on(&photo))
                };
                let seen = look();
                done();
                seen
            }
        })
        .collect()
}
