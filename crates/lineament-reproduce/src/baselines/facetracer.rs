//! FaceTracer as the paper ran it: histograms of gradients and of colours in parts of the face that landmarks place, concatenated; one
//! linear SVM an attribute reads them (N. Kumar, P. Belhumeur and S. Nayar, "FaceTracer", ECCV 2008; paper, section 4).

use lineament::attributes::{DescribeError, Embedding, FaceRegion, FeatureExtractor};
use lineament::{Photo, Point};
use lineament_lab::insight::Hog;
use serde::{Deserialize, Serialize};

use super::colour_histogram::ColourHistogram;
use super::parts::{Frame, Part, PartsError};

/// Which parts are looked at, and what of them is counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaceTracer {
    /// Parts of the face.
    pub parts: Vec<Part>,
    /// Gradients.
    #[serde(default)]
    pub hog: Hog,
    /// Colours.
    #[serde(default)]
    pub colours: ColourHistogram,
    /// Length of a part's colours, where that of its gradients is 1.
    pub colour_weight: f32,
    /// Every number becomes its power, with its sign: 1 leaves it, below 1 the strong count less.
    pub power: f32,
}

/// Constants with which nothing can be counted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FaceTracerError {
    /// The parts.
    #[error(transparent)]
    Parts(#[from] PartsError),
    /// How finely is counted.
    #[error(
        "hog needs cells of 2 to 64 pixels, blocks of 1 to 8 cells and 2 to 36 directions, colours 2 to 64 bins in a grid of 1 to 8 cells a side"
    )]
    Counting,
    /// A part smaller than a block.
    #[error("part {0} has fewer pixels than a block of gradients: give it more, or smaller cells")]
    Small(String),
    /// Weight and power.
    #[error("colour_weight must lie between 0 and 100, power between 0.05 and 1")]
    Range,
}

impl FaceTracer {
    /// Refuses constants with which nothing can be counted.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), FaceTracerError> {
        Part::check_all(&self.parts)?;
        if !(self.hog.is_sound() && self.colours.is_sound()) {
            return Err(FaceTracerError::Counting);
        }
        if let Some(part) = self.parts.iter().find(|part| self.hog.features(part.pixels) == 0) {
            return Err(FaceTracerError::Small(part.name.clone()));
        }
        if !((0.0..=100.0).contains(&self.colour_weight) && (0.05..=1.0).contains(&self.power)) {
            return Err(FaceTracerError::Range);
        }
        Ok(())
    }

    /// The numbers of a face before [`Self::finish`]: part by part its gradients and its colours, as they were counted.
    ///
    /// # Errors
    /// Landmarks that are no face.
    pub fn count(&self, photo: &Photo, landmarks: &[Point; 5]) -> Result<Vec<f32>, DescribeError> {
        let frame = Frame::of(landmarks)?;
        let mut counts = Vec::with_capacity(self.features());
        for part in &self.parts {
            let drawn = frame.draw(photo, part);
            self.hog.describe(&drawn, &mut counts);
            self.colours.describe(&drawn, &mut counts);
        }
        Ok(counts)
    }

    /// Powers and lengths: each part's gradients to length 1, its colours to [`Self::colour_weight`].
    pub fn finish(&self, counts: &mut [f32]) {
        let mut rest = counts;
        for part in &self.parts {
            for (length, weight) in
                [(self.hog.features(part.pixels), 1.0), (self.colours.features(), self.colour_weight)]
            {
                let (block, after) =
                    std::mem::take(&mut rest).split_at_mut_checked(length).unwrap_or_default();
                rest = after;
                if self.power != 1.0 {
                    block.iter_mut().for_each(|value| *value = value.signum() * value.abs().powf(self.power));
                }
                let long = block.iter().map(|value| value * value).sum::<f32>().sqrt();
                let factor = if long > 0.0 { weight / long } else { 0.0 };
                block.iter_mut().for_each(|value| *value *= factor);
            }
        }
    }
}

impl FeatureExtractor for FaceTracer {
    fn features(&self) -> usize {
        self.parts.iter().map(|part| self.hog.features(part.pixels) + self.colours.features()).sum()
    }

    fn embed(&self, photo: &Photo, region: &FaceRegion) -> Result<Embedding, DescribeError> {
        let FaceRegion::Landmarks(landmarks) = region else { return Err(DescribeError::NeedsLandmarks) };
        let mut counts = self.count(photo, landmarks)?;
        self.finish(&mut counts);
        Ok(counts)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
