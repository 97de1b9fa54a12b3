//! AVX2: pairs are broadcast, multiplied (`pmaddwd`) and added, eight channels to a vector.

use super::super::groups::{Columns, GREATEST, Group, LEAK, LEAK_BITS, Target, of_width};
use super::super::pack::CHANNELS;
use super::isa::Avx2;
use super::pack::{PAIR, Pairs};
use super::row::{Operations, tile};
use crate::plan::Activation;
use core::arch::x86_64::*;
use core::array;

/// Channels of a vector.
const EIGHT: usize = 8;

#[target_feature(enable = "avx2")]
fn with_avx2<const COLUMNS: usize>(
    operations: impl Operations,
    group: &Group<'_, Pairs>,
    target: &mut Target<'_>,
    x: usize,
) {
    tile::<COLUMNS>(operations, group, target, x);
}

/// Requantizes and activates eight channels of the group, those with these multipliers.
#[inline(always)]
pub(super) fn activated(
    _: Avx2,
    sums: __m256i,
    multipliers: &[i32; EIGHT],
    group: &Group<'_, Pairs>,
) -> __m256i {
    // SAFETY: the processor has AVX2, says the first argument; the load is of a whole array.
    unsafe {
        let multipliers = _mm256_loadu_si256(multipliers.as_ptr().cast());
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
        if group.row().activation != Activation::LeakyRelu {
            return values;
        }
        let leaked = _mm256_mullo_epi32(values, _mm256_set1_epi32(LEAK));
        let leaked = _mm256_add_epi32(leaked, _mm256_set1_epi32(1 << (LEAK_BITS - 1)));
        _mm256_max_epi32(values, _mm256_srai_epi32::<{ LEAK_BITS as i32 }>(leaked))
    }
}

/// The eight of sixteen in this vector.
#[inline(always)]
fn eight<T>(all: &[T; CHANNELS], vector: usize) -> &[T; EIGHT] {
    &all.as_chunks().0[vector]
}

/// As many as both have; whole vectors without a call.
#[inline(always)]
fn copy<T: Copy>(from: &[T], to: &mut [T]) {
    let count = from.len().min(to.len());
    match count {
        EIGHT | CHANNELS => {
            let (from, to) = (from.as_chunks::<EIGHT>().0, to.as_chunks_mut().0);
            for (to, from) in to.iter_mut().zip(from).take(count / EIGHT) {
                *to = *from;
            }
        }
        _ => {
            for (to, from) in to.iter_mut().zip(from) {
                *to = *from;
            }
        }
    }
}

/// So many vectors of eight channels, one or two.
#[derive(Clone, Copy)]
pub(super) struct Eights<const VECTORS: usize>(pub(super) Avx2);

impl<const VECTORS: usize> Operations for Eights<VECTORS> {
    type Sums = [__m256i; VECTORS];
    type Weights = [__m256i; VECTORS];

    #[inline(always)]
    fn load(self, values: &[i32; CHANNELS]) -> Self::Sums {
        // SAFETY: the processor has AVX2, says `self`; each load is of a whole array.
        array::from_fn(|i| unsafe { _mm256_loadu_si256(eight(values, i).as_ptr().cast()) })
    }

    #[inline(always)]
    fn widen(self, weights: &Pairs) -> Self::Weights {
        let halves = weights.0.as_chunks::<CHANNELS>().0;
        // SAFETY: as of `load`.
        array::from_fn(|i| unsafe {
            _mm256_cvtepi8_epi16(_mm_loadu_si128(halves[i].as_ptr().cast()))
        })
    }

    #[inline(always)]
    fn multiply_add(
        self,
        sums: Self::Sums,
        weights: Self::Weights,
        pair: &[i16; PAIR],
    ) -> Self::Sums {
        // SAFETY: the processor has AVX2, says `self`; a pair has four bytes.
        unsafe {
            let pair = _mm256_set1_epi32(pair.as_ptr().cast::<i32>().read_unaligned());
            array::from_fn(|i| _mm256_add_epi32(sums[i], _mm256_madd_epi16(weights[i], pair)))
        }
    }

    #[inline(always)]
    fn store(self, sums: Self::Sums, to: &mut [i32]) {
        let mut all = [[0; EIGHT]; 2];
        for (to, sums) in all.iter_mut().zip(sums) {
            // SAFETY: as of `load`.
            unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), sums) };
        }
        copy(all.as_flattened(), to);
    }

    #[inline(always)]
    fn finish(self, sums: Self::Sums, group: &Group<'_, Pairs>, residual: &[i16], to: &mut [i16]) {
        let mut outputs = [[0; EIGHT]; 2];
        copy(residual, outputs.as_flattened_mut());
        for (i, (sums, outputs)) in sums.into_iter().zip(&mut outputs).enumerate() {
            let values = activated(self.0, sums, eight(&group.multipliers, i), group);
            // SAFETY: as of `load`.
            unsafe {
                let place = outputs.as_mut_ptr().cast::<__m128i>();
                let residual = _mm256_cvtepi16_epi32(_mm_loadu_si128(place));
                let values = _mm256_add_epi32(values, residual);
                let (low, high) = (
                    _mm256_castsi256_si128(values),
                    _mm256_extracti128_si256::<1>(values),
                );
                let narrow = _mm_max_epi16(_mm_packs_epi32(low, high), _mm_set1_epi16(-i16::MAX));
                _mm_storeu_si128(place, narrow);
            }
        }
        copy(outputs.as_flattened(), to);
    }
}

impl<const VECTORS: usize> Columns for Eights<VECTORS> {
    type Unit = Pairs;
    const CHANNELS: usize = EIGHT * VECTORS;
    const MOST_COLUMNS: usize = 8 / VECTORS;

    #[inline(always)]
    fn columns(self, group: &Group<'_, Pairs>, target: &mut Target<'_>, x: usize, width: usize) {
        // SAFETY: the processor has AVX2, says `self`.
        unsafe { of_width!(with_avx2(self, group, target, x), width; 1 2 3 4 5 6 7 8) }
    }
}
