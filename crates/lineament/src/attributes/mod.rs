//! Attributes of a located face: patches of its region, ANet's FC vectors, linear SVMs, calibrated answers.

mod anet;
mod calibration;
mod describe;
mod names;
mod patches;
mod region;
mod svm;
mod thresholds;

pub use anet::{Anet, AnetError, AnetSvms};
pub use calibration::{CalibrationError, Platt};
pub use describe::{
    Attribute, AttributeCard, AttributeCardError, AttributeModel, DescribeError, Group, Taught,
};
pub use names::{CELEBA, UnknownAttribute, find};
pub use patches::{Mirror, Patches, PatchesError};
pub use region::{Region, RegionError};
pub use svm::{LinearSvms, SvmError, mean_vector};
pub use thresholds::{OperatingPoint, Thresholds};
