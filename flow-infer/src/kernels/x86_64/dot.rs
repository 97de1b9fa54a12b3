//! Dot products along a window: four output channels of one or two pixels.
//!
//! Sixteen weights are widened by their load and multiplied in pairs (`pmaddwd`; with VNNI one instruction adds as
//! well). Vectors of 512 bits would be a third empty in the runs of 48 that a convolution of 16 channels has. Rows of
//! more than one column go through [`super::row`] instead, which has no sums to add up across a vector.

use super::super::tile::Tile;
use crate::plan::LANES;
use core::arch::x86_64::*;

/// # Safety
/// The processor must have the features.
#[target_feature(enable = "avx2,avx512bw,avx512vl,avx512vnni")]
pub(super) unsafe fn with_vnni<const PIXELS: usize>(
    tile: &Tile<'_, i16>,
    places: [usize; PIXELS],
    sums: &mut [[i32; LANES]; PIXELS],
) {
    // SAFETY: these are the features that the operations need.
    unsafe { add::<Vnni, PIXELS>(tile, places, sums) }
}

/// # Safety
/// The processor must have the feature.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn with_avx2<const PIXELS: usize>(
    tile: &Tile<'_, i16>,
    places: [usize; PIXELS],
    sums: &mut [[i32; LANES]; PIXELS],
) {
    // SAFETY: this is the feature that the operations need.
    unsafe { add::<Avx2, PIXELS>(tile, places, sums) }
}

/// Elements of a vector.
const WIDTH: usize = 16;

/// What differs between the extensions. Everything here is unsafe: the processor must have the extension, and `left`
/// elements must be readable, of which the first 16 are taken.
trait Operations {
    unsafe fn activations(from: *const i16, left: usize) -> __m256i;
    unsafe fn weights(from: *const u8, left: usize) -> __m256i;
    unsafe fn multiply_add(sums: __m256i, a: __m256i, b: __m256i) -> __m256i;
}

/// # Safety
/// The processor must have what the operations need. `places` are zero or the tile's distance.
#[inline(always)]
unsafe fn add<O: Operations, const PIXELS: usize>(
    tile: &Tile<'_, i16>,
    places: [usize; PIXELS],
    sums: &mut [[i32; LANES]; PIXELS],
) {
    // SAFETY: a tile that exists fits, so from the start of each run as many elements are readable as the run has;
    // the caller vouches for the processor.
    unsafe {
        let mut totals = [[_mm256_setzero_si256(); LANES]; PIXELS];
        for run in tile.window().runs() {
            let weights = tile.weights().as_ptr().add(run.weights);
            let activations = tile.activations().as_ptr().add(run.activations);
            let mut k = 0;
            while k < tile.window().run_len() {
                let left = tile.window().run_len() - k;
                let pixels = places.map(|place| O::activations(activations.add(place + k), left));
                for row in 0..LANES {
                    let weights = O::weights(weights.add(row * tile.row_bytes() + k), left);
                    for (totals, &pixel) in totals.iter_mut().zip(&pixels) {
                        totals[row] = O::multiply_add(totals[row], pixel, weights);
                    }
                }
                k += WIDTH;
            }
        }
        for (sums, totals) in sums.iter_mut().zip(totals) {
            let [a, b, c, d] = totals;
            let quarters = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
            let upper = _mm256_extracti128_si256::<1>(quarters);
            let totals = _mm_add_epi32(_mm256_castsi256_si128(quarters), upper);
            let before = _mm_loadu_si128(sums.as_ptr().cast());
            _mm_storeu_si128(sums.as_mut_ptr().cast(), _mm_add_epi32(before, totals));
        }
    }
}

struct Vnni;

/// The first `left` of 16 elements.
#[inline(always)]
fn mask(left: usize) -> u16 {
    if left < WIDTH { (1 << left) - 1 } else { u16::MAX }
}

// SAFETY, of every block: the caller vouches for the processor and for what the mask lets through.
#[allow(clippy::undocumented_unsafe_blocks)]
impl Operations for Vnni {
    #[inline(always)]
    unsafe fn activations(from: *const i16, left: usize) -> __m256i {
        unsafe { _mm256_maskz_loadu_epi16(mask(left), from) }
    }

    #[inline(always)]
    unsafe fn weights(from: *const u8, left: usize) -> __m256i {
        unsafe { _mm256_cvtepi8_epi16(_mm_maskz_loadu_epi8(mask(left), from.cast())) }
    }

    #[inline(always)]
    unsafe fn multiply_add(sums: __m256i, a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_dpwssd_epi32(sums, a, b) }
    }
}

struct Avx2;

// SAFETY, of every block: the caller vouches for the processor and for `left` elements, a multiple of four.
#[allow(clippy::undocumented_unsafe_blocks)]
impl Operations for Avx2 {
    #[inline(always)]
    unsafe fn activations(from: *const i16, left: usize) -> __m256i {
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
    unsafe fn weights(from: *const u8, left: usize) -> __m256i {
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
    unsafe fn multiply_add(sums: __m256i, a: __m256i, b: __m256i) -> __m256i {
        unsafe { _mm256_add_epi32(sums, _mm256_madd_epi16(a, b)) }
    }
}
