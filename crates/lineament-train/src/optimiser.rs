//! Optimisers and their schedule, on flat parameters.

use crate::recipe::OptimiserSpec;
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamW, AdamWConfig, Optimizer, RecordState, Sgd, SgdConfig, StateSink, StateSource};
use burn::tensor::{Device, Tensor, TensorData};

/// The optimiser and its state, one entry a parameter.
pub enum OptimiserState {
    /// See [`OptimiserSpec::Sgd`].
    Sgd(Sgd, Sgd, Vec<Option<<Sgd as Optimizer>::State<1>>>),
    /// See [`OptimiserSpec::AdamW`].
    AdamW(AdamW, AdamW, Vec<Option<<AdamW as Optimizer>::State<1>>>),
}

fn step_one<O: Optimizer>(
    (decayed, plain): (&O, &O),
    state: &mut Option<O::State<1>>,
    decay: bool,
    rate: f64,
    value: Tensor<1>,
    gradient: Tensor<1>,
) -> Tensor<1> {
    let optimiser = if decay { decayed } else { plain };
    let (value, next) = optimiser.step(rate, value, gradient, state.take());
    *state = next;
    value
}

fn save<S: RecordState>(states: &[Option<S>]) -> Vec<(String, TensorData)> {
    let mut sink = StateSink::default();
    for (index, state) in states.iter().enumerate() {
        if let Some(state) = state {
            state.state_flatten(&index.to_string(), &mut sink);
        }
    }
    sink.tensors
}

/// Step counters are the only scalars of these optimisers; all parameters share one.
fn load<S: RecordState>(
    count: usize,
    steps: u64,
    tensors: Vec<(String, TensorData)>,
    device: &Device,
) -> Vec<Option<S>> {
    let scalars = (0..count).map(|i| (format!("{i}.momentum.time"), steps.into())).collect();
    let mut source = StateSource::new(scalars);
    for (name, data) in tensors {
        source.insert_tensor(name, data);
    }
    (0..count).map(|i| S::state_unflatten(&i.to_string(), &mut source, device)).collect()
}

impl OptimiserState {
    /// A fresh optimiser for `count` parameters.
    pub fn new(spec: OptimiserSpec, count: usize) -> Self {
        match spec {
            OptimiserSpec::Sgd { momentum, weight_decay } => {
                let config = SgdConfig::new()
                    .with_momentum(Some(MomentumConfig::new().with_momentum(momentum).with_dampening(0.0)));
                let decay = WeightDecayConfig::new(weight_decay);
                let plain = config.build();
                let decayed = config.with_weight_decay(Some(decay)).build();
                Self::Sgd(decayed, plain, (0..count).map(|_| None).collect())
            }
            OptimiserSpec::AdamW { weight_decay } => {
                let config = AdamWConfig::new().with_epsilon(1e-8);
                let plain = config.clone().with_weight_decay(0.0).build();
                let decayed = config.with_weight_decay(weight_decay).build();
                Self::AdamW(decayed, plain, (0..count).map(|_| None).collect())
            }
        }
    }

    /// One step of parameter `index`; `decay` says whether weight decay applies to it (weights yes, biases and norms no).
    pub fn step(
        &mut self,
        index: usize,
        decay: bool,
        rate: f64,
        value: Tensor<1>,
        gradient: Tensor<1>,
    ) -> Tensor<1> {
        match self {
            Self::Sgd(decayed, plain, states) => {
                step_one((&*decayed, &*plain), &mut states[index], decay, rate, value, gradient)
            }
            Self::AdamW(decayed, plain, states) => {
                step_one((&*decayed, &*plain), &mut states[index], decay, rate, value, gradient)
            }
        }
    }

    /// Its tensors by name, for the checkpoint.
    pub fn tensors(&self) -> Vec<(String, TensorData)> {
        match self {
            Self::Sgd(_, _, states) => save(states),
            Self::AdamW(_, _, states) => save(states),
        }
    }

    /// Takes back, to `device`, what [`Self::tensors`] gave after `steps` steps.
    pub fn restore(&mut self, steps: u64, tensors: Vec<(String, TensorData)>, device: &Device) {
        match self {
            Self::Sgd(_, _, states) => *states = load(states.len(), steps, tensors, device),
            Self::AdamW(_, _, states) => *states = load(states.len(), steps, tensors, device),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adam_w_takes_the_step_of_its_closed_form() {
        // The first step of Adam is the rate against the gradient's sign; decay shrinks the weight first.
        let device = Device::flex();
        let tensor = |v: [f32; 2]| Tensor::<1>::from_floats(TensorData::from(v), &device);
        let mut state = OptimiserState::new(OptimiserSpec::AdamW { weight_decay: 0.1 }, 1);
        let next = state.step(0, true, 0.01, tensor([1.0, -2.0]), tensor([3.0, -0.5]));
        let next: Vec<f32> = next.to_data().iter::<f32>().collect();
        let expected = [1.0 * (1.0 - 0.001) - 0.01, -2.0 * (1.0 - 0.001) + 0.01];
        for (found, expected) in next.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-5, "{next:?}");
        }
    }

    #[test]
    fn a_restored_optimiser_takes_the_same_step() {
        let device = Device::flex();
        let tensor = |v: [f32; 2]| Tensor::<1>::from_floats(TensorData::from(v), &device);
        let specs = [
            OptimiserSpec::AdamW { weight_decay: 0.1 },
            OptimiserSpec::Sgd { momentum: 0.9, weight_decay: 5e-4 },
        ];
        for spec in specs {
            let mut state = OptimiserState::new(spec, 1);
            let mut value = tensor([1.0, -2.0]);
            for step in 0..3 {
                value = state.step(0, true, 0.01, value, tensor([0.5 + step as f32, -0.25]));
            }
            let mut restored = OptimiserState::new(spec, 1);
            restored.restore(3, state.tensors(), &device);
            let numbers = |t: Tensor<1>| t.to_data().iter::<f32>().collect::<Vec<_>>();
            let straight = numbers(state.step(0, true, 0.01, value.clone(), tensor([1.0, 1.0])));
            let resumed = numbers(restored.step(0, true, 0.01, value, tensor([1.0, 1.0])));
            assert_eq!(straight, resumed, "{spec:?}");
        }
    }
}
