//! What can stop an experiment.

use std::path::PathBuf;

use lineament_train::TrainError;

/// Why an experiment did not end.
#[derive(Debug, thiserror::Error)]
pub enum ReproduceError {
    /// There is none of that name.
    #[error("there is no experiment {name:?}; there are {names}")]
    NoExperiment {
        /// What was asked for.
        name: String,
        /// Those that there are.
        names: String,
    },
    /// A data set that an experiment needs.
    #[error("{}: {needs}", .folder.display())]
    Data {
        /// Where it was looked for.
        folder: PathBuf,
        /// What is needed there, and what for.
        needs: String,
    },
    /// A run folder of something else.
    #[error(
        "{} holds a run of another recipe: name another --work folder, or remove that one to train it again",
        .0.display()
    )]
    OtherRun(PathBuf),
    /// A training.
    #[error(transparent)]
    Train(TrainError),
    /// Stopped from outside, at a checkpoint.
    #[error("stopped; the same command goes on from the last checkpoint")]
    Interrupted,
    /// Reading data.
    #[error(transparent)]
    Read(#[from] lineament_data::DataError),
    /// Measuring.
    #[error(transparent)]
    Evaluate(#[from] lineament_lab::EvaluateError),
    /// A model that was trained and cannot be used.
    #[error("{what}: {reason}")]
    Model {
        /// Which one.
        what: String,
        /// Why.
        reason: String,
    },
    /// A file of results that cannot be read or written.
    #[error("{}: {reason}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The script of the detectors that are compared.
    #[error("the detectors that LNets are compared with cannot be run: {0}")]
    Detectors(String),
}

impl ReproduceError {
    pub(crate) fn file(path: impl Into<PathBuf>, reason: impl ToString) -> Self {
        Self::File { path: path.into(), reason: reason.to_string() }
    }

    pub(crate) fn model(what: impl Into<String>, reason: impl ToString) -> Self {
        Self::Model { what: what.into(), reason: reason.to_string() }
    }
}

impl From<TrainError> for ReproduceError {
    fn from(error: TrainError) -> Self {
        match error {
            TrainError::Interrupted { .. } => Self::Interrupted,
            other => Self::Train(other),
        }
    }
}
