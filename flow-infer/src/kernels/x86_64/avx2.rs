//! AVX2: pairs are broadcast, multiplied (`pmaddwd`) and added, eight channels to a vector.

use super::super::groups::{Columns, GREATEST, Group, LEAK, LEAK_BITS, of_width};
use super::super::pack::CHANNELS;
use super::row::{Operations, tile};
use crate::plan::Activation;
use core::arch::x86_64::*;
use core::array;

/// Channels of a vector.
const EIGHT: usize = 8;

/// # Safety
/// The processor must have the feature; the rest as of [`tile`].
#[target_feature(enable = "avx2")]
unsafe fn with_avx2<O: Operations, const COLUMNS: usize>(group: &Group<'_>, x: usize) {
    // SAFETY: this is the feature that the operations need.
    unsafe { tile::<O, COLUMNS>(group, x) }
}

/// Requantizes and activates eight channels from `first` of the group on.
///
/// # Safety
/// The processor must have AVX2, and the group these channels.
#[inline(always)]
pub(super) unsafe fn activated(sums: __m256i, group: &Group<'_>, first: usize) -> __m256i {
    // SAFETY: the caller vouches for the processor; a group has twice eight multipliers.
    unsafe {
        let multipliers = _mm256_loadu_si256(group.multipliers.as_ptr().add(first).cast());
        let half = _mm256_set1_epi64x(1 << 31);
        let even = _mm256_add_epi64(_mm256_mul_epi32(sums, multipliers), half);
        let (sums, multipliers) = (
            _mm256_srli_epi64::<32>(sums),
            _mm256_srli_epi64::<32>(multipliers),
        );
        let odd = _mm256_add_epi64(_mm256_mul_epi32(sums, multipliers), half);
        let scaled = _mm256_blend_epi32::<0xAA>(_mm256_srli_epi64::<32>(even), odd);
        let held = _mm256_min_epi32(scaled, _mm256_set1_epi32(GREATEST));
        let values = _mm256_max_epi32(held, _mm256_set1_epi32(group.least()));
        if group.row.activation != Activation::LeakyRelu {
            return values;
        }
        let leaked = _mm256_mullo_epi32(values, _mm256_set1_epi32(LEAK));
        let leaked = _mm256_add_epi32(leaked, _mm256_set1_epi32(1 << (LEAK_BITS - 1)));
        _mm256_max_epi32(values, _mm256_srai_epi32::<{ LEAK_BITS as i32 }>(leaked))
    }
}

/// So many vectors of eight channels, one or two.
pub(super) struct Avx2<const VECTORS: usize>;

// SAFETY, of every block: the caller vouches for the processor and for what is read and written.
#[allow(clippy::undocumented_unsafe_blocks)]
impl<const VECTORS: usize> Operations for Avx2<VECTORS> {
    type Sums = [__m256i; VECTORS];
    type Weights = [__m256i; VECTORS];

    #[inline(always)]
    unsafe fn load(values: &[i32; CHANNELS]) -> Self::Sums {
        let from = values.as_ptr().cast::<__m256i>();
        array::from_fn(|i| unsafe { _mm256_loadu_si256(from.add(i)) })
    }

    #[inline(always)]
    unsafe fn weights(from: *const u8) -> Self::Weights {
        let from = from.cast::<__m128i>();
        array::from_fn(|i| unsafe { _mm256_cvtepi8_epi16(_mm_loadu_si128(from.add(i))) })
    }

    #[inline(always)]
    unsafe fn multiply_add(
        sums: Self::Sums,
        weights: Self::Weights,
        pair: *const i16,
    ) -> Self::Sums {
        unsafe {
            let pair = _mm256_set1_epi32(pair.cast::<i32>().read_unaligned());
            array::from_fn(|i| _mm256_add_epi32(sums[i], _mm256_madd_epi16(weights[i], pair)))
        }
    }

    #[inline(always)]
    unsafe fn store(sums: Self::Sums, group: &Group<'_>, to: *mut i32) {
        unsafe { to.copy_from_nonoverlapping(sums.as_ptr().cast(), group.count) }
    }

    #[inline(always)]
    unsafe fn finish(sums: Self::Sums, group: &Group<'_>, x: usize) {
        unsafe {
            let mut outputs = [0i16; CHANNELS];
            if let Some(residual) = group.residual(x) {
                let to = outputs.as_mut_ptr();
                to.copy_from_nonoverlapping(residual, group.count);
            }
            for (i, sums) in sums.into_iter().enumerate() {
                let place = outputs.as_mut_ptr().add(i * EIGHT).cast::<__m128i>();
                let residual = _mm256_cvtepi16_epi32(_mm_loadu_si128(place));
                let values = _mm256_add_epi32(activated(sums, group, i * EIGHT), residual);
                let (low, high) = (
                    _mm256_castsi256_si128(values),
                    _mm256_extracti128_si256::<1>(values),
                );
                let narrow = _mm_max_epi16(_mm_packs_epi32(low, high), _mm_set1_epi16(-i16::MAX));
                _mm_storeu_si128(place, narrow);
            }
            let to = group.activations.add(group.place(x));
            match group.count {
                EIGHT => to.copy_from_nonoverlapping(outputs.as_ptr(), EIGHT),
                CHANNELS => to.copy_from_nonoverlapping(outputs.as_ptr(), CHANNELS),
                count => to.copy_from_nonoverlapping(outputs.as_ptr(), count),
            }
        }
    }
}

// SAFETY, of every block: as above.
#[allow(clippy::undocumented_unsafe_blocks)]
impl<const VECTORS: usize> Columns for Avx2<VECTORS> {
    const CHANNELS: usize = EIGHT * VECTORS;
    const MOST_COLUMNS: usize = 8 / VECTORS;

    #[inline(always)]
    unsafe fn columns(group: &Group<'_>, x: usize, width: usize) {
        unsafe { of_width!(with_avx2(group, x), width; 1 2 3 4 5 6 7 8) }
    }
}
