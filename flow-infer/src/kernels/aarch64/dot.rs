//! Dot products along a window, for dense layers and single pixels: four rows of weights with the same activations.

use super::sdot::{apart, dot, sixteen};
use crate::kernels::tile::Tile;
use crate::plan::LANES;
use core::arch::aarch64::*;

/// How sixteen or four weights are multiplied with as many activations. Everything here is unsafe: the processor must have
/// the instructions, and what is read must be there.
trait Products {
    /// Sixteen activations, as they are multiplied.
    type Activations: Copy;
    /// Sums of products.
    type Sums: Copy;

    unsafe fn zero() -> Self::Sums;
    unsafe fn sixteen(from: *const i16) -> Self::Activations;
    /// Four activations, and zeros.
    unsafe fn four(from: *const i16) -> Self::Activations;
    unsafe fn add(sums: Self::Sums, weights: int8x16_t, with: Self::Activations) -> Self::Sums;
    unsafe fn total(sums: Self::Sums) -> i32;
}

/// # Safety
/// A tile that exists fits, which is all that is needed.
pub(super) unsafe fn with_neon<const PIXELS: usize>(
    tile: &Tile<'_, i16>,
    places: [usize; PIXELS],
    sums: &mut [[i32; LANES]; PIXELS],
) {
    // SAFETY: every aarch64 processor has NEON.
    unsafe { add::<Neon, PIXELS>(tile, places, sums) }
}

/// # Safety
/// The processor must have the dot product instructions.
#[target_feature(enable = "dotprod")]
pub(super) unsafe fn with_sdot<const PIXELS: usize>(
    tile: &Tile<'_, i16>,
    places: [usize; PIXELS],
    sums: &mut [[i32; LANES]; PIXELS],
) {
    // SAFETY: the caller says so.
    unsafe { add::<Sdot, PIXELS>(tile, places, sums) }
}

/// Weights of a vector, and of what is left at a run's end.
const SIXTEEN: usize = 16;
const FOUR: usize = 4;

/// `places` are zero or the tile's distance.
///
/// # Safety
/// The processor must have the instructions.
#[inline(always)]
unsafe fn add<P: Products, const PIXELS: usize>(
    tile: &Tile<'_, i16>,
    places: [usize; PIXELS],
    sums: &mut [[i32; LANES]; PIXELS],
) {
    // SAFETY: a tile that exists fits, so from the start of each run as many elements are readable as the run has.
    unsafe {
        let mut totals = [[P::zero(); LANES]; PIXELS];
        for run in tile.window().runs() {
            let mut weights = tile.weights().as_ptr().add(run.weights);
            let mut activations = tile.activations().as_ptr().add(run.activations);
            let mut left = tile.window().run_len();
            while left >= SIXTEEN {
                let pixels = places.map(|place| P::sixteen(activations.add(place)));
                let row = |row: usize| vld1q_s8(weights.add(row * tile.row_bytes()).cast());
                add_rows::<P, PIXELS>(&mut totals, pixels, row);
                (weights, activations) = (weights.add(SIXTEEN), activations.add(SIXTEEN));
                left -= SIXTEEN;
            }
            while left >= FOUR {
                let pixels = places.map(|place| P::four(activations.add(place)));
                let row = |row: usize| four_weights(weights.add(row * tile.row_bytes()));
                add_rows::<P, PIXELS>(&mut totals, pixels, row);
                (weights, activations) = (weights.add(FOUR), activations.add(FOUR));
                left -= FOUR;
            }
        }
        for (sums, totals) in sums.iter_mut().zip(totals) {
            for (sum, total) in sums.iter_mut().zip(totals) {
                *sum = sum.wrapping_add(P::total(total));
            }
        }
    }
}

/// # Safety
/// The processor must have the instructions, and `row` must read what is there.
#[inline(always)]
unsafe fn add_rows<P: Products, const PIXELS: usize>(
    totals: &mut [[P::Sums; LANES]; PIXELS],
    pixels: [P::Activations; PIXELS],
    row: impl Fn(usize) -> int8x16_t,
) {
    for index in 0..LANES {
        let weights = row(index);
        for (totals, pixel) in totals.iter_mut().zip(pixels) {
            // SAFETY: the caller says so.
            unsafe { totals[index] = P::add(totals[index], weights, pixel) };
        }
    }
}

/// Four weights and zeros.
///
/// # Safety
/// They must be readable.
#[inline(always)]
unsafe fn four_weights(from: *const u8) -> int8x16_t {
    // SAFETY: the caller says so.
    unsafe {
        let bytes = u64::from(from.cast::<u32>().read_unaligned());
        vcombine_s8(vcreate_s8(bytes), vdup_n_s8(0))
    }
}

struct Neon;

// SAFETY, of every block: the caller vouches for what is read; every aarch64 processor has NEON.
#[allow(clippy::undocumented_unsafe_blocks)]
impl Products for Neon {
    type Activations = [int16x8_t; 2];
    type Sums = int32x4_t;

    #[inline(always)]
    unsafe fn zero() -> int32x4_t {
        unsafe { vdupq_n_s32(0) }
    }

    #[inline(always)]
    unsafe fn sixteen(from: *const i16) -> [int16x8_t; 2] {
        unsafe { [vld1q_s16(from), vld1q_s16(from.add(SIXTEEN / 2))] }
    }

    #[inline(always)]
    unsafe fn four(from: *const i16) -> [int16x8_t; 2] {
        unsafe {
            let zeros = vdup_n_s16(0);
            [vcombine_s16(vld1_s16(from), zeros), vdupq_n_s16(0)]
        }
    }

    #[inline(always)]
    unsafe fn add(sums: int32x4_t, weights: int8x16_t, with: [int16x8_t; 2]) -> int32x4_t {
        unsafe {
            let [low, high] = [vmovl_s8(vget_low_s8(weights)), vmovl_high_s8(weights)];
            let sums = vmlal_s16(sums, vget_low_s16(low), vget_low_s16(with[0]));
            let sums = vmlal_high_s16(sums, low, with[0]);
            let sums = vmlal_s16(sums, vget_low_s16(high), vget_low_s16(with[1]));
            vmlal_high_s16(sums, high, with[1])
        }
    }

    #[inline(always)]
    unsafe fn total(sums: int32x4_t) -> i32 {
        unsafe { vaddvq_s32(sums) }
    }
}

/// In bytes, as in [`super::sdot`]; the third sum is that of the weights alone.
struct Sdot;

// SAFETY, of every block: the caller vouches for the processor and for what is read.
#[allow(clippy::undocumented_unsafe_blocks)]
impl Products for Sdot {
    type Activations = [int8x16_t; 2];
    type Sums = [int32x4_t; 3];

    #[inline(always)]
    unsafe fn zero() -> [int32x4_t; 3] {
        unsafe { [vdupq_n_s32(0); 3] }
    }

    #[inline(always)]
    unsafe fn sixteen(from: *const i16) -> [int8x16_t; 2] {
        unsafe { sixteen(from) }
    }

    #[inline(always)]
    unsafe fn four(from: *const i16) -> [int8x16_t; 2] {
        unsafe {
            let bytes = vcombine_s8(vld1_s8(from.cast()), vdup_n_s8(0));
            apart(bytes, vdupq_n_s8(0))
        }
    }

    #[inline(always)]
    unsafe fn add(
        [upper, lower, alone]: [int32x4_t; 3],
        weights: int8x16_t,
        with: [int8x16_t; 2],
    ) -> [int32x4_t; 3] {
        unsafe {
            [
                dot(upper, weights, with[0]),
                dot(lower, weights, with[1]),
                dot(alone, weights, vdupq_n_s8(1)),
            ]
        }
    }

    #[inline(always)]
    unsafe fn total([upper, lower, alone]: [int32x4_t; 3]) -> i32 {
        unsafe {
            let sums = vaddq_s32(vshlq_n_s32::<8>(upper), lower);
            vaddvq_s32(vaddq_s32(sums, vshlq_n_s32::<7>(alone)))
        }
    }
}
