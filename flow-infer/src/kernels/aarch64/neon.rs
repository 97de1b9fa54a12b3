//! NEON alone: a weight of sixteen channels, widened to 16 bits, times one activation of each column.

use super::super::groups::{Columns, Group, Target, of_width};
use super::finish::{Sums, finish, load};
use super::pack::{QUAD, Quads};
use crate::plan::LANES;
use core::arch::aarch64::*;
use core::array;

/// So many vectors of four channels, two or four.
#[derive(Clone, Copy)]
pub(super) struct ByLane<const VECTORS: usize>;

impl<const VECTORS: usize> Columns for ByLane<VECTORS> {
    type Unit = Quads;
    const CHANNELS: usize = LANES * VECTORS;
    const MOST_COLUMNS: usize = 16 / VECTORS;

    #[inline(always)]
    fn columns(self, group: &Group<'_, Quads>, target: &mut Target<'_>, x: usize, width: usize) {
        match VECTORS {
            2 => of_width!(narrow(group, target, x), width; 1 2 3 4 5 6 7 8),
            _ => of_width!(wide(group, target, x), width; 1 2 3 4),
        }
    }
}

fn wide<const COLUMNS: usize>(
    group: &Group<'_, Quads>,
    target: &mut Target<'_>,
    x: usize,
) {
    tile::<4, COLUMNS>(group, target, x);
}

fn narrow<const COLUMNS: usize>(
    group: &Group<'_, Quads>,
    target: &mut Target<'_>,
    x: usize,
) {
    tile::<2, COLUMNS>(group, target, x);
}

/// Computes columns x to x + COLUMNS.
#[inline(always)]
fn tile<const VECTORS: usize, const COLUMNS: usize>(
    group: &Group<'_, Quads>,
    target: &mut Target<'_>,
    x: usize,
) {
    let step = group.row().step;
    let biases = group.biases.as_chunks().0;
    let biases = array::from_fn(|i| load(&biases[i]));
    let mut sums: [Sums<VECTORS>; COLUMNS] = [biases; COLUMNS];
    for (quads, mut at) in group.runs::<COLUMNS>(x) {
        for quads in quads {
            // SAFETY: NEON is part of every aarch64 target; the load is of a whole quad.
            let weights = unsafe { vld4q_s8(quads.0.as_ptr().cast()) };
            // SAFETY: `Group::runs` gives as many activations as there are quads of weights at every column.
            let pixels: [int16x4_t; COLUMNS] =
                array::from_fn(|c| unsafe { vld1_s16(at.add(c * step)) });
            multiply_add::<0, VECTORS, COLUMNS>(&mut sums, weights.0, &pixels);
            multiply_add::<1, VECTORS, COLUMNS>(&mut sums, weights.1, &pixels);
            multiply_add::<2, VECTORS, COLUMNS>(&mut sums, weights.2, &pixels);
            multiply_add::<3, VECTORS, COLUMNS>(&mut sums, weights.3, &pixels);
            // SAFETY: likewise.
            at = unsafe { at.add(QUAD) };
        }
    }
    for (column, sums) in sums.into_iter().enumerate() {
        finish(sums, group, target, x + column);
    }
}

/// Adds one activation of each column times the channels' weights.
#[inline(always)]
fn multiply_add<const LANE: i32, const VECTORS: usize, const COLUMNS: usize>(
    sums: &mut [Sums<VECTORS>; COLUMNS],
    weights: int8x16_t,
    pixels: &[int16x4_t; COLUMNS],
) {
    // SAFETY: NEON is part of every aarch64 target.
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
