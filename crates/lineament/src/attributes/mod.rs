//! Attributes of a located face: a describer makes a vector of it, linear SVMs read the vector, and their scores become calibrated answers.
//!
//! [`Describer`] says which way a bundle goes: ANet's FC vectors of patches, or one of the ways that the paper compares it with,
//! [`FaceTracer`] and [`Panda`], which look at parts that landmarks place.

mod anet;
mod calibration;
mod describe;
pub mod facetracer;
mod names;
mod panda;
mod parts;
mod patches;
mod place;
mod region;
mod svm;
mod thresholds;
mod vector;

pub use anet::{Anet, AnetError};
pub use calibration::{Platt, SigmoidError};
pub use describe::{AttributeCard, AttributeCardError, DescribeError, Group, Reading, Taught};
pub use facetracer::{FaceTracer, FaceTracerError};
pub use names::{CELEBA, EASY_TO_SEE, UnknownAttribute, find};
pub use panda::{Holistic, Panda, PandaError, PandaNets};
pub use parts::{Frame, Part, PartsError};
pub use patches::{Mirror, Patches, PatchesError};
pub use place::Place;
pub use region::{Region, RegionError};
pub use svm::{LinearSvms, SvmError, mean_vector};
pub use thresholds::{OperatingPoint, Thresholds};
pub use vector::{AnetPatches, AttributeModel, Describer, DescriberError, FaceVector};
