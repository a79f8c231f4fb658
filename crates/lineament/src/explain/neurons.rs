//! A score as a sum over FC neurons: each contributes its weight times its activation.

use serde::Serialize;

/// What one FC neuron added to a score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Contribution {
    /// Its index in the FC vector, from 0.
    pub neuron: usize,
    /// Its activation, the mean over patches.
    pub activation: f32,
    /// Activation times weight: above zero it spoke for the attribute, below against it.
    pub amount: f32,
}

/// The neurons that said most about an attribute, and how much of the score they are.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NeuronShare {
    /// The largest contributions by size, whatever their sign; largest first, of equal ones the lower neuron.
    pub strongest: Vec<Contribution>,
    /// The SVM's bias, which no neuron changes.
    pub bias: f32,
    /// The score of the bias and these neurons alone.
    pub partial_score: f32,
    /// Their part of all that was said for or against, 0 to 1: sums of sizes. Contributions of both signs cancel, so that a
    /// part of the score itself could be below 0 or above 1.
    pub share: f32,
    /// Whether bias and these neurons alone lead to the answer of the whole score.
    pub same_answer: bool,
}

impl NeuronShare {
    /// Splits the score of one attribute and names the `most` strongest neurons; `present` says whether a score makes the
    /// attribute present.
    pub fn of(weight: &[f32], bias: f32, vector: &[f32], most: usize, present: impl Fn(f32) -> bool) -> Self {
        let amount = |(neuron, (&w, &x)): (usize, (&f32, &f32))| (neuron, x, f64::from(w) * f64::from(x));
        let mut all: Vec<_> = weight.iter().zip(vector).enumerate().map(amount).collect();
        let (mut score, mut said) = (f64::from(bias), 0.0);
        for (_, _, amount) in &all {
            score += amount;
            said += amount.abs();
        }
        all.sort_by(|a, b| b.2.abs().total_cmp(&a.2.abs()).then(a.0.cmp(&b.0)));
        all.truncate(most);
        let partial = f64::from(bias) + all.iter().map(|(_, _, amount)| amount).sum::<f64>();
        let kept: f64 = all.iter().map(|(_, _, amount)| amount.abs()).sum();
        Self {
            strongest: all
                .into_iter()
                .map(|(neuron, activation, amount)| Contribution {
                    neuron,
                    activation,
                    amount: amount as f32,
                })
                .collect(),
            bias,
            partial_score: partial as f32,
            // Silent neurons leave nothing unsaid.
            share: if said > 0.0 { (kept / said).min(1.0) as f32 } else { 1.0 },
            same_answer: present(partial as f32) == present(score as f32),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_strongest_come_first_whatever_their_sign() {
        let share =
            NeuronShare::of(&[1.0, -3.0, 0.5, 2.0], 0.25, &[1.0, 1.0, 4.0, 0.0], 2, |score| score > 0.0);
        let named: Vec<_> = share.strongest.iter().map(|c| (c.neuron, c.amount)).collect();
        assert_eq!(named, [(1, -3.0), (2, 2.0)]);
        assert_eq!((share.partial_score, share.share), (-0.75, 5.0 / 6.0));
        // The whole score is 0.25, above the threshold; two neurons alone say the opposite.
        assert!(!share.same_answer);
    }

    #[test]
    fn silent_neurons_leave_nothing_unsaid() {
        let share = NeuronShare::of(&[1.0, 2.0], -0.5, &[0.0, 0.0], 1, |score| score > 0.0);
        assert_eq!((share.share, share.partial_score, share.same_answer), (1.0, -0.5, true));
    }

    proptest! {
        #[test]
        fn all_neurons_together_are_the_score_and_more_say_more(
            pairs in prop::collection::vec((-3.0f32..3.0, -3.0f32..3.0), 1..40), bias in -2.0f32..2.0,
        ) {
            let (weight, vector): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
            let score: f32 = bias + weight.iter().zip(&vector).map(|(w, x)| w * x).sum::<f32>();
            let whole = NeuronShare::of(&weight, bias, &vector, usize::MAX, |score| score > 0.1);
            prop_assert!((whole.partial_score - score).abs() < 1e-3);
            prop_assert!((whole.share - 1.0).abs() < 1e-6 && whole.same_answer);
            let shares: Vec<f32> =
                (0..=weight.len()).map(|most| NeuronShare::of(&weight, bias, &vector, most, |score| score > 0.1).share).collect();
            prop_assert!(shares.windows(2).all(|pair| pair[0] <= pair[1]));
        }
    }
}
