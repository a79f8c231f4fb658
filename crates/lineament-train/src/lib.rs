//! Training on burn: specification to module, losses, stages, checkpoints.

pub mod anet;
pub mod batches;
pub mod checkpoint;
pub mod detecting;
pub mod error;
pub mod faces;
pub mod finish;
pub mod folder;
pub mod from;
pub mod learner;
pub mod local_conv;
pub mod located;
pub mod locating;
pub mod log;
pub mod losses;
pub mod module;
pub mod objects;
pub mod optimiser;
pub mod photos;
pub mod recipe;
pub mod rivals;
pub mod run;
mod sets;
pub mod stage;
pub mod svms;
pub mod validate;
pub mod widen;
pub mod windows;

pub use error::TrainError;
pub use recipe::Recipe;
pub use rivals::{AnyRecipe, RivalOptions};
pub use run::{STAGES, TrainOptions, train};
