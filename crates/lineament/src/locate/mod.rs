//! Finding faces: from the response maps of nets that were trained on image-level tags alone to boxes.
//!
//! A card's [`LocalizerSpec`] says how a bundle finds faces and makes a [`Localizer`]. Bundles with LNets follow an
//! [`LnetMethod`]: [`paper`] scores windows that [`edgeboxes`] proposes on averaged [`response`] maps, as published;
//! [`pyramid`] slides window classifiers over a pyramid of the photo. [`cells`] relates the cells of a map to pixels.
//! Other bundles hold a [`detector`] of others, or leave it to the caller to say where the face is. [`landmarks`] of a face that was
//! found are another net's answer.

pub mod cells;
pub mod detector;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod drawing;
mod error;
mod given;
pub mod landmarks;
mod lnet;
pub mod paper;
mod parameters;
pub mod pyramid;
pub mod response;
mod search;
mod smallest_face;
mod spec;
mod whole;

pub use cells::Cells;
pub use detector::{Detector, DetectorFile, Family};
pub use error::LocateError;
pub use given::GivenLocalizer;
pub use landmarks::{LandmarkError, LandmarkSpec, Landmarker, Pose};
pub(crate) use lnet::LNet;
pub use paper::{
    DensityPeaks, HeadShoulders, PaperLocalizer, PaperParameters, Peak, PeakParameters, Responder, View,
};
pub use parameters::ParameterError;
pub use pyramid::{PyramidLocalizer, PyramidParameters, Window, WindowToBox};
pub use response::{ResponseError, ResponseMap};
pub use search::{Faces, Search};
pub use smallest_face::{SmallestFace, SmallestFaceError};
pub use spec::{LnetMethod, Lnets, LocalizerSpec};
pub use whole::WholeLocalizer;

use crate::geometry::{Point, Rect};
use crate::photo::Photo;
use serde::{Deserialize, Serialize};

/// A face in a photo.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Face {
    /// Its box, in pixels of the photo.
    pub rect: Rect,
    /// How strongly the nets speak for it.
    pub score: f32,
    /// Eyes, nose and corners of the mouth, left before right as seen in the image, where the localizer gives them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub landmarks: Option<[Point; 5]>,
    /// How far the head is turned clockwise in the image, in degrees between -180 and 180; 0 is upright. `None` where the
    /// localizer does not know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roll: Option<f32>,
}

impl Face {
    /// A face of which nothing but its box and its score is known.
    pub const fn new(rect: Rect, score: f32) -> Self {
        Self { rect, score, landmarks: None, roll: None }
    }
}

/// Finds faces.
pub trait Localizer: Send + Sync {
    /// All faces above the threshold that the search asks for, best first; none overlaps a better one by much.
    ///
    /// # Errors
    /// Where a net does not fit the photo or leaves the range of numbers.
    fn locate(&self, photo: &Photo, search: &Search) -> Result<Faces, LocateError>;

    /// Its response maps; none where no LNet looks for faces.
    fn response_maps(&self) -> Option<&dyn ResponseMaps> {
        None
    }
}

/// A localizer with an LNet_o, whose responses show where it looks for faces.
pub trait ResponseMaps {
    /// How LNet_o responds to the photo, in its pixels.
    ///
    /// # Errors
    /// As [`Localizer::locate`].
    fn response_map(&self, photo: &Photo) -> Result<ResponseMap, LocateError>;
}
