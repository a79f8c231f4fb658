//! How a stage learns: passes, batches, learning rate and optimiser.

use serde::{Deserialize, Serialize};

use super::section::{Section, above_zero};
use crate::batches::SHARDS;
use crate::error::TrainError;

/// How a stage learns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Passes over the images.
    pub epochs: u64,
    /// Images a step (all shards together).
    pub batch: usize,
    /// Peak learning rate of the one-cycle schedule.
    pub rate: f64,
    /// Share of the steps in which the rate climbs.
    #[serde(default = "default_warmup")]
    pub warmup: f64,
    /// A second, shorter cycle after the first one, from where it ended (a warm restart: Loshchilov and Hutter, ICLR 2017).
    #[serde(default)]
    pub again: Option<Again>,
    /// After so many epochs without a better figure on the validation part the stage stops. It then has the weights of its best epoch, and those of
    /// its last one where this is left out. The schedule of the rate stays that of all epochs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patience: Option<u64>,
    /// Optimiser.
    pub optimiser: OptimiserSpec,
    /// Decay of the moving average of the weights (0: the last weights).
    #[serde(default)]
    pub average: f64,
    /// Largest norm of a step's gradients (0: no limit).
    #[serde(default)]
    pub clip: f64,
}

/// See [`Schedule::again`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Again {
    /// Passes over the images.
    pub epochs: u64,
    /// Peak learning rate.
    pub rate: f64,
}

/// Why a stage cannot have patience.
pub const NO_FIGURE: &str =
    "`patience` needs a figure on the validation part, which this stage has not: leave it out";

fn default_warmup() -> f64 {
    0.1
}

impl Schedule {
    /// Refuses settings with which nothing could be learned.
    ///
    /// # Errors
    /// [`TrainError::Recipe`] that names the field of `stage`.
    pub fn check(&self, stage: &str) -> Result<(), TrainError> {
        self.check_from(stage, 1)
    }

    /// The same for a stage that may have fewer epochs, since its net was learned elsewhere.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn check_from(&self, stage: &str, least_epochs: u64) -> Result<(), TrainError> {
        let Self { epochs, batch, rate, warmup, again, patience, optimiser, average, clip } = self;
        let section = Section::stage(stage);
        for Again { epochs, rate } in [Again { epochs: *epochs, rate: *rate }].into_iter().chain(*again) {
            section.within("epochs", epochs, least_epochs as f64..=10_000.0)?;
            section.within("rate", rate, above_zero(10.0))?;
        }
        section.within("batch", *batch, 4.0..=4096.0)?;
        if !batch.is_multiple_of(2 * SHARDS) {
            return Err(section.refused("`batch` must be a multiple of 4"));
        }
        section.within("warmup", *warmup, 0.0..1.0)?;
        patience.map_or(Ok(()), |patience| section.within("patience", patience, 1.0..=10_000.0))?;
        section.within("average", *average, 0.0..1.0)?;
        section.within("clip", *clip, 0.0..=1e9)?;
        optimiser.check(section)
    }

    /// The same for a stage that has no figure on the validation part to judge epochs by.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn check_unjudged(&self, stage: &str, least_epochs: u64) -> Result<(), TrainError> {
        self.check_from(stage, least_epochs)?;
        match self.patience {
            Some(_) => Err(Section::stage(stage).refused(NO_FIGURE)),
            None => Ok(()),
        }
    }

    /// Passes over the images, all cycles together.
    pub fn all_epochs(&self) -> u64 {
        self.epochs + self.again.map_or(0, |again| again.epochs)
    }

    /// The learning rate at a step, where an epoch has `per_epoch` steps.
    pub fn rate_at(&self, step: u64, per_epoch: u64) -> f64 {
        let first = per_epoch * self.epochs;
        match self.again {
            Some(again) if step >= first => {
                one_cycle(again.rate, self.warmup, step - first, per_epoch * again.epochs)
            }
            _ => one_cycle(self.rate, self.warmup, step, first),
        }
    }
}

/// Which optimiser a stage uses, and how hard it pulls.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum OptimiserSpec {
    /// Stochastic gradient descent with momentum (the paper's).
    Sgd {
        /// Momentum, in [0, 1).
        momentum: f64,
        /// L2 penalty.
        weight_decay: f32,
    },
    /// Adam with decoupled weight decay (Loshchilov and Hutter, ICLR 2019).
    AdamW {
        /// Decoupled weight decay.
        weight_decay: f32,
    },
}

impl OptimiserSpec {
    fn check(&self, section: Section<'_>) -> Result<(), TrainError> {
        let weight_decay = match self {
            Self::Sgd { momentum, weight_decay } => {
                section.within("momentum", *momentum, 0.0..1.0)?;
                *weight_decay
            }
            Self::AdamW { weight_decay } => *weight_decay,
        };
        section.within("weight_decay", weight_decay, 0.0..=1.0)
    }
}

/// One-cycle learning rate (Smith and Topin, 2017): a linear climb to `peak` over the first `warmup` share of all steps, then a cosine
/// down to a thousandth of it.
pub fn one_cycle(peak: f64, warmup: f64, step: u64, total: u64) -> f64 {
    let at = (step as f64 + 0.5) / total.max(1) as f64;
    if at < warmup {
        return peak * (0.04 + 0.96 * at / warmup);
    }
    let along = (at - warmup) / (1.0 - warmup);
    peak * (0.001 + 0.999 * 0.5 * (1.0 + (std::f64::consts::PI * along).cos()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn schedule(again: Option<Again>) -> Schedule {
        let optimiser = OptimiserSpec::AdamW { weight_decay: 0.0 };
        Schedule {
            epochs: 4,
            batch: 8,
            rate: 1e-2,
            warmup: 0.1,
            again,
            patience: None,
            optimiser,
            average: 0.0,
            clip: 0.0,
        }
    }

    #[test]
    fn a_second_cycle_begins_where_the_first_ended() {
        let both = schedule(Some(Again { epochs: 2, rate: 1e-3 }));
        assert!(both.check("anet").is_ok());
        assert_eq!(both.all_epochs(), 6);
        for step in 0..400 {
            assert_eq!(
                both.rate_at(step, 100),
                schedule(None).rate_at(step, 100),
                "the first cycle is as it was"
            );
        }
        let second: Vec<f64> = (400..600).map(|step| both.rate_at(step, 100)).collect();
        let peak = second.iter().copied().fold(0.0, f64::max);
        assert!((9e-4..=1e-3).contains(&peak), "{peak}");
        assert!(second[0] < 1e-4 && second[199] < 1e-5);
    }

    #[test]
    fn cycles_that_teach_nothing_are_refused() {
        for wrong in [Again { epochs: 0, rate: 1e-3 }, Again { epochs: 1, rate: 0.0 }] {
            let refused = schedule(Some(wrong)).check("anet").unwrap_err().to_string();
            assert!(refused.contains("stage anet"), "{refused}");
        }
    }

    #[test]
    fn the_rate_climbs_peaks_and_falls() {
        let rate = |step| one_cycle(1.0, 0.1, step, 1000);
        assert!(rate(0) < 0.06 && (rate(99) - 1.0).abs() < 0.02 && rate(999) < 0.002);
        assert!((0..99).all(|step| rate(step) < rate(step + 1)));
        assert!((100..999).all(|step| rate(step) > rate(step + 1)));
    }
}
