//! Kernels that are functions in assembly: the one of this processor.

use super::call::call;
use super::tile::Tile;
use crate::plan::LANES;
use core::slice;

#[cfg(kernel = "armv6m")]
use super::armv6m as processor;
#[cfg(kernel = "armv7em")]
use super::armv7em as processor;
#[cfg(kernel = "armv7m")]
use super::armv7m as processor;
#[cfg(kernel = "mve")]
use super::mve as processor;
#[cfg(kernel = "riscv32")]
use super::riscv32 as processor;

/// Four output channels of one pixel; see [`super::portable::single`].
#[inline(always)]
pub(crate) fn single(tile: &Tile<'_, i16>, sums: &mut [i32; LANES]) {
    // SAFETY: `single_kernel` keeps within the first pixel and four sums.
    unsafe { call(processor::single_kernel, tile, slice::from_mut(sums)) }
}

/// Four output channels of two pixels; see [`super::portable::pair`].
#[cfg(not(kernel = "armv6m"))]
#[inline(always)]
pub(crate) fn pair(tile: &Tile<'_, i16>, sums: &mut [[i32; LANES]; 2]) {
    // SAFETY: `pair_kernel` keeps within both pixels and eight sums.
    unsafe { call(processor::pair_kernel, tile, sums) }
}

/// Four output channels of two pixels, of which eight registers hold one at a time.
#[cfg(kernel = "armv6m")]
#[inline(always)]
pub(crate) fn pair(tile: &Tile<'_, i16>, sums: &mut [[i32; LANES]; 2]) {
    let [first, second] = sums;
    single(tile, first);
    single(&tile.second(), second);
}
