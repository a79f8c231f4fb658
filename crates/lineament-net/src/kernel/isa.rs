//! Which instructions the kernels may use.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use thiserror::Error;

/// The environment variable that restricts a process to an instruction set.
const VARIABLE: &str = "LINEAMENT_ISA";

/// An instruction set that this processor has: there is no value for one that it lacks.
///
/// Sets are ordered, the fastest last. Results agree to rounding between sets and are the same to the bit on one of them.
///
/// ```
/// use lineament_net::Isa;
///
/// assert!(Isa::available().contains(&Isa::PORTABLE));
/// assert_eq!(Isa::available().last(), Some(&Isa::best()));
/// assert_eq!("portable".parse(), Ok(Isa::PORTABLE));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Isa(Level);

/// What an [`Isa`] is, slowest first. Each x86-64 level has what those before it have, but for the instructions for sums of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Level {
    Portable,
    Sse41,
    Avx2,
    Avx2Vnni,
    Avx512,
    Avx512Vnni,
}

impl Level {
    const ALL: [Self; 6] =
        [Self::Portable, Self::Sse41, Self::Avx2, Self::Avx2Vnni, Self::Avx512, Self::Avx512Vnni];

    fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Sse41 => "sse4.1",
            Self::Avx2 => "avx2",
            Self::Avx2Vnni => "avx2-vnni",
            Self::Avx512 => "avx512",
            Self::Avx512Vnni => "avx512-vnni",
        }
    }

    /// Whether this processor has the instructions.
    #[cfg(target_arch = "x86_64")]
    fn is_here(self) -> bool {
        let avx2 = || is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        let avx512 = || avx2() && is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl");
        match self {
            Self::Portable => true,
            Self::Sse41 => is_x86_feature_detected!("sse4.1"),
            Self::Avx2 => avx2(),
            Self::Avx2Vnni => avx2() && is_x86_feature_detected!("avxvnni"),
            Self::Avx512 => avx512(),
            Self::Avx512Vnni => avx512() && is_x86_feature_detected!("avx512vnni"),
        }
    }

    /// Whether this processor has the instructions.
    #[cfg(not(target_arch = "x86_64"))]
    fn is_here(self) -> bool {
        self == Self::Portable
    }
}

/// Declares proofs that this processor has some instructions, which an [`Isa`] alone gives.
macro_rules! proofs {
    ($($(#[$doc:meta])* $proof:ident, $method:ident, $level:pat,)*) => {$(
        $(#[$doc])*
        #[cfg(target_arch = "x86_64")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) struct $proof(());

        #[cfg(target_arch = "x86_64")]
        impl Isa {
            $(#[$doc])*
            pub(crate) fn $method(self) -> Option<$proof> {
                matches!(self.0, $level).then_some($proof(()))
            }
        }
    )*};
}

proofs! {
    /// SSE4.1: four values an instruction.
    Sse41, sse41, Level::Sse41 | Level::Avx2 | Level::Avx2Vnni | Level::Avx512 | Level::Avx512Vnni,
    /// AVX2 and FMA: eight values an instruction.
    Avx2, avx2, Level::Avx2 | Level::Avx2Vnni | Level::Avx512 | Level::Avx512Vnni,
    /// AVX2 and its instructions for sums of bytes (AVX-VNNI).
    Avx2Vnni, avx2_vnni, Level::Avx2Vnni,
    /// AVX-512 (F, and VL for vectors of any length), AVX2 and FMA: sixteen values an instruction, and twice the registers.
    Avx512, avx512, Level::Avx512 | Level::Avx512Vnni,
    /// AVX-512 and its instructions for sums of bytes (VNNI).
    Avx512Vnni, avx512_vnni, Level::Avx512Vnni,
}

impl Isa {
    /// Plain loops, which any processor runs.
    pub const PORTABLE: Self = Self(Level::Portable);

    /// All sets that this processor has, slowest first.
    pub fn available() -> Vec<Self> {
        Level::ALL.into_iter().filter(|level| level.is_here()).map(Self).collect()
    }

    /// The fastest set that this processor has.
    pub fn best() -> Self {
        Self::available().pop().unwrap_or(Self::PORTABLE)
    }

    /// What [`crate::Net::new`] takes: the set that the environment variable `LINEAMENT_ISA` names, or the best one where it is not set. It is
    /// read once in a process.
    ///
    /// # Errors
    /// When the variable names no set that this processor has.
    pub fn selected() -> Result<Self, IsaError> {
        static SELECTED: OnceLock<Result<Isa, IsaError>> = OnceLock::new();
        SELECTED
            .get_or_init(|| match std::env::var_os(VARIABLE) {
                Some(name) if !name.is_empty() => name.to_string_lossy().parse(),
                _ => Ok(Self::best()),
            })
            .clone()
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0.name())
    }
}

impl FromStr for Isa {
    type Err = IsaError;

    /// The set of that name, if this processor has it.
    fn from_str(name: &str) -> Result<Self, IsaError> {
        let known = Level::ALL.into_iter().find(|level| level.name() == name);
        match known {
            Some(level) if level.is_here() => Ok(Self(level)),
            Some(_) => Err(IsaError::Unavailable { name: name.to_owned(), available: names() }),
            None => Err(IsaError::Unknown { name: name.to_owned(), available: names() }),
        }
    }
}

fn names() -> String {
    let names: Vec<&str> = Isa::available().iter().map(|isa| isa.0.name()).collect();
    names.join(", ")
}

/// An instruction set that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum IsaError {
    /// There is none of that name.
    #[error(
        "there is no instruction set {name:?}: choose (LINEAMENT_ISA, for a whole process) one that this processor has, which are {available}"
    )]
    Unknown {
        /// What was asked for.
        name: String,
        /// Those that there are.
        available: String,
    },
    /// This processor lacks it.
    #[error(
        "this processor has no {name}: choose (LINEAMENT_ISA, for a whole process) one of the instruction sets that it has, which are {available}"
    )]
    Unavailable {
        /// What was asked for.
        name: String,
        /// Those that there are.
        available: String,
    },
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn each_set_has_a_name_of_its_own() {
        let available = Isa::available();
        assert!(available.is_sorted() && available[0] == Isa::PORTABLE);
        for isa in available {
            assert_eq!(isa.to_string().parse(), Ok(isa));
        }
    }

    #[test]
    fn what_is_not_there_is_refused_with_a_list_of_what_is() {
        let error = "avx3".parse::<Isa>().unwrap_err();
        assert!(matches!(error, IsaError::Unknown { .. }));
        let said = error.to_string();
        assert!(said.contains("\"avx3\"") && said.contains("portable"), "{said}");
        for level in Level::ALL.into_iter().filter(|level| !level.is_here()) {
            let error = level.name().parse::<Isa>().unwrap_err();
            assert!(error.to_string().contains(level.name()));
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn a_set_proves_what_it_has_and_no_more() {
        for isa in Isa::available() {
            assert_eq!(isa.sse41().is_some(), isa > Isa::PORTABLE);
            assert_eq!(isa.avx2().is_some(), isa.0 >= Level::Avx2);
            assert_eq!(isa.avx512().is_some(), isa.0 >= Level::Avx512);
            // A set without the instructions for bytes does without them where the processor has them.
            assert_eq!(isa.avx2_vnni().is_some(), isa.0 == Level::Avx2Vnni);
            assert_eq!(isa.avx512_vnni().is_some(), isa.0 == Level::Avx512Vnni);
        }
    }
}
