//! Which instruction set this process uses.

use super::isa::{Isa, Kernel, Portable};
#[cfg(target_arch = "aarch64")]
use super::neon::Neon;
#[cfg(target_arch = "x86_64")]
use super::x86::{Avx2, Avx512};

/// An instruction set that this processor has.
///
/// Results of different sets differ in the last bits (a multiply-add rounds once or twice); those
/// of one set do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cpu {
    /// 16 lanes at once.
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
    /// 8 lanes at once.
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    /// 4 lanes at once.
    #[cfg(target_arch = "aarch64")]
    Neon(Neon),
    /// What the target always has.
    Portable(Portable),
}

impl Cpu {
    /// All that this processor has, the best first; never empty.
    pub(crate) fn all() -> Vec<Self> {
        let mut all = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            all.extend(Avx512::detect().map(Self::Avx512));
            all.extend(Avx2::detect().map(Self::Avx2));
        }
        #[cfg(target_arch = "aarch64")]
        all.extend(Neon::detect().map(Self::Neon));
        all.push(Self::Portable(Portable));
        all
    }

    /// The instruction set's name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(_) => "avx512",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => "avx2",
            #[cfg(target_arch = "aarch64")]
            Self::Neon(_) => "neon",
            Self::Portable(_) => "portable",
        }
    }

    /// The best that this processor has.
    pub(crate) fn best() -> Self {
        Self::all()[0]
    }

    /// Runs a kernel that needs no cutting into tiles.
    pub(crate) fn run<K: Kernel>(self, kernel: K) {
        self.call(Whole(kernel));
    }

    pub(super) fn call<K: Driver>(self, kernel: K) {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(isa) => kernel.drive(isa),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(isa) => kernel.drive(isa),
            #[cfg(target_arch = "aarch64")]
            Self::Neon(isa) => kernel.drive(isa),
            Self::Portable(isa) => kernel.drive(isa),
        }
    }
}

struct Whole<K>(K);

impl<K: Kernel> Driver for Whole<K> {
    fn drive<I: Isa>(self, isa: I) {
        isa.call(self.0);
    }
}

/// The part of a kernel outside its loops: cuts the work into tiles and runs a [`Kernel`] for each.
pub(super) trait Driver {
    fn drive<I: Isa>(self, isa: I);
}
