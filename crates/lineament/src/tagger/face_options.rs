//! What faces are answered with, beside their attributes.

use super::Nets;
use crate::attributes::QualityError;
use crate::error::Result;
use crate::locate::LandmarkError;
use crate::selection::Selection;

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FaceOptions {
    /// Their landmarks and pose.
    pub(super) landmarks: bool,
    /// Their embedding.
    pub(super) embeddings: bool,
    /// Their quality.
    pub(super) quality: bool,
    /// Those of a lower quality are left out.
    pub(super) least_quality: Option<f32>,
}

impl FaceOptions {
    /// The same with what is selected of it; refuses what the nets do not tell.
    pub(super) fn with(self, selection: &Selection, nets: &Nets) -> Result<Self> {
        let least_quality = selection.least_quality.or(self.least_quality);
        let options = Self {
            landmarks: selection.landmarks.unwrap_or(self.landmarks),
            embeddings: selection.embeddings.unwrap_or(self.embeddings),
            // Nothing is left out by a number that nobody sees.
            quality: selection.quality.unwrap_or(self.quality) || least_quality.is_some(),
            least_quality,
        };
        if options.landmarks && !nets.knows_landmarks() {
            return Err(LandmarkError::None.into());
        }
        if let Some(least) = least_quality
            && !(0.0..=1.0).contains(&least)
        {
            return Err(QualityError::Least(least).into());
        }
        if options.quality && nets.card.quality.is_none() {
            return Err(QualityError::None.into());
        }
        Ok(options)
    }
}
