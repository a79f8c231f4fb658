//! Measuring: metrics, localization curves, and a report that writes itself.
//!
//! [`evaluate()`] runs a model over one part of a data set and gives its figures; [`results::results`] sets them beside the
//! majority answer and the paper's.

pub mod audit;
pub mod background;
pub mod bootstrap;
pub mod boxes;
pub mod calibrate;
pub mod check;
pub mod compare;
pub mod detection;
pub mod evaluate;
pub mod evaluation;
pub mod html;
pub mod insight;
pub mod localization;
pub mod markdown;
pub mod observe;
pub mod paper;
pub mod provenance;
pub mod results;

pub use boxes::{BoxEvaluation, evaluate_boxes};
pub use evaluate::{EvaluateOptions, evaluate};
pub use evaluation::Evaluation;
pub use lineament_fit::metrics;
pub use observe::{EvaluateError, FaceFrom, Observations};
pub use provenance::Provenance;
