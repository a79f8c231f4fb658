//! Measuring: metrics, localisation curves, and a report that writes itself.

pub mod background;
pub mod bootstrap;
pub mod localisation;
pub mod metrics;
pub mod paper;
