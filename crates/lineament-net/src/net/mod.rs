//! The fast forward pass on the CPU.
//!
//! [`Net::new`] compiles a spec into steps (`plan.rs`). For each shape of input that it meets, the steps become a program (`program.rs`): every map has its
//! place in one arena (`layout.rs`), and the work of every step is cut into units (convolutions in tiles: `tiled.rs`). A batch goes through it in groups (`batch.rs`). [`Net::forward`] runs it (`run.rs`). Units depend on the sizes of maps
//! alone, and every sum runs in one order, so an item's result is the same to the bit for any number of threads and whatever else is in the batch.

mod batch;
pub(crate) mod buffer_pool;
mod conversion;
pub(crate) mod fold;
pub(crate) mod layout;
mod lru;
pub(crate) mod packed;
pub(crate) mod plan;
mod planes;
pub(crate) mod program;
pub(crate) mod run;
pub(crate) mod step;
mod tiled;
pub(crate) mod work;

use std::sync::Arc;

use thiserror::Error;

use crate::kernel::aligned::Aligned;
use crate::kernel::{gemm_f32, gemm_u8i8};
use crate::scheduler;
use crate::{ForwardError, Isa, IsaError, NetSpec, Shape, SpecError, Tensor, Weights, WeightsError};
use batch::{Batch, IndependentGroups};
use buffer_pool::BufferPool;
use layout::Layout;
use lru::Lru;
use packed::PackedLayer;
use plan::Plan;
use program::Program;

/// A net ready to run. It can be shared between threads, each calling [`Net::forward`].
pub struct Net {
    spec: NetSpec,
    output: Shape,
    plan: Plan,
    packed: Vec<PackedLayer>,
    isa: Isa,
    /// For groups of so many items.
    programs: Lru<(Shape, usize), Program>,
    /// For so many items and threads.
    batches: Lru<(Shape, usize, usize), Batch>,
    arenas: BufferPool<Aligned>,
    buffers: BufferPool<Aligned>,
}

/// What the sums of convolutions are made in, but for depthwise ones. The rest of a net is single precision throughout.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Arithmetic {
    /// Single precision.
    #[default]
    Single,
    /// Eight-bit integers: unsigned for the maps, each item's with a scale of its own that is found while it runs, signed for the filters, with a scale
    /// each. Nothing has to be calibrated. Faster where the processor has instructions for it (VNNI), somewhat slower with AVX2 alone, and the same bits on any.
    EightBit,
}

/// A spec and weights that do not make a net.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum NetError {
    /// The spec is wrong.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The weights do not belong to the spec.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// `LINEAMENT_ISA` names no instruction set that this processor has.
    #[error(transparent)]
    Isa(#[from] IsaError),
    /// A normalisation multiplies its layer out of the range of numbers.
    #[error(
        "layer {layer}: its weights leave the range of f32 when the normalisation is multiplied in: they are damaged"
    )]
    NotFinite {
        /// The layer.
        layer: String,
    },
    /// Maps beyond what an arena may hold.
    #[error(
        "net {net}: its maps do not fit into memory for one input: make the input smaller or its layers narrower"
    )]
    Memory {
        /// The net.
        net: String,
    },
    /// A layer that cannot be compiled as what the plan takes it for: a mistake in this crate.
    #[error("layer {layer} of kind {kind} cannot be compiled here: please report this")]
    Mismatch {
        /// The layer.
        layer: String,
        /// Its kind.
        kind: &'static str,
    },
}

impl Net {
    /// Compiles a net in single precision.
    ///
    /// # Errors
    /// When the spec is wrong, the weights do not belong to it ([`Weights::check`]), or `LINEAMENT_ISA` names no instruction set that this processor has
    /// ([`Isa::selected`]).
    pub fn new(spec: &NetSpec, weights: &Weights) -> Result<Self, NetError> {
        Self::with_arithmetic(spec, weights, Arithmetic::Single)
    }

    /// Compiles a net.
    ///
    /// # Errors
    /// As [`Net::new`].
    pub fn with_arithmetic(
        spec: &NetSpec,
        weights: &Weights,
        arithmetic: Arithmetic,
    ) -> Result<Self, NetError> {
        Self::for_isa(spec, weights, arithmetic, Isa::selected()?)
    }

    /// Compiles a net that uses the instructions of `isa`, whatever `LINEAMENT_ISA` says.
    ///
    /// # Errors
    /// When the spec is wrong, or the weights do not belong to it.
    pub fn for_isa(
        spec: &NetSpec,
        weights: &Weights,
        arithmetic: Arithmetic,
        isa: Isa,
    ) -> Result<Self, NetError> {
        weights.check(spec)?;
        let checked = spec.check()?;
        let plan = plan::compile(&spec.layers, checked.layers(), weights)?;
        let plan = match arithmetic {
            Arithmetic::Single => plan,
            Arithmetic::EightBit => plan.in_bytes(),
        };
        let packed = plan.steps.iter().map(|_| PackedLayer::new(isa)).collect();
        let net = Self {
            spec: spec.clone(),
            output: checked.output(),
            plan,
            packed,
            isa,
            programs: Lru::default(),
            batches: Lru::default(),
            arenas: BufferPool::default(),
            buffers: BufferPool::default(),
        };
        match Layout::new(&net.plan, spec.input, 1, program::MOST) {
            Some(_) => Ok(net),
            None => Err(NetError::Memory { net: spec.name.clone() }),
        }
    }

    /// The instruction set that its kernels use.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// The spec it was compiled from.
    pub fn spec(&self) -> &NetSpec {
        &self.spec
    }

    /// Shape of the input that it is declared for.
    pub fn input(&self) -> Shape {
        self.spec.input
    }

    /// Shape of the output for the declared input.
    pub fn output(&self) -> Shape {
        self.output
    }

    /// Runs the net on a batch `[N, C, H, W]`, on the threads of the rayon pool it is called in. Heights and widths other
    /// than the declared ones pass through nets without fully connected and locally shared layers. Inputs are taken
    /// to be finite; what infinities and NaN lead to is not defined, though it is no panic.
    ///
    /// # Errors
    /// When the input does not fit the net.
    pub fn forward(&self, input: &Tensor) -> Result<Tensor, ForwardError> {
        let output = self.output_of(input.map())?;
        let items = input.items();
        let too_large = || ForwardError::Batch { net: self.spec.name.clone(), items };
        let elements = output.elements().checked_mul(items).ok_or_else(too_large)?;
        let mut data = Vec::new();
        data.try_reserve_exact(elements).map_err(|_| too_large())?;
        data.resize(elements, 0.0);
        let mut out = Tensor::from_vec([items, output.channels, output.height, output.width], data)
            .map_err(|_| too_large())?;
        self.run(input, &mut out)?;
        Ok(out)
    }

    /// As [`Net::forward`], into a tensor that is there: a call like an earlier one allocates nothing.
    ///
    /// # Errors
    /// When the input does not fit the net, or `output` is not of the shape that [`Net::forward`] gives.
    pub fn forward_into(&self, input: &Tensor, output: &mut Tensor) -> Result<(), ForwardError> {
        if self.output_of(input.map())? != output.map() || input.items() != output.items() {
            return Err(ForwardError::Output { net: self.spec.name.clone(), given: output.shape() });
        }
        self.run(input, output)
    }

    /// Shape of the output for an input of shape `given`. One that was met before is not checked again.
    fn output_of(&self, given: Shape) -> Result<Shape, ForwardError> {
        let expected = self.input();
        if given == expected {
            return Ok(self.output);
        }
        if given.channels != expected.channels {
            return Err(ForwardError::Channels { net: self.spec.name.clone(), expected, given });
        }
        match self.programs.get(&(given, 1)) {
            Some(program) => Ok(program.layout.output.shape),
            None => Ok(self.spec.output_for(given.height, given.width)?),
        }
    }

    fn run(&self, input: &Tensor, output: &mut Tensor) -> Result<(), ForwardError> {
        let (shape, items) = (input.map(), input.items());
        if items == 0 {
            return Ok(());
        }
        let threads = rayon::current_num_threads();
        let batch = self.batches.get_or((shape, items, threads), || Batch::new(self, shape, items, threads));
        let batch = batch.ok_or_else(|| ForwardError::Batch { net: self.spec.name.clone(), items })?;
        let (input, output) = (input.data(), output.data_mut());
        if let Some(planes) = &batch.planes {
            let pass = planes::Pass { planes, isa: self.isa, input };
            scheduler::run(&planes.schedule, &pass, output, threads);
            return Ok(());
        }
        if let Some(parts) = &batch.independent {
            scheduler::run(parts, &IndependentGroups { net: self, batch: &batch, input }, output, threads);
            return Ok(());
        }
        let mut rest = output;
        for group in &batch.groups {
            let (own, behind) =
                rest.split_at_mut(group.program.items * group.program.layout.output.shape.elements());
            self.group(&group.program, group.of(input), own, threads);
            rest = behind;
        }
        Ok(())
    }

    /// The program for groups of `items` items of shape `input`.
    fn program(&self, input: Shape, items: usize) -> Option<Arc<Program>> {
        self.programs.get_or((input, items), || Program::new(&self.plan, input, items))
    }
}

impl std::fmt::Debug for Net {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kernels = [gemm_f32::name(self.isa), gemm_u8i8::name(self.isa)];
        f.debug_struct("Net").field("spec", &self.spec).field("kernels", &kernels).finish_non_exhaustive()
    }
}
