//! How EdgeBoxes works, and the ranges of its numbers.

use crate::groups::Grouping;
use thiserror::Error;

/// A number that EdgeBoxes cannot work with.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("the parameter {name} of EdgeBoxes is {value}: give it a value between {least} and {most}")]
pub struct ParameterError {
    /// Which one.
    pub name: &'static str,
    /// What it is.
    pub value: f64,
    /// The least it may be.
    pub least: f64,
    /// The most it may be.
    pub most: f64,
}

/// How EdgeBoxes works. The defaults are its authors', but for `windows`: 500.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields, default)
)]
pub struct Parameters {
    /// Windows returned at most.
    pub windows: usize,
    /// Radius of the triangle blur before the gradient, in pixels.
    pub blur: usize,
    /// Whether edges are thinned to their maxima.
    pub thin: bool,
    /// IoU of neighbouring windows of the grid: the step of the sliding windows.
    pub alpha: f32,
    /// IoU above which the weaker of two windows is dropped.
    pub beta: f32,
    /// Windows must score above this.
    pub min_score: f32,
    /// Edges up to this strength (the strongest is 1) are left out.
    pub edge_min_magnitude: f32,
    /// Summed change of orientation, in units of pi, at which a group is closed.
    pub edge_merge_threshold: f32,
    /// Groups up to this summed strength are dissolved.
    pub cluster_min_magnitude: f32,
    /// Longest to shortest side of the windows of the grid.
    pub max_aspect_ratio: f32,
    /// Area of the smallest windows of the grid, in pixels.
    pub min_box_area: f32,
    /// Exponent of the affinity of two groups.
    pub gamma: f32,
    /// Exponent of the half perimeter that a score is divided by: above 1, small windows need less.
    pub kappa: f32,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            windows: 500,
            blur: 4,
            thin: true,
            alpha: 0.65,
            beta: 0.75,
            min_score: 0.01,
            edge_min_magnitude: 0.1,
            edge_merge_threshold: 0.5,
            cluster_min_magnitude: 0.5,
            max_aspect_ratio: 3.0,
            min_box_area: 1000.0,
            gamma: 2.0,
            kappa: 1.5,
        }
    }
}

impl Parameters {
    /// Whether every value is one that EdgeBoxes can work with.
    ///
    /// # Errors
    /// Names the value that is out of range, and the range.
    pub fn check(&self) -> Result<(), ParameterError> {
        within("windows", self.windows as f64, 1.0, 100_000.0)?;
        within("blur", self.blur as f64, 0.0, 64.0)?;
        // Closer to 1, the grid grows without bound.
        within("alpha", self.alpha, 0.2, 0.9)?;
        within("beta", self.beta, 0.0, 1.0)?;
        within("min_score", self.min_score, 0.0, 1e6)?;
        within("edge_min_magnitude", self.edge_min_magnitude, 0.0, 1.0)?;
        within("edge_merge_threshold", self.edge_merge_threshold, 0.0, 1e6)?;
        within("cluster_min_magnitude", self.cluster_min_magnitude, 0.0, 1e6)?;
        within("max_aspect_ratio", self.max_aspect_ratio, 1.0, 100.0)?;
        within("min_box_area", self.min_box_area, 64.0, 1e9)?;
        // Closer to 0, every group reaches every other.
        within("gamma", self.gamma, 0.5, 100.0)?;
        within("kappa", self.kappa, 0.0, 10.0)
    }

    pub(crate) fn grouping(&self) -> Grouping {
        Grouping {
            merge_threshold: self.edge_merge_threshold,
            min_group_magnitude: self.cluster_min_magnitude,
            gamma: self.gamma,
        }
    }
}

/// Refuses what lies outside of a range, infinite or not a number. Both ends belong to it.
fn within(name: &'static str, value: impl Into<f64>, least: f64, most: f64) -> Result<(), ParameterError> {
    let value = value.into();
    // Bounds are written in decimal: a value at one must not fail for being read in single precision.
    let slack = |bound: f64| 1e-6 * bound.abs();
    if value >= least - slack(least) && value <= most + slack(most) {
        return Ok(());
    }
    Err(ParameterError { name, value, least, most })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::EdgeBoxes;

    #[test]
    fn values_out_of_range_are_refused_by_name() {
        for (name, parameters) in [
            ("alpha", Parameters { alpha: 1.0, ..Default::default() }),
            ("windows", Parameters { windows: 0, ..Default::default() }),
            ("kappa", Parameters { kappa: f32::NAN, ..Default::default() }),
            ("min_box_area", Parameters { min_box_area: 1.0, ..Default::default() }),
        ] {
            let error = EdgeBoxes::new(parameters).unwrap_err();
            assert_eq!(error.name, name);
            assert!(error.to_string().contains(name), "{error}");
        }
    }

    #[test]
    fn ends_of_a_range_pass() {
        for alpha in [0.2, 0.9] {
            assert!(EdgeBoxes::new(Parameters { alpha, ..Default::default() }).is_ok());
        }
    }

    #[cfg(feature = "serde")]
    #[test]
    fn a_misspelt_parameter_is_refused() {
        assert!(serde_json::from_str::<Parameters>(r#"{"alhpa": 0.5}"#).is_err());
        assert_eq!(serde_json::from_str::<Parameters>("{}").unwrap(), Default::default());
    }
}
