//! How large the values of a map get, by what a net has learned of them.

use crate::Array;

/// So many deviations from its mean does a channel reach.
const DEVIATIONS: f32 = 6.0;

/// The values of a map, channel by channel.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ranges(Vec<Channel>);

#[derive(Debug, Clone, Copy, PartialEq)]
struct Channel {
    mean: f32,
    deviation: f32,
    least: f32,
    most: f32,
}

impl Channel {
    fn new(mean: f32, deviation: f32) -> Self {
        let reach = DEVIATIONS * deviation;
        Self { mean, deviation, least: mean - reach, most: mean + reach }
    }

    /// Without what is below zero, of a normal distribution.
    fn rectified(self) -> Self {
        let Self { mean, deviation, least, most } = self;
        let z = mean / deviation.max(1e-12);
        let density = (-0.5 * z * z).exp() / std::f32::consts::TAU.sqrt();
        // Within 0.0002.
        let share = 1.0 / (1.0 + (-1.597_6 * z - 0.070_566 * z * z * z).exp());
        let first = mean * share + deviation * density;
        let second = (mean * mean + deviation * deviation) * share + mean * deviation * density;
        let deviation = (second - first * first).max(0.0).sqrt();
        Self { mean: first, deviation, least: least.max(0.0), most: most.max(0.0) }
    }
}

impl Ranges {
    /// Behind a normalization.
    pub(super) fn normalized(shift: &Array, scale: &Array) -> Self {
        let channels = shift.data.iter().zip(&scale.data);
        Self(channels.map(|(shift, scale)| Channel::new(*shift, scale.abs())).collect())
    }

    /// Behind a `Relu`.
    pub(super) fn rectified(self) -> Self {
        Self(self.0.into_iter().map(Channel::rectified).collect())
    }

    /// The sum of two maps that have little to do with each other.
    pub(super) fn plus(&self, other: &Self) -> Self {
        let sum = |(a, b): (&Channel, &Channel)| {
            let sum = Channel::new(a.mean + b.mean, a.deviation.hypot(b.deviation));
            let (least, most) = (sum.least.min(a.least).min(b.least), sum.most.max(a.most).max(b.most));
            Channel { least: least.max(a.least + b.least), most: most.min(a.most + b.most), ..sum }
        };
        Self(self.0.iter().zip(&other.0).map(sum).collect())
    }

    /// From one byte to the next, and the byte of zero.
    pub(super) fn bytes(&self) -> (f32, u8) {
        let least = self.0.iter().fold(0.0f32, |least, channel| least.min(channel.least));
        let most = self.0.iter().fold(0.0f32, |most, channel| most.max(channel.most));
        let step = (most - least) / 255.0;
        let step = if step.is_normal() { step } else { 1.0 };
        (step, (-least / step).round() as u8)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn normalized(shift: &[f32], scale: &[f32]) -> Ranges {
        let array = |values: &[f32]| Array::new("a", vec![values.len()], values.to_vec()).unwrap();
        Ranges::normalized(&array(shift), &array(scale))
    }

    #[test]
    fn bytes_reach_as_far_as_the_widest_channel() {
        let (step, zero) = normalized(&[0.0, 1.0], &[0.5, -1.0]).bytes();
        // From 1 - 6 to 1 + 6.
        assert!((step - 12.0 / 255.0).abs() < 1e-6 && zero == 106, "{step} {zero}");
        let (step, zero) = normalized(&[0.0, 1.0], &[0.5, -1.0]).rectified().bytes();
        assert!((step - 7.0 / 255.0).abs() < 1e-6 && zero == 0, "{step} {zero}");
        assert_eq!(normalized(&[0.0], &[0.0]).bytes(), (1.0, 0));
    }

    #[test]
    fn a_rectified_channel_has_the_moments_of_a_rectified_normal_distribution() {
        let Ranges(channels) = normalized(&[0.0, 3.0, -9.0], &[1.0, 0.5, 1.0]).rectified();
        let expected = [[0.398_94, 0.583_82], [3.0, 0.5], [0.0, 0.0]];
        for (channel, [mean, deviation]) in channels.iter().zip(expected) {
            assert!((channel.mean - mean).abs() < 2e-3, "{channel:?}");
            assert!((channel.deviation - deviation).abs() < 2e-3, "{channel:?}");
        }
    }

    #[test]
    fn a_sum_reaches_no_farther_than_both_do() {
        let one = normalized(&[1.0], &[1.0]);
        let sum = one.plus(&one.clone().rectified());
        assert!(sum.0[0].least >= -5.0 && sum.0[0].most <= 14.0 && sum.0[0].most >= 7.0, "{sum:?}");
    }
}
