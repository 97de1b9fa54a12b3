//! x86-64: AVX2, and AVX-512 with VNNI.
//!
//! `dot` multiplies along a window, for dense layers and single pixels; `row` computes whole rows of a convolution with
//! channels side by side in a vector, from weights that `pack` has laid out for it; `floats` does so
//! in floats.

mod avx2;
mod dot;
#[cfg(float_rows)]
mod floats;
mod pack;
mod row;
mod vnni;

use super::groups::Target;
use super::portable;
use super::row::Row;
use super::tile::Tile;
use crate::plan::LANES;
use core::array;
use dot::{with_avx2, with_vnni};
#[cfg(float_rows)]
pub(super) use floats::float_row_with;
pub use pack::PackedWeights;

/// Four output channels of one pixel; see [`portable::single`].
#[inline(always)]
pub(super) fn single_with(extension: Extension, tile: &Tile<'_, i16>, sums: &mut [i32; LANES]) {
    match extension {
        // SAFETY: the extension is there.
        Extension::Vnni => unsafe { with_vnni(tile, [0], array::from_mut(sums)) },
        // SAFETY: the extension is there.
        Extension::Avx2 => unsafe { with_avx2(tile, [0], array::from_mut(sums)) },
        Extension::None => portable::single(tile, sums),
    }
}

/// Four output channels of two pixels; see [`portable::pair`].
#[inline(always)]
pub(super) fn pair_with(extension: Extension, tile: &Tile<'_, i16>, sums: &mut [[i32; LANES]; 2]) {
    let places = [0, tile.distance()];
    match extension {
        // SAFETY: the extension is there.
        Extension::Vnni => unsafe { with_vnni(tile, places, sums) },
        // SAFETY: the extension is there.
        Extension::Avx2 => unsafe { with_avx2(tile, places, sums) },
        Extension::None => portable::pair(tile, sums),
    }
}

/// Computes a row, if it is one to take. Any pointer to sums must have room for those of every column.
#[inline(always)]
pub(super) fn row_with(
    extension: Extension,
    row: &mut Row<'_, i16>,
    packed: &mut PackedWeights,
    target: Target,
) -> bool {
    if !row::takes(row, target) {
        return false;
    }
    match extension {
        // SAFETY: the extension is there, the row is one that it takes, and there is room for sums.
        Extension::Vnni => unsafe { row::with_vnni(row, packed, target) },
        // SAFETY: likewise.
        Extension::Avx2 => unsafe { row::with_avx2(row, packed, target) },
        Extension::None => return false,
    }
    true
}

/// What this processor has; a value is used only where that is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extension {
    Vnni,
    Avx2,
    None,
}

macro_rules! has {
    ($($feature:tt),*) => {{
        #[cfg(feature = "std")]
        let has = $(std::is_x86_feature_detected!($feature))&&*;
        #[cfg(not(feature = "std"))]
        let has = $(cfg!(target_feature = $feature))&&*;
        has
    }};
}

impl Extension {
    /// All, best first.
    pub(super) const ALL: [(&str, Self); 3] = [
        ("vnni", Self::Vnni),
        ("avx2", Self::Avx2),
        ("portable", Self::None),
    ];

    /// Whether this processor has it.
    #[inline]
    pub(super) fn is_here(self) -> bool {
        match self {
            Self::Vnni => has!("avx2", "avx512f", "avx512bw", "avx512vl", "avx512vnni"),
            Self::Avx2 => has!("avx2"),
            Self::None => true,
        }
    }
}
