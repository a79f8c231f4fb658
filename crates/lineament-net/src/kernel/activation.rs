//! What follows a sum: an offset a channel and an activation, in one pass over the output.

use std::ops::Range;

/// A pointwise function.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Activation {
    /// The value itself.
    Identity,
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
    /// `x * min(max(x + 3, 0), 6) / 6`.
    HardSwish,
    /// `x` where positive, `slope * x` elsewhere; one slope a channel.
    Prelu(Vec<f32>),
}

/// What becomes of a value whose slope has been applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Top {
    /// Nothing.
    Open,
    /// No more than [`SIX`].
    Six,
    /// A product with `min(max(x + 3, 0), 6) / 6`.
    Gate,
}

/// Where ReLU6 ends.
pub(crate) const SIX: f32 = 6.0;
/// How far from zero the gate of a hard swish begins to open.
pub(crate) const GATE: f32 = 3.0;
/// What makes of a gate a factor.
pub(crate) const SIXTH: f32 = 1.0 / SIX;

impl Top {
    /// The plain twin of what kernels do.
    #[inline(always)]
    pub(crate) fn apply(self, v: f32) -> f32 {
        match self {
            Self::Open => v,
            Self::Six => below_six(v),
            Self::Gate => v * (below_six(relu(v + GATE)) * SIXTH),
        }
    }
}

impl Activation {
    /// The function of some of the channels.
    pub(crate) fn part(&self, channels: Range<usize>) -> Self {
        match self {
            Self::Prelu(slopes) => Self::Prelu(slopes[channels].to_vec()),
            other => other.clone(),
        }
    }

    /// What a negative value is multiplied with, for each of `channels`: with [`Activation::top`], all of the function.
    pub(crate) fn slopes(&self, channels: usize) -> Vec<f32> {
        match self {
            Self::Identity | Self::HardSwish => vec![1.0; channels],
            Self::Relu | Self::Relu6 => vec![0.0; channels],
            Self::Prelu(slopes) => slopes.clone(),
        }
    }

    /// What follows the slope.
    pub(crate) fn top(&self) -> Top {
        match self {
            Self::Identity | Self::Relu | Self::Prelu(_) => Top::Open,
            Self::Relu6 => Top::Six,
            Self::HardSwish => Top::Gate,
        }
    }

    /// In place over pixels of `channels` values.
    pub(crate) fn apply(&self, map: &mut [f32], channels: usize) {
        match self {
            Self::Identity => {}
            Self::Relu => map.iter_mut().for_each(|v| *v = relu(*v)),
            Self::Relu6 => map.iter_mut().for_each(|v| *v = below_six(relu(*v))),
            Self::HardSwish => map.iter_mut().for_each(|v| *v = Top::Gate.apply(*v)),
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
#[inline(always)]
fn relu(v: f32) -> f32 {
    if v > 0.0 { v } else { 0.0 }
}

#[inline(always)]
fn below_six(v: f32) -> f32 {
    if v < SIX { v } else { SIX }
}

fn prelu(v: f32, slope: f32) -> f32 {
    if v > 0.0 { v } else { slope * v }
}
