//! The interweaved operation: overlapping patches of one region in one pass (paper, section 3.3).
//!
//! The paper turns each filter of a locally shared layer into a convolution over the whole region and tiles ("weaves") the
//! results by cell, so that the next local layer can be one, too. Here the same is reached from the values' side: every
//! value that any patch needs is numbered (`number.rs`), equal values get one number, and each layer computes its numbered
//! values and no others (`plan.rs`, `run.rs`). These are the unrolled maps without the parts that no patch reads, and they
//! hold for any spec: several local layers in a row, padding (borders are computed apart), residual blocks.
//! `docs/interweave.md` derives which offsets share what.

mod layout;
pub(crate) mod number;
pub(crate) mod operation;
mod plan;
pub(crate) mod run;

use rayon::prelude::*;
use thiserror::Error;

use crate::net::plan::compile;
use crate::{Arithmetic, ForwardError, Isa, Net, NetError, NetSpec, Shape, Tensor, Weights};
use run::Unrolled;

/// A net made ready for patches of a region at fixed offsets. It can be shared between threads.
///
/// ```
/// use lineament_net::{Interweave, Layer, NetSpec, Shape, Tensor, Weights};
///
/// let local = |name: &str, kernel, grid| Layer::LocalConv {
///     name: name.to_owned(), filters: 6, kernel, stride: 1, padding: 0, grid, bias: true,
/// };
/// let spec = NetSpec {
///     name: "small".to_owned(),
///     input: Shape::new(3, 14, 14),
///     layers: vec![
///         local("local1", 3, [3, 3]),
///         Layer::MaxPool { kernel: 2, stride: 2, padding: 0 },
///         local("local2", 3, [2, 2]),
///         Layer::Linear { name: "fc".to_owned(), outputs: 8, bias: true },
///     ],
/// };
/// let offsets = [[0, 0], [2, 0], [0, 2], [2, 2]];
/// let unrolled = Interweave::new(&spec, &Weights::random(&spec, 1)?, Shape::new(3, 16, 16), &offsets)?;
/// let vectors = unrolled.forward(&Tensor::zeros([1, 3, 16, 16]))?;
/// assert_eq!(vectors.shape(), [4, 8, 1, 1]);
/// assert!(unrolled.redundancy() > 1.5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Interweave {
    name: String,
    region: Shape,
    patch: Shape,
    output: Shape,
    offsets: Vec<[usize; 2]>,
    shares: Vec<Share>,
    mode: Mode,
}

/// How the patches are computed.
enum Mode {
    Unrolled(Unrolled),
    Patchwise(Net),
}

/// What one layer computes for all patches together, in multiplications with an addition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// The layer's path, as [`crate::CheckedLayer::path`].
    pub layer: String,
    /// With every value that patches share computed once.
    pub unrolled: u64,
    /// Patch by patch.
    pub patchwise: u64,
}

/// Patches that cannot be cut, or a net that is none.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum InterweaveError {
    /// The region has another number of channels than the net.
    #[error("net {net} takes {} channels, the region is {region}", patch.channels)]
    Channels {
        /// The net.
        net: String,
        /// Its declared input, the patch.
        patch: Shape,
        /// The region.
        region: Shape,
    },
    /// A patch that reaches out of the region.
    #[error(
        "patch {index} of {patch} at x {}, y {} reaches out of the {region} region: move it or draw a larger region",
        offset[0], offset[1]
    )]
    Outside {
        /// Its place in the list.
        index: usize,
        /// Its upper left corner, x and y.
        offset: [usize; 2],
        /// The patch.
        patch: Shape,
        /// The region.
        region: Shape,
    },
    /// A region of another shape than the one planned for.
    #[error(
        "net {net} was interweaved for {expected} regions, a region of {given} was given: draw it at that size"
    )]
    Region {
        /// The net.
        net: String,
        /// The region planned for.
        expected: Shape,
        /// What was given.
        given: Shape,
    },
    /// The net is wrong.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The net cannot take so many patches at once.
    #[error(transparent)]
    Forward(#[from] ForwardError),
}

impl Interweave {
    /// Plans a net for regions of shape `region` and patches of the net's declared input shape whose upper left corners
    /// stand at `offsets`, x and y each, in pixels of the region. A patch may be listed twice and costs nothing then.
    ///
    /// The plan never computes more than patch by patch would. Where nothing at all is shared, or the plan would be too
    /// large (more than 2^26 window taps over all layers and patches, with 16 more counted a window, or a region of more
    /// than 2^24 pixels), the patches go through [`Net`] one by one; [`Interweave::redundancy`] is 1 then.
    ///
    /// # Errors
    /// When a patch does not lie in the region, spec and weights do not make a net, or `LINEAMENT_ISA` names no instruction set that this processor has
    /// ([`Isa::selected`]).
    pub fn new(
        spec: &NetSpec,
        weights: &Weights,
        region: Shape,
        offsets: &[[usize; 2]],
    ) -> Result<Self, InterweaveError> {
        let isa = Isa::selected().map_err(NetError::from)?;
        Self::for_isa(spec, weights, region, offsets, isa)
    }

    /// As [`Interweave::new`], with the instructions of `isa`, whatever `LINEAMENT_ISA` says.
    ///
    /// # Errors
    /// When a patch does not lie in the region, or spec and weights do not make a net.
    pub fn for_isa(
        spec: &NetSpec,
        weights: &Weights,
        region: Shape,
        offsets: &[[usize; 2]],
        isa: Isa,
    ) -> Result<Self, InterweaveError> {
        weights.check(spec).map_err(NetError::from)?;
        let checked = spec.check().map_err(NetError::from)?;
        let patch = spec.input;
        if region.channels != patch.channels {
            return Err(InterweaveError::Channels { net: spec.name.clone(), patch, region });
        }
        let fits =
            |start: usize, size: usize, room: usize| start.checked_add(size).is_some_and(|end| end <= room);
        for (index, &offset) in offsets.iter().enumerate() {
            let [x, y] = offset;
            if !fits(x, patch.width, region.width) || !fits(y, patch.height, region.height) {
                return Err(InterweaveError::Outside { index, offset, patch, region });
            }
        }
        let plan = compile(&spec.layers, checked.layers(), weights)?;
        let unrolled = plan::unroll(plan, region, patch, offsets, isa)
            .filter(|(_, shares)| shares.iter().any(|share| share.unrolled < share.patchwise));
        let (mode, shares) = match unrolled {
            Some((unrolled, shares)) => (Mode::Unrolled(unrolled), shares),
            None => (Mode::Patchwise(Net::for_isa(spec, weights, Arithmetic::Single, isa)?), Vec::new()),
        };
        let (name, output) = (spec.name.clone(), checked.output());
        Ok(Self { name, region, patch, output, offsets: offsets.to_vec(), shares, mode })
    }

    /// Shape of the regions that it takes.
    pub fn region(&self) -> Shape {
        self.region
    }

    /// Shape of one patch's output; for a net that ends in a fully connected layer, its vector's length x 1 x 1.
    pub fn output(&self) -> Shape {
        self.output
    }

    /// Upper left corners of the patches, x and y.
    pub fn offsets(&self) -> &[[usize; 2]] {
        &self.offsets
    }

    /// What each convolution and matrix computes, in the order in which they run. Empty when the patches go through the
    /// net one by one.
    pub fn shares(&self) -> &[Share] {
        &self.shares
    }

    /// How many times patch by patch multiplies what this plan multiplies once: 1 when nothing is shared.
    pub fn redundancy(&self) -> f64 {
        let sum =
            |part: fn(&Share) -> u64| self.shares.iter().map(part).map(|count| count as f64).sum::<f64>();
        let unrolled = sum(|share| share.unrolled);
        if unrolled > 0.0 { sum(|share| share.patchwise) / unrolled } else { 1.0 }
    }

    /// The plan, unless the patches go through the net one by one.
    pub(crate) fn plan(&self) -> Option<&Unrolled> {
        match &self.mode {
            Mode::Unrolled(unrolled) => Some(unrolled),
            Mode::Patchwise(_) => None,
        }
    }

    /// The outputs of all patches of a batch of regions `[R, C, H, W]`: `[R * N, ...]` for `N` offsets, the first
    /// region's patches first, each as [`Net::forward`] gives it to rounding. Runs on the threads of the rayon pool it is
    /// called in, whose number does not change a bit.
    ///
    /// # Errors
    /// When a region has another shape than the one planned for, or the batch is too large for memory.
    pub fn forward(&self, regions: &Tensor) -> Result<Tensor, InterweaveError> {
        let given = regions.map();
        if given != self.region {
            return Err(InterweaveError::Region { net: self.name.clone(), expected: self.region, given });
        }
        let patches = self.offsets.len();
        let items = regions.items().saturating_mul(patches);
        let too_large = || ForwardError::Batch { net: self.name.clone(), items };
        let unrolled = match &self.mode {
            Mode::Patchwise(net) => return Ok(net.forward(&self.cut(regions).ok_or_else(too_large)?)?),
            Mode::Unrolled(unrolled) => unrolled,
        };
        let shape = [items, self.output.channels, self.output.height, self.output.width];
        let mut data = zeros(items, self.output).ok_or_else(too_large)?;
        let (from, to) = (self.region.elements(), patches * self.output.elements());
        let threads = rayon::current_num_threads();
        if threads > 1 && regions.items() >= threads {
            data.par_chunks_mut(to).zip(regions.data().par_chunks(from)).for_each(|(output, region)| {
                unrolled.region(region, output, 1);
            });
        } else {
            for (output, region) in data.chunks_mut(to).zip(regions.data().chunks(from)) {
                unrolled.region(region, output, threads);
            }
        }
        Ok(Tensor::from_vec(shape, data).map_err(|_| too_large())?)
    }

    /// The patches of all regions as one batch; `None` when they do not fit into memory.
    fn cut(&self, regions: &Tensor) -> Option<Tensor> {
        let (patch, region) = (self.patch, self.region);
        let items = regions.items().checked_mul(self.offsets.len())?;
        let mut data = zeros(items, patch)?;
        data.clear();
        for region_data in regions.data().chunks(region.elements().max(1)) {
            for &[x, y] in &self.offsets {
                for plane in region_data.chunks(region.height * region.width) {
                    for row in plane.chunks(region.width).skip(y).take(patch.height) {
                        data.extend(row.iter().skip(x).take(patch.width));
                    }
                }
            }
        }
        Tensor::from_vec([items, patch.channels, patch.height, patch.width], data).ok()
    }
}

/// Room for a batch, or `None` when there is none.
fn zeros(items: usize, shape: Shape) -> Option<Vec<f32>> {
    let elements = shape.elements().checked_mul(items)?;
    let mut data = Vec::new();
    data.try_reserve_exact(elements).ok()?;
    data.resize(elements, 0.0);
    Some(data)
}

impl std::fmt::Debug for Interweave {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Interweave")
            .field("net", &self.name)
            .field("region", &self.region)
            .field("offsets", &self.offsets)
            .field("shares", &self.shares)
            .finish_non_exhaustive()
    }
}
