//! The dot product instructions, which multiply bytes: a 16-bit activation a goes in as two.
//!
//! a = 256 h + l + 128 with bytes h = a >> 8 and l = (a & 255) - 128, both signed. So the sum of w a is 256 times that of
//! w h, and that of w l, and 128 times that of the weights alone, which is added once a row. The parts may wrap where
//! their sum, which a loaded plan proves to fit, does not. Eight products an instruction where `smlal` has four.

use super::super::groups::{Columns, Group, of_width};
use super::finish::{Sums, finish};
use super::pack::{QUAD, QUAD_BYTES};
use crate::kernels::row::Row;
use crate::plan::LANES;
use core::arch::aarch64::*;
use core::arch::asm;
use core::array;

/// Bytes of a vector, and activations that are taken apart at once.
const BYTES: usize = 16;

/// So many vectors of four channels, two or four.
pub(super) struct Sdot<const VECTORS: usize>;

impl<const VECTORS: usize> Columns for Sdot<VECTORS> {
    const CHANNELS: usize = LANES * VECTORS;
    const MOST_COLUMNS: usize = if VECTORS == 2 { 5 } else { 3 };

    #[inline(always)]
    unsafe fn columns(group: &Group<'_>, x: usize, width: usize) {
        // SAFETY: the caller vouches for it.
        unsafe {
            match VECTORS {
                2 => of_width!(narrow(group, x), width; 1 2 3 4 5),
                _ => of_width!(wide(group, x), width; 1 2 3),
            }
        }
    }
}

/// # Safety
/// As of [`tile`].
#[target_feature(enable = "dotprod")]
unsafe fn wide<C: Columns, const COLUMNS: usize>(group: &Group<'_>, x: usize) {
    // SAFETY: the caller vouches for it.
    unsafe { tile::<4, COLUMNS>(group, x) }
}

/// # Safety
/// As of [`tile`].
#[target_feature(enable = "dotprod")]
unsafe fn narrow<C: Columns, const COLUMNS: usize>(group: &Group<'_>, x: usize) {
    // SAFETY: the caller vouches for it.
    unsafe { tile::<2, COLUMNS>(group, x) }
}

/// Sums of products with the upper and the lower bytes.
type Both<const VECTORS: usize> = [Sums<VECTORS>; 2];

/// Computes columns x to x + COLUMNS.
///
/// # Safety
/// The processor has the instructions, the row fits and has these columns, its runs are whole quads, and there is room
/// for the outputs.
#[inline(always)]
unsafe fn tile<const VECTORS: usize, const COLUMNS: usize>(group: &Group<'_>, x: usize) {
    let Row {
        window,
        activations,
        step,
        ..
    } = *group.row;
    // SAFETY: a row that fits has the window's activations at every column, and its weights were laid out in quads.
    unsafe {
        let biases = array::from_fn(|i| vld1q_s32(group.biases.as_ptr().add(i * LANES)));
        let mut sums: [Both<VECTORS>; COLUMNS] = [[[vdupq_n_s32(0); VECTORS], biases]; COLUMNS];
        for run in window.runs() {
            let mut weights = group.weights.add(run.weights / QUAD * QUAD_BYTES);
            let mut at = activations.as_ptr().add(x * step + run.activations);
            let end = at.add(window.run_len());
            while end.offset_from(at) >= BYTES as isize {
                let pixels = array::from_fn(|c| sixteen(at.add(c * step)));
                multiply_add::<0, VECTORS, COLUMNS>(&mut sums, weights, &pixels);
                multiply_add::<1, VECTORS, COLUMNS>(&mut sums, weights.add(QUAD_BYTES), &pixels);
                multiply_add::<2, VECTORS, COLUMNS>(&mut sums, weights.add(2 * QUAD_BYTES), &pixels);
                multiply_add::<3, VECTORS, COLUMNS>(&mut sums, weights.add(3 * QUAD_BYTES), &pixels);
                weights = weights.add(BYTES / QUAD * QUAD_BYTES);
                at = at.add(BYTES);
            }
            while at < end {
                let pixels = array::from_fn(|c| four(at.add(c * step)));
                multiply_add::<0, VECTORS, COLUMNS>(&mut sums, weights, &pixels);
                weights = weights.add(QUAD_BYTES);
                at = at.add(QUAD);
            }
        }
        for (column, [upper, lower]) in sums.into_iter().enumerate() {
            let sums = array::from_fn(|i| vaddq_s32(vshlq_n_s32::<8>(upper[i]), lower[i]));
            finish::<VECTORS>(sums, group, x + column);
        }
    }
}

/// The bytes h and l of sixteen activations.
///
/// # Safety
/// They must be readable.
#[inline(always)]
pub(super) unsafe fn sixteen(from: *const i16) -> [int8x16_t; 2] {
    // SAFETY: the caller says so.
    unsafe { apart(vld1q_s8(from.cast()), vld1q_s8(from.cast::<i8>().add(BYTES))) }
}

/// Those of four activations, in the first lane.
///
/// # Safety
/// They must be readable.
#[inline(always)]
unsafe fn four(from: *const i16) -> [int8x16_t; 2] {
    // SAFETY: the caller says so.
    unsafe {
        let bytes = vcombine_s8(vld1_s8(from.cast()), vdup_n_s8(0));
        apart(bytes, bytes)
    }
}

#[inline(always)]
pub(super) fn apart(low: int8x16_t, high: int8x16_t) -> [int8x16_t; 2] {
    // SAFETY: every aarch64 processor has NEON, and nothing is read or written.
    unsafe {
        let lower = veorq_s8(vuzp1q_s8(low, high), vdupq_n_s8(i8::MIN));
        [vuzp2q_s8(low, high), lower]
    }
}

/// Adds four activations of each column, those of a lane, times the quad of weights.
///
/// # Safety
/// The processor must have the instructions, and the quad must be there.
#[inline(always)]
unsafe fn multiply_add<const LANE: i32, const VECTORS: usize, const COLUMNS: usize>(
    sums: &mut [Both<VECTORS>; COLUMNS],
    weights: *const u8,
    pixels: &[[int8x16_t; 2]; COLUMNS],
) {
    for i in 0..VECTORS {
        // SAFETY: the caller vouches for both.
        unsafe {
            let weights = vld1q_s8(weights.add(i * BYTES).cast());
            for (sums, bytes) in sums.iter_mut().zip(pixels) {
                for (sums, &bytes) in sums.iter_mut().zip(bytes) {
                    sums[i] = dot_lane::<LANE>(sums[i], weights, bytes);
                }
            }
        }
    }
}

/// Adds the dot products of four weights each with the four bytes of a lane. The intrinsic is not stable yet.
///
/// # Safety
/// The processor must have the instructions.
#[inline(always)]
unsafe fn dot_lane<const LANE: i32>(
    mut sum: int32x4_t,
    weights: int8x16_t,
    bytes: int8x16_t,
) -> int32x4_t {
    // SAFETY: the caller says so.
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
///
/// # Safety
/// The processor must have the instructions.
#[inline(always)]
pub(super) unsafe fn dot(mut sum: int32x4_t, weights: int8x16_t, bytes: int8x16_t) -> int32x4_t {
    // SAFETY: the caller says so.
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
///
/// # Safety
/// The processor must have the instructions, and the group's weights must be laid out.
#[target_feature(enable = "dotprod")]
pub(super) unsafe fn add_offset(group: &mut Group<'_>) {
    let window = group.row.window;
    // SAFETY: the runs are whole quads of laid out weights, and a group has sixteen biases.
    unsafe {
        let ones = vdupq_n_s8(1);
        let mut totals = [vdupq_n_s32(0); 4];
        for run in window.runs() {
            let weights = group.weights.add(run.weights / QUAD * QUAD_BYTES);
            for quad in 0..window.run_len() / QUAD {
                for (i, total) in totals.iter_mut().enumerate() {
                    let weights = vld1q_s8(weights.add(quad * QUAD_BYTES + i * BYTES).cast());
                    *total = dot(*total, weights, ones);
                }
            }
        }
        for (i, total) in totals.into_iter().enumerate() {
            let biases = group.biases.as_mut_ptr().add(i * LANES);
            vst1q_s32(biases, vaddq_s32(vld1q_s32(biases), vshlq_n_s32::<7>(total)));
        }
    }
}
