//! What follows a sum: an offset a channel and an activation, in one pass over the output.

use std::ops::Range;

/// A pointwise function.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Activation {
    /// The value itself.
    Identity,
    /// `max(x, 0)`.
    Relu,
    /// `x` where positive, `slope * x` elsewhere; one slope a channel.
    Prelu(Vec<f32>),
}

impl Activation {
    /// The function of some of the channels.
    pub(crate) fn part(&self, channels: Range<usize>) -> Self {
        match self {
            Self::Prelu(slopes) => Self::Prelu(slopes[channels].to_vec()),
            other => other.clone(),
        }
    }

    /// What a negative value is multiplied with, for each of `channels`: this says all of the function.
    pub(crate) fn slopes(&self, channels: usize) -> Vec<f32> {
        match self {
            Self::Identity => vec![1.0; channels],
            Self::Relu => vec![0.0; channels],
            Self::Prelu(slopes) => slopes.clone(),
        }
    }

    /// In place over pixels of `channels` values.
    pub(crate) fn apply(&self, map: &mut [f32], channels: usize) {
        match self {
            Self::Identity => {}
            Self::Relu => map.iter_mut().for_each(|v| *v = relu(*v)),
            Self::Prelu(slopes) => {
                for pixel in map.chunks_exact_mut(channels) {
                    pixel.iter_mut().zip(slopes).for_each(|(v, &slope)| *v = prelu(*v, slope));
                }
            }
        }
    }

    /// In place over pixels of `scale.len()` values: scaled, shifted, then the function applied.
    pub(crate) fn apply_with_scale(&self, map: &mut [f32], scale: &[f32], shift: &[f32]) {
        for pixel in map.chunks_exact_mut(scale.len()) {
            for ((v, &scale), &shift) in pixel.iter_mut().zip(scale).zip(shift) {
                *v = *v * scale + shift;
            }
        }
        self.apply(map, scale.len());
    }
}

// Written as comparisons: they become one instruction, where `f32::max` must look for NaN as well.
fn relu(v: f32) -> f32 {
    if v > 0.0 { v } else { 0.0 }
}

fn prelu(v: f32, slope: f32) -> f32 {
    if v > 0.0 { v } else { slope * v }
}
