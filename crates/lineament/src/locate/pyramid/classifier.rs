//! An LNet as a window classifier: shown one window it gives one cell, shown a larger image it gives the cell of every window.

use super::super::error::LocateError;
use super::super::lnet::LNet;
use super::super::response::ResponseError;
use super::response::Response;
use crate::engine::Runner;
use crate::input::Preprocess;
use crate::photo::Photo;
use lineament_net::{Layer, Tensor};

/// A net that answers for the windows of images.
#[derive(Debug)]
pub(super) struct Classifier {
    lnet: LNet,
    /// Side of its window, in pixels of its input.
    pub(super) window: u32,
    /// Distance of neighbouring windows, in pixels of its input.
    pub(super) stride: u32,
    /// Windows that it has answered for.
    #[cfg(test)]
    pub(super) answered: std::sync::atomic::AtomicUsize,
}

impl Classifier {
    /// Checks a net.
    ///
    /// # Errors
    /// A net that does not give one cell of six channels for a square input, or to which a window looks different among others
    /// than alone.
    pub(super) fn new(net: impl Into<Runner>, preprocess: Preprocess) -> Result<Self, LocateError> {
        let lnet = LNet::new(net, preprocess)?;
        let (input, output) = (lnet.net().input(), lnet.net().output());
        let refused = || LocateError::NoWindow { net: lnet.name().to_owned() };
        if input.height != input.width || (output.height, output.width) != (1, 1) {
            return Err(refused());
        }
        if !sees_windows_alone(&lnet.net().spec().layers) {
            return Err(refused());
        }
        if output.channels < Response::CHANNELS {
            let (net, channels) = (lnet.name().to_owned(), output.channels);
            return Err(LocateError::Responses { net, channels });
        }
        let stride = lnet.cells().stride.x as u32;
        Ok(Self {
            window: input.width as u32,
            stride: stride.max(1),
            lnet,
            #[cfg(test)]
            answered: std::sync::atomic::AtomicUsize::new(0),
        })
    }

    /// The net's name.
    pub(super) fn name(&self) -> &str {
        self.lnet.name()
    }

    /// Side of an image with so many windows in a row.
    pub(super) fn pixels(&self, windows: usize) -> u32 {
        self.window + self.stride * windows.saturating_sub(1) as u32
    }

    /// What it says about all windows of images of one size.
    pub(super) fn respond(&self, seen: &[Photo]) -> Result<Responses, LocateError> {
        let output = self.lnet.respond(seen)?;
        #[cfg(test)]
        {
            let [items, _, rows, columns] = output.shape();
            self.answered.fetch_add(items * rows * columns, std::sync::atomic::Ordering::Relaxed);
        }
        Ok(Responses { output })
    }

    /// Refuses an answer that is no number.
    pub(super) fn checked(
        &self,
        response: Response,
        column: usize,
        row: usize,
    ) -> Result<Response, LocateError> {
        if response.is_finite() {
            return Ok(response);
        }
        let cause = ResponseError::NotFinite { column, row };
        Err(LocateError::Response { net: self.name().to_owned(), cause })
    }
}

/// Whether no layer sees beyond the edges of its input, or depends on where in it a window lies.
fn sees_windows_alone(layers: &[Layer]) -> bool {
    layers.iter().all(|layer| match layer {
        Layer::Conv { padding, .. } => *padding == [0; 2],
        Layer::MaxPool { padding, .. } | Layer::AvgPool { padding, .. } => *padding == 0,
        Layer::Residual { body, shortcut, .. } => sees_windows_alone(body) && sees_windows_alone(shortcut),
        Layer::BatchNorm { .. } | Layer::Relu | Layer::Relu6 | Layer::HardSwish | Layer::Prelu { .. } => true,
        Layer::LocalConv { .. } | Layer::Linear { .. } => false,
    })
}

/// What a classifier says about the windows of some images: `N x 6 x rows x columns`, or more channels.
pub(super) struct Responses {
    output: Tensor,
}

impl Responses {
    /// Windows in a column and in a row of each image.
    pub(super) fn lattice(&self) -> [usize; 2] {
        let [_, _, rows, columns] = self.output.shape();
        [rows, columns]
    }

    /// The responses to "there is a face here" in one of the images, row by row.
    pub(super) fn faces(&self, image: usize) -> &[f32] {
        let [rows, columns] = self.lattice();
        self.output.item(image).and_then(|maps| maps.get(..rows * columns)).unwrap_or_default()
    }

    /// All about a window of one of the images; `at` counts windows row by row.
    pub(super) fn at(&self, image: usize, at: usize) -> Response {
        let [rows, columns] = self.lattice();
        let maps = self.output.item(image).unwrap_or_default();
        let value = |channel: usize| maps.get(channel * rows * columns + at).copied().unwrap_or(f32::NAN);
        Response::of(std::array::from_fn(value))
    }
}
