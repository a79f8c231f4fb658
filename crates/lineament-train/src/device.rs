//! What a training computes on: the processor, or a GPU through burn's other back ends.

use std::fmt;
use std::str::FromStr;

use burn::tensor::Device;
use thiserror::Error;

/// A device by its name: `cpu`, `wgpu`, `wgpu:1`, `cuda`, `cuda:1`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DeviceName {
    /// The processor.
    #[default]
    Cpu,
    /// A device of Vulkan, Metal or DirectX, by its place among those of this machine.
    Wgpu(usize),
    /// A device of CUDA, by its number.
    Cuda(usize),
}

/// Why a device cannot be used.
#[derive(Debug, Error)]
pub enum DeviceError {
    /// No such name.
    #[error(
        "there is no device {0:?}: devices are cpu, wgpu, wgpu:N, cuda and cuda:N, where N counts from 0"
    )]
    Name(String),
    /// The build lacks its back end.
    #[error("this build cannot compute on {0}: build it with `--features train,{feature}`", feature = .0.back_end())]
    Build(DeviceName),
    /// The machine lacks it.
    #[error("there is no device {name} here: {found}. Drivers of {needs} make devices known; `--device cpu` needs none", needs = .name.needs())]
    Missing {
        /// The one that was asked for.
        name: DeviceName,
        /// Those that there are, in words.
        found: String,
    },
    /// It is there, and does not compute.
    #[error("{name} does not compute: {why}. Another device, or `--device cpu`, may")]
    Unusable {
        /// Its name.
        name: DeviceName,
        /// What its driver or back end says.
        why: String,
    },
}

impl DeviceName {
    fn back_end(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Wgpu(_) => "wgpu",
            Self::Cuda(_) => "cuda",
        }
    }

    fn needs(self) -> &'static str {
        match self {
            Self::Cuda(_) => "NVIDIA",
            Self::Cpu | Self::Wgpu(_) => "Vulkan, Metal or DirectX",
        }
    }
}

impl FromStr for DeviceName {
    type Err = DeviceError;

    fn from_str(text: &str) -> Result<Self, DeviceError> {
        let unknown = || DeviceError::Name(text.to_owned());
        let (back_end, number) = match text.split_once(':') {
            Some((back_end, number)) => (back_end, Some(number.parse().map_err(|_| unknown())?)),
            None => (text, None),
        };
        match (back_end, number) {
            ("cpu", None) => Ok(Self::Cpu),
            ("wgpu", number) => Ok(Self::Wgpu(number.unwrap_or(0))),
            ("cuda", number) => Ok(Self::Cuda(number.unwrap_or(0))),
            _ => Err(unknown()),
        }
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => write!(f, "cpu"),
            Self::Wgpu(number) => write!(f, "wgpu:{number}"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
        }
    }
}

/// A device that computes. Clones are the same device.
#[derive(Debug, Clone)]
pub struct TrainingDevice {
    name: DeviceName,
    device: Device,
    model: String,
}

impl TrainingDevice {
    /// The processor.
    pub fn cpu() -> Self {
        Self { name: DeviceName::Cpu, device: Device::flex(), model: String::new() }
    }

    /// Opens a device, and adds one and one on it: drivers may be there and not work.
    ///
    /// # Errors
    /// When the build or the machine lacks it, or it does not compute.
    pub fn open(name: DeviceName) -> Result<Self, DeviceError> {
        if name == DeviceName::Cpu {
            return Ok(Self::cpu());
        }
        let devices = devices(name)?;
        let number = match name {
            DeviceName::Wgpu(number) | DeviceName::Cuda(number) => number,
            DeviceName::Cpu => 0,
        };
        let count = devices.len();
        let Some(device) = devices.into_iter().nth(number) else {
            let found = match count {
                0 => "this machine shows none".to_owned(),
                1 => format!("this machine has one, {}:0", name.back_end()),
                _ => format!("this machine has {}:0 to {}:{}", name.back_end(), name.back_end(), count - 1),
            };
            return Err(DeviceError::Missing { name, found });
        };
        let tried = guarded(|| {
            let one = burn::tensor::Tensor::<1>::ones([1], &device);
            (one.clone() + one).into_scalar::<f32>()
        });
        match tried {
            Ok(2.0) => Ok(Self { name, model: model(&device), device }),
            Ok(other) => Err(DeviceError::Unusable { name, why: format!("one and one is {other} there") }),
            Err(why) => Err(DeviceError::Unusable { name, why }),
        }
    }

    /// Its name.
    pub fn name(&self) -> DeviceName {
        self.name
    }

    /// Where values lie that need no gradients.
    pub fn plain(&self) -> &Device {
        &self.device
    }

    /// Where batches lie, of which gradients are asked.
    pub fn autodiff(&self) -> Device {
        self.device.clone().autodiff()
    }

    /// Whether the shards of a batch are worked on side by side, each by a thread: processors need that to be busy, and other
    /// devices are kept busy by one after the other.
    pub fn side_by_side(&self) -> bool {
        self.name == DeviceName::Cpu
    }

    /// Bytes of its memory that are taken now, pages kept for reuse among them; `None` for the processor, where the system tells.
    pub fn memory(&self) -> Option<u64> {
        self.device.memory_pool_usage().map(|usage| usage.bytes_reserved)
    }

    /// Runs what computes on it. The back ends of GPUs say by a panic that the device was lost or has no memory left: that
    /// becomes words here. On the processor a panic is a bug of ours, and goes on as it is.
    ///
    /// # Errors
    /// What the back end said.
    pub fn guarded<R>(&self, compute: impl FnOnce() -> R) -> Result<R, String> {
        if self.name == DeviceName::Cpu { Ok(compute()) } else { guarded(compute) }
    }
}

impl fmt::Display for TrainingDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        if self.model.is_empty() { Ok(()) } else { write!(f, " ({})", self.model) }
    }
}

fn guarded<R>(compute: impl FnOnce() -> R) -> Result<R, String> {
    // What was half computed is dropped with the closure: nobody goes on with it.
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(compute)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("its back end gave up").to_owned()
    })
}

/// The devices of a back end, in the order of their numbers.
fn devices(name: DeviceName) -> Result<Vec<Device>, DeviceError> {
    match name {
        DeviceName::Cpu => Ok(vec![Device::flex()]),
        #[cfg(feature = "wgpu")]
        DeviceName::Wgpu(_) => Ok(Device::enumerate(burn::tensor::DeviceType::Wgpu).into_vec()),
        #[cfg(feature = "cuda")]
        DeviceName::Cuda(_) => Ok(Device::enumerate(burn::tensor::DeviceType::Cuda).into_vec()),
        #[allow(unreachable_patterns, reason = "reached by builds without these features")]
        _ => Err(DeviceError::Build(name)),
    }
}

/// What its maker calls it.
#[cfg(any(feature = "wgpu", feature = "cuda"))]
fn model(device: &Device) -> String {
    device.identity().map(|identity| identity.name.to_string()).unwrap_or_default()
}

#[cfg(not(any(feature = "wgpu", feature = "cuda")))]
fn model(_: &Device) -> String {
    String::new()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for name in [DeviceName::Cpu, DeviceName::Wgpu(0), DeviceName::Wgpu(3), DeviceName::Cuda(1)] {
            assert_eq!(name.to_string().parse::<DeviceName>().unwrap(), name);
        }
        assert_eq!("cuda".parse::<DeviceName>().unwrap(), DeviceName::Cuda(0));
        for wrong in ["", "gpu", "cpu:0", "cuda:", "cuda:-1", "wgpu:one", "CUDA", "wgpu:0:1"] {
            let error = wrong.parse::<DeviceName>().unwrap_err().to_string();
            assert!(error.contains("wgpu:N"), "{wrong}: {error}");
        }
    }

    #[test]
    fn the_processor_computes() {
        let device = TrainingDevice::open(DeviceName::Cpu).unwrap();
        assert_eq!((device.to_string(), device.side_by_side()), ("cpu".to_owned(), true));
        assert_eq!(device.guarded(|| 7), Ok(7));
    }

    #[test]
    fn a_back_end_that_gives_up_is_quoted() {
        let said = guarded(|| -> u8 { std::panic::resume_unwind(Box::new("device lost".to_owned())) });
        assert_eq!(said, Err("device lost".to_owned()));
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn a_build_without_a_back_end_says_how_to_get_it() {
        let error = TrainingDevice::open(DeviceName::Cuda(0)).unwrap_err().to_string();
        assert!(error.contains("--features train,cuda"), "{error}");
    }
}
