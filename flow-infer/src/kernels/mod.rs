//! Dot products of 8-bit weights with 16-bit activations: everything that multiplies in bulk goes through here.
//!
//! A narrow waist: four output channels of one pixel (`single`), and of two pixels that read with the same weights
//! (`pair`), which loads and widens each weight once for both. One call covers the whole window of a convolution, so
//! sums stay in registers and the cost of a call is spread over hundreds of products. Processors that gain from it
//! compute whole rows (`row`, `sums`), and refuse those that they cannot.
//!
//! Every target has one kernel, chosen in `build.rs`; where one is missing the portable one serves. All of them
//! compute the same integers: sums of a plan that has loaded do not overflow, and integer additions may be reordered.
//!
//! Kernels are safe functions that no arguments make unsound: a `Tile` exists only if everything it names is there,
//! rows are refused unless they fit, laid out weights are found by what they were made from, and values that stand for
//! an instruction set are made by its detection alone. Outside this crate a kernel can be chosen by name, and no more:
//!
//! ```
//! # #[cfg(feature = "std")]
//! assert!(flow_infer::kernels::choice::choose("portable"));
//! ```
//!
//! ```compile_fail,E0603
//! use flow_infer::kernels::row;
//! ```
//!
//! ```compile_fail,E0603
//! use flow_infer::kernels::{PackedWeights, Row};
//! ```

mod affine;
#[cfg(kernel_in_assembly)]
#[allow(unsafe_code)]
mod assembly;
#[cfg(kernel_in_assembly)]
#[allow(unsafe_code)]
mod call;
#[cfg(feature = "std")]
pub mod choice;
#[cfg(float_rows)]
mod floats;
#[cfg(whole_rows)]
mod groups;
#[cfg(whole_rows)]
mod host;
#[cfg(whole_rows)]
mod isa;
#[cfg(whole_rows)]
mod pack;
#[cfg(any(float_rows, whole_rows))]
mod places;
pub(crate) mod portable;
mod read;
mod row;
#[cfg(test)]
mod row_tests;
#[cfg(test)]
mod tests;
mod tile;

pub(crate) use affine::{Affine, Coordinates, GRID_LIMIT, OUTPUT_SHIFT};
pub(crate) use read::{Kept, Reading, write};
pub(crate) use row::Row;
pub(crate) use tile::{Run, Tile, Window};

/// Makes the kernel of this target the one that is used.
macro_rules! kernel {
    ($($name:literal $module:ident)*) => {$(
        #[cfg(kernel = $name)]
        #[allow(unsafe_code)]
        mod $module;
    )*};
}

kernel! {
    "aarch64" aarch64
    "armv6m" armv6m
    "armv7m" armv7m
    "armv7em" armv7em
    "mve" mve
    "riscv32" riscv32
    "x86_64" x86_64
}

#[cfg(kernel_in_assembly)]
pub(crate) use assembly::{pair, single};
#[cfg(whole_rows)]
pub(crate) use host::{pair, read, rewrite, row, single, sums};
#[cfg(kernel = "mve")]
pub(crate) use mve::{relu, row};
#[cfg(not(kernel = "mve"))]
pub(crate) use portable::relu;
#[cfg(kernel = "portable")]
pub(crate) use portable::{pair, single};

#[cfg(kernel = "aarch64")]
pub(crate) use aarch64::PackedWeights;
#[cfg(kernel = "x86_64")]
pub(crate) use x86_64::PackedWeights;

#[cfg(float_rows)]
pub(crate) use floats::PackedFloats;
#[cfg(float_rows)]
pub(crate) use host::float_row;

/// Whether the second and the third of every four integer activations change places in memory: so they lie in the pairs
/// that a word of weights is widened to, and a tile of 16 products takes 18 instructions in the place of 22.
pub(crate) const SWAPS_MIDDLE: bool = cfg!(kernel = "armv7em");

/// Where an integer activation lies, counted from a multiple of four; which one lies there is the same number.
#[inline(always)]
pub(crate) const fn place_of(index: usize) -> usize {
    match SWAPS_MIDDLE {
        true => index & !3 | (index & 1) << 1 | (index >> 1) & 1,
        false => index,
    }
}

/// What a kernel keeps of a coupling's weights from row to row: here nothing, weights are multiplied where they lie.
#[cfg(not(whole_rows))]
#[derive(Debug, Default)]
pub struct PackedWeights;

/// The same of floats.
#[cfg(not(float_rows))]
#[derive(Debug, Default)]
pub struct PackedFloats;

/// Whether rows of every kind are computed at once, with some kilobytes of stack: on hosts, where there is a kernel.
pub(crate) const WHOLE_ROWS: bool = cfg!(whole_rows);
/// The same of floats.
pub(crate) const WHOLE_FLOAT_ROWS: bool = cfg!(float_rows);

/// Computes a whole row at once and says that it has, where the target has a kernel for that.
#[cfg(not(any(kernel = "mve", whole_rows)))]
#[inline(always)]
pub(crate) fn row(_: &mut Row<'_, i16>, _: &mut PackedWeights) -> bool {
    false
}

/// Reads coordinates of a coupling; only where [`WHOLE_ROWS`].
#[cfg(not(whole_rows))]
#[inline(always)]
pub(crate) fn read(_: &Reading, _: &mut Kept<'_, i32, i16>) -> bool {
    false
}

/// Rewrites coordinates of a coupling; only where [`WHOLE_ROWS`].
#[cfg(not(whole_rows))]
#[inline(always)]
pub(crate) fn rewrite(_: &Affine<'_>, _: &mut Coordinates<'_, i32, i32>) -> affine::Rewritten {
    affine::Rewritten::default()
}

/// The sums of a whole row; only where [`WHOLE_ROWS`].
#[cfg(not(whole_rows))]
#[inline(always)]
pub(crate) fn sums(_: &mut Row<'_, i16>, _: &mut PackedWeights, _: &mut [i32]) -> bool {
    false
}

/// Computes a whole row in floats and says that it has, where [`WHOLE_FLOAT_ROWS`].
#[cfg(not(float_rows))]
#[inline(always)]
pub(crate) fn float_row<const BYTES: usize>(
    _: &Row<'_, f32>,
    _: &mut PackedFloats,
    _: fn([u8; BYTES]) -> f32,
    _: impl FnMut(usize, &[f32]),
) -> bool {
    false
}
