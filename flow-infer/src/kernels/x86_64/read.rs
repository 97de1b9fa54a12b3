//! Four kept coordinates at a time, as a conditioner reads them.

use super::super::groups::{GREATEST, LEAK, LEAK_BITS};
use super::super::read::{Kept, Reading, write};
use super::affine::{low_halves, numbers};
use crate::plan::{Activation, LANES};
use core::arch::x86_64::*;

/// Reads all coordinates and says that it has, if there are four or more, each with its pixel.
#[target_feature(enable = "avx2")]
pub(super) fn read(reading: &Reading, row: &mut Kept<'_, i32, i16>) -> bool {
    let Some(last) = row.count.checked_sub(LANES) else {
        return false;
    };
    for step in 0..row.count.div_ceil(LANES) {
        // The last four may have been read in part: the same again.
        let first = last.min(step * LANES);
        let latents = row.latents.get(first * row.stride..).unwrap_or(&[]);
        let Some(latents) = numbers(latents, row.stride) else {
            return false;
        };
        let (positive, negative) = four(reading, latents);
        let pixels = row.pixels.get_mut(first * row.distance..).unwrap_or(&mut []);
        let values = positive.into_iter().zip(negative);
        write(pixels, row.distance, (row.positive, row.negative), values);
    }
    true
}

/// Four latents, a lane each, and their negatives.
#[inline]
#[target_feature(enable = "avx2")]
fn four(reading: &Reading, latents: __m256i) -> ([i16; LANES], [i16; LANES]) {
    let offset = i64::from(reading.offset);
    // Held before the offset is added, so that nothing leaves 32 bits; either bound may lie beyond them itself.
    let [least, greatest] = [-GREATEST - 1, GREATEST].map(|bound| {
        let bound = (i64::from(bound) - offset).clamp(i32::MIN.into(), i32::MAX.into());
        _mm_set1_epi32(bound as i32)
    });
    let product = _mm256_mul_epi32(latents, _mm256_set1_epi32(reading.gain));
    let rounded = _mm256_add_epi64(product, _mm256_set1_epi64x(1 << 31));
    let gained = low_halves(_mm256_srli_epi64::<32>(rounded));
    let held = _mm_min_epi32(_mm_max_epi32(gained, least), greatest);
    let value = _mm_add_epi32(held, _mm_set1_epi32(reading.offset));
    let negative = _mm_sub_epi32(_mm_setzero_si128(), value);
    let both = [value, negative].map(|value| activated(value, reading.activation));
    let narrow = _mm_max_epi16(_mm_packs_epi32(both[0], both[1]), _mm_set1_epi16(-i16::MAX));
    let mut all = [[0; LANES]; 2];
    // SAFETY: the store is of both arrays.
    unsafe { _mm_storeu_si128(all.as_mut_ptr().cast(), narrow) };
    (all[0], all[1])
}

/// Values of at most 17 bits, activated.
#[inline]
#[target_feature(enable = "avx2")]
fn activated(value: __m128i, activation: Activation) -> __m128i {
    match activation {
        Activation::Identity => value,
        Activation::Relu => _mm_max_epi32(value, _mm_setzero_si128()),
        Activation::LeakyRelu => {
            let leaked = _mm_mullo_epi32(value, _mm_set1_epi32(LEAK));
            let leaked = _mm_add_epi32(leaked, _mm_set1_epi32(1 << (LEAK_BITS - 1)));
            _mm_max_epi32(value, _mm_srai_epi32::<{ LEAK_BITS as i32 }>(leaked))
        }
    }
}
