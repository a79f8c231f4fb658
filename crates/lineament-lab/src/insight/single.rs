//! A single number as a classifier: yes above (or below) one cut.

use crate::metrics::{Scored, Tally, roc_auc};

/// How one number answers an attribute, as chosen on the people that were fitted to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cut {
    /// The area under the ROC curve in the direction chosen, 0.5 to 1.
    pub auc: f64,
    /// Whether large numbers mean yes.
    pub above: bool,
    /// Where the cut is: midway between two numbers.
    pub threshold: f32,
    /// The balanced accuracy there, on the same people.
    pub balanced_accuracy: f64,
}

impl Cut {
    /// The cut with the best balanced accuracy. `sorted` holds numbers with truths, numbers rising. `None` unless both truths are there and the
    /// numbers differ.
    pub fn best(sorted: impl Iterator<Item = (f32, bool)>) -> Option<Self> {
        let sorted: Vec<(f32, bool)> = sorted.collect();
        let present = sorted.iter().filter(|(_, truth)| *truth).count() as f64;
        let absent = sorted.len() as f64 - present;
        if present == 0.0 || absent == 0.0 {
            return None;
        }
        // Of numbers up to here: how many with and without, and how often one with is above one without.
        let (mut with, mut without, mut won) = (0.0, 0.0, 0.0);
        let mut last: Option<f32> = None;
        // Highest and lowest of true positive rate plus true negative rate, for yes above the cut.
        let (mut high, mut low) = ((f64::NEG_INFINITY, 0.0), (f64::INFINITY, 0.0));
        for tied in sorted.chunk_by(|a, b| a.0 == b.0) {
            let value = tied.first().map_or(0.0, |(value, _)| *value);
            if let Some(last) = last {
                let rates = (present - with) / present + without / absent;
                let cut = last + (value - last) / 2.0;
                // Two neighbours may have nothing between them: then the upper one is above the lower itself.
                let cut = if cut < value { cut } else { last };
                if rates > high.0 {
                    high = (rates, cut);
                }
                if rates < low.0 {
                    low = (rates, cut);
                }
            }
            let here = tied.iter().filter(|(_, truth)| *truth).count() as f64;
            let not = tied.len() as f64 - here;
            won += here * (without + not / 2.0);
            (with, without) = (with + here, without + not);
            last = Some(value);
        }
        if !high.0.is_finite() {
            return None;
        }
        let auc = won / (present * absent);
        let above = auc >= 0.5;
        let (rates, threshold) = if above { high } else { (2.0 - low.0, low.1) };
        Some(Self { auc: auc.max(1.0 - auc), above, threshold, balanced_accuracy: rates / 2.0 })
    }

    /// The answer to a number.
    pub fn answer(&self, value: f32) -> bool {
        (value > self.threshold) == self.above
    }

    /// Balanced accuracy and area under the ROC curve on other people, in the direction chosen.
    pub fn measured(&self, values: impl Iterator<Item = (f32, bool)>) -> (Tally, f64) {
        let mut tally = Tally::default();
        let ranking: Vec<Scored> = values
            .map(|(value, truth)| {
                tally.add(truth, self.answer(value));
                Scored { score: if self.above { value } else { -value }, truth }
            })
            .collect();
        (tally, roc_auc(&ranking))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_cut_stands_midway_and_in_the_right_direction() {
        let cut = |values: &[(f32, bool)]| Cut::best(values.iter().copied());
        let above = cut(&[(0.0, false), (1.0, false), (2.0, true), (3.0, true)]).unwrap();
        assert_eq!((above.threshold, above.above, above.auc, above.balanced_accuracy), (1.5, true, 1.0, 1.0));
        let below = cut(&[(0.0, true), (1.0, true), (2.0, false), (3.0, true)]).unwrap();
        assert_eq!((below.threshold, below.above), (1.5, false));
        assert!((below.auc - 2.0 / 3.0).abs() < 1e-12 && (below.balanced_accuracy - 5.0 / 6.0).abs() < 1e-12);
        // A silent neuron tells nothing.
        assert_eq!(cut(&[(0.0, true), (0.0, false)]), None);
        assert_eq!(cut(&[(0.0, true), (1.0, true)]), None);
    }

    proptest! {
        #[test]
        fn on_its_own_people_a_cut_is_worth_what_it_says(
            mut pairs in prop::collection::vec(((0_u8..12).prop_map(f32::from), any::<bool>()), 2..60),
        ) {
            pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
            if let Some(cut) = Cut::best(pairs.iter().copied()) {
                let (tally, auc) = cut.measured(pairs.iter().copied());
                prop_assert!((tally.balanced_accuracy() - cut.balanced_accuracy).abs() < 1e-9);
                prop_assert!((auc - cut.auc).abs() < 1e-9 && auc >= 0.5 - 1e-12);
            }
        }
    }
}
