//! The dot product instructions, which multiply bytes: a 16-bit activation a goes in as two.
//!
//! a = 256 h + l + 128 with bytes h = a >> 8 and l = (a & 255) - 128, both signed. So the sum of w a is 256 times that of
//! w h, and that of w l, and 128 times that of the weights alone, which is added once a row. The parts may wrap where
//! their sum, which a loaded plan proves to fit, does not. Eight products an instruction where `smlal` has four.

use super::super::groups::{Columns, Group, Target, of_width};
use super::finish::{Sums, finish, load};
use super::isa::Sdot;
use super::pack::{QUAD, Quads, VECTOR};
use crate::plan::LANES;
use core::arch::aarch64::*;
use core::arch::asm;
use core::array;

/// Activations that are taken apart at once.
const SIXTEEN: usize = 16;

/// So many vectors of four channels, two or four.
#[derive(Clone, Copy)]
pub(super) struct ByQuad<const VECTORS: usize>(pub(super) Sdot);

impl<const VECTORS: usize> Columns for ByQuad<VECTORS> {
    type Unit = Quads;
    const CHANNELS: usize = LANES * VECTORS;
    const MOST_COLUMNS: usize = if VECTORS == 2 { 5 } else { 3 };

    #[inline(always)]
    fn columns(self, group: &Group<'_, Quads>, target: &mut Target<'_>, x: usize, width: usize) {
        // SAFETY: the processor has the instructions, says `self`.
        unsafe {
            match VECTORS {
                2 => of_width!(narrow(self.0, group, target, x), width; 1 2 3 4 5),
                _ => of_width!(wide(self.0, group, target, x), width; 1 2 3),
            }
        }
    }
}

#[target_feature(enable = "dotprod")]
fn wide<const COLUMNS: usize>(
    isa: Sdot,
    group: &Group<'_, Quads>,
    target: &mut Target<'_>,
    x: usize,
) {
    tile::<4, COLUMNS>(isa, group, target, x);
}

#[target_feature(enable = "dotprod")]
fn narrow<const COLUMNS: usize>(
    isa: Sdot,
    group: &Group<'_, Quads>,
    target: &mut Target<'_>,
    x: usize,
) {
    tile::<2, COLUMNS>(isa, group, target, x);
}

/// Sums of products with the upper and the lower bytes.
type Both<const VECTORS: usize> = [Sums<VECTORS>; 2];

/// Computes columns x to x + COLUMNS.
#[inline(always)]
fn tile<const VECTORS: usize, const COLUMNS: usize>(
    isa: Sdot,
    group: &Group<'_, Quads>,
    target: &mut Target<'_>,
    x: usize,
) {
    let step = group.row().step;
    let biases = group.biases.as_chunks().0;
    let biases = array::from_fn(|i| load(&biases[i]));
    let mut sums: [Both<VECTORS>; COLUMNS] = [[[zeros(); VECTORS], biases]; COLUMNS];
    for (quads, mut at) in group.runs::<COLUMNS>(x) {
        let (whole, rest) = quads.as_chunks::<{ SIXTEEN / QUAD }>();
        for [first, second, third, fourth] in whole {
            // SAFETY: `Group::runs` gives as many activations as there are quads of weights at every column.
            let pixels = array::from_fn(|c| unsafe { sixteen(at.add(c * step)) });
            multiply_add::<0, VECTORS, COLUMNS>(isa, &mut sums, first, &pixels);
            multiply_add::<1, VECTORS, COLUMNS>(isa, &mut sums, second, &pixels);
            multiply_add::<2, VECTORS, COLUMNS>(isa, &mut sums, third, &pixels);
            multiply_add::<3, VECTORS, COLUMNS>(isa, &mut sums, fourth, &pixels);
            // SAFETY: likewise.
            at = unsafe { at.add(SIXTEEN) };
        }
        for quad in rest {
            // SAFETY: likewise.
            let pixels = array::from_fn(|c| unsafe { four(at.add(c * step)) });
            multiply_add::<0, VECTORS, COLUMNS>(isa, &mut sums, quad, &pixels);
            // SAFETY: likewise.
            at = unsafe { at.add(QUAD) };
        }
    }
    for (column, [upper, lower]) in sums.into_iter().enumerate() {
        // SAFETY: NEON is part of every aarch64 target.
        let both = |i: usize| unsafe { vaddq_s32(vshlq_n_s32::<8>(upper[i]), lower[i]) };
        finish::<VECTORS>(array::from_fn(both), group, target, x + column);
    }
}

/// The bytes h and l of sixteen activations.
///
/// # Safety
/// They must be readable.
#[inline(always)]
pub(super) unsafe fn sixteen(from: *const i16) -> [int8x16_t; 2] {
    // SAFETY: the caller vouches for 32 bytes.
    unsafe { apart(vld1q_s8(from.cast()), vld1q_s8(from.cast::<i8>().add(VECTOR))) }
}

/// Those of four activations, in the first lane.
///
/// # Safety
/// They must be readable.
#[inline(always)]
unsafe fn four(from: *const i16) -> [int8x16_t; 2] {
    // SAFETY: the caller vouches for eight bytes.
    unsafe {
        let bytes = vcombine_s8(vld1_s8(from.cast()), vdup_n_s8(0));
        apart(bytes, bytes)
    }
}

#[inline(always)]
pub(super) fn apart(low: int8x16_t, high: int8x16_t) -> [int8x16_t; 2] {
    // SAFETY: NEON is part of every aarch64 target.
    unsafe {
        let lower = veorq_s8(vuzp1q_s8(low, high), vdupq_n_s8(i8::MIN));
        [vuzp2q_s8(low, high), lower]
    }
}

#[inline(always)]
pub(super) fn ones() -> int8x16_t {
    // SAFETY: NEON is part of every aarch64 target.
    unsafe { vdupq_n_s8(1) }
}

#[inline(always)]
fn zeros() -> int32x4_t {
    // SAFETY: NEON is part of every aarch64 target.
    unsafe { vdupq_n_s32(0) }
}

/// A quad's weights of four channels.
#[inline(always)]
fn weights(from: &[u8; VECTOR]) -> int8x16_t {
    // SAFETY: NEON is part of every aarch64 target; the load is of a whole array.
    unsafe { vld1q_s8(from.as_ptr().cast()) }
}

/// Adds four activations of each column, those of a lane, times the quad of weights.
#[inline(always)]
fn multiply_add<const LANE: i32, const VECTORS: usize, const COLUMNS: usize>(
    isa: Sdot,
    sums: &mut [Both<VECTORS>; COLUMNS],
    quad: &Quads,
    pixels: &[[int8x16_t; 2]; COLUMNS],
) {
    for (i, from) in quad.0.iter().enumerate().take(VECTORS) {
        let weights = weights(from);
        for (sums, bytes) in sums.iter_mut().zip(pixels) {
            for (sums, &bytes) in sums.iter_mut().zip(bytes) {
                sums[i] = dot_lane::<LANE>(isa, sums[i], weights, bytes);
            }
        }
    }
}

/// Adds the dot products of four weights each with the four bytes of a lane. The intrinsic is not stable yet.
#[inline(always)]
fn dot_lane<const LANE: i32>(
    _: Sdot,
    mut sum: int32x4_t,
    weights: int8x16_t,
    bytes: int8x16_t,
) -> int32x4_t {
    // SAFETY: the processor has the instruction, says the first argument; it reads and writes registers only.
    unsafe {
        asm!(
            ".arch_extension dotprod",
            "sdot {sum:v}.4s, {weights:v}.16b, {bytes:v}.4b[{lane}]",
            sum = inlateout(vreg) sum,
            weights = in(vreg) weights,
            bytes = in(vreg) bytes,
            lane = const LANE,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    sum
}

/// Adds the dot products of four weights each with four bytes each.
#[inline(always)]
pub(super) fn dot(
    _: Sdot,
    mut sum: int32x4_t,
    weights: int8x16_t,
    bytes: int8x16_t,
) -> int32x4_t {
    // SAFETY: as of `dot_lane`.
    unsafe {
        asm!(
            ".arch_extension dotprod",
            "sdot {sum:v}.4s, {weights:v}.16b, {bytes:v}.16b",
            sum = inlateout(vreg) sum,
            weights = in(vreg) weights,
            bytes = in(vreg) bytes,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    sum
}

/// 128 times the sum of the window's weights, added to the biases of a group.
pub(super) fn add_offset(isa: Sdot, group: &mut Group<'_, Quads>) {
    let mut totals = [zeros(); 4];
    for (quads, _) in group.runs::<1>(0) {
        for quad in quads {
            for (total, from) in totals.iter_mut().zip(&quad.0) {
                *total = dot(isa, *total, weights(from), ones());
            }
        }
    }
    for (biases, total) in group.biases.as_chunks_mut().0.iter_mut().zip(totals) {
        // SAFETY: NEON is part of every aarch64 target; the store is of a whole array.
        unsafe {
            let sums = vaddq_s32(load(biases), vshlq_n_s32::<7>(total));
            vst1q_s32(biases.as_mut_ptr(), sums);
        }
    }
}
