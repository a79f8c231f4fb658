//! Ranges of the numbers that cards and recipes may hold.

use thiserror::Error;

/// A number in a card or a recipe that the localizer cannot work with.
#[derive(Debug, Clone, PartialEq, Error)]
#[error(
    "localisation.{name} is {value}, but must lie between {least} and {most}: correct it in the recipe or the card"
)]
pub struct ParameterError {
    /// Which one, with the tables it is in.
    pub name: String,
    /// What it was.
    pub value: f64,
    /// The least it may be.
    pub least: f64,
    /// The most it may be.
    pub most: f64,
}

impl From<edgeboxes::ParameterError> for ParameterError {
    fn from(error: edgeboxes::ParameterError) -> Self {
        let edgeboxes::ParameterError { name, value, least, most } = error;
        Self { name: format!("edge_boxes.{name}"), value, least, most }
    }
}

/// The values that a named parameter may have, both ends included.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    name: &'static str,
    least: f64,
    most: f64,
}

impl Range {
    pub(super) const fn of(name: &'static str, least: f64, most: f64) -> Self {
        Self { name, least, most }
    }

    /// Refuses what lies outside, infinite or not a number.
    pub(super) fn holds(&self, value: impl Into<f64>) -> Result<(), ParameterError> {
        let value = value.into();
        // Bounds are written in decimal: a value at one must not fail for being read in single precision.
        let slack = |bound: f64| 1e-6 * bound.abs();
        if value >= self.least - slack(self.least) && value <= self.most + slack(self.most) {
            return Ok(());
        }
        Err(ParameterError { name: self.name.to_owned(), value, least: self.least, most: self.most })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_names_the_parameter_and_the_range() {
        let error = Range::of("threshold", 0.0, 1.0).holds(1.5f32).map_err(|e| e.to_string());
        assert_eq!(
            error,
            Err("localisation.threshold is 1.5, but must lie between 0 and 1: correct it in the recipe or the card"
                .into())
        );
    }

    #[test]
    fn ends_pass_and_what_is_not_a_number_does_not() {
        let range = Range::of("alpha", 0.2, 0.9);
        assert!(range.holds(0.9f32).is_ok() && range.holds(0.2f32).is_ok());
        assert!(range.holds(f32::NAN).is_err() && range.holds(f32::INFINITY).is_err());
    }
}
