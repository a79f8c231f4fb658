//! Which epoch of a stage is the best, and when to stop looking for a better one.

use crate::log::Epoch;

/// The validation figure that an epoch is judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Criterion {
    /// Its name among the stage's figures.
    pub figure: &'static str,
    /// Whether more of it is better.
    pub more_is_better: bool,
}

impl Criterion {
    /// The best of `epochs`, the first of equals; `None` where none has the figure as a number.
    pub fn best<'e>(&self, epochs: &'e [Epoch]) -> Option<&'e Epoch> {
        let value = |epoch: &Epoch| {
            let value = epoch.figure(self.figure).filter(|value| value.is_finite())?;
            Some(if self.more_is_better { value } else { -value })
        };
        let better = |best: Option<(&'e Epoch, f64)>, epoch| match (best, value(epoch)) {
            (Some((_, least)), Some(value)) if value <= least => best,
            (best, None) => best,
            (_, Some(value)) => Some((epoch, value)),
        };
        epochs.iter().fold(None, better).map(|(epoch, _)| epoch)
    }

    /// Whether `patience` epochs have passed since the best one.
    pub fn is_spent(&self, epochs: &[Epoch], patience: u64) -> bool {
        match (self.best(epochs), epochs.last()) {
            (Some(best), Some(last)) => last.number - best.number >= patience,
            _ => false,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn epochs(values: &[f64]) -> Vec<Epoch> {
        let one = |(number, value): (u64, &f64)| Epoch {
            number,
            step: number,
            rate: 0.1,
            loss: 1.0,
            seconds: 1.0,
            waited: 0.0,
            figures: vec![("figure".to_owned(), *value)],
        };
        (1..).zip(values).map(one).collect()
    }

    const MOST: Criterion = Criterion { figure: "figure", more_is_better: true };
    const LEAST: Criterion = Criterion { figure: "figure", more_is_better: false };

    #[test]
    fn the_first_of_the_best_is_chosen() {
        let all = epochs(&[0.5, f64::NAN, 0.7, 0.7, 0.2]);
        assert_eq!(MOST.best(&all).unwrap().number, 3);
        assert_eq!(LEAST.best(&all).unwrap().number, 5);
        let other = Criterion { figure: "other", ..MOST };
        assert!(other.best(&all).is_none() && !other.is_spent(&all, 1));
    }

    #[test]
    fn patience_counts_from_the_best() {
        let all = epochs(&[0.5, 0.7, 0.6, 0.65]);
        assert!(MOST.is_spent(&all, 2) && !MOST.is_spent(&all, 3));
        assert!(!MOST.is_spent(&[], 1));
    }

    proptest! {
        #[test]
        fn no_epoch_is_better_than_the_best(values in proptest::collection::vec(0.0..1.0, 1..30)) {
            let all = epochs(&values);
            let best = |criterion: Criterion| criterion.best(&all).unwrap().figure("figure").unwrap();
            prop_assert!(values.iter().all(|value| *value <= best(MOST) && *value >= best(LEAST)));
        }
    }
}
