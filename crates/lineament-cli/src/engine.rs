//! The engine that was asked for, or a sentence on how to get it.

use anyhow::{Result, bail};
use lineament::Engine;

use crate::arguments::{EngineArguments, EngineName};

/// The engine for nets on so many threads.
pub fn of(arguments: &EngineArguments, threads: usize) -> Result<Engine> {
    match arguments.engine {
        EngineName::Ort => onnx_runtime(arguments, threads),
        _ if arguments.engine_library.is_some() => {
            bail!("--engine-library names ONNX Runtime's library; use it with --engine ort")
        }
        _ if arguments.engine_provider.is_some() => {
            bail!("--engine-provider says what ONNX Runtime computes with; use it with --engine ort")
        }
        EngineName::Native => Ok(Engine::Native),
        EngineName::Int8 => Ok(Engine::Int8),
    }
}

/// Says how to get ONNX Runtime.
#[cfg(not(feature = "ort"))]
fn onnx_runtime(_: &EngineArguments, _: usize) -> Result<Engine> {
    bail!(
        "this build runs nets on its own engine only; build one that can use ONNX Runtime, too, with `cargo install --path \
         crates/lineament-cli --features ort`, or run `cargo run --release --features ort -- ...` in the repository"
    )
}

/// Loads ONNX Runtime.
#[cfg(feature = "ort")]
fn onnx_runtime(arguments: &EngineArguments, threads: usize) -> Result<Engine> {
    use std::num::NonZeroUsize;

    use lineament::engine::{OnnxRuntime, Provider};

    use crate::arguments::ProviderName;

    let provider = match arguments.engine_provider.unwrap_or(ProviderName::Cpu) {
        ProviderName::Cpu => Provider::Cpu,
        ProviderName::Cuda => Provider::Cuda,
        ProviderName::Tensorrt => Provider::TensorRt,
        ProviderName::Openvino => Provider::OpenVino,
        ProviderName::Coreml => Provider::CoreMl,
        ProviderName::Directml => Provider::DirectMl,
    };
    let threads = NonZeroUsize::new(threads).unwrap_or(NonZeroUsize::MIN);
    let runtime = OnnxRuntime::load(arguments.engine_library.as_deref(), threads)?;
    Ok(Engine::Ort(runtime.with_provider(provider)))
}
