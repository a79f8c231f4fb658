//! Parameters while they are learned: values, optimiser, moving average, and their checkpoint.

use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use lineament_net::{Array, Parameter, ParameterKind, Weights};
use rand::SeedableRng;
use rand_distr::{Distribution, Normal};

use crate::checkpoint::{self, CheckpointError};
use crate::device::TrainingDevice;
use crate::module::{BatchStatistics, Module};
use crate::optimiser::OptimiserState;
use crate::recipe::Schedule;

/// Blend of the batch's statistics into batch norm's running ones.
const STATISTICS_RATE: f64 = 0.1;

/// What one shard of a batch found.
pub struct ShardGradients {
    gradients: Vec<Option<Tensor<1>>>,
    statistics: Vec<BatchStatistics>,
}

/// Flat parameters of one or more [`Module`]s, and all that training keeps beside them.
pub struct Learner {
    parameters: Vec<Parameter>,
    values: Vec<Tensor<1>>,
    average: Vec<Tensor<1>>,
    optimiser: OptimiserState,
    decay: f64,
    steps: u64,
    device: Device,
}

impl Learner {
    /// Fresh parameters (He normal for weights) for `modules`, in their order, drawn from `seed`; they lie on `device`.
    /// Of `schedule` it is the optimiser and the moving average that count here.
    pub fn new(modules: &[&Module], schedule: &Schedule, seed: u64, device: &TrainingDevice) -> Self {
        let parameters: Vec<Parameter> =
            modules.iter().flat_map(|m| m.parameters().iter().cloned()).collect();
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let device = device.plain().clone();
        let values: Vec<Tensor<1>> = parameters
            .iter()
            .map(|p| Tensor::from_floats(TensorData::from(initial(p, &mut rng).as_slice()), &device))
            .collect();
        Self {
            average: values.clone(),
            optimiser: OptimiserState::new(schedule.optimiser, values.len()),
            values,
            parameters,
            decay: schedule.average,
            steps: 0,
            device,
        }
    }

    /// Steps taken so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The values with gradients asked for, for one forward and backward pass. Running statistics need none.
    pub fn live(&self) -> Vec<Tensor<1>> {
        let pairs = self.parameters.iter().zip(&self.values);
        pairs
            .map(|(p, v)| {
                let live = Tensor::from_inner(v.clone());
                if is_statistic(p) { live } else { live.require_grad() }
            })
            .collect()
    }

    /// One optimiser step from `found`, what each shard of the batch found; `rate` is the learning rate.
    ///
    /// Gradients are averaged over the shards and scaled so that their common norm is at most `clip` (0: not at all).
    pub fn step(&mut self, found: Vec<ShardGradients>, rate: f64, clip: f64) {
        let shards = found.len().max(1) as f64;
        let mut sums: Vec<Option<Tensor<1>>> = vec![None; self.values.len()];
        for one in found {
            for (sum, gradient) in sums.iter_mut().zip(one.gradients) {
                *sum = match (sum.take(), gradient) {
                    (Some(a), Some(b)) => Some(a + b),
                    (a, b) => a.or(b),
                };
            }
            for statistics in one.statistics {
                self.blend(statistics.mean_index, statistics.mean, shards);
                self.blend(statistics.variance_index, statistics.variance, shards);
            }
        }
        let scale = clip_scale(&sums, clip * shards) / shards;
        for (index, gradient) in sums.into_iter().enumerate() {
            let Some(gradient) = gradient else { continue };
            let decay = matches!(self.parameters[index].kind, ParameterKind::Weight { .. });
            let value = self.values[index].clone();
            self.values[index] = self.optimiser.step(index, decay, rate, value, gradient * scale);
        }
        self.steps += 1;
        self.follow();
    }

    /// The gradients of `loss` with respect to `live`, with the batch's statistics.
    pub fn gradients(
        &self,
        live: &[Tensor<1>],
        loss: &Tensor<1>,
        statistics: Vec<BatchStatistics>,
    ) -> ShardGradients {
        let gradients = loss.backward();
        let pairs = self.parameters.iter().zip(live);
        let gradients = pairs.map(|(p, v)| if is_statistic(p) { None } else { v.grad(&gradients) }).collect();
        ShardGradients { gradients, statistics }
    }

    fn blend(&mut self, index: usize, batch: Tensor<1>, shards: f64) {
        let rate = STATISTICS_RATE / shards;
        let old = self.values[index].clone();
        self.values[index] = old * (1.0 - rate) + batch * rate;
    }

    /// The moving average runs faster at first, so that it is not held back by the random start.
    fn follow(&mut self) {
        let steps = self.steps as f64;
        let decay = self.decay.min((1.0 + steps) / (10.0 + steps));
        for (average, value) in self.average.iter_mut().zip(&self.values) {
            *average = average.clone() * decay + value.clone() * (1.0 - decay);
        }
    }

    /// The averaged weights of one module.
    pub fn weights(&self, module: &Module) -> Weights {
        let range = module.offset()..module.end();
        let mut weights = Weights::default();
        for (parameter, value) in module.parameters().iter().zip(&self.average[range]) {
            let data = floats(value);
            weights.insert(parameter.name.clone(), Array { shape: parameter.shape.clone(), data });
        }
        weights
    }

    /// Starts a module from weights that an earlier stage learned: every parameter of the same name and shape is taken.
    /// Returns how many were.
    pub fn load_matching(&mut self, module: &Module, weights: &Weights) -> usize {
        let mut taken = 0;
        for (index, parameter) in module.parameters().iter().enumerate() {
            let Some(array) = weights.get(&parameter.name) else { continue };
            if array.shape != parameter.shape {
                continue;
            }
            let value = Tensor::from_floats(TensorData::from(array.data.as_slice()), &self.device);
            self.values[module.offset() + index] = value.clone();
            self.average[module.offset() + index] = value;
            taken += 1;
        }
        taken
    }

    /// Writes everything that [`Self::load`] needs to go on bit for bit, to a temporary file that is then renamed.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn save(&self, path: &Path) -> Result<(), CheckpointError> {
        let mut tensors = Vec::new();
        for (index, value) in self.values.iter().enumerate() {
            tensors.push((format!("value.{index}"), floats(value)));
        }
        for (index, value) in self.average.iter().enumerate() {
            tensors.push((format!("average.{index}"), floats(value)));
        }
        for (name, data) in self.optimiser.tensors() {
            tensors.push((format!("optimiser.{name}"), data.iter::<f32>().collect()));
        }
        checkpoint::write(path, self.steps, &self.fingerprint(), &tensors)
    }

    /// Goes on from a checkpoint that [`Self::save`] wrote for the same nets.
    ///
    /// # Errors
    /// When the file is missing, damaged or belongs to other nets.
    pub fn load(&mut self, path: &Path) -> Result<(), CheckpointError> {
        let (steps, mut tensors) = checkpoint::read(path, &self.fingerprint())?;
        let mut take = |name: String, length: usize| -> Result<Tensor<1>, CheckpointError> {
            let data = tensors.remove(&name).filter(|data| data.len() == length).ok_or_else(|| {
                CheckpointError::Damaged {
                    path: path.to_path_buf(),
                    why: format!("tensor {name} is missing or misshaped"),
                }
            })?;
            Ok(Tensor::from_floats(TensorData::from(data.as_slice()), &self.device))
        };
        let lengths: Vec<usize> = self.parameters.iter().map(|p| p.shape.iter().product()).collect();
        let values = lengths
            .iter()
            .enumerate()
            .map(|(i, n)| take(format!("value.{i}"), *n))
            .collect::<Result<_, _>>()?;
        let average = lengths
            .iter()
            .enumerate()
            .map(|(i, n)| take(format!("average.{i}"), *n))
            .collect::<Result<_, _>>()?;
        let optimiser = tensors
            .into_iter()
            .filter_map(|(name, data)| {
                name.strip_prefix("optimiser.").map(|n| (n.to_owned(), TensorData::from(data.as_slice())))
            })
            .collect();
        self.values = values;
        self.average = average;
        self.optimiser.restore(steps, optimiser, &self.device);
        self.steps = steps;
        Ok(())
    }

    /// Names and shapes in a line: it tells a checkpoint of other nets apart.
    fn fingerprint(&self) -> String {
        let one = |p: &Parameter| format!("{}{:?}", p.name, p.shape);
        self.parameters.iter().map(one).collect::<Vec<_>>().join(";")
    }
}

fn is_statistic(parameter: &Parameter) -> bool {
    matches!(parameter.kind, ParameterKind::Mean | ParameterKind::Variance)
}

fn initial(parameter: &Parameter, rng: &mut rand_chacha::ChaCha8Rng) -> Vec<f32> {
    let count = parameter.shape.iter().product();
    match parameter.kind {
        ParameterKind::Weight { fan_in } => {
            let deviation = (2.0 / fan_in.max(1) as f64).sqrt();
            let normal = Normal::new(0.0, deviation).ok();
            (0..count).map(|_| normal.map_or(0.0, |n| n.sample(rng)) as f32).collect()
        }
        ParameterKind::Scale | ParameterKind::Variance => vec![1.0; count],
        ParameterKind::Slope => vec![0.25; count],
        ParameterKind::Bias | ParameterKind::Shift | ParameterKind::Mean => vec![0.0; count],
    }
}

fn floats(value: &Tensor<1>) -> Vec<f32> {
    value.to_data().iter::<f32>().collect()
}

fn clip_scale(gradients: &[Option<Tensor<1>>], clip: f64) -> f64 {
    if clip <= 0.0 {
        return 1.0;
    }
    // Brought over at once: each number that is read for itself is a wait for the device.
    let squares: Vec<Tensor<1>> =
        gradients.iter().flatten().map(|g| g.clone().powf_scalar(2.0).sum()).collect();
    if squares.is_empty() {
        return 1.0;
    }
    let squared: f64 = Tensor::cat(squares, 0).to_data().iter::<f64>().sum();
    let norm = squared.sqrt();
    if norm.is_finite() && norm > clip { clip / norm } else { 1.0 }
}
