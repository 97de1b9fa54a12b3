//! Dot products along a window: four output channels of one or two pixels.
//!
//! Sixteen weights are widened by their load and multiplied in pairs (`pmaddwd`; with VNNI one instruction adds as
//! well). Vectors of 512 bits would be a third empty in the runs of 48 that a convolution of 16 channels has. Rows of
//! more than one column go through [`super::row`] instead, which has no sums to add up across a vector.

use super::super::tile::Tile;
use super::isa::{Avx2, Vnni};
use crate::plan::LANES;
use core::arch::x86_64::*;

#[target_feature(enable = "avx2,avx512bw,avx512vl,avx512vnni")]
pub(super) fn with_vnni<const PIXELS: usize>(
    isa: Vnni,
    tile: &Tile<'_, i16>,
    sums: &mut [[i32; LANES]; PIXELS],
) {
    add(isa, isa.avx2(), tile, sums);
}

#[target_feature(enable = "avx2")]
pub(super) fn with_avx2<const PIXELS: usize>(
    isa: Avx2,
    tile: &Tile<'_, i16>,
    sums: &mut [[i32; LANES]; PIXELS],
) {
    add(isa, isa, tile, sums);
}

/// Elements of a vector.
const WIDTH: usize = 16;

/// What differs between the extensions. A value is the proof that the processor has its extension.
trait Operations: Copy {
    /// The first 16 of these activations, or what there is and zeros.
    ///
    /// # Safety
    /// `left` of them, a multiple of four, must be readable.
    unsafe fn activations(self, from: *const i16, left: usize) -> __m256i;
    /// The first 16 of these weights, widened, or what there is and zeros.
    ///
    /// # Safety
    /// As of [`activations`](Self::activations).
    unsafe fn weights(self, from: *const u8, left: usize) -> __m256i;
    fn multiply_add(self, sums: __m256i, a: __m256i, b: __m256i) -> __m256i;
}

#[inline(always)]
fn add<O: Operations, const PIXELS: usize>(
    operations: O,
    avx2: Avx2,
    tile: &Tile<'_, i16>,
    sums: &mut [[i32; LANES]; PIXELS],
) {
    let pixels = tile.pixels::<PIXELS>();
    let (window, len) = (tile.window(), tile.window().run_len());
    // SAFETY: the processor has AVX2, says the second argument.
    let mut totals = [[unsafe { _mm256_setzero_si256() }; LANES]; PIXELS];
    for run in window.runs() {
        let weights = tile.weights().as_ptr().wrapping_add(run.weights);
        let activations = tile.activations().as_ptr().wrapping_add(run.activations);
        for k in (0..len).step_by(WIDTH) {
            let left = len - k;
            // SAFETY: `Tile::new` has found that every run, `len` elements, a multiple of four, lies within the
            // activations at each of the tile's pixels.
            let pixels = pixels.map(|pixel| unsafe {
                operations.activations(activations.wrapping_add(pixel + k), left)
            });
            for row in 0..LANES {
                let weights = weights.wrapping_add(row * tile.row_bytes() + k);
                // SAFETY: `Tile::new` has found that every run lies within each of the four rows of weights.
                let weights = unsafe { operations.weights(weights, left) };
                for (totals, &pixel) in totals.iter_mut().zip(&pixels) {
                    totals[row] = operations.multiply_add(totals[row], pixel, weights);
                }
            }
        }
    }
    for (sums, totals) in sums.iter_mut().zip(totals) {
        add_up(avx2, totals, sums);
    }
}

/// Adds the sums across each vector.
#[inline(always)]
fn add_up(_: Avx2, [a, b, c, d]: [__m256i; LANES], sums: &mut [i32; LANES]) {
    // SAFETY: the processor has AVX2, says the first argument; the load and the store are of a whole array.
    unsafe {
        let quarters = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
        let upper = _mm256_extracti128_si256::<1>(quarters);
        let totals = _mm_add_epi32(_mm256_castsi256_si128(quarters), upper);
        let before = _mm_loadu_si128(sums.as_ptr().cast());
        _mm_storeu_si128(sums.as_mut_ptr().cast(), _mm_add_epi32(before, totals));
    }
}

/// The first `left` of 16 elements.
#[inline(always)]
fn mask(left: usize) -> u16 {
    if left < WIDTH { (1 << left) - 1 } else { u16::MAX }
}

impl Operations for Vnni {
    #[inline(always)]
    unsafe fn activations(self, from: *const i16, left: usize) -> __m256i {
        // SAFETY: the processor has the instruction, says `self`; the mask lets through what the caller vouches for.
        unsafe { _mm256_maskz_loadu_epi16(mask(left), from) }
    }

    #[inline(always)]
    unsafe fn weights(self, from: *const u8, left: usize) -> __m256i {
        // SAFETY: as of `activations`.
        unsafe { _mm256_cvtepi8_epi16(_mm_maskz_loadu_epi8(mask(left), from.cast())) }
    }

    #[inline(always)]
    fn multiply_add(self, sums: __m256i, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: the processor has the instruction, says `self`.
        unsafe { _mm256_dpwssd_epi32(sums, a, b) }
    }
}

impl Operations for Avx2 {
    #[inline(always)]
    unsafe fn activations(self, from: *const i16, left: usize) -> __m256i {
        // SAFETY: the processor has AVX2, says `self`; no more is loaded than what the caller vouches for.
        unsafe {
            let four = |at: usize| _mm_loadl_epi64(from.add(at).cast());
            match left {
                ..8 => _mm256_zextsi128_si256(four(0)),
                8..12 => _mm256_zextsi128_si256(_mm_loadu_si128(from.cast())),
                12..WIDTH => _mm256_set_m128i(four(8), _mm_loadu_si128(from.cast())),
                _ => _mm256_loadu_si256(from.cast()),
            }
        }
    }

    #[inline(always)]
    unsafe fn weights(self, from: *const u8, left: usize) -> __m256i {
        // SAFETY: as of `activations`.
        unsafe {
            let four = |at: usize| _mm_cvtsi32_si128(from.add(at).cast::<i32>().read_unaligned());
            let bytes = match left {
                ..8 => four(0),
                8..12 => _mm_loadl_epi64(from.cast()),
                12..WIDTH => _mm_unpacklo_epi64(_mm_loadl_epi64(from.cast()), four(8)),
                _ => _mm_loadu_si128(from.cast()),
            };
            _mm256_cvtepi8_epi16(bytes)
        }
    }

    #[inline(always)]
    fn multiply_add(self, sums: __m256i, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: the processor has AVX2, says `self`.
        unsafe { _mm256_add_epi32(sums, _mm256_madd_epi16(a, b)) }
    }
}
