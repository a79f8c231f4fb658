//! Measuring: metrics, localisation curves and reports that write themselves.
