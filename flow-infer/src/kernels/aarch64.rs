//! aarch64: NEON, which every such processor has.
//!
//! Eight weights are widened and multiplied with eight activations by `smlal` and `smlal2`, four sums each. The dot
//! product instructions multiply bytes only and do not serve 16-bit activations.

use super::tile::Tile;
use crate::plan::LANES;
use core::arch::aarch64::*;
use core::array;

/// Four output channels of one pixel; see [`super::portable::single`].
#[inline]
pub fn single(tile: &Tile<'_, i16>, sums: &mut [i32; LANES]) {
    add(tile, [0], array::from_mut(sums));
}

/// Four output channels of two pixels; see [`super::portable::pair`].
#[inline]
pub fn pair(tile: &Tile<'_, i16>, sums: &mut [[i32; LANES]; 2]) {
    add(tile, [0, tile.distance()], sums);
}

/// Elements of a vector.
const WIDTH: usize = 8;

/// `places` are zero or the tile's distance.
#[inline(always)]
fn add<const PIXELS: usize>(
    tile: &Tile<'_, i16>,
    places: [usize; PIXELS],
    sums: &mut [[i32; LANES]; PIXELS],
) {
    // SAFETY: a tile that exists fits, so from the start of each run as many elements are readable as the run has.
    unsafe {
        let mut totals = [[vdupq_n_s32(0); LANES]; PIXELS];
        for run in tile.window().runs() {
            let weights = tile.weights().as_ptr().add(run.weights);
            let activations = tile.activations().as_ptr().add(run.activations);
            let mut k = 0;
            while k < tile.window().run_len() {
                let left = tile.window().run_len() - k;
                let pixels = places.map(|place| eight(activations.add(place + k), left));
                for row in 0..LANES {
                    let weights = widened(weights.add(row * tile.row_bytes() + k), left);
                    for (totals, &pixel) in totals.iter_mut().zip(&pixels) {
                        let low = vget_low_s16(weights);
                        let half = vmlal_s16(totals[row], vget_low_s16(pixel), low);
                        totals[row] = vmlal_high_s16(half, pixel, weights);
                    }
                }
                k += WIDTH;
            }
        }
        for (sums, totals) in sums.iter_mut().zip(totals) {
            for (sum, total) in sums.iter_mut().zip(totals) {
                *sum = sum.wrapping_add(vaddvq_s32(total));
            }
        }
    }
}

/// Eight activations, or four and zeros.
///
/// # Safety
/// `left` elements, a multiple of four, must be readable.
#[inline(always)]
unsafe fn eight(from: *const i16, left: usize) -> int16x8_t {
    // SAFETY: the caller says so.
    unsafe {
        if left < WIDTH {
            vcombine_s16(vld1_s16(from), vdup_n_s16(0))
        } else {
            vld1q_s16(from)
        }
    }
}

/// Eight weights with 16 bits each, or four and zeros.
///
/// # Safety
/// As [`eight`].
#[inline(always)]
unsafe fn widened(from: *const u8, left: usize) -> int16x8_t {
    // SAFETY: the caller says so.
    unsafe {
        let bytes = if left < WIDTH {
            vcreate_s8(u64::from(from.cast::<u32>().read_unaligned()))
        } else {
            vld1_s8(from.cast())
        };
        vmovl_s8(bytes)
    }
}
