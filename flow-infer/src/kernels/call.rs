//! A tile as functions in assembly take it: one pointer to eight words.

use super::tile::{Run, Tile};
use crate::plan::LANES;

/// Everything a kernel in assembly reads and writes. The offsets of the fields are part of the assembly: 0, 4, ... 28
/// on the 32-bit targets that have such kernels.
#[repr(C)]
pub(super) struct Call {
    /// Four rows of weights.
    weights: *const u8,
    /// Distance of two rows in bytes.
    row_bytes: usize,
    /// What runs count from.
    activations: *const i16,
    /// Distance of the second pixel in bytes.
    distance_bytes: usize,
    /// First run, and the end of the runs.
    runs: *const Run,
    runs_end: *const Run,
    /// Groups of four in a run.
    groups: usize,
    /// The sums of the first pixel, then of the second.
    sums: *mut [i32; LANES],
}

/// Hands `tile` to `kernel`, if there is anything to add.
///
/// # Safety
/// `kernel` must keep within what [`Call`] names: the tile's runs in its rows and activations, at the second pixel
/// only if there are sums for it, and the sums. It must return.
#[inline(always)]
pub(super) unsafe fn call(
    kernel: unsafe extern "C" fn(*const Call),
    tile: &Tile<'_, i16>,
    sums: &mut [[i32; LANES]],
) {
    let runs = tile.window().runs().as_ptr_range();
    let call = Call {
        weights: tile.weights().as_ptr(),
        row_bytes: tile.row_bytes(),
        activations: tile.activations().as_ptr(),
        distance_bytes: tile.distance() * size_of::<i16>(),
        runs: runs.start,
        runs_end: runs.end,
        groups: tile.window().run_len() / LANES,
        sums: sums.as_mut_ptr(),
    };
    if call.groups > 0 && call.runs != call.runs_end {
        // SAFETY: `Tile::new` has found every run, whole groups, within each row of weights and within the
        // activations at both pixels; the caller vouches for the kernel.
        unsafe { kernel(&raw const call) }
    }
}
