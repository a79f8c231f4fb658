//! One stage of training: batches in, steps, a log, checkpoints, and a way to stop and go on.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use burn::tensor::{Device, Tensor};
use indicatif::{ProgressBar, ProgressStyle};

use crate::batches::SHARDS;
use crate::choice::Criterion;
use crate::curves;
use crate::device::TrainingDevice;
use crate::error::TrainError;
use crate::learner::{Learner, ShardGradients};
use crate::log::{Epoch, Log};
use crate::module::BatchStatistics;
use crate::recipe::{NO_FIGURE, Schedule};

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

    /// The figure of [`Self::validate`] that epochs are judged by, if there is one.
    fn criterion(&self) -> Option<Criterion> {
        None
    }

    /// Named figures on the validation part, for the log; after every epoch.
    ///
    /// # Errors
    /// When an image can't be read or a net can't be run.
    fn validate(&self, learner: &Learner) -> Result<Vec<(&'static str, f64)>, TrainError> {
        let _ = learner;
        Ok(Vec::new())
    }
}

/// Where a stage keeps its checkpoint.
pub fn checkpoint_path(folder: &Path, stage: &str) -> PathBuf {
    folder.join(format!("{stage}.checkpoint"))
}

/// Where a stage keeps its best epoch, if it has [`Schedule::patience`].
pub fn best_path(folder: &Path, stage: &str) -> PathBuf {
    folder.join(format!("{stage}.best"))
}

/// Trains `learner` on `task` to the end of the schedule or of its patience, going on from the stage's checkpoint if there is one.
///
/// # Errors
/// When an image, log or checkpoint can't be read or written; [`TrainError::Interrupted`] when asked to stop;
/// [`TrainError::Device`] when the device gives up.
pub fn run<T: Task>(
    task: &T,
    learner: &mut Learner,
    schedule: &Schedule,
    around: &Surroundings<'_>,
) -> Result<(), TrainError> {
    schedule.check(task.name())?;
    let patience = Patience::of(task, schedule, around.folder)?;
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
    let last = match patience.is_spent(&log) {
        true => first,
        false => around.step_limit.map_or(total, |limit| total.min(first + limit)),
    };

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
        let (mut mean_loss, mut waited) = (Mean::default(), Duration::ZERO);
        let mut began = Instant::now();
        while learner.steps() < last {
            if around.stop.load(Ordering::Relaxed) {
                learner.save(&checkpoint)?;
                return Err(TrainError::Interrupted { stage: task.name().to_owned() });
            }
            let asked = Instant::now();
            let Ok(batch) = receiver.recv() else { break };
            waited += asked.elapsed();
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
                let trained = began.elapsed();
                let figures = task.validate(learner)?;
                log.add(Epoch {
                    number: learner.steps() / per_epoch,
                    step: learner.steps(),
                    rate,
                    loss: mean_loss.value(),
                    seconds: began.elapsed().as_secs_f64(),
                    waited: waited.as_secs_f64(),
                    figures: figures.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
                })?;
                curves::write_page(around.folder)?;
                let images = per_epoch as usize * schedule.batch;
                bar.suspend(|| report(task.name(), schedule, &log, images, trained));
                patience.keep(&log, learner)?;
                if patience.is_spent(&log) {
                    break;
                }
                (mean_loss, waited) = (Mean::default(), Duration::ZERO);
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
    if learner.steps() < total && !patience.is_spent(&log) {
        return Err(TrainError::Interrupted { stage: task.name().to_owned() });
    }
    tracing::info!("{}: {}", task.name(), curves::in_words(log.epochs()));
    if let Some(bytes) = around.device.memory() {
        tracing::info!("{}: {:.0} MB of {} in use", task.name(), bytes as f64 / 1e6, around.device);
    }
    patience.take_best(&log, learner)
}

/// How long a stage waits for a better epoch, and where it keeps the best one; without end where its schedule has no patience.
struct Patience<'a> {
    stage: &'a str,
    within: Option<(Criterion, u64)>,
    best: PathBuf,
}

impl<'a> Patience<'a> {
    fn of<T: Task>(task: &'a T, schedule: &Schedule, folder: &Path) -> Result<Self, TrainError> {
        let within = match (schedule.patience, task.criterion()) {
            (Some(patience), Some(criterion)) => Some((criterion, patience)),
            (None, _) => None,
            (Some(_), None) => {
                return Err(TrainError::Recipe(format!("stage {}: {NO_FIGURE}", task.name())));
            }
        };
        Ok(Self { stage: task.name(), within, best: best_path(folder, task.name()) })
    }

    fn is_spent(&self, log: &Log) -> bool {
        self.within.is_some_and(|(criterion, patience)| criterion.is_spent(log.epochs(), patience))
    }

    /// Keeps `learner` if the last epoch is the best one.
    fn keep(&self, log: &Log, learner: &Learner) -> Result<(), TrainError> {
        let Some((criterion, _)) = self.within else { return Ok(()) };
        let best = criterion.best(log.epochs()).map(|epoch| epoch.number);
        if best.is_some() && best == log.epochs().last().map(|epoch| epoch.number) {
            learner.save(&self.best)?;
        }
        Ok(())
    }

    /// Takes the weights of the best epoch.
    fn take_best(&self, log: &Log, learner: &mut Learner) -> Result<(), TrainError> {
        let Some((criterion, _)) = self.within else { return Ok(()) };
        let Some(best) = criterion.best(log.epochs()) else { return Ok(()) };
        tracing::info!("{}: the best epoch was {}, and its weights are taken", self.stage, best.number);
        Ok(learner.load(&self.best)?)
    }
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

/// Says how the last epoch went: `trained` is the time of its steps, in which it saw so many `images`.
fn report(stage: &str, schedule: &Schedule, log: &Log, images: usize, trained: Duration) {
    let Some(epoch) = log.epochs().last() else { return };
    let Epoch { number, loss, seconds, waited, figures, .. } = epoch;
    let figures: String = figures.iter().map(|(name, value)| format!(", {name} {value:.4}")).collect();
    let trained = trained.as_secs_f64().max(1e-9);
    tracing::info!(
        "{stage}: epoch {number}/{}, loss {loss:.4}{figures}, {seconds:.0} s, {:.0} pictures/s, {:.0} % of the time waiting for them",
        schedule.all_epochs(),
        images as f64 / trained,
        100.0 * waited / trained
    );
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
