//! Finding faces: from the response maps of nets that were trained on image-level tags alone to boxes.
//!
//! The rooms, in the order of the data: [`responder`] shows a photo to an LNet, [`response`] is what comes
//! back (on [`cells`]), [`edgeboxes`] proposes windows, [`windows`] scores them, [`density_peaks`] tells several faces apart, and [`paper`] is the cascade of it all. [`Locator`] says which way a bundle goes: its LNets, or somebody else's
//! [`detector`].

pub mod cells;
pub mod density_peaks;
pub mod detector;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod drawing;
mod error;
mod given;
mod locator;
pub mod paper;
mod parameters;
pub mod pyramid;
pub mod responder;
pub mod response;
mod whole;
pub mod windows;

pub use cells::Cells;
pub use density_peaks::{DensityPeaks, Peak, PeakParameters};
pub use detector::{Detector, Family};
pub use error::LocateError;
pub use given::GivenLocalizer;
pub use locator::{Lnets, Locator};
pub use paper::{HeadShoulders, PaperLocalisation, PaperLocalizer};
pub use parameters::ParameterError;
pub use pyramid::{PyramidLocalisation, PyramidLocalizer, Window, WindowToBox};
pub use responder::{Look, Responder};
pub use response::{ResponseError, ResponseMap};
pub use whole::WholeLocalizer;

use crate::engine::Runner;
use crate::geometry::{Point, Rect};
use crate::input::Preprocess;
use crate::photo::Photo;
use serde::{Deserialize, Serialize};

/// A face in a photo.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Face {
    /// Its box, in pixels of the photo.
    pub rect: Rect,
    /// How strongly the nets speak for it.
    pub score: f32,
    /// Eyes, nose and corners of the mouth, left before right as seen in the picture, where the localiser tells them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub landmarks: Option<[Point; 5]>,
}

/// Finds faces.
pub trait Localizer: Send + Sync {
    /// All faces above the threshold, best first; none overlaps a better one by much.
    ///
    /// # Errors
    /// Where a net does not fit the photo or leaves the range of numbers.
    fn locate(&self, photo: &Photo) -> Result<Vec<Face>, LocateError>;

    /// How LNet_o responds to the photo, in its pixels: for people who want to see what the net looked at.
    ///
    /// # Errors
    /// As [`Self::locate`].
    fn response_map(&self, photo: &Photo) -> Result<ResponseMap, LocateError>;
}

/// How a bundle's LNets lead to boxes, with all constants; stored in its card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Localisation {
    /// As the paper does it.
    Paper(PaperLocalisation),
    /// Window classifiers slid over a pyramid.
    Pyramid(PyramidLocalisation),
    /// The picture is what is asked about, whatever is on it.
    Whole,
}

impl Localisation {
    /// Whether every value is one that the localiser can work with.
    ///
    /// # Errors
    /// Names the value that is out of range, and the range.
    pub fn check(&self) -> Result<(), LocateError> {
        match self {
            Self::Paper(parameters) => Ok(parameters.check()?),
            Self::Pyramid(parameters) => Ok(parameters.check()?),
            Self::Whole => Ok(()),
        }
    }

    /// The localiser of two nets.
    ///
    /// # Errors
    /// Parameters out of range, or nets that do not end in maps.
    pub fn localizer(
        &self,
        lnet_o: impl Into<Runner>,
        lnet_s: impl Into<Runner>,
        preprocess: Preprocess,
    ) -> Result<Box<dyn Localizer>, LocateError> {
        match self {
            Self::Paper(parameters) => {
                Ok(Box::new(PaperLocalizer::new(lnet_o, lnet_s, preprocess, parameters.clone())?))
            }
            Self::Pyramid(parameters) => {
                Ok(Box::new(PyramidLocalizer::new(lnet_o, lnet_s, preprocess, parameters.clone())?))
            }
            Self::Whole => Ok(Box::new(WholeLocalizer::new(lnet_o, preprocess)?)),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_localisation_is_written_and_read_with_its_kind() {
        let parameters = PaperLocalisation { threshold: 0.25, ..PaperLocalisation::default() };
        let written = serde_json::to_string(&Localisation::Paper(parameters.clone())).unwrap();
        assert!(written.starts_with(r#"{"kind":"paper","threshold":0.25"#), "{written}");
        assert_eq!(serde_json::from_str::<Localisation>(&written).unwrap(), Localisation::Paper(parameters));
        let short: Localisation = serde_json::from_str(r#"{"kind": "paper"}"#).unwrap();
        assert_eq!(short, Localisation::Paper(PaperLocalisation::default()));
        assert!(short.check().is_ok());
    }

    #[test]
    fn unknown_kinds_and_fields_are_refused() {
        for text in [
            "{}",
            r#"{"kind": "sliding"}"#,
            r#"{"kind": "paper", "treshold": 1}"#,
            r#"{"kind": "paper", "peaks": {"x": 1}}"#,
        ] {
            assert!(serde_json::from_str::<Localisation>(text).is_err(), "{text}");
        }
        let wrong = r#"{"kind": "paper", "edge_boxes": {"alpha": 1.0}}"#;
        let read: Localisation = serde_json::from_str(wrong).unwrap();
        assert!(read.check().unwrap_err().to_string().contains("edge_boxes.alpha"));
    }
}
