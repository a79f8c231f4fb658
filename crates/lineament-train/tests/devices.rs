//! The same training on the device that `LINEAMENT_DEVICE` names and on the processor. `.ci/devices` runs this, on Vulkan in software.
#![cfg(any(feature = "wgpu", feature = "cuda"))]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::path::Path;
use std::sync::atomic::AtomicBool;

use burn::tensor::{Device, Tensor};
use lineament::input::Preprocess;
use lineament_net::{NetSpec, Weights};
use lineament_train::batches::{self, stream};
use lineament_train::device::{DeviceName, TrainingDevice};
use lineament_train::folder::Folder;
use lineament_train::learner::Learner;
use lineament_train::losses::{binary_cross_entropy, similarity, smooth_l1, softmax_cross_entropy};
use lineament_train::module::{Mode, Module};
use lineament_train::recipe::{OptimiserSpec, Schedule};
use lineament_train::training_loop::{self, Loss, Task};
use lineament_train::{Recipe, TrainError};
use rand::Rng;

/// Faces a step.
const BATCH: usize = 16;
const ATTRIBUTES: usize = 5;

fn device() -> TrainingDevice {
    let name = std::env::var("LINEAMENT_DEVICE")
        .expect("LINEAMENT_DEVICE names the device to compare, such as wgpu");
    TrainingDevice::open(name.parse().unwrap()).unwrap()
}

/// A net with a layer of every kind, those of ANet among them: `N x 3 x 24 x 24` to `N x 5`.
fn net() -> NetSpec {
    let text = r#"
        name = "all"
        input = { channels = 3, height = 24, width = 24 }
        layers = [
            { kind = "conv", name = "first", filters = 8, kernel = 3, padding = 1 },
            { kind = "batch_norm", name = "first_norm" },
            { kind = "prelu", name = "slope" },
            { kind = "max_pool", kernel = 2, stride = 2 },
            { kind = "residual", name = "block", body = [
                { kind = "conv", name = "depthwise", filters = 8, kernel = 3, padding = 1, groups = 8 },
                { kind = "batch_norm", name = "block_norm" },
                { kind = "hard_swish" },
            ] },
            { kind = "relu6" },
            { kind = "local_conv", name = "local", filters = 8, kernel = 3, padding = 1, grid = [2, 2] },
            { kind = "relu" },
            { kind = "avg_pool", kernel = 3, stride = 3 },
            { kind = "linear", name = "head", outputs = 5 },
        ]
    "#;
    toml::from_str(text).unwrap()
}

/// Noise whose brightness in five places says which attributes are there, and all losses that stages have.
struct Noise<'a> {
    module: &'a Module,
    seed: u64,
}

struct NoiseBatch {
    input: Tensor<4>,
    tags: Tensor<2>,
    known: Tensor<2>,
    classes: Tensor<1, burn::tensor::Int>,
}

impl Task for Noise<'_> {
    type Batch = NoiseBatch;

    fn name(&self) -> &str {
        "noise"
    }

    /// An epoch is a step, so that the log has the loss of each.
    fn images(&self) -> usize {
        BATCH
    }

    fn batch(&self, step: u64, shard: usize, device: &Device) -> Result<NoiseBatch, TrainError> {
        let mut rng = stream(self.seed, step, shard as u64);
        let count = BATCH / batches::SHARDS;
        let (mut photos, mut tags, mut classes) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..count {
            let present: [bool; ATTRIBUTES] = rng.random();
            let pixel = |at: usize, noise: u8| match present.get(at % 24 / 5) {
                Some(true) => 150 + noise / 3,
                _ => noise / 2,
            };
            let pixels = (0..24 * 24).flat_map(|at| [pixel(at, rng.random()); 3]).collect();
            photos.push(lineament::Photo::new(24, 24, pixels).unwrap());
            tags.extend(present.map(|yes| if yes { 1.0 } else { 0.0 }));
            classes.push(i32::from(present[0]) + i32::from(present[1]));
        }
        let preprocess = Preprocess { mean: [0.5; 3], std: [0.25; 3] };
        Ok(NoiseBatch {
            input: batches::input(&photos, &preprocess, device),
            known: batches::table(vec![1.0; tags.len()], ATTRIBUTES, device),
            tags: batches::table(tags, ATTRIBUTES, device),
            classes: batches::integers(classes, device),
        })
    }

    fn loss(&self, values: &[Tensor<1>], batch: NoiseBatch) -> Loss {
        let pass = self.module.forward(values, batch.input, Mode::Train);
        let [n, k, _, _] = pass.output.dims();
        let said = pass.output.reshape([n, k]);
        let loss = binary_cross_entropy(said.clone(), batch.tags.clone(), batch.known.clone())
            + smooth_l1(said.clone(), batch.tags, batch.known) * 0.1
            + softmax_cross_entropy(said.clone(), batch.classes, 0.1) * 0.1
            + similarity(said) * 0.01;
        Loss { loss, statistics: pass.statistics }
    }

    fn validate(&self, _: &Learner) -> Result<Vec<(&'static str, f64)>, TrainError> {
        Ok(Vec::new())
    }
}

fn schedule() -> Schedule {
    let mut schedule = Recipe::named("drawn").unwrap().anet.schedule;
    schedule.epochs = 100;
    schedule.batch = BATCH;
    schedule.optimiser = OptimiserSpec::AdamW { weight_decay: 1e-3 };
    schedule.average = 0.9;
    schedule.clip = 5.0;
    schedule
}

/// Trains in `folder` up to `step_limit` more steps; gives the losses so far, and the averaged weights.
fn train(folder: &Path, device: &TrainingDevice, step_limit: Option<u64>) -> (Vec<f64>, Weights) {
    let module = Module::new(&net(), 0).unwrap();
    let (task, schedule, stop) = (Noise { module: &module, seed: 5 }, schedule(), AtomicBool::new(false));
    let mut learner = Learner::new(&[&module], &schedule, 5, device);
    let run = Folder { device: device.clone(), step_limit, ..Folder::new(folder, &stop) };
    match training_loop::run(&task, &mut learner, &schedule, &run.around()) {
        Err(TrainError::Interrupted { .. }) if step_limit.is_some() => {}
        other => other.unwrap(),
    }
    let log = std::fs::read_to_string(folder.join("noise.csv")).unwrap();
    let losses = log.lines().skip(1).map(|row| row.split(',').nth(3).unwrap().parse().unwrap()).collect();
    (losses, learner.weights(&module))
}

fn furthest(one: &[f64], other: &[f64]) -> f64 {
    assert_eq!(one.len(), other.len());
    one.iter().zip(other).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn losses_are_those_of_the_processor_and_a_run_goes_on_on_another_device() {
    let (folder, other) = (tempfile::tempdir().unwrap(), device());
    let path = |name: &str| {
        std::fs::create_dir_all(folder.path().join(name)).unwrap();
        folder.path().join(name)
    };
    let (on_cpu, _) = train(&path("cpu"), &TrainingDevice::cpu(), None);
    let (there, weights) = train(&path("there"), &other, None);
    assert_eq!((on_cpu.len(), there.len()), (100, 100));
    assert!(there[99] < there[0] * 0.5, "it learns: {} to {}", there[0], there[99]);
    let away = furthest(&on_cpu, &there);
    eprintln!("{other}: losses are at most {away:.1e} from the processor's over a hundred steps");
    assert!(away < 1e-3, "{away}");

    let (again, same) = train(&path("again"), &other, None);
    assert_eq!(again, there, "the same seed on the same device");
    assert_eq!(same.iter().collect::<Vec<_>>(), weights.iter().collect::<Vec<_>>());

    train(&path("moved"), &other, Some(40));
    train(&path("moved"), &TrainingDevice::cpu(), Some(30));
    let (moved, _) = train(&path("moved"), &other, None);
    let away = furthest(&on_cpu, &moved);
    assert!(moved.len() == 100 && away < 1e-3, "{away}");
}

#[test]
fn a_device_that_is_not_there_is_refused() {
    let name = match device().name() {
        DeviceName::Cuda(_) => DeviceName::Cuda(99),
        _ => DeviceName::Wgpu(99),
    };
    let error = TrainingDevice::open(name).unwrap_err().to_string();
    assert!(error.contains(":0") && error.contains("--device cpu"), "{error}");
}
