//! Runs small ONNX graphs that come from strangers: face detectors, above all.
//!
//! It knows the operators that small convolutional nets are made of ([`Model::OPERATORS`]), in single precision. A file is
//! checked when it is read, and every result is measured before memory is taken for it, so that no file brings the program down: it is
//! refused, and the error says where. Results are the same to the bit on any number of threads; the work is done on the rayon pool of
//! the caller.
//!
//! ```no_run
//! use lineament_onnx::{Limits, Model};
//!
//! let model = Model::read(&std::fs::read("detector.onnx")?, Limits::default())?;
//! for output in model.run(&[1, 3, 320, 320], vec![0.0; 3 * 320 * 320])? {
//!     println!("{}: {:?}", output.name, output.shape);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod model;
mod node;
mod operator;
mod ops;
mod proto;
mod value;
mod wire;

pub use error::OnnxError;
pub use model::{Limits, Model, Output};
