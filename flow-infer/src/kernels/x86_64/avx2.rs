//! AVX2: pairs are broadcast, multiplied (`pmaddwd`) and added, eight channels to a vector.

use super::super::groups::{Columns, GREATEST, Group, LEAK, LEAK_BITS, Target, WholePixels, of_width};
use super::super::pack::CHANNELS;
use super::isa::Avx2;
use super::pack::{PAIR, Pairs};
use super::operations::{Operations, finish_each, tile};
use crate::plan::{Activation, LANES};
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
    isa: Avx2,
    sums: __m256i,
    multipliers: &[i32; EIGHT],
    group: &Group<'_, Pairs>,
) -> __m256i {
    let scaled = scaled(isa, sums, multipliers);
    // SAFETY: the processor has AVX2, says the first argument.
    unsafe {
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

/// High words of the products of eight sums and multipliers, rounded.
#[inline(always)]
fn scaled(_: Avx2, sums: __m256i, multipliers: &[i32; EIGHT]) -> __m256i {
    // SAFETY: the processor has AVX2, says the first argument; the load is of a whole array.
    unsafe {
        let multipliers = _mm256_loadu_si256(multipliers.as_ptr().cast());
        let half = _mm256_set1_epi64x(1 << 31);
        let even = _mm256_add_epi64(_mm256_mul_epi32(sums, multipliers), half);
        // Shuffled, not shifted: of a shifted one the compiler makes a product of six instructions.
        let (sums, multipliers) = (
            _mm256_shuffle_epi32::<0xF5>(sums),
            _mm256_shuffle_epi32::<0xF5>(multipliers),
        );
        let odd = _mm256_add_epi64(_mm256_mul_epi32(sums, multipliers), half);
        _mm256_blend_epi32::<0xAA>(_mm256_srli_epi64::<32>(even), odd)
    }
}

/// The eight of sixteen in this vector.
#[inline(always)]
pub(super) fn eight<T>(all: &[T; CHANNELS], vector: usize) -> &[T; EIGHT] {
    &all.as_chunks().0[vector]
}

/// The first eight of what there is, whole fours of it, and zeros.
#[inline(always)]
fn load(_: Avx2, from: &[i16]) -> __m128i {
    // SAFETY: the processor has AVX2, says the first argument; no more is loaded than there is.
    unsafe {
        match from.len() {
            EIGHT.. => _mm_loadu_si128(from.as_ptr().cast()),
            LANES.. => _mm_loadl_epi64(from.as_ptr().cast()),
            _ => _mm_setzero_si128(),
        }
    }
}

/// As many of eight as there is room for, whole fours of them.
#[inline(always)]
fn store(_: Avx2, values: __m128i, to: &mut [i16]) {
    // SAFETY: the processor has AVX2, says the first argument; no more is stored than there is room for.
    unsafe {
        match to.len() {
            EIGHT.. => _mm_storeu_si128(to.as_mut_ptr().cast(), values),
            LANES.. => _mm_storel_epi64(to.as_mut_ptr().cast(), values),
            _ => (),
        }
    }
}

/// Requantizes, activates, adds the residual and stores pixels of eight channels.
#[inline(always)]
fn finish_eights<const COLUMNS: usize>(
    isa: Avx2,
    sums: [__m256i; COLUMNS],
    group: &Group<'_, Pairs>,
    pixels: WholePixels<'_, '_, EIGHT>,
) {
    let multipliers = eight(&group.multipliers, 0);
    // Of a known length, so that it is not asked at every pixel.
    let Some(to) = pixels.target.first_chunk_mut::<COLUMNS>() else {
        return;
    };
    let residual = pixels.residual.and_then(|residual| residual.first_chunk::<COLUMNS>());
    for (column, (sums, to)) in sums.into_iter().zip(to).enumerate() {
        let mut values = activated(isa, sums, multipliers, group);
        // SAFETY: the processor has AVX2, says the first argument; loads and stores are of whole arrays.
        unsafe {
            if let Some(residual) = residual {
                let residual = _mm_loadu_si128(residual[column].as_ptr().cast());
                values = _mm256_add_epi32(values, _mm256_cvtepi16_epi32(residual));
            }
            _mm_storeu_si128(to.as_mut_ptr().cast(), narrowed(isa, values));
        }
    }
}

/// Eight values held to 16 bits.
#[inline(always)]
fn narrowed(_: Avx2, values: __m256i) -> __m128i {
    // SAFETY: the processor has AVX2, says the first argument.
    unsafe {
        let (low, high) = (
            _mm256_castsi256_si128(values),
            _mm256_extracti128_si256::<1>(values),
        );
        _mm_max_epi16(_mm_packs_epi32(low, high), _mm_set1_epi16(-i16::MAX))
    }
}

/// So many vectors of eight channels, one or two.
#[derive(Clone, Copy)]
pub(super) struct Eights<const VECTORS: usize>(pub(super) Avx2);

impl<const VECTORS: usize> Eights<VECTORS> {
    /// Requantizes, activates, adds the residual and stores sixteen channels.
    #[inline(always)]
    pub(super) fn finish_sixteen(
        self,
        [low, high]: [__m256i; 2],
        group: &Group<'_, Pairs>,
        residual: Option<&[i16; CHANNELS]>,
        to: &mut [i16; CHANNELS],
    ) {
        let [first, second] = group.multipliers.as_chunks().0 else {
            return;
        };
        let activation = group.row().activation;
        let is_narrow = residual.is_none() && activation != Activation::LeakyRelu;
        // What is held to 16 bits next need not be held to 17 before.
        let [mut low, mut high] = match is_narrow {
            true => [scaled(self.0, low, first), scaled(self.0, high, second)],
            false => [
                activated(self.0, low, first, group),
                activated(self.0, high, second, group),
            ],
        };
        let least = match activation {
            Activation::Relu if is_narrow => 0,
            _ => -i16::MAX,
        };
        // SAFETY: the processor has AVX2, says `self`; loads and stores are of whole arrays.
        unsafe {
            if let Some(residual) = residual {
                let residual = _mm256_loadu_si256(residual.as_ptr().cast());
                let lower = _mm256_cvtepi16_epi32(_mm256_castsi256_si128(residual));
                let upper = _mm256_cvtepi16_epi32(_mm256_extracti128_si256::<1>(residual));
                low = _mm256_add_epi32(low, lower);
                high = _mm256_add_epi32(high, upper);
            }
            let narrow = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packs_epi32(low, high));
            let narrow = _mm256_max_epi16(narrow, _mm256_set1_epi16(least));
            _mm256_storeu_si256(to.as_mut_ptr().cast(), narrow);
        }
    }
}

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
    fn store(self, sums: Self::Sums, mut to: &mut [i32]) {
        for sums in sums {
            // SAFETY: the processor has AVX2, says `self`; no more is stored than there is room for.
            unsafe {
                match to.len() {
                    EIGHT.. => _mm256_storeu_si256(to.as_mut_ptr().cast(), sums),
                    LANES.. => _mm_storeu_si128(to.as_mut_ptr().cast(), _mm256_castsi256_si128(sums)),
                    _ => (),
                }
            }
            to = to.get_mut(EIGHT..).unwrap_or(&mut []);
        }
    }

    #[inline(always)]
    fn finish(
        self,
        sums: Self::Sums,
        group: &Group<'_, Pairs>,
        mut residual: &[i16],
        mut to: &mut [i16],
    ) {
        if let (Some(to), &[low, high]) = (to.first_chunk_mut::<CHANNELS>(), sums.as_slice()) {
            self.finish_sixteen([low, high], group, residual.first_chunk(), to);
            return;
        }
        for (i, sums) in sums.into_iter().enumerate() {
            let values = activated(self.0, sums, eight(&group.multipliers, i), group);
            // SAFETY: the processor has AVX2, says `self`.
            let narrow = unsafe {
                let residual = _mm256_cvtepi16_epi32(load(self.0, residual));
                narrowed(self.0, _mm256_add_epi32(values, residual))
            };
            store(self.0, narrow, to);
            residual = residual.get(EIGHT..).unwrap_or(&[]);
            to = to.get_mut(EIGHT..).unwrap_or(&mut []);
        }
    }

    #[inline(always)]
    fn finish_all<const COLUMNS: usize>(
        self,
        sums: [Self::Sums; COLUMNS],
        group: &Group<'_, Pairs>,
        target: &mut [i16],
        x: usize,
    ) {
        match group.whole_pixels(target, x) {
            Some(pixels) if VECTORS == 1 => {
                finish_eights(self.0, sums.map(|sums| sums[0]), group, pixels);
            }
            _ => finish_each(self, sums, group, target, x),
        }
    }
}

impl<const VECTORS: usize> Columns for Eights<VECTORS> {
    type Unit = Pairs;
    const CHANNELS: usize = EIGHT * VECTORS;
    const MOST_COLUMNS: usize = if VECTORS == 1 { 13 } else { 5 };

    #[inline(always)]
    fn columns(self, group: &Group<'_, Pairs>, target: &mut Target<'_>, x: usize, width: usize) {
        // SAFETY: the processor has AVX2, says `self`.
        unsafe { of_width!(with_avx2(self, group, target, x), width; 1 2 3 4 5 6 7 8 9 10 11 12 13) }
    }
}
