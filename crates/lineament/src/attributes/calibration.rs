//! Probabilities from scores: Platt's sigmoid.

use serde::{Deserialize, Serialize};

/// A sigmoid with a constant that is infinite or not a number.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("the sigmoid has a = {a}, b = {b}; both must be finite")]
pub struct SigmoidError {
    /// Slope.
    pub a: f32,
    /// Offset.
    pub b: f32,
}

/// The sigmoid `p = 1 / (1 + exp(a * score + b))` that turns a score into a probability.
///
/// Source: J. Platt, "Probabilistic outputs for support vector machines", 1999; fitted with the Newton method of
/// H.-T. Lin, C.-J. Lin and R. C. Weng, "A note on Platt's probabilistic outputs for support vector machines",
/// Machine Learning 68, 2007.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Platt {
    /// Slope; negative where a higher score speaks for the attribute.
    pub a: f32,
    /// Offset.
    pub b: f32,
}

impl Platt {
    /// The probability of the attribute at `score`, in 0 to 1.
    pub fn probability(&self, score: f32) -> f32 {
        sigmoid(f64::from(self.a) * f64::from(score) + f64::from(self.b)) as f32
    }

    /// Refuses constants that are not finite.
    ///
    /// # Errors
    /// [`SigmoidError`].
    pub fn check(&self) -> Result<(), SigmoidError> {
        if self.a.is_finite() && self.b.is_finite() {
            Ok(())
        } else {
            Err(SigmoidError { a: self.a, b: self.b })
        }
    }
}

/// `1 / (1 + exp(f))` without overflow on either side.
fn sigmoid(f: f64) -> f64 {
    if f >= 0.0 {
        let e = (-f).exp();
        e / (1.0 + e)
    } else {
        1.0 / (1.0 + f.exp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_stay_between_0_and_1() {
        let platt = Platt { a: -1.0, b: 0.0 };
        assert_eq!(platt.probability(0.0), 0.5);
        assert_eq!(platt.probability(f32::MAX), 1.0);
        assert_eq!(platt.probability(f32::MIN), 0.0);
    }

    #[test]
    fn constants_that_are_not_finite_are_refused() {
        assert!(Platt { a: f32::INFINITY, b: 0.0 }.check().is_err());
        assert!(Platt { a: -1.0, b: f32::NAN }.check().is_err());
        assert!(Platt { a: -1.0, b: 0.0 }.check().is_ok());
    }
}
