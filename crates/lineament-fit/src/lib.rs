//! What is fitted to scores and answers, and how much it is worth: metrics with bootstrap intervals, calibration,
//! thresholds, linear SVMs, and new attributes on the nets of a finished model.
//!
//! A new attribute needs a few images with it and a few without. [`embed()`] turns images into the embeddings that
//! prediction sees, [`examples()`] pairs them with answers, [`train_head()`] fits and cross-validates one attribute and
//! refuses where nothing was learned, and [`add_attributes()`] adds what was learned to a bundle.
//!
//! ```no_run
//! use lineament::{Bundle, Tagger};
//! use lineament_fit::{LabelledImage, TrainOptions, add_attributes, embed, examples, train_head};
//! use std::path::{Path, PathBuf};
//!
//! let bundle = Bundle::embedded()?;
//! let tagger = Tagger::new(bundle.clone())?;
//! let files: Vec<(PathBuf, bool)> = vec![("freckles/a.jpg".into(), true), ("plain/b.jpg".into(), false)];
//! let mut images = Vec::new();
//! for (path, answer) in &files {
//!     if let Some(embedding) = embed(&tagger, path)? {
//!         images.push(LabelledImage { name: path.display().to_string(), embedding, answer: *answer, person: None });
//!     }
//! }
//! let (examples, _repeated) = examples("Freckles", &images)?;
//! let head = train_head("Freckles", &examples, &TrainOptions::default())?;
//! println!("{:.2}", head.figures.balanced_accuracy);
//! add_attributes(&bundle, &[head], false)?.write(Path::new("my.lineament"))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod add_attributes;
pub mod bootstrap;
mod calibration;
mod cross_validation;
pub mod detection_threshold;
mod embed;
mod error;
mod examples;
mod folds;
mod head;
mod linear_svm;
pub mod metrics;
pub mod recalibrate;
mod report;
mod ridge;
mod threshold_rule;
mod thresholds;

pub use add_attributes::add_attributes;
pub use calibration::{CalibrationError, fit_platt};
pub use cross_validation::CrossValidation;
pub use embed::{EmbedError, ImageEmbedding, embed, embed_photo};
pub use error::FitError;
pub use examples::{Example, LabelledImage, examples};
pub use folds::assign_folds;
pub use head::{TrainOptions, TrainedHead, train_head};
pub use linear_svm::{Feature, Plane, fit_linear_svm};
pub use report::{Advice, CurvePoint, Figures};
pub use ridge::{Ridge, RidgeError, fit_ridge};
pub use threshold_rule::ThresholdRule;
pub use thresholds::choose_thresholds;
