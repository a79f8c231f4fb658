//! Why a graph cannot be read or run.

use thiserror::Error;

/// A file that is no graph that can be run, or a run that leaves its limits.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum OnnxError {
    /// Bytes that are no ONNX file, or a part of one.
    #[error("the file is cut, damaged or no ONNX: {problem}")]
    Damaged {
        /// What does not fit.
        problem: String,
    },
    /// Something that is not run here.
    #[error("{problem}: export the model in single precision, with one of these operators each step: {}", crate::Model::OPERATORS.join(", "))]
    Unsupported {
        /// What it is.
        problem: String,
    },
    /// A step that cannot be done.
    #[error("its step {node} ({operator}) cannot be run: {problem}")]
    Step {
        /// The name of the node, or of its first output.
        node: String,
        /// What it does.
        operator: &'static str,
        /// Why not.
        problem: String,
    },
    /// More memory or work than is granted.
    #[error("it asks for more than {most} {what}: give a smaller image, or another model")]
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// How much is granted.
        most: u64,
    },
    /// An input that the graph does not take.
    #[error("its input takes {takes}, not {given}")]
    Input {
        /// The shape that it takes, unknown sides as question marks.
        takes: String,
        /// What was given.
        given: String,
    },
}

impl OnnxError {
    pub(crate) fn damaged(problem: impl Into<String>) -> Self {
        Self::Damaged { problem: problem.into() }
    }

    pub(crate) fn unsupported(problem: impl Into<String>) -> Self {
        Self::Unsupported { problem: problem.into() }
    }
}
