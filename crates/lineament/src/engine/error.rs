//! Why an engine, or a net on it, cannot be had.

use lineament_net::onnx::OnnxError;
use lineament_net::{ForwardError, NetError};
use std::path::PathBuf;
use thiserror::Error;

/// An engine that cannot be loaded, or a net that it refuses.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The net is wrong.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The input does not fit the net.
    #[error(transparent)]
    Forward(#[from] ForwardError),
    /// The net cannot be written as ONNX.
    #[error("net {net} cannot be handed to ONNX Runtime: {cause}")]
    Export {
        /// The net.
        net: String,
        /// What is in the way.
        #[source]
        cause: Box<OnnxError>,
    },
    /// No library of ONNX Runtime where it was looked for.
    #[error(
        "ONNX Runtime cannot be loaded: {reason}\n  install it with `pip install onnxruntime` (1.17 or later); its library is \
         then site-packages/onnxruntime/capi/libonnxruntime.so.VERSION below the folder that `pip show onnxruntime` names, \
         onnxruntime.dll on Windows, libonnxruntime.VERSION.dylib on macOS; name it with --engine-library FILE or in the \
         environment variable ORT_DYLIB_PATH"
    )]
    Library {
        /// What was looked for, and what the system says of it.
        reason: String,
    },
    /// A process loads one library only.
    #[error(
        "ONNX Runtime was loaded from {} already; {} cannot be loaded beside it in one process",
        loaded.display(), asked.display()
    )]
    LoadedAlready {
        /// The library in use.
        loaded: PathBuf,
        /// The other one.
        asked: PathBuf,
    },
    /// ONNX Runtime does not take a net.
    #[error("ONNX Runtime refuses net {net}: {reason}")]
    Refused {
        /// The net.
        net: String,
        /// What it says.
        reason: String,
    },
    /// ONNX Runtime fails while it runs a net.
    #[error("ONNX Runtime fails on net {net}: {reason}")]
    Failed {
        /// The net.
        net: String,
        /// What it says.
        reason: String,
    },
    /// A provider of computation that this ONNX Runtime cannot use.
    #[error(
        "this ONNX Runtime cannot use its provider {provider}: {reason}\n  install a build of it that can (`pip install \
         onnxruntime-gpu` for cuda and tensorrt, onnxruntime-openvino for openvino), or leave out --engine-provider"
    )]
    Provider {
        /// Its name.
        provider: &'static str,
        /// What ONNX Runtime says.
        reason: String,
    },
}
