//! NEON, which every 64-bit Arm processor has.
//!
//! 32 registers of 4 lanes: 6 pixels are 24 accumulators, 4 weights and the broadcast input.

use super::isa::{Isa, Kernel};
use crate::nn::Lanes;
use std::arch::aarch64::*;

/// This processor has NEON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Neon(());

impl Neon {
    pub(crate) fn detect() -> Option<Self> {
        std::arch::is_aarch64_feature_detected!("neon").then_some(Self(()))
    }
}

/// All four quarters of a vector by the same instruction.
macro_rules! quarters {
    (|$i:ident| $value:expr) => {
        // SAFETY: used where `self` says that the instructions are there; what is read or written
        // is one quarter of the 16 f32 of `Lanes`.
        unsafe {
            let quarter = |$i: usize| $value;
            [quarter(0), quarter(1), quarter(2), quarter(3)]
        }
    };
}

impl Isa for Neon {
    type Vector = [float32x4_t; 4];
    const PIXELS: usize = 6;
    const BLOCKS: usize = 1;
    const ROWS: usize = 4;

    #[inline(always)]
    fn call<K: Kernel>(self, kernel: K) {
        #[target_feature(enable = "neon")]
        fn enabled<K: Kernel>(isa: Neon, kernel: K) {
            kernel.run(isa);
        }
        // SAFETY: `detect`, which alone makes `self`, saw the features.
        unsafe { enabled(self, kernel) }
    }

    #[inline(always)]
    fn splat(self, value: f32) -> Self::Vector {
        // SAFETY: the instructions are there: `self` says so.
        unsafe { [vdupq_n_f32(value); 4] }
    }

    #[inline(always)]
    fn load(self, from: &Lanes) -> Self::Vector {
        quarters!(|i| vld1q_f32(from.0.as_ptr().add(4 * i)))
    }

    #[inline(always)]
    fn store(self, value: Self::Vector, to: &mut Lanes) {
        for (i, part) in value.into_iter().enumerate() {
            // SAFETY: `self` says that the instruction is there; `Lanes` are 16 f32, aligned to 64.
            unsafe { vst1q_f32(to.0.as_mut_ptr().add(4 * i), part) }
        }
    }

    #[inline(always)]
    fn multiply_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector {
        quarters!(|i| vfmaq_f32(c[i], a[i], b[i]))
    }

    #[inline(always)]
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector {
        quarters!(|i| vaddq_f32(a[i], b[i]))
    }

    #[inline(always)]
    fn relu(self, a: Self::Vector) -> Self::Vector {
        quarters!(|i| vmaxnmq_f32(a[i], vdupq_n_f32(0.0)))
    }

    #[inline(always)]
    fn where_positive(self, test: Self::Vector, value: Self::Vector) -> Self::Vector {
        quarters!(|i| {
            let positive = vcgtzq_f32(test[i]);
            vreinterpretq_f32_u32(vandq_u32(positive, vreinterpretq_u32_f32(value[i])))
        })
    }
}
