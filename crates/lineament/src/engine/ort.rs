//! ONNX Runtime, loaded while the program runs: it runs the graphs that our own export writes in memory.

use super::error::EngineError;
use ::ort::environment::Environment;
use ::ort::ep::{self, ExecutionProviderDispatch};
use ::ort::session::Session;
use ::ort::value::TensorRef;
use lineament_net::onnx::{Form, export};
use lineament_net::{ForwardError, NetSpec, Shape, Tensor, Weights};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The variable that names the library where no path is given.
const VARIABLE: &str = "ORT_DYLIB_PATH";

/// The library in use. A process can load one, and make one environment in it, which must last as long as any session.
static LOADED: Mutex<Option<Loaded>> = Mutex::new(None);

struct Loaded {
    path: PathBuf,
    environment: Environment,
}

/// What ONNX Runtime computes with. All but `Cpu` need a build of it that has them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Provider {
    /// The processor.
    #[default]
    Cpu,
    /// NVIDIA's CUDA.
    Cuda,
    /// NVIDIA's TensorRT.
    TensorRt,
    /// Intel's OpenVINO.
    OpenVino,
    /// Apple's Core ML.
    CoreMl,
    /// DirectML, on Windows.
    DirectMl,
}

impl Provider {
    /// Its name, as it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::TensorRt => "tensorrt",
            Self::OpenVino => "openvino",
            Self::CoreMl => "coreml",
            Self::DirectMl => "directml",
        }
    }

    /// What ONNX Runtime is asked for; nothing for the processor, which it always has.
    fn dispatch(self) -> Option<ExecutionProviderDispatch> {
        let dispatch = match self {
            Self::Cpu => return None,
            Self::Cuda => ep::CUDA::default().build(),
            Self::TensorRt => ep::TensorRT::default().build(),
            Self::OpenVino => ep::OpenVINO::default().build(),
            Self::CoreMl => ep::CoreML::default().build(),
            Self::DirectMl => ep::DirectML::default().build(),
        };
        // The processor in its place, without a word, is not what was asked for.
        Some(dispatch.error_on_failure())
    }
}

/// ONNX Runtime, ready to be given nets.
///
/// ```no_run
/// use lineament::engine::{Engine, OnnxRuntime};
/// use lineament::Tagger;
/// use std::num::NonZeroUsize;
///
/// // Where ORT_DYLIB_PATH says, or where the system finds it.
/// let runtime = OnnxRuntime::load(None, NonZeroUsize::MIN)?;
/// let tagger = Tagger::builder().engine(Engine::Ort(runtime)).build()?;
/// # Ok::<(), lineament::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct OnnxRuntime {
    environment: Environment,
    version: String,
    threads: NonZeroUsize,
    provider: Provider,
}

impl OnnxRuntime {
    /// Loads the library at `library`, else the one that `ORT_DYLIB_PATH` names, else the one that the system finds. Nets
    /// run on `threads` threads, their caller's included.
    ///
    /// # Errors
    /// No such library, one of before 1.17, or another one than was loaded before.
    pub fn load(library: Option<&Path>, threads: NonZeroUsize) -> Result<Self, EngineError> {
        let path = wanted(library)?;
        // Whoever panicked while holding the lock left it empty or filled, never half.
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        let environment = match loaded.as_ref() {
            Some(loaded) if loaded.path == path => loaded.environment.clone(),
            Some(other) => {
                return Err(EngineError::LoadedAlready { loaded: other.path.clone(), asked: path });
            }
            None => {
                let environment = open(&path)?;
                *loaded = Some(Loaded { path: path.clone(), environment: environment.clone() });
                environment
            }
        };
        let version = version(::ort::info(), &path);
        Ok(Self { environment, version, threads, provider: Provider::default() })
    }

    /// The same, computing with another provider.
    pub fn with_provider(self, provider: Provider) -> Self {
        Self { provider, ..self }
    }

    /// Threads that a net runs on.
    pub fn threads(&self) -> usize {
        self.threads.get()
    }

    /// The version of the library, such as `1.32.0`.
    pub fn version(&self) -> &str {
        &self.version
    }

    pub(super) fn session(&self, spec: &NetSpec, weights: &Weights) -> Result<OnnxNet, EngineError> {
        let cannot = |cause| EngineError::Export { net: spec.name.clone(), cause: Box::new(cause) };
        let file = export(spec, weights, Form::Maps).map_err(cannot)?;
        let output = spec.output().map_err(ForwardError::Spec)?;
        let refused =
            |error: ::ort::Error| EngineError::Refused { net: spec.name.clone(), reason: error.to_string() };
        let mut builder = Session::builder(&self.environment)
            .map_err(refused)?
            .with_intra_threads(self.threads())
            .map_err(|error| refused(error.into()))?;
        if let Some(dispatch) = self.provider.dispatch() {
            builder = builder.with_execution_providers([dispatch]).map_err(|error| {
                EngineError::Provider { provider: self.provider.name(), reason: error.to_string() }
            })?;
        }
        let session = builder.commit_from_memory(&file).map_err(refused)?;
        Ok(OnnxNet { spec: spec.clone(), output, session: Mutex::new(session) })
    }
}

impl std::fmt::Display for OnnxRuntime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ONNX Runtime {}", self.version)?;
        match self.provider {
            Provider::Cpu => Ok(()),
            provider => write!(f, " ({})", provider.name()),
        }
    }
}

/// The path that is meant; a bare name where the system is to look.
fn wanted(library: Option<&Path>) -> Result<PathBuf, EngineError> {
    let named = library.map(Path::to_path_buf);
    let named =
        named.or_else(|| std::env::var_os(VARIABLE).filter(|name| !name.is_empty()).map(PathBuf::from));
    let Some(path) = named else {
        return Ok(PathBuf::from(format!(
            "{}onnxruntime{}",
            std::env::consts::DLL_PREFIX,
            std::env::consts::DLL_SUFFIX
        )));
    };
    // `ort` would look beside the program first.
    path.canonicalize()
        .map_err(|error| EngineError::Library { reason: format!("{}: {error}", path.display()) })
}

fn open(path: &Path) -> Result<Environment, EngineError> {
    let cannot = |reason: String| EngineError::Library { reason };
    ::ort::init_from(path)
        .map_err(|error| cannot(error.to_string()))?
        .with_name("lineament")
        // Nobody who looks at photos of people asked for this.
        .with_telemetry(false)
        .build()
        .map_err(|error| cannot(error.to_string()))
}

/// The version, from what the library says of its build or, where that names no release, from its file's name; else the
/// commit that it was built from.
fn version(info: &str, path: &Path) -> String {
    let said = |key: &str| {
        let value = info.split([',', ' ']).find_map(|part| part.trim().strip_prefix(key))?;
        Some(value.trim_end_matches(',').to_owned())
    };
    let released = said("git-branch=").and_then(|branch| branch.strip_prefix("rel-").map(str::to_owned));
    let named = || {
        let name = path.file_name()?.to_string_lossy().into_owned();
        let from = name.find(|c: char| c.is_ascii_digit())?;
        let version = name.get(from..)?.trim_end_matches(|c: char| !c.is_ascii_digit());
        version.contains('.').then(|| version.to_owned())
    };
    let commit = || Some(format!("commit {}", said("git-commit-id=")?));
    released.or_else(named).or_else(commit).unwrap_or_else(|| "of unknown version".to_owned())
}

/// A net in ONNX Runtime.
pub(super) struct OnnxNet {
    spec: NetSpec,
    output: Shape,
    /// One photo's net runs at a time, on all threads: `ort` wants a session for itself while it runs.
    session: Mutex<Session>,
}

impl OnnxNet {
    pub(super) fn spec(&self) -> &NetSpec {
        &self.spec
    }

    pub(super) fn output(&self) -> Shape {
        self.output
    }

    /// As `Net::forward`: what that refuses is refused here, in the same words.
    pub(super) fn forward(&self, input: &Tensor) -> Result<Tensor, EngineError> {
        let (given, expected) = (input.map(), self.spec.input);
        let net = || self.spec.name.clone();
        if given.channels != expected.channels {
            return Err(ForwardError::Channels { net: net(), expected, given }.into());
        }
        let output = if given == expected {
            self.output
        } else {
            self.spec.output_for(given.height, given.width).map_err(ForwardError::Spec)?
        };
        let shape = [input.items(), output.channels, output.height, output.width];
        if input.items() == 0 {
            return Ok(Tensor::zeros(shape));
        }
        let failed = |reason: String| EngineError::Failed { net: net(), reason };
        let view = TensorRef::from_array_view((input.shape(), input.data()))
            .map_err(|error| failed(error.to_string()))?;
        // A session that panicked half-way is as good as before: it keeps nothing between runs.
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let outputs = session.run(::ort::inputs![view]).map_err(|error| failed(error.to_string()))?;
        let value =
            outputs.get(Form::Maps.output()).ok_or_else(|| failed("it gives no output".to_owned()))?;
        let (_, data) = value.try_extract_tensor::<f32>().map_err(|error| failed(error.to_string()))?;
        Tensor::from_vec(shape, data.to_vec()).map_err(|error| failed(error.to_string()))
    }
}

impl std::fmt::Debug for OnnxNet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OnnxNet").field("spec", &self.spec).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_found_wherever_it_is_said() {
        let head = "ORT Build Info: git-branch=HEAD, git-commit-id=26250ae, build type=Release";
        let released = "ORT Build Info: git-branch=rel-1.19.0, git-commit-id=26250ae, build type=Release";
        assert_eq!(version(released, Path::new("libonnxruntime.so")), "1.19.0");
        assert_eq!(version(head, Path::new("/capi/libonnxruntime.so.1.32.0")), "1.32.0");
        assert_eq!(version(head, Path::new("/capi/libonnxruntime.1.32.0.dylib")), "1.32.0");
        assert_eq!(version(head, Path::new("onnxruntime.dll")), "commit 26250ae");
    }
}
