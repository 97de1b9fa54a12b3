//! Dot products along a window, for dense layers and single pixels: four rows of weights with the same activations.

use super::isa::{Neon, Sdot};
use super::sdot::{apart, dot, ones, sixteen};
use crate::kernels::tile::Tile;
use crate::plan::LANES;
use core::arch::aarch64::*;

/// How sixteen or four weights are multiplied with as many activations. A value is the proof that the processor has the
/// instructions.
trait Products: Copy {
    /// Sixteen activations, as they are multiplied.
    type Activations: Copy;
    /// Sums of products.
    type Sums: Copy;

    fn zero(self) -> Self::Sums;
    /// # Safety
    /// Sixteen activations must be readable.
    unsafe fn sixteen(self, from: *const i16) -> Self::Activations;
    /// Four activations, and zeros.
    ///
    /// # Safety
    /// They must be readable.
    unsafe fn four(self, from: *const i16) -> Self::Activations;
    fn add(self, sums: Self::Sums, weights: int8x16_t, with: Self::Activations) -> Self::Sums;
    fn total(self, sums: Self::Sums) -> i32;
}

pub(super) fn with_neon<const PIXELS: usize>(
    isa: Neon,
    tile: &Tile<'_, i16>,
    sums: &mut [[i32; LANES]; PIXELS],
) {
    add(isa, tile, sums);
}

#[target_feature(enable = "dotprod")]
pub(super) fn with_sdot<const PIXELS: usize>(
    isa: Sdot,
    tile: &Tile<'_, i16>,
    sums: &mut [[i32; LANES]; PIXELS],
) {
    add(isa, tile, sums);
}

/// Weights of a vector, and of what is left at a run's end.
const SIXTEEN: usize = 16;
const FOUR: usize = 4;

#[inline(always)]
fn add<P: Products, const PIXELS: usize>(
    products: P,
    tile: &Tile<'_, i16>,
    sums: &mut [[i32; LANES]; PIXELS],
) {
    let places = tile.pixels::<PIXELS>();
    let mut totals = [[products.zero(); LANES]; PIXELS];
    for run in tile.window().runs() {
        let mut left = tile.window().run_len();
        // SAFETY: `Tile::new` has found that every run, `left` elements, lies within each of the four rows of weights, and
        // within the activations at each of the tile's pixels. Here it is gone through from its start to its end.
        unsafe {
            let mut weights = tile.weights().as_ptr().add(run.weights);
            let mut activations = tile.activations().as_ptr().add(run.activations);
            while left >= SIXTEEN {
                let pixels = places.map(|place| products.sixteen(activations.add(place)));
                let row = |row: usize| vld1q_s8(weights.add(row * tile.row_bytes()).cast());
                add_rows(products, &mut totals, pixels, row);
                (weights, activations) = (weights.add(SIXTEEN), activations.add(SIXTEEN));
                left -= SIXTEEN;
            }
            while left >= FOUR {
                let pixels = places.map(|place| products.four(activations.add(place)));
                let row = |row: usize| four_weights(weights.add(row * tile.row_bytes()));
                add_rows(products, &mut totals, pixels, row);
                (weights, activations) = (weights.add(FOUR), activations.add(FOUR));
                left -= FOUR;
            }
        }
    }
    for (sums, totals) in sums.iter_mut().zip(totals) {
        for (sum, total) in sums.iter_mut().zip(totals) {
            *sum = sum.wrapping_add(products.total(total));
        }
    }
}

#[inline(always)]
fn add_rows<P: Products, const PIXELS: usize>(
    products: P,
    totals: &mut [[P::Sums; LANES]; PIXELS],
    pixels: [P::Activations; PIXELS],
    row: impl Fn(usize) -> int8x16_t,
) {
    for index in 0..LANES {
        let weights = row(index);
        for (totals, pixel) in totals.iter_mut().zip(pixels) {
            totals[index] = products.add(totals[index], weights, pixel);
        }
    }
}

/// Four weights and zeros.
///
/// # Safety
/// They must be readable.
#[inline(always)]
unsafe fn four_weights(from: *const u8) -> int8x16_t {
    // SAFETY: the caller vouches for four bytes; NEON is part of every aarch64 target.
    unsafe {
        let bytes = u64::from(from.cast::<u32>().read_unaligned());
        vcombine_s8(vcreate_s8(bytes), vdup_n_s8(0))
    }
}

impl Products for Neon {
    type Activations = [int16x8_t; 2];
    type Sums = int32x4_t;

    #[inline(always)]
    fn zero(self) -> int32x4_t {
        // SAFETY: NEON is part of every aarch64 target.
        unsafe { vdupq_n_s32(0) }
    }

    #[inline(always)]
    unsafe fn sixteen(self, from: *const i16) -> [int16x8_t; 2] {
        // SAFETY: the caller vouches for sixteen.
        unsafe { [vld1q_s16(from), vld1q_s16(from.add(SIXTEEN / 2))] }
    }

    #[inline(always)]
    unsafe fn four(self, from: *const i16) -> [int16x8_t; 2] {
        // SAFETY: the caller vouches for four.
        unsafe { [vcombine_s16(vld1_s16(from), vdup_n_s16(0)), vdupq_n_s16(0)] }
    }

    #[inline(always)]
    fn add(self, sums: int32x4_t, weights: int8x16_t, with: [int16x8_t; 2]) -> int32x4_t {
        // SAFETY: NEON is part of every aarch64 target.
        unsafe {
            let [low, high] = [vmovl_s8(vget_low_s8(weights)), vmovl_high_s8(weights)];
            let sums = vmlal_s16(sums, vget_low_s16(low), vget_low_s16(with[0]));
            let sums = vmlal_high_s16(sums, low, with[0]);
            let sums = vmlal_s16(sums, vget_low_s16(high), vget_low_s16(with[1]));
            vmlal_high_s16(sums, high, with[1])
        }
    }

    #[inline(always)]
    fn total(self, sums: int32x4_t) -> i32 {
        // SAFETY: NEON is part of every aarch64 target.
        unsafe { vaddvq_s32(sums) }
    }
}

/// In bytes, as in [`super::sdot`]; the third sum is that of the weights alone.
impl Products for Sdot {
    type Activations = [int8x16_t; 2];
    type Sums = [int32x4_t; 3];

    #[inline(always)]
    fn zero(self) -> [int32x4_t; 3] {
        [Neon::zero(self.neon()); 3]
    }

    #[inline(always)]
    unsafe fn sixteen(self, from: *const i16) -> [int8x16_t; 2] {
        // SAFETY: the caller vouches for sixteen.
        unsafe { sixteen(from) }
    }

    #[inline(always)]
    unsafe fn four(self, from: *const i16) -> [int8x16_t; 2] {
        // SAFETY: the caller vouches for four.
        unsafe {
            let four = vcombine_s8(vld1_s8(from.cast()), vdup_n_s8(0));
            apart(four, vdupq_n_s8(0))
        }
    }

    #[inline(always)]
    fn add(
        self,
        [upper, lower, alone]: [int32x4_t; 3],
        weights: int8x16_t,
        with: [int8x16_t; 2],
    ) -> [int32x4_t; 3] {
        [
            dot(self, upper, weights, with[0]),
            dot(self, lower, weights, with[1]),
            dot(self, alone, weights, ones()),
        ]
    }

    #[inline(always)]
    fn total(self, [upper, lower, alone]: [int32x4_t; 3]) -> i32 {
        // SAFETY: NEON is part of every aarch64 target.
        unsafe {
            let sums = vaddq_s32(vshlq_n_s32::<8>(upper), lower);
            vaddvq_s32(vaddq_s32(sums, vshlq_n_s32::<7>(alone)))
        }
    }
}
