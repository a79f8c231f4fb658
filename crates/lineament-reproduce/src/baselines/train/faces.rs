//! The faces that the baselines learn from: images whose landmarks are known, or found by a detector.

use std::path::PathBuf;
use std::sync::Arc;

use lineament::locate::Localizer;
use lineament::{Photo, Point, Search};
use lineament_data::{Dataset, Framing, PhotoCache, Split, shuffled};
use rayon::prelude::*;

use lineament_train::TrainError;
use lineament_train::faces::{kept_images, mostly_known};
use lineament_train::sets::open_photo;

/// Identities of different data sets are different people as far as we know.
const IDENTITIES_A_SET: u32 = 1 << 24;

/// One face.
#[derive(Debug, Clone)]
pub struct MarkedFace {
    /// Where the image is.
    pub path: PathBuf,
    /// Its landmarks, in pixels of the file.
    pub landmarks: [Point; 5],
    /// One entry an attribute.
    pub tags: Vec<Option<bool>>,
    /// Person, counted through all data sets.
    pub identity: Option<u32>,
    /// Part of the data.
    pub split: Split,
}

/// All faces of a training, with the images kept in memory.
pub struct MarkedFaces {
    /// The faces, in an order that depends on the data alone.
    pub faces: Vec<MarkedFace>,
    cache: PhotoCache,
}

impl MarkedFaces {
    /// Collects the tagged faces of `sets` to learn from and to choose on, each image once; one of which few tags are known (LFW has but one of
    /// CelebA's) costs as much as any and teaches little, and is left out. Where an image has no landmarks, `localizer` is
    /// asked for those of the dominant face; without one, or where it finds none, the image is left out.
    ///
    /// # Errors
    /// When an image can't be read, or there is no face at all.
    pub fn collect(sets: &[Dataset], localizer: Option<&dyn Localizer>) -> Result<Self, TrainError> {
        let mut faces = Vec::new();
        let mut left_out = 0;
        for (set, place) in sets.iter().zip(0..) {
            let samples = set.once_each(Framing::Aligned).samples;
            let wanted: Vec<_> = samples
                .into_iter()
                .filter(|one| one.split != Split::Test && mostly_known(&one.tags))
                .collect();
            let found = wanted
                .into_par_iter()
                .map(|sample| {
                    let landmarks = match (sample.landmarks, localizer) {
                        (None, Some(localizer)) => {
                            let faces = localizer.locate(&open_photo(&sample.path)?, &Search::default());
                            let faces = faces.map_err(|e| TrainError::Net(e.to_string()))?;
                            faces.first().and_then(|face| face.landmarks)
                        }
                        (known, _) => known,
                    };
                    Ok(landmarks.map(|landmarks| MarkedFace {
                        path: sample.path,
                        landmarks,
                        tags: sample.tags,
                        identity: sample.identity.map(|identity| identity + place * IDENTITIES_A_SET),
                        split: sample.split,
                    }))
                })
                .collect::<Result<Vec<_>, TrainError>>()?;
            left_out += found.iter().filter(|face| face.is_none()).count();
            faces.extend(found.into_iter().flatten());
        }
        let of = |split| faces.iter().filter(|face| face.split == split).count();
        let (train, validation) = (of(Split::Train), of(Split::Validation));
        if train == 0 || validation == 0 {
            let why = format!(
                "there are {train} tagged pictures with landmarks to train on and {validation} to choose on, and both are needed; a detector that \
                 tells landmarks (--detector, yunet) finds those that the data lacks"
            );
            return Err(TrainError::NoImages { stage: "svms".to_owned(), why });
        }
        tracing::info!(
            "faces: {train} to train on, {validation} to choose on, {left_out} without landmarks left out"
        );
        Ok(Self { faces, cache: kept_images() })
    }

    /// Keeps so many faces to train on, drawn by the seed: fewer of a larger number are among more of it.
    pub fn learn_from(&mut self, images: usize, seed: u64) {
        let train = self.of(Split::Train);
        let mut kept = vec![false; self.faces.len()];
        for place in shuffled(train.len(), seed, 0).into_iter().take(images) {
            kept[train[place] as usize] = true;
        }
        let mut kept = kept.into_iter();
        self.faces.retain(|face| kept.next() == Some(true) || face.split != Split::Train);
    }

    /// Places of the faces of a part.
    pub fn of(&self, split: Split) -> Vec<u32> {
        let places = self.faces.iter().zip(0..);
        places.filter(|(face, _)| face.split == split).map(|(_, place)| place).collect()
    }

    /// The image of a face, and its landmarks in that image's pixels.
    ///
    /// # Errors
    /// When the image can't be read.
    pub fn photo(&self, place: u32) -> Result<(Arc<Photo>, [Point; 5]), TrainError> {
        let face = &self.faces[place as usize];
        let kept = self.cache.get(&face.path)?;
        let scale = kept.scale;
        Ok((kept.photo, face.landmarks.map(|point| Point::new(point.x * scale, point.y * scale))))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn fewer_faces_are_among_more_and_validation_stays() {
        let face = |place: u32| MarkedFace {
            path: PathBuf::from(place.to_string()),
            landmarks: [Point::new(0.0, 0.0); 5],
            tags: vec![Some(true)],
            identity: None,
            split: if place.is_multiple_of(4) { Split::Validation } else { Split::Train },
        };
        let kept = |images| {
            let mut all = MarkedFaces { faces: (0..40).map(face).collect(), cache: PhotoCache::new(1, 1) };
            all.learn_from(images, 7);
            assert_eq!(all.of(Split::Validation).len(), 10);
            all.of(Split::Train)
                .iter()
                .map(|place| all.faces[*place as usize].path.clone())
                .collect::<Vec<_>>()
        };
        let (few, more) = (kept(5), kept(12));
        assert_eq!((few.len(), more.len(), kept(100).len()), (5, 12, 30));
        assert!(
            few.iter().all(|path| more.contains(path))
                && more.is_sorted_by_key(|path| path.to_str().unwrap().parse::<u32>().unwrap())
        );
    }
}
