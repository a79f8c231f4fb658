//! Which instructions the kernels may use.

/// A way through the kernels. Each kernel has a plain twin, which any processor runs, and may have faster ones; results agree to rounding between
/// paths and are the same to the bit on one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Path {
    /// Plain loops.
    Portable,
    /// x86-64 with AVX2 and FMA: eight values an instruction.
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    /// x86-64 with AVX-512 as well: sixteen values an instruction, and twice the registers.
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
}

/// Proof that this processor has AVX2 and FMA: it is made by [`Path::all`] alone.
#[cfg(target_arch = "x86_64")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Avx2(Option<AvxVnni>);

/// Proof that this processor has AVX2 and the instructions for sums of bytes with it (AVX-VNNI): [`Avx2`] has it or not.
#[cfg(target_arch = "x86_64")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AvxVnni(());

#[cfg(target_arch = "x86_64")]
impl Avx2 {
    /// Whether there are instructions for sums of bytes, too.
    pub(crate) fn vnni(self) -> Option<AvxVnni> {
        self.0
    }
}

/// Proof that this processor has AVX-512 (F, and VL for vectors of any length), AVX2 and FMA: it is made by [`Path::all`] alone.
#[cfg(target_arch = "x86_64")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Avx512(Option<Vnni>);

/// Proof that this processor has AVX-512 and its instructions for sums of bytes (VNNI): [`Avx512`] has it or not.
#[cfg(target_arch = "x86_64")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Vnni(());

#[cfg(target_arch = "x86_64")]
impl Avx512 {
    /// AVX2, which comes with it.
    pub(crate) fn avx2(self) -> Avx2 {
        Avx2(None)
    }

    /// Whether there are instructions for sums of bytes, too.
    pub(crate) fn vnni(self) -> Option<Vnni> {
        self.0
    }
}

impl Path {
    /// The fastest path that this processor has.
    pub(crate) fn best() -> Self {
        Self::all().pop().unwrap_or(Self::Portable)
    }

    /// All paths that this processor has, slowest first.
    pub(crate) fn all() -> Vec<Self> {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            let mut all = vec![Self::Portable, Self::Avx2(Avx2(None))];
            if is_x86_feature_detected!("avxvnni") {
                all.push(Self::Avx2(Avx2(Some(AvxVnni(())))));
            }
            if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl") {
                all.push(Self::Avx512(Avx512(None)));
                if is_x86_feature_detected!("avx512vnni") {
                    all.push(Self::Avx512(Avx512(Some(Vnni(())))));
                }
            }
            return all;
        }
        vec![Self::Portable]
    }
}
