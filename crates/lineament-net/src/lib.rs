//! Nets as data: a checked specification, its weights, and its fast forward on the CPU.
//!
//! A [`NetSpec`] is a value that recipes write and bundles store. [`NetSpec::check`] works out its shapes; [`Weights`]
//! are its learnt arrays; [`Net`] runs both fast, and [`mod@reference`] runs them plainly.
//!
//! ```
//! use lineament_net::{Layer, Net, NetSpec, Shape, Tensor, Weights};
//!
//! let spec = NetSpec {
//!     name: "small".to_owned(),
//!     input: Shape::new(3, 32, 32),
//!     layers: vec![
//!         Layer::Conv { name: "conv1".to_owned(), filters: 8, kernel: 3, stride: 2, padding: [1; 2], groups: 1, bias: true },
//!         Layer::Relu,
//!         Layer::Linear { name: "fc".to_owned(), outputs: 40, bias: true },
//!     ],
//! };
//! let net = Net::new(&spec, &Weights::random(&spec, 1)?)?;
//! let scores = net.forward(&Tensor::zeros([2, 3, 32, 32]))?;
//! assert_eq!(scores.shape(), [2, 40, 1, 1]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod interweave;
mod kernel;
mod net;
pub mod onnx;
pub mod reference;
mod scheduler;
mod spec;
mod tensor;
mod weights;

pub use error::ForwardError;
pub use interweave::{Interweave, InterweaveError, Share};
pub use kernel::{Isa, IsaError, Loops, vectorised};
pub use net::{Arithmetic, Net, NetError};
pub use spec::{
    Checked, CheckedLayer, Layer, MAX_DEPTH, MAX_ELEMENTS, MAX_LAYERS, MAX_NAME, NetSpec, Parameter,
    ParameterKind, Shape, SpecError,
};
pub use tensor::{Tensor, TensorError};
pub use weights::{Array, Precision, Stored, Weights, WeightsError};
