//! NEON alone: a weight of sixteen channels, widened to 16 bits, times one activation of each column.

use super::super::groups::{Columns, Group, of_width};
use super::finish::{Sums, finish};
use super::pack::{QUAD, QUAD_BYTES};
use crate::kernels::row::Row;
use crate::plan::LANES;
use core::arch::aarch64::*;
use core::array;

/// So many vectors of four channels, two or four.
pub(super) struct Neon<const VECTORS: usize>;

impl<const VECTORS: usize> Columns for Neon<VECTORS> {
    const CHANNELS: usize = LANES * VECTORS;
    const MOST_COLUMNS: usize = 16 / VECTORS;

    #[inline(always)]
    unsafe fn columns(group: &Group<'_>, x: usize, width: usize) {
        // SAFETY: the caller vouches for it.
        unsafe {
            match VECTORS {
                2 => of_width!(narrow(group, x), width; 1 2 3 4 5 6 7 8),
                _ => of_width!(wide(group, x), width; 1 2 3 4),
            }
        }
    }
}

/// # Safety
/// As of [`tile`].
unsafe fn wide<C: Columns, const COLUMNS: usize>(group: &Group<'_>, x: usize) {
    // SAFETY: the caller vouches for it.
    unsafe { tile::<4, COLUMNS>(group, x) }
}

/// # Safety
/// As of [`tile`].
unsafe fn narrow<C: Columns, const COLUMNS: usize>(group: &Group<'_>, x: usize) {
    // SAFETY: the caller vouches for it.
    unsafe { tile::<2, COLUMNS>(group, x) }
}

/// Computes columns x to x + COLUMNS.
///
/// # Safety
/// The row fits and has these columns, its runs are whole quads, and there is room for the outputs.
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
        let mut sums = [biases; COLUMNS];
        for run in window.runs() {
            let mut weights = group.weights.add(run.weights / QUAD * QUAD_BYTES);
            let mut at = activations.as_ptr().add(x * step + run.activations);
            let end = at.add(window.run_len());
            while at < end {
                let int8x16x4_t(first, second, third, fourth) = vld4q_s8(weights.cast());
                let pixels: [int16x4_t; COLUMNS] = array::from_fn(|c| vld1_s16(at.add(c * step)));
                multiply_add::<0, VECTORS, COLUMNS>(&mut sums, first, &pixels);
                multiply_add::<1, VECTORS, COLUMNS>(&mut sums, second, &pixels);
                multiply_add::<2, VECTORS, COLUMNS>(&mut sums, third, &pixels);
                multiply_add::<3, VECTORS, COLUMNS>(&mut sums, fourth, &pixels);
                weights = weights.add(QUAD_BYTES);
                at = at.add(QUAD);
            }
        }
        for (column, sums) in sums.into_iter().enumerate() {
            finish(sums, group, x + column);
        }
    }
}

/// Adds one activation of each column times the channels' weights.
#[inline(always)]
fn multiply_add<const LANE: i32, const VECTORS: usize, const COLUMNS: usize>(
    sums: &mut [Sums<VECTORS>; COLUMNS],
    weights: int8x16_t,
    pixels: &[int16x4_t; COLUMNS],
) {
    // SAFETY: every aarch64 processor has NEON, and nothing is read or written.
    unsafe {
        let (low, high) = (vmovl_s8(vget_low_s8(weights)), vmovl_high_s8(weights));
        let weights = [
            vget_low_s16(low),
            vget_high_s16(low),
            vget_low_s16(high),
            vget_high_s16(high),
        ];
        for (sums, &pixel) in sums.iter_mut().zip(pixels) {
            for (sum, &weights) in sums.iter_mut().zip(&weights) {
                *sum = vmlal_lane_s16::<LANE>(*sum, weights, pixel);
            }
        }
    }
}
