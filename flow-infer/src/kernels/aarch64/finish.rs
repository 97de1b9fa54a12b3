//! From the sums of a column to what is stored: four channels a vector.

use super::super::groups::{GREATEST, Group, LEAK, LEAK_BITS, Target};
use crate::plan::{Activation, LANES};
use core::arch::aarch64::*;

/// Sums of four channels each.
pub(super) type Sums<const VECTORS: usize> = [int32x4_t; VECTORS];

/// Requantizes, activates, adds the residual and stores column x; or stores the sums as they are.
///
/// # Safety
/// The row must fit and have the column, or there must be room for its sums.
#[inline(always)]
pub(super) unsafe fn finish<const VECTORS: usize>(sums: Sums<VECTORS>, group: &Group<'_>, x: usize) {
    let place = group.place(x);
    for (i, sums) in sums.into_iter().enumerate().take(group.count / LANES) {
        // SAFETY: a group has whole vectors of channels and sixteen multipliers; the caller vouches for the rest.
        unsafe {
            match group.target {
                Target::Sums(to) => vst1q_s32(to.add(place + i * LANES), sums),
                Target::Activations => {
                    let multipliers = vld1q_s32(group.multipliers.as_ptr().add(i * LANES));
                    let values = activated(sums, multipliers, group);
                    let values = match group.residual(x) {
                        Some(residual) => vaddw_s16(values, vld1_s16(residual.add(i * LANES))),
                        None => values,
                    };
                    let narrow = vmax_s16(vqmovn_s32(values), vdup_n_s16(-i16::MAX));
                    vst1_s16(group.activations.add(place + i * LANES), narrow);
                }
            }
        }
    }
}

#[inline(always)]
fn activated(sums: int32x4_t, multipliers: int32x4_t, group: &Group<'_>) -> int32x4_t {
    // SAFETY: every aarch64 processor has NEON, and nothing is read or written.
    unsafe {
        let low = vmull_s32(vget_low_s32(sums), vget_low_s32(multipliers));
        let high = vmull_high_s32(sums, multipliers);
        let scaled = vrshrn_high_n_s64::<32>(vrshrn_n_s64::<32>(low), high);
        let held = vminq_s32(scaled, vdupq_n_s32(GREATEST));
        let values = vmaxq_s32(held, vdupq_n_s32(group.least()));
        if group.row.activation != Activation::LeakyRelu {
            return values;
        }
        let leaked = vrshrq_n_s32::<{ LEAK_BITS as i32 }>(vmulq_n_s32(values, LEAK));
        vmaxq_s32(values, leaked)
    }
}
