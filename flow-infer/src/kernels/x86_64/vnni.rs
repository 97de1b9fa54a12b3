//! AVX-512 with VNNI: one instruction broadcasts, multiplies and adds.

use super::super::groups::{Columns, GREATEST, Group, LEAK, LEAK_BITS, Target, of_width};
use super::super::pack::CHANNELS;
use super::avx2;
use super::isa::Vnni;
use super::pack::{PAIR, Pairs};
use super::operations::{Operations, tile};
use crate::plan::Activation;
use core::arch::asm;
use core::arch::x86_64::*;

/// A multiplication and addition as one instruction: of the intrinsic the compiler makes three, for processors whose
/// adder is the faster way.
macro_rules! multiply_add {
    ($name:ident, $vector:ty, $register:ident, $copies:literal) => {
        /// Adds a broadcast pair of activations times pairs of weights.
        #[inline]
        #[target_feature(enable = "avx512f,avx512vl,avx512vnni")]
        fn $name(mut sums: $vector, weights: $vector, pair: &[i16; PAIR]) -> $vector {
            // SAFETY: the instruction is one of the function's features, and reads the pair.
            unsafe {
                asm!(
                    concat!("vpdpwssd {sums}, {weights}, dword ptr [{pair}]{{", $copies, "}}"),
                    sums = inlateout($register) sums,
                    weights = in($register) weights,
                    pair = in(reg) pair,
                    options(pure, readonly, nostack, preserves_flags)
                );
            }
            sums
        }
    };
}

multiply_add!(multiply_add_16, __m512i, zmm_reg, "1to16");
multiply_add!(multiply_add_8, __m256i, ymm_reg, "1to8");

#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni")]
fn with_vnni<const COLUMNS: usize>(
    operations: impl Operations,
    group: &Group<'_, Pairs>,
    target: &mut Target<'_>,
    x: usize,
) {
    tile::<COLUMNS>(operations, group, target, x);
}

/// A bit for each of these channels.
#[inline(always)]
fn mask<T>(channels: &[T]) -> u16 {
    match channels.len() {
        len @ ..CHANNELS => (1 << len) - 1,
        _ => u16::MAX,
    }
}

/// Sixteen channels.
#[derive(Clone, Copy)]
pub(super) struct Sixteen(pub(super) Vnni);

impl Operations for Sixteen {
    type Sums = __m512i;
    type Weights = __m512i;

    #[inline(always)]
    fn load(self, values: &[i32; CHANNELS]) -> __m512i {
        // SAFETY: the processor has the instruction, says `self`; it loads the whole array.
        unsafe { _mm512_loadu_si512(values.as_ptr().cast()) }
    }

    #[inline(always)]
    fn widen(self, weights: &Pairs) -> __m512i {
        // SAFETY: as of `load`.
        unsafe { _mm512_cvtepi8_epi16(_mm256_loadu_si256(weights.0.as_ptr().cast())) }
    }

    #[inline(always)]
    fn multiply_add(self, sums: __m512i, weights: __m512i, pair: &[i16; PAIR]) -> __m512i {
        // SAFETY: the processor has the features, says `self`.
        unsafe { multiply_add_16(sums, weights, pair) }
    }

    #[inline(always)]
    fn store(self, sums: __m512i, to: &mut [i32]) {
        // SAFETY: the processor has the instruction, says `self`; the mask lets through what there is room for.
        unsafe { _mm512_mask_storeu_epi32(to.as_mut_ptr(), mask(to), sums) }
    }

    #[inline(always)]
    fn finish(self, sums: __m512i, group: &Group<'_, Pairs>, residual: &[i16], to: &mut [i16]) {
        let multipliers = self.load(&group.multipliers);
        // SAFETY: the processor has the instructions, says `self`; the masks let through what is there.
        unsafe {
            let half = _mm512_set1_epi64(1 << 31);
            let even = _mm512_add_epi64(_mm512_mul_epi32(sums, multipliers), half);
            let (sums, multipliers) = (
                _mm512_srli_epi64::<32>(sums),
                _mm512_srli_epi64::<32>(multipliers),
            );
            let odd = _mm512_add_epi64(_mm512_mul_epi32(sums, multipliers), half);
            let scaled = _mm512_mask_blend_epi32(0xAAAA, _mm512_srli_epi64::<32>(even), odd);
            let held = _mm512_min_epi32(scaled, _mm512_set1_epi32(GREATEST));
            let mut values = _mm512_max_epi32(held, _mm512_set1_epi32(group.least()));
            if group.row().activation == Activation::LeakyRelu {
                let leaked = _mm512_mullo_epi32(values, _mm512_set1_epi32(LEAK));
                let leaked = _mm512_add_epi32(leaked, _mm512_set1_epi32(1 << (LEAK_BITS - 1)));
                values = _mm512_max_epi32(values, _mm512_srai_epi32::<LEAK_BITS>(leaked));
            }
            if !residual.is_empty() {
                let residual = _mm256_maskz_loadu_epi16(mask(residual), residual.as_ptr());
                values = _mm512_add_epi32(values, _mm512_cvtepi16_epi32(residual));
            }
            let least = _mm256_set1_epi16(-i16::MAX);
            let narrow = _mm256_max_epi16(_mm512_cvtsepi32_epi16(values), least);
            _mm256_mask_storeu_epi16(to.as_mut_ptr(), mask(to), narrow);
        }
    }
}

impl Columns for Sixteen {
    type Unit = Pairs;
    const CHANNELS: usize = 16;
    const MOST_COLUMNS: usize = 14;

    #[inline(always)]
    fn columns(self, group: &Group<'_, Pairs>, target: &mut Target<'_>, x: usize, width: usize) {
        // SAFETY: the processor has the features, says `self`.
        unsafe {
            of_width!(with_vnni(self, group, target, x), width; 1 2 3 4 5 6 7 8 9 10 11 12 13 14)
        }
    }
}

/// Eight channels: processors compute twice as many of these at a time.
#[derive(Clone, Copy)]
pub(super) struct Eight(pub(super) Vnni);

impl Operations for Eight {
    type Sums = __m256i;
    type Weights = __m256i;

    #[inline(always)]
    fn load(self, values: &[i32; CHANNELS]) -> __m256i {
        // SAFETY: the processor has the instruction, says `self`; it loads half of the array.
        unsafe { _mm256_loadu_si256(values.as_ptr().cast()) }
    }

    #[inline(always)]
    fn widen(self, weights: &Pairs) -> __m256i {
        // SAFETY: as of `load`.
        unsafe { _mm256_cvtepi8_epi16(_mm_loadu_si128(weights.0.as_ptr().cast())) }
    }

    #[inline(always)]
    fn multiply_add(self, sums: __m256i, weights: __m256i, pair: &[i16; PAIR]) -> __m256i {
        // SAFETY: the processor has the features, says `self`.
        unsafe { multiply_add_8(sums, weights, pair) }
    }

    #[inline(always)]
    fn store(self, sums: __m256i, to: &mut [i32]) {
        // SAFETY: the processor has the instruction, says `self`; the mask lets through what there is room for.
        unsafe { _mm256_mask_storeu_epi32(to.as_mut_ptr(), mask(to) as u8, sums) }
    }

    #[inline(always)]
    fn finish(self, sums: __m256i, group: &Group<'_, Pairs>, residual: &[i16], to: &mut [i16]) {
        let [multipliers, _] = group.multipliers.as_chunks().0 else {
            return;
        };
        let mut values = avx2::activated(self.0.avx2(), sums, multipliers, group);
        // SAFETY: the processor has the instructions, says `self`; the masks let through what is there.
        unsafe {
            if !residual.is_empty() {
                let residual = _mm_maskz_loadu_epi16(mask(residual) as u8, residual.as_ptr());
                values = _mm256_add_epi32(values, _mm256_cvtepi16_epi32(residual));
            }
            let narrow = _mm_max_epi16(_mm256_cvtsepi32_epi16(values), _mm_set1_epi16(-i16::MAX));
            _mm_mask_storeu_epi16(to.as_mut_ptr(), mask(to) as u8, narrow);
        }
    }
}

impl Columns for Eight {
    type Unit = Pairs;
    const CHANNELS: usize = 8;
    const MOST_COLUMNS: usize = 14;

    #[inline(always)]
    fn columns(self, group: &Group<'_, Pairs>, target: &mut Target<'_>, x: usize, width: usize) {
        // SAFETY: the processor has the features, says `self`.
        unsafe {
            of_width!(with_vnni(self, group, target, x), width; 1 2 3 4 5 6 7 8 9 10 11 12 13 14)
        }
    }
}
