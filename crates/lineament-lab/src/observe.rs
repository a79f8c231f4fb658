//! One pass over the images of a split: the faces found, and the scores read in the dominant one.
//!
//! An image is decoded, answered and dropped; what stays is its boxes and one score an attribute, so that memory does
//! not grow with the images. Work is spread over the rayon pool of the caller, and the order of the images is kept.

use std::path::{Path, PathBuf};

use lineament::attributes::FaceRegion;
use lineament::locate::Face;
use lineament::{Limits, Photo, PhotoError, Point, Rect, Tagger};
use lineament_data::{Dataset, Framing, Sample, Split};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Where the face region of an image comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaceFrom {
    /// The localizer finds it in the photo, end to end.
    Located,
    /// The given landmarks place it: the attribute half alone.
    Landmarks,
}

impl FaceFrom {
    /// The framing that shows what is asked: photos to find faces in, aligned images to read attributes in.
    pub(crate) fn framing(self) -> Framing {
        match self {
            Self::Located => Framing::Photo,
            Self::Landmarks => Framing::Aligned,
        }
    }
}

/// Why a split cannot be measured at all. What concerns one image only is counted as skipped.
#[derive(Debug, Error)]
pub enum EvaluateError {
    /// The split is empty.
    #[error("the data set {data} has no picture in its {split} part: choose another with --split")]
    NoImages {
        /// Name of the data set.
        data: String,
        /// The split asked for.
        split: Split,
    },
    /// No image has landmarks.
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
    /// Every image was skipped.
    #[error("none of the {images} pictures of {data} could be read; the first: {first}")]
    NothingRead {
        /// Name of the data set.
        data: String,
        /// How many were tried.
        images: usize,
        /// What was wrong with the first.
        first: String,
    },
}

/// What was seen in one image.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// Faces found, best first; empty where the region was given.
    pub found: Vec<(Rect, f32)>,
    /// The place that was read; `None` where no face was found.
    pub place: Option<FaceRegion>,
    /// The score of every attribute of the model; `None` where no face was found.
    pub scores: Option<Vec<f32>>,
}

/// An image that could not be answered.
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

/// What can go wrong with one image.
#[derive(Debug, Error)]
enum ImageError {
    #[error(transparent)]
    Photo(#[from] PhotoError),
    #[error(transparent)]
    Tagger(#[from] lineament::Error),
}

impl<'a> Observations<'a> {
    /// Looks at every image of `split`, calling `done` after each.
    ///
    /// [`FaceFrom::Located`] takes the un-cropped photos and [`FaceFrom::Landmarks`] the aligned images; a split that
    /// has only the other framing is measured on that. An image without landmarks is given the place that the others
    /// have in the middle (the median, relative to the image), which fits a set framed around the face.
    ///
    /// # Errors
    /// A split without images, labels or landmarks, or in which nothing could be read.
    pub fn of(
        tagger: &'a Tagger,
        data: &Dataset,
        split: Split,
        face_from: FaceFrom,
        done: &(dyn Fn() + Sync),
    ) -> Result<Self, EvaluateError> {
        let samples = asked(tagger, data, split, face_from.framing())?;
        let without_landmarks = samples.iter().filter(|sample| sample.landmarks.is_none()).count();
        if face_from == FaceFrom::Landmarks && without_landmarks == samples.len() {
            return Err(EvaluateError::NoLandmarks { data: data.name.clone(), split });
        }
        let answers = match face_from {
            FaceFrom::Located => located(tagger, &samples, done),
            FaceFrom::Landmarks => from_landmarks(tagger, &samples, done),
        };
        let without_landmarks = if face_from == FaceFrom::Landmarks { without_landmarks } else { 0 };
        Ok(Self { without_landmarks, ..Self::gathered(tagger, data, (split, face_from), samples, answers)? })
    }

    /// The same where something else than the model's own localizer has looked: what it found in each photo, and where the model
    /// is to look for it; `None` where it found nothing.
    ///
    /// # Errors
    /// As [`Observations::of`].
    pub fn found_by(
        tagger: &'a Tagger,
        data: &Dataset,
        split: Split,
        find: &(dyn Fn(&Sample) -> Option<(Face, FaceRegion)> + Sync),
    ) -> Result<Self, EvaluateError> {
        let samples = asked(tagger, data, split, FaceFrom::Located.framing())?;
        let look = |sample: &Sample| {
            let found = find(sample);
            let read = |(_, place)| Ok::<_, ImageError>(tagger.scores(&open(&sample.path)?, place)?);
            Ok(Seen {
                found: found.iter().map(|(face, _)| (face.rect, face.score)).collect(),
                place: found.map(|(_, place)| place),
                scores: found.map(read).transpose()?,
            })
        };
        let answers = samples.par_iter().map(look).collect();
        Self::gathered(tagger, data, (split, FaceFrom::Located), samples, answers)
    }

    fn gathered(
        tagger: &'a Tagger,
        data: &Dataset,
        (split, face_from): (Split, FaceFrom),
        samples: Vec<Sample>,
        answers: Vec<Result<Seen, ImageError>>,
    ) -> Result<Self, EvaluateError> {
        let card = tagger.card();
        let mut observations = Self {
            tagger,
            split,
            face_from,
            samples: Vec::with_capacity(samples.len()),
            seen: Vec::with_capacity(samples.len()),
            skipped: Vec::new(),
            without_landmarks: 0,
            unknown_to_model: data
                .attributes
                .iter()
                .filter(|name| card.find(name).is_err())
                .cloned()
                .collect(),
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
                data: data.name.clone(),
                images: observations.skipped.len(),
                first: first.reason.clone(),
            }),
            _ => Ok(observations),
        }
    }

    /// How many images could not be read.
    pub fn skipped(&self) -> usize {
        self.skipped.len()
    }

    /// The best score of every image; `None` where no face was found.
    pub(crate) fn best_scores(&self) -> Vec<Option<f32>> {
        self.seen.iter().map(|seen| seen.found.first().map(|(_, score)| *score)).collect()
    }
}

/// The images of a split that the model is asked about, with their tags in its order.
fn asked(
    tagger: &Tagger,
    data: &Dataset,
    split: Split,
    framing: Framing,
) -> Result<Vec<Sample>, EvaluateError> {
    let names: Vec<String> = tagger.card().names().into_iter().map(str::to_owned).collect();
    let mut samples = data.split(split).with_attributes(&names).samples;
    if samples.iter().any(|sample| sample.framing == framing) {
        samples.retain(|sample| sample.framing == framing);
    }
    if samples.is_empty() {
        return Err(EvaluateError::NoImages { data: data.name.clone(), split });
    }
    if samples.iter().all(|sample| sample.tags.iter().all(Option::is_none)) {
        return Err(EvaluateError::NoLabels { data: data.name.clone() });
    }
    Ok(samples)
}

/// The best score of every image that can be read (`None`: no face found), and those that cannot.
pub fn best_scores(
    tagger: &Tagger,
    paths: &[PathBuf],
    done: &(dyn Fn() + Sync),
) -> (Vec<Option<f32>>, Vec<Skipped>) {
    let look = |path: &PathBuf| -> Result<Option<f32>, ImageError> {
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

/// The boxes found in one image with their scores, or why it cannot be read.
pub(crate) fn found_in(tagger: &Tagger, path: &Path) -> Result<Vec<(Rect, f32)>, String> {
    let look = || -> Result<_, ImageError> { Ok(tagger.locate(&open(path)?)?) };
    let faces = look().map_err(|error| error.to_string())?;
    Ok(faces.into_iter().map(|face| (face.rect, face.score)).collect())
}

fn open(path: &Path) -> Result<Photo, PhotoError> {
    Photo::open(path, &Limits::default())
}

fn located(tagger: &Tagger, samples: &[Sample], done: &(dyn Fn() + Sync)) -> Vec<Result<Seen, ImageError>> {
    let look = |sample: &Sample| {
        let photo = open(&sample.path)?;
        let faces = tagger.locate(&photo)?;
        let place = faces.first().map(|dominant| tagger.region_of(dominant)).transpose()?;
        let scores = place.map(|place| tagger.scores(&photo, place)).transpose()?;
        let found = faces.into_iter().map(|face| (face.rect, face.score)).collect();
        Ok(Seen { found, place, scores })
    };
    samples.par_iter().map(look).inspect(|_| done()).collect()
}

/// A place in shares of its image: of a region the centre, and the side against the height; of landmarks each point.
#[derive(Debug, Clone, PartialEq)]
struct Relative(Vec<f32>);

impl Relative {
    fn of(place: &FaceRegion, photo: &Photo) -> Self {
        let (width, height) = (photo.width() as f32, photo.height() as f32);
        let share = |point: &Point| [point.x / width, point.y / height];
        Self(match place {
            FaceRegion::Region(region) | FaceRegion::Turned { region, .. } => {
                [&share(&region.centre())[..], &[region.height / height]].concat()
            }
            FaceRegion::Landmarks(points) => points.iter().flat_map(share).collect(),
        })
    }

    fn on(&self, photo: &Photo) -> Option<FaceRegion> {
        let (width, height) = (photo.width() as f32, photo.height() as f32);
        if let &[x, y, side] = self.0.as_slice() {
            let side = side * height;
            return Some(Rect::about(Point::new(x * width, y * height), side, side).into());
        }
        let points = self.0.as_chunks::<2>().0.iter().map(|&[x, y]| Point::new(x * width, y * height));
        <[Point; 5]>::try_from(points.collect::<Vec<_>>()).ok().map(FaceRegion::from)
    }

    /// The median of each share.
    fn median(all: &[&Self]) -> Self {
        let shares = all.first().map_or(0, |one| one.0.len());
        let middle = |place: usize| {
            let mut values: Vec<f32> = all.iter().filter_map(|one| one.0.get(place).copied()).collect();
            values.sort_by(f32::total_cmp);
            values.get(values.len() / 2).copied()
        };
        Self((0..shares).filter_map(middle).collect())
    }
}

fn from_landmarks(
    tagger: &Tagger,
    samples: &[Sample],
    done: &(dyn Fn() + Sync),
) -> Vec<Result<Seen, ImageError>> {
    let read = |photo: &Photo, place: FaceRegion| -> Result<Seen, ImageError> {
        Ok(Seen { found: Vec::new(), place: Some(place), scores: Some(tagger.scores(photo, place)?) })
    };
    let given: Vec<Option<Result<(Seen, Relative), ImageError>>> = samples
        .par_iter()
        .map(|sample| {
            let landmarks = sample.landmarks?;
            let look = || {
                let photo = open(&sample.path)?;
                let place = tagger.region_of_landmarks(&landmarks)?;
                Ok((read(&photo, place)?, Relative::of(&place, &photo)))
            };
            let seen = look();
            done();
            Some(seen)
        })
        .collect();
    let places: Vec<&Relative> = given.iter().flatten().flatten().map(|(_, relative)| relative).collect();
    let usual = Relative::median(&places);
    given
        .into_par_iter()
        .zip(samples)
        .map(|(given, sample)| match given {
            Some(seen) => seen.map(|(seen, _)| seen),
            None => {
                let look = || {
                    let photo = open(&sample.path)?;
                    // Where no landmarks could be used at all, the middle of the image is as good.
                    let place = usual.on(&photo).unwrap_or_else(|| photo.rect().squared().into());
                    read(&photo, place)
                };
                let seen = look();
                done();
                seen
            }
        })
        .collect()
}
