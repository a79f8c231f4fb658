//! No localization: the full image is the face. For models of things that are not faces, and of images that were cut already.

use super::error::LocateError;
use super::paper::Responder;
use super::response::ResponseMap;
use super::{Face, Faces, Localizer, ResponseMaps, Search};
use crate::engine::Runner;
use crate::input::Preprocess;
use crate::photo::Photo;

/// Takes every image as one face.
#[derive(Debug)]
pub struct WholeLocalizer {
    lnet_o: Responder,
}

impl WholeLocalizer {
    /// LNet_o only serves [`ResponseMaps`].
    ///
    /// # Errors
    /// A net that does not end in a map.
    pub fn new(lnet_o: impl Into<Runner>, preprocess: Preprocess) -> Result<Self, LocateError> {
        Ok(Self { lnet_o: Responder::new(lnet_o, preprocess)? })
    }
}

impl Localizer for WholeLocalizer {
    fn locate(&self, photo: &Photo, search: &Search) -> Result<Faces, LocateError> {
        Ok(search.best(vec![Face::new(photo.rect(), 1.0)]))
    }

    fn response_maps(&self) -> Option<&dyn ResponseMaps> {
        Some(self)
    }
}

impl ResponseMaps for WholeLocalizer {
    fn response_map(&self, photo: &Photo) -> Result<ResponseMap, LocateError> {
        Ok(self.lnet_o.whole(photo)?.map_in_photo())
    }
}
