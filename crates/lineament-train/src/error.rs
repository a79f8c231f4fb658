//! What can stop a training.

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::checkpoint::CheckpointError;

/// What can stop a training.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The recipe can't be used.
    #[error("the recipe can't be used: {0}")]
    Recipe(String),
    /// A net of the recipe is refused.
    #[error("a net of the recipe is refused: {0}")]
    Spec(#[from] lineament_net::SpecError),
    /// A checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The data can't be used.
    #[error(transparent)]
    Data(#[from] lineament_data::DataError),
    /// An image.
    #[error("{path}: {source}")]
    Photo {
        /// Which image.
        path: PathBuf,
        /// Why.
        source: lineament::PhotoError,
    },
    /// There is nothing to learn from.
    #[error("stage {stage} has nothing to learn from: {why}")]
    NoImages {
        /// Stage.
        stage: String,
        /// What is missing, and where it should come from.
        why: String,
    },
    /// The loss is no number any more.
    #[error(
        "stage {stage} diverged at step {step} (the loss is not a number); lower its `rate` in the recipe and start it again"
    )]
    Diverged {
        /// Stage.
        stage: String,
        /// Step.
        step: u64,
    },
    /// The device gave up.
    #[error(
        "stage {stage}: {device} gave up at step {step}: {why}. What was learned up to the last checkpoint is kept: the same command with --resume goes on from there, on this device or another; where memory was short, a smaller `batch` in the recipe helps"
    )]
    Device {
        /// Stage.
        stage: String,
        /// Step.
        step: u64,
        /// The device.
        device: String,
        /// What its back end said.
        why: String,
    },
    /// Asked to stop.
    #[error(
        "stopped in stage {stage}; its checkpoint is written: the same command with --resume goes on from there"
    )]
    Interrupted {
        /// Stage.
        stage: String,
    },
    /// A folder with a run in it already.
    #[error("{0} already holds a run; add --resume to go on with it, or name another --output folder")]
    RunExists(PathBuf),
    /// A stage that the recipe does not know.
    #[error("there is no stage {0:?}; the stages are {1}")]
    NoStage(String, String),
    /// A stage that needs what an earlier one makes.
    #[error("stage {stage} needs {needs}, which stage {by} makes; run that one first")]
    Missing {
        /// The stage asked for.
        stage: &'static str,
        /// The file that is not there.
        needs: PathBuf,
        /// The stage that writes it.
        by: String,
    },
    /// A net could not be run or its weights be read.
    #[error("{0}")]
    Net(String),
    /// The bundle could not be put together.
    #[error("the bundle could not be written: {0}")]
    Bundle(String),
    /// Threads could not be started.
    #[error("threads could not be started: {0}")]
    Threads(String),
    /// A file.
    #[error("cannot access {path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl TrainError {
    /// An error of the file system, with its path.
    pub fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_path_buf(), source }
    }
}
