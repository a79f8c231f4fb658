//! An LNet as both ways to locate use it, and as explanations do: a net without fully connected layers that answers photos with a map.

use super::cells::Cells;
use super::error::LocateError;
use crate::engine::Runner;
use crate::input::Preprocess;
use crate::photo::Photo;
use lineament_net::Tensor;

/// A checked LNet and how photos become its input.
#[derive(Debug)]
pub(crate) struct LNet {
    net: Runner,
    preprocess: Preprocess,
    cells: Cells,
}

impl LNet {
    /// Checks a net.
    ///
    /// # Errors
    /// A net that takes no colour photos or ends in no map; preprocessing that makes no numbers.
    pub(crate) fn new(net: impl Into<Runner>, preprocess: Preprocess) -> Result<Self, LocateError> {
        let net = net.into();
        preprocess.check()?;
        let spec = net.spec();
        if spec.input.channels != 3 {
            return Err(LocateError::Channels { net: spec.name.clone(), channels: spec.input.channels });
        }
        let cells = Cells::of_net(spec)?;
        Ok(Self { net, preprocess, cells })
    }

    /// The net.
    pub(crate) fn net(&self) -> &Runner {
        &self.net
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.net.spec().name
    }

    /// Where the cells of its map lie, in pixels of its input.
    pub(crate) fn cells(&self) -> Cells {
        self.cells
    }

    /// Runs it on images of one size.
    pub(crate) fn respond(&self, images: &[Photo]) -> Result<Tensor, LocateError> {
        Ok(self.net.forward(&self.preprocess.tensor_of(images))?)
    }
}
