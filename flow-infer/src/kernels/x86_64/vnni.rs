//! AVX-512 with VNNI: one instruction broadcasts, multiplies and adds.

use super::avx2;
use super::super::groups::{Columns, GREATEST, Group, LEAK, LEAK_BITS, of_width};
use super::super::pack::CHANNELS;
use super::row::{Operations, tile};
use crate::plan::Activation;
use core::arch::asm;
use core::arch::x86_64::*;

/// A multiplication and addition as one instruction: of the intrinsic the compiler makes three, for processors whose
/// adder is the faster way.
macro_rules! multiply_add {
    ($name:ident, $vector:ty, $register:ident, $copies:literal) => {
        /// Adds a broadcast pair of activations times pairs of weights.
        ///
        /// # Safety
        /// The processor must have the features, and two activations must be readable.
        #[inline]
        #[target_feature(enable = "avx512f,avx512vl,avx512vnni")]
        unsafe fn $name(mut sums: $vector, weights: $vector, pair: *const i16) -> $vector {
            // SAFETY: four bytes are read, as the caller allows.
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

/// # Safety
/// The processor must have the features; the rest as of [`tile`].
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn with_vnni<O: Operations, const COLUMNS: usize>(group: &Group<'_>, x: usize) {
    // SAFETY: these are the features that the operations need.
    unsafe { tile::<O, COLUMNS>(group, x) }
}

/// A bit for each channel that there is.
#[inline(always)]
fn here(group: &Group<'_>) -> u16 {
    u16::MAX >> (CHANNELS - group.count)
}

/// Sixteen channels.
pub(super) struct Sixteen;

// SAFETY, of every block: the caller vouches for the processor and for what is read and written.
#[allow(clippy::undocumented_unsafe_blocks)]
impl Operations for Sixteen {
    type Sums = __m512i;
    type Weights = __m512i;

    #[inline(always)]
    unsafe fn load(values: &[i32; CHANNELS]) -> __m512i {
        unsafe { _mm512_loadu_si512(values.as_ptr().cast()) }
    }

    #[inline(always)]
    unsafe fn weights(from: *const u8) -> __m512i {
        unsafe { _mm512_cvtepi8_epi16(_mm256_loadu_si256(from.cast())) }
    }

    #[inline(always)]
    unsafe fn multiply_add(sums: __m512i, weights: __m512i, pair: *const i16) -> __m512i {
        unsafe { multiply_add_16(sums, weights, pair) }
    }

    #[inline(always)]
    unsafe fn store(sums: __m512i, group: &Group<'_>, to: *mut i32) {
        unsafe { _mm512_mask_storeu_epi32(to, here(group), sums) }
    }

    #[inline(always)]
    unsafe fn finish(sums: __m512i, group: &Group<'_>, x: usize) {
        unsafe {
            let multipliers = Self::load(&group.multipliers);
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
            if group.row.activation == Activation::LeakyRelu {
                let leaked = _mm512_mullo_epi32(values, _mm512_set1_epi32(LEAK));
                let leaked = _mm512_add_epi32(leaked, _mm512_set1_epi32(1 << (LEAK_BITS - 1)));
                values = _mm512_max_epi32(values, _mm512_srai_epi32::<LEAK_BITS>(leaked));
            }
            if let Some(residual) = group.residual(x) {
                let residual = _mm256_maskz_loadu_epi16(here(group), residual);
                values = _mm512_add_epi32(values, _mm512_cvtepi16_epi32(residual));
            }
            let least = _mm256_set1_epi16(-i16::MAX);
            let narrow = _mm256_max_epi16(_mm512_cvtsepi32_epi16(values), least);
            let to = group.activations.add(group.place(x));
            _mm256_mask_storeu_epi16(to, here(group), narrow);
        }
    }
}

// SAFETY, of every block: as above.
#[allow(clippy::undocumented_unsafe_blocks)]
impl Columns for Sixteen {
    const CHANNELS: usize = 16;
    const MOST_COLUMNS: usize = 14;

    #[inline(always)]
    unsafe fn columns(group: &Group<'_>, x: usize, width: usize) {
        unsafe { of_width!(with_vnni(group, x), width; 1 2 3 4 5 6 7 8 9 10 11 12 13 14) }
    }
}

/// Eight channels: processors compute twice as many of these at a time.
pub(super) struct Eight;

// SAFETY, of every block: the caller vouches for the processor and for what is read and written.
#[allow(clippy::undocumented_unsafe_blocks)]
impl Operations for Eight {
    type Sums = __m256i;
    type Weights = __m256i;

    #[inline(always)]
    unsafe fn load(values: &[i32; CHANNELS]) -> __m256i {
        unsafe { _mm256_loadu_si256(values.as_ptr().cast()) }
    }

    #[inline(always)]
    unsafe fn weights(from: *const u8) -> __m256i {
        unsafe { _mm256_cvtepi8_epi16(_mm_loadu_si128(from.cast())) }
    }

    #[inline(always)]
    unsafe fn multiply_add(sums: __m256i, weights: __m256i, pair: *const i16) -> __m256i {
        unsafe { multiply_add_8(sums, weights, pair) }
    }

    #[inline(always)]
    unsafe fn store(sums: __m256i, group: &Group<'_>, to: *mut i32) {
        unsafe { _mm256_mask_storeu_epi32(to, here(group) as u8, sums) }
    }

    #[inline(always)]
    unsafe fn finish(sums: __m256i, group: &Group<'_>, x: usize) {
        unsafe {
            let here = here(group) as u8;
            let mut values = avx2::activated(sums, group, 0);
            if let Some(residual) = group.residual(x) {
                let residual = _mm_maskz_loadu_epi16(here, residual);
                values = _mm256_add_epi32(values, _mm256_cvtepi16_epi32(residual));
            }
            let narrow = _mm_max_epi16(_mm256_cvtsepi32_epi16(values), _mm_set1_epi16(-i16::MAX));
            _mm_mask_storeu_epi16(group.activations.add(group.place(x)), here, narrow);
        }
    }
}

// SAFETY, of every block: as above.
#[allow(clippy::undocumented_unsafe_blocks)]
impl Columns for Eight {
    const CHANNELS: usize = 8;
    const MOST_COLUMNS: usize = 14;

    #[inline(always)]
    unsafe fn columns(group: &Group<'_>, x: usize, width: usize) {
        unsafe { of_width!(with_vnni(group, x), width; 1 2 3 4 5 6 7 8 9 10 11 12 13 14) }
    }
}
