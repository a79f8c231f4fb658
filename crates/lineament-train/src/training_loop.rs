//! One stage of training: batches in, steps, a log, checkpoints, and a way to stop and go on.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use burn::tensor::{Device, Tensor};
use indicatif::{ProgressBar, ProgressStyle};

use crate::batches::SHARDS;
use crate::device::TrainingDevice;
use crate::error::TrainError;
use crate::learner::{Learner, ShardGradients};
use crate::log::Log;
use crate::module::BatchStatistics;
use crate::recipe::Schedule;

/// Batches made ahead of the step that needs them.
const AHEAD: usize = 3;

/// How long a kill may cost at most.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(60);

/// How a stage is run: where, and when it stops.
pub struct Surroundings<'a> {
    /// Folder of the run: checkpoints and logs.
    pub folder: &'a Path,
    /// What is computed on.
    pub device: &'a TrainingDevice,
    /// Set by Ctrl-C: the stage writes a checkpoint and returns [`TrainError::Interrupted`].
    pub stop: &'a AtomicBool,
    /// Whether to draw a progress bar on standard error.
    pub progress: bool,
    /// Stop (as if by Ctrl-C) after so many steps in this call; for tests.
    pub step_limit: Option<u64>,
}

/// The loss of one shard.
pub struct Loss {
    /// Scalar, with its graph.
    pub loss: Tensor<1>,
    /// Batch-norm statistics of the pass.
    pub statistics: Vec<BatchStatistics>,
}

/// What a stage teaches: images to batches, batches to a loss.
pub trait Task: Sync {
    /// One shard's input and targets.
    type Batch: Send;

    /// Name of the stage: names its log and checkpoint.
    fn name(&self) -> &str;

    /// Images in an epoch.
    fn images(&self) -> usize;

    /// The batch of a shard at a step, on `device`: a pure function of its arguments and the recipe's seed.
    ///
    /// # Errors
    /// When an image can't be read any more.
    fn batch(&self, step: u64, shard: usize, device: &Device) -> Result<Self::Batch, TrainError>;

    /// The loss of a batch under the parameters `values`.
    fn loss(&self, values: &[Tensor<1>], batch: Self::Batch) -> Loss;

    /// Named figures on the validation part, for the log; after every epoch.
    ///
    /// # Errors
    /// When an image can't be read or a net can't be run.
    fn validate(&self, learner: &Learner) -> Result<Vec<(&'static str, f64)>, TrainError>;
}

/// Where a stage keeps its checkpoint.
pub fn checkpoint_path(folder: &Path, stage: &str) -> PathBuf {
    folder.join(format!("{stage}.checkpoint"))
}

/// Trains `learner` on `task` to the end of the schedule, going on from the stage's checkpoint if there is one.
///
/// # Errors
/// When an image, log or checkpoint can't be read or written; [`TrainError::Interrupted`] when asked to stop.
pub fn run<T: Task>(
    task: &T,
    learner: &mut Learner,
    schedule: &Schedule,
    around: &Surroundings<'_>,
) -> Result<(), TrainError> {
    schedule.check(task.name())?;
    let checkpoint = checkpoint_path(around.folder, task.name());
    if checkpoint.exists() {
        learner.load(&checkpoint)?;
        tracing::info!("{}: going on from step {}", task.name(), learner.steps());
    }
    let per_epoch = (task.images() / schedule.batch).max(1) as u64;
    let total = per_epoch * schedule.all_epochs();
    let mut log = Log::open(around.folder, task.name(), learner.steps())?;
    let bar = progress_bar(task.name(), total, learner.steps(), around.progress);
    let shards = Shards::new(around.device)?;
    let gave_up = |step: u64, why: String| TrainError::Device {
        stage: task.name().to_owned(),
        step,
        device: around.device.to_string(),
        why,
    };
    let first = learner.steps();
    let last = around.step_limit.map_or(total, |limit| total.min(first + limit));

    std::thread::scope(|scope| {
        let (sender, receiver) = mpsc::sync_channel(AHEAD);
        let device = around.device.autodiff();
        let gave_up = &gave_up;
        scope.spawn(move || {
            for step in first..last {
                let shards = || (0..SHARDS).map(|shard| task.batch(step, shard, &device)).collect();
                let made: Result<Vec<T::Batch>, TrainError> =
                    around.device.guarded(shards).unwrap_or_else(|why| Err(gave_up(step, why)));
                let failed = made.is_err();
                if sender.send(made).is_err() || failed {
                    return;
                }
            }
        });
        let mut saved = Instant::now();
        let mut mean_loss = Mean::default();
        let mut began = Instant::now();
        while learner.steps() < last {
            if around.stop.load(Ordering::Relaxed) {
                learner.save(&checkpoint)?;
                return Err(TrainError::Interrupted { stage: task.name().to_owned() });
            }
            let Ok(batch) = receiver.recv() else { break };
            let rate = schedule.rate_at(learner.steps(), per_epoch);
            let batch = batch?;
            let step = learner.steps();
            let computed = around.device.guarded(|| shards.gradients(task, learner, batch));
            let (found, loss) = computed.map_err(|why| gave_up(step, why))?;
            if !loss.is_finite() {
                return Err(TrainError::Diverged { stage: task.name().to_owned(), step: learner.steps() });
            }
            let taken = around.device.guarded(|| learner.step(found, rate, schedule.clip));
            taken.map_err(|why| gave_up(step, why))?;
            mean_loss.add(loss);
            bar.set_message(format!("loss {:.4}", mean_loss.value()));
            bar.inc(1);
            if learner.steps().is_multiple_of(per_epoch) {
                let figures = task.validate(learner)?;
                let epoch = learner.steps() / per_epoch;
                log.row(
                    epoch,
                    learner.steps(),
                    rate,
                    mean_loss.value(),
                    began.elapsed().as_secs_f64(),
                    &figures,
                )?;
                bar.suspend(|| {
                    report(
                        task.name(),
                        epoch,
                        schedule.all_epochs(),
                        mean_loss.value(),
                        began.elapsed(),
                        &figures,
                    )
                });
                mean_loss = Mean::default();
                began = Instant::now();
            }
            if saved.elapsed() > CHECKPOINT_EVERY {
                learner.save(&checkpoint)?;
                saved = Instant::now();
            }
        }
        learner.save(&checkpoint)?;
        Ok(())
    })?;
    bar.finish_and_clear();
    if learner.steps() < total {
        return Err(TrainError::Interrupted { stage: task.name().to_owned() });
    }
    Ok(())
}

/// How the shards of a batch are worked on.
enum Shards {
    /// Each by one thread.
    SideBySide(Vec<rayon::ThreadPool>),
    /// One after the other.
    InTurn,
}

impl Shards {
    fn new(device: &TrainingDevice) -> Result<Self, TrainError> {
        if !device.side_by_side() {
            return Ok(Self::InTurn);
        }
        let build = |_| rayon::ThreadPoolBuilder::new().num_threads(1).build();
        let pools = (0..SHARDS).map(build).collect::<Result<_, _>>();
        pools.map(Self::SideBySide).map_err(|e| TrainError::Threads(e.to_string()))
    }

    /// Every shard's gradients, and the mean loss.
    fn gradients<T: Task>(
        &self,
        task: &T,
        learner: &Learner,
        batches: Vec<T::Batch>,
    ) -> (Vec<ShardGradients>, f64) {
        let shards = batches.len().max(1) as f64;
        let of_one = |batch: T::Batch| {
            let live = learner.live();
            let Loss { loss, statistics } = task.loss(&live, batch);
            let found = learner.gradients(&live, &loss, statistics);
            (found, f64::from(loss.into_scalar::<f32>()))
        };
        let found: Vec<(ShardGradients, f64)> = match self {
            Self::InTurn => batches.into_iter().map(of_one).collect(),
            Self::SideBySide(pools) => std::thread::scope(|scope| {
                let pairs = batches.into_iter().zip(pools);
                let begin = |(batch, pool): (T::Batch, &rayon::ThreadPool)| pool.install(|| of_one(batch));
                let handles: Vec<_> = pairs.map(|pair| scope.spawn(move || begin(pair))).collect();
                handles.into_iter().map(join).collect()
            }),
        };
        let loss = found.iter().map(|(_, loss)| loss).sum::<f64>() / shards;
        (found.into_iter().map(|(gradients, _)| gradients).collect(), loss)
    }
}

/// A panic in a shard is a bug of ours: it goes on to the caller as it is.
fn join<R>(handle: std::thread::ScopedJoinHandle<'_, R>) -> R {
    handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn progress_bar(stage: &str, total: u64, done: u64, shown: bool) -> ProgressBar {
    if !shown {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(total).with_position(done);
    let template = "{prefix:>12} [{bar:30}] {pos}/{len} steps, {msg}, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_prefix(stage.to_owned());
    bar.reset_eta();
    bar
}

fn report(stage: &str, epoch: u64, epochs: u64, loss: f64, took: Duration, figures: &[(&str, f64)]) {
    let figures: String = figures.iter().map(|(name, value)| format!(", {name} {value:.4}")).collect();
    tracing::info!("{stage}: epoch {epoch}/{epochs}, loss {loss:.4}{figures}, {:.0} s", took.as_secs_f64());
}

#[derive(Default)]
struct Mean {
    sum: f64,
    count: f64,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1.0;
    }

    fn value(&self) -> f64 {
        if self.count > 0.0 { self.sum / self.count } else { 0.0 }
    }
}
