//! Which of the processor's instruction sets a measurement computes with.
//!
//! Training itself always takes the best. That a machine without AVX-512 or AVX2 trains the same
//! flow can only be seen by computing as it would.

use crate::nn::kernels::Cpu;

/// An instruction set that this processor has and the kernels know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instructions(pub(super) Cpu);

impl Instructions {
    /// All of them, the best first; the last one, `portable`, is what every processor has.
    pub fn all() -> Vec<Self> {
        Cpu::all().into_iter().map(Self).collect()
    }

    /// The one of this name, if this processor has it.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|set| set.name() == name)
    }

    /// avx512, avx2, neon or portable.
    pub fn name(self) -> &'static str {
        self.0.name()
    }
}

impl Default for Instructions {
    /// The best.
    fn default() -> Self {
        Self(Cpu::best())
    }
}
