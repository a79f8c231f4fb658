//! The faces that ANet learns from: an image, the square region to look at, and what is known about it.

use std::path::PathBuf;
use std::sync::Arc;

use lineament::attributes::Region;
use lineament::{Photo, Rect};
use lineament_data::{Augment, Dataset, Framing, Kept, PhotoCache, Sample, Split};
use rand_chacha::ChaCha8Rng;

use crate::error::TrainError;
use crate::located::Located;
use crate::recipe::{Frame, Recipe};

/// Longest side at which images are kept in memory: a face region of a photo rarely has more pixels than ANet's input.
const KEPT_SIDE: u32 = 256;

/// Memory that decoded images may fill.
const KEPT_BYTES: u64 = 6 << 30;

/// Images of faces in memory, as every stage keeps them that looks at one face of each.
pub fn kept_images() -> PhotoCache {
    PhotoCache::new(KEPT_SIDE, KEPT_BYTES)
}

/// Where the face region of an image is known from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Whereabouts {
    /// The region itself, in pixels of the file.
    Region(Rect),
    /// The image was cropped so that the face stands here.
    Framed(Frame),
}

/// One face.
#[derive(Debug, Clone)]
pub struct Face {
    /// Where the image is.
    pub path: PathBuf,
    /// Where the square face region is.
    pub region: Whereabouts,
    /// One entry an attribute.
    pub tags: Vec<Option<bool>>,
    /// Another model's probabilities.
    pub teacher: Option<Vec<f32>>,
    /// Person, counted through all data sets.
    pub identity: Option<u32>,
    /// Part of the data.
    pub split: Split,
}

/// Whether half of the tags are known, or more: an image of which one tag is known costs as much as one with forty and teaches little.
pub fn mostly_known(tags: &[Option<bool>]) -> bool {
    2 * tags.iter().filter(|tag| tag.is_some()).count() >= tags.len().max(1)
}

/// All faces of a training, with the images kept in memory.
pub struct Faces {
    /// The faces, in an order that depends on the data alone.
    pub faces: Vec<Face>,
    cache: PhotoCache,
}

/// Identities of different data sets are different people as far as we know.
const IDENTITIES_A_SET: u32 = 1 << 24;

impl Faces {
    /// Collects the faces of `sets`, each image once: cropped images by landmarks or their frame, photos by what LNets found in them
    /// (photos without a found face are left out).
    pub fn collect(sets: &[Dataset], recipe: &Recipe, located: &Located) -> Self {
        let mut faces = Vec::new();
        for (place, set) in sets.iter().enumerate() {
            let frame = recipe.frames.get(&set.name);
            for sample in &set.once_each(Framing::Aligned).samples {
                let Some(region) = region_of(sample, &recipe.region, frame, located) else { continue };
                faces.push(Face {
                    path: sample.path.clone(),
                    region,
                    tags: sample.tags.clone(),
                    teacher: sample.teacher.clone(),
                    identity: sample.identity.map(|i| i + place as u32 * IDENTITIES_A_SET),
                    split: sample.split,
                });
            }
        }
        Self { faces, cache: kept_images() }
    }

    /// The image of a face, and its region in that image's pixels.
    ///
    /// # Errors
    /// When the image can't be read.
    pub fn photo(&self, index: usize) -> Result<(Arc<Photo>, Rect), TrainError> {
        let face = &self.faces[index];
        let kept = self.cache.get(&face.path)?;
        let region = face.region.in_kept(&kept);
        Ok((kept.photo, region))
    }

    /// A patch of the face region as training sees it: moved, turned, coloured at random.
    ///
    /// # Errors
    /// When the image can't be read.
    pub fn patch(
        &self,
        index: usize,
        augment: &Augment,
        size: u32,
        rng: &mut ChaCha8Rng,
    ) -> Result<Photo, TrainError> {
        let (photo, region) = self.photo(index)?;
        Ok(augment.patch(&photo, region, size, rng))
    }
}

impl Whereabouts {
    /// The square, in pixels of the kept image.
    pub fn in_kept(&self, kept: &Kept) -> Rect {
        match self {
            Self::Region(region) => kept.to_kept(*region),
            Self::Framed(frame) => frame.region(&kept.photo),
        }
    }
}

fn region_of(
    sample: &Sample,
    rule: &Region,
    frame: Option<&Frame>,
    located: &Located,
) -> Option<Whereabouts> {
    if sample.framing == Framing::Photo {
        return located.region(&sample.path, rule).map(Whereabouts::Region);
    }
    let of_landmarks = sample.landmarks.as_ref().and_then(|landmarks| rule.of_landmarks(landmarks).ok());
    of_landmarks.map(Whereabouts::Region).or(frame.copied().map(Whereabouts::Framed))
}
