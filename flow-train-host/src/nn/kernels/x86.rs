//! AVX-512 and AVX2 with FMA.
//!
//! Tile sizes are register counts. AVX-512 has 32 registers: 14 pixels x 2 blocks are 28
//! accumulators, two weights and the broadcast input (14 also divides the usual widths 28 and 14).
//! AVX2 has 16 of half the width: 6 pixels are 12 accumulators. Fewer than 8 accumulators would
//! wait for the multiply-add's latency.

use super::isa::{Isa, Kernel};
use crate::nn::Lanes;
use std::arch::x86_64::*;

/// This processor has AVX-512F, AVX2 and FMA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Avx512(());

impl Avx512 {
    pub(crate) fn detect() -> Option<Self> {
        let all = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma");
        all.then_some(Self(()))
    }
}

impl Isa for Avx512 {
    type Vector = __m512;
    const PIXELS: usize = 14;
    const BLOCKS: usize = 2;
    const ROWS: usize = 16;

    #[inline(always)]
    fn call<K: Kernel>(self, kernel: K) {
        #[target_feature(enable = "avx512f,avx2,fma")]
        fn enabled<K: Kernel>(isa: Avx512, kernel: K) {
            kernel.run(isa);
        }
        // SAFETY: `detect`, which alone makes `self`, saw the features.
        unsafe { enabled(self, kernel) }
    }

    #[inline(always)]
    fn splat(self, value: f32) -> __m512 {
        // SAFETY: the instructions are there: `self` says so.
        unsafe { _mm512_set1_ps(value) }
    }

    #[inline(always)]
    fn load(self, from: &Lanes) -> __m512 {
        // SAFETY: `self` says that the instruction is there; `Lanes` are 16 f32, aligned to 64.
        unsafe { _mm512_load_ps(from.0.as_ptr()) }
    }

    #[inline(always)]
    fn store(self, value: __m512, to: &mut Lanes) {
        // SAFETY: `self` says that the instruction is there; `Lanes` are 16 f32, aligned to 64.
        unsafe { _mm512_store_ps(to.0.as_mut_ptr(), value) }
    }

    #[inline(always)]
    fn multiply_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        // SAFETY: the instructions are there: `self` says so.
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: the instructions are there: `self` says so.
        unsafe { _mm512_add_ps(a, b) }
    }

    #[inline(always)]
    fn relu(self, a: __m512) -> __m512 {
        // SAFETY: the instructions are there: `self` says so.
        unsafe { _mm512_max_ps(a, _mm512_setzero_ps()) }
    }

    #[inline(always)]
    fn where_positive(self, test: __m512, value: __m512) -> __m512 {
        // SAFETY: the instructions are there: `self` says so.
        unsafe {
            let positive = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(test, _mm512_setzero_ps());
            _mm512_maskz_mov_ps(positive, value)
        }
    }
}

/// This processor has AVX2 and FMA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Avx2(());

impl Avx2 {
    pub(crate) fn detect() -> Option<Self> {
        let all = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        all.then_some(Self(()))
    }
}

/// Both halves of a vector by the same instruction.
macro_rules! halves {
    (|$i:ident| $value:expr) => {
        // SAFETY: used where `self` says that the instructions are there; what is read or written
        // is one half of the 16 f32 of `Lanes`.
        unsafe {
            let half = |$i: usize| $value;
            [half(0), half(1)]
        }
    };
}

impl Isa for Avx2 {
    type Vector = [__m256; 2];
    const PIXELS: usize = 6;
    const BLOCKS: usize = 1;
    const ROWS: usize = 4;

    #[inline(always)]
    fn call<K: Kernel>(self, kernel: K) {
        #[target_feature(enable = "avx2,fma")]
        fn enabled<K: Kernel>(isa: Avx2, kernel: K) {
            kernel.run(isa);
        }
        // SAFETY: `detect`, which alone makes `self`, saw the features.
        unsafe { enabled(self, kernel) }
    }

    #[inline(always)]
    fn splat(self, value: f32) -> [__m256; 2] {
        // SAFETY: the instructions are there: `self` says so.
        unsafe { [_mm256_set1_ps(value); 2] }
    }

    #[inline(always)]
    fn load(self, from: &Lanes) -> [__m256; 2] {
        halves!(|i| _mm256_load_ps(from.0.as_ptr().add(8 * i)))
    }

    #[inline(always)]
    fn store(self, value: [__m256; 2], to: &mut Lanes) {
        // SAFETY: the instructions are there: `self` says so.
        unsafe {
            _mm256_store_ps(to.0.as_mut_ptr(), value[0]);
            _mm256_store_ps(to.0.as_mut_ptr().add(8), value[1]);
        }
    }

    #[inline(always)]
    fn multiply_add(self, a: [__m256; 2], b: [__m256; 2], c: [__m256; 2]) -> [__m256; 2] {
        halves!(|i| _mm256_fmadd_ps(a[i], b[i], c[i]))
    }

    #[inline(always)]
    fn add(self, a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        halves!(|i| _mm256_add_ps(a[i], b[i]))
    }

    #[inline(always)]
    fn relu(self, a: [__m256; 2]) -> [__m256; 2] {
        halves!(|i| _mm256_max_ps(a[i], _mm256_setzero_ps()))
    }

    #[inline(always)]
    fn where_positive(self, test: [__m256; 2], value: [__m256; 2]) -> [__m256; 2] {
        halves!(|i| {
            let positive = _mm256_cmp_ps::<_CMP_GT_OQ>(test[i], _mm256_setzero_ps());
            _mm256_and_ps(positive, value[i])
        })
    }
}
