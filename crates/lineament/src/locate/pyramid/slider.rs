//! One LNet slid over images: the responses to all of their windows.

use super::super::error::LocateError;
use super::super::lnet::LNet;
use super::super::response::ResponseMap;
use super::Window;
use crate::engine::Runner;
use crate::geometry::Rect;
use crate::input::Preprocess;
use crate::photo::Photo;

/// One level of a pyramid: the responses and the size of the window behind each of them.
pub(super) struct Level {
    /// In pixels of the photo.
    pub(super) map: ResponseMap,
    side: f32,
}

impl Level {
    /// All of its windows.
    pub(super) fn windows(&self) -> impl Iterator<Item = Window> + '_ {
        let (columns, cells, side) = (self.map.width(), self.map.cells(), self.side);
        self.map.values().iter().enumerate().map(move |(at, score)| Window {
            centre: cells.centre(at % columns, at / columns),
            side,
            score: *score,
        })
    }

    /// Area that one response stands for, in pixels of the photo.
    pub(super) fn cell_area(&self) -> f32 {
        let stride = self.map.cells().stride;
        stride.x * stride.y
    }
}

/// A window classifier that is slid over images.
pub(super) struct Slider {
    lnet: LNet,
    /// Side of its window, in pixels of its input.
    pub(super) window: u32,
}

impl Slider {
    /// A slider of a net that gives one cell for its input.
    pub(super) fn new(net: impl Into<Runner>, preprocess: Preprocess) -> Result<Self, LocateError> {
        let lnet = LNet::new(net, preprocess)?;
        let (input, output) = (lnet.net().input(), lnet.net().output());
        if input.height != input.width || (output.height, output.width) != (1, 1) {
            return Err(LocateError::NoWindow { net: lnet.name().to_owned() });
        }
        let window = input.height as u32;
        Ok(Self { lnet, window })
    }

    /// The net's name.
    pub(super) fn name(&self) -> &str {
        self.lnet.name()
    }

    /// Responses to all windows inside images of one size, no smaller than a window, each of which shows its `rects` of a photo.
    pub(super) fn slide(&self, seen: &[Photo], rects: &[Rect]) -> Result<Vec<Level>, LocateError> {
        let output = self.lnet.respond(seen)?;
        let level = |(item, (seen, rect)): (usize, (&Photo, &Rect))| {
            let (width, height) = (seen.width(), seen.height());
            let cells = self.lnet.cells().seen_in(*rect, width, height);
            let side = self.window as f32 * (rect.width / width as f32 + rect.height / height as f32) / 2.0;
            let map = ResponseMap::channel(&output, item, 0, cells)
                .map_err(|cause| LocateError::Response { net: self.name().to_owned(), cause })?;
            Ok(Level { map, side })
        };
        seen.iter().zip(rects).enumerate().map(level).collect()
    }
}
