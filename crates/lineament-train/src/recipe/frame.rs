//! Where faces stand in the images of a data set that was cropped around them.

use std::collections::BTreeMap;

use lineament::{Photo, Rect};
use serde::{Deserialize, Serialize};

use super::section::{Section, above_zero};
use crate::error::TrainError;

/// Where a face stands in images that were cropped around it, as shares of the image's height.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frame {
    /// Centre of the face region below the top edge; from left to right it is the middle.
    pub centre: f32,
    /// Side of the region.
    pub side: f32,
}

impl Frame {
    /// The region that this frame means in `photo`, in its pixels.
    pub fn region(&self, photo: &Photo) -> Rect {
        let (width, height) = (photo.width() as f32, photo.height() as f32);
        let side = self.side * height;
        Rect { x: width / 2.0 - side / 2.0, y: self.centre * height - side / 2.0, width: side, height: side }
    }

    /// Refuses frames that hold no face.
    ///
    /// # Errors
    /// [`TrainError::Recipe`] that names the frame and the field.
    pub fn check_all(table: &str, frames: &BTreeMap<String, Self>) -> Result<(), TrainError> {
        for (set, Self { centre, side }) in frames {
            let title = format!("{table}.{set}");
            Section::table(&title).within("centre", *centre, -1.0..=2.0)?;
            Section::table(&title).within("side", *side, above_zero(10.0))?;
        }
        Ok(())
    }
}
