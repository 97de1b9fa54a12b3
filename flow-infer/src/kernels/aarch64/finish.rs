//! From the sums of a column to what is stored: four channels a vector.

use super::super::groups::{GREATEST, Group, LEAK, LEAK_BITS, Target};
use super::pack::Quads;
use crate::plan::{Activation, LANES};
use core::arch::aarch64::*;

/// Sums of four channels each.
pub(super) type Sums<const VECTORS: usize> = [int32x4_t; VECTORS];

/// Four sums or multipliers in a vector.
#[inline(always)]
pub(super) fn load(from: &[i32; LANES]) -> int32x4_t {
    // SAFETY: NEON is part of every aarch64 target; the load is of a whole array.
    unsafe { vld1q_s32(from.as_ptr()) }
}

/// Requantizes, activates, adds the residual and stores column x; or stores the sums as they are. A group has whole
/// vectors of channels.
#[inline(always)]
pub(super) fn finish<const VECTORS: usize>(
    sums: Sums<VECTORS>,
    group: &Group<'_, Quads>,
    target: &mut Target<'_>,
    x: usize,
) {
    match target {
        Target::Sums(all) => {
            let all = group.of_column(all, x).as_chunks_mut::<LANES>().0;
            for (to, sums) in all.iter_mut().zip(sums) {
                // SAFETY: as of `load`, of a store.
                unsafe { vst1q_s32(to.as_mut_ptr(), sums) };
            }
        }
        Target::Activations(all) => {
            let all = group.of_column(all, x).as_chunks_mut::<LANES>().0;
            let multipliers = group.multipliers.as_chunks::<LANES>().0;
            let residual = group.residual(x).as_chunks::<LANES>().0;
            for (i, ((to, sums), multipliers)) in
                all.iter_mut().zip(sums).zip(multipliers).enumerate()
            {
                let values = activated(sums, load(multipliers), group);
                // SAFETY: NEON is part of every aarch64 target; the load and the store are of whole arrays.
                unsafe {
                    let values = match residual.get(i) {
                        Some(residual) => vaddw_s16(values, vld1_s16(residual.as_ptr())),
                        None => values,
                    };
                    let narrow = vmax_s16(vqmovn_s32(values), vdup_n_s16(-i16::MAX));
                    vst1_s16(to.as_mut_ptr(), narrow);
                }
            }
        }
    }
}

#[inline(always)]
fn activated(sums: int32x4_t, multipliers: int32x4_t, group: &Group<'_, Quads>) -> int32x4_t {
    // SAFETY: NEON is part of every aarch64 target.
    unsafe {
        let low = vmull_s32(vget_low_s32(sums), vget_low_s32(multipliers));
        let high = vmull_high_s32(sums, multipliers);
        let scaled = vrshrn_high_n_s64::<32>(vrshrn_n_s64::<32>(low), high);
        let held = vminq_s32(scaled, vdupq_n_s32(GREATEST));
        let values = vmaxq_s32(held, vdupq_n_s32(group.least()));
        if group.row().activation != Activation::LeakyRelu {
            return values;
        }
        let leaked = vrshrq_n_s32::<{ LEAK_BITS as i32 }>(vmulq_n_s32(values, LEAK));
        vmaxq_s32(values, leaked)
    }
}
