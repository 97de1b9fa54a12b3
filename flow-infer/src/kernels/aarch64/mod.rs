//! aarch64: NEON, which every such processor has, and the dot product instructions, which those since 2018 mostly have.
//!
//! `dot` multiplies along a window, for dense layers and single pixels; `row` computes whole rows of a convolution with
//! channels side by side in a vector, from weights that `pack` has laid out for it, `sdot` or `neon` the products and
//! `finish` what follows.

mod dot;
mod finish;
mod neon;
mod pack;
mod row;
mod sdot;

#[cfg(float_rows)]
use super::floats::{PackedFloats, Read, groups, takes};
use super::groups::Target;
use super::portable;
use super::row::Row;
use super::tile::Tile;
use crate::plan::LANES;
use core::array;
pub use pack::PackedWeights;

/// Four output channels of one pixel; see [`portable::single`].
#[inline(always)]
pub(super) fn single_with(extension: Extension, tile: &Tile<'_, i16>, sums: &mut [i32; LANES]) {
    match extension {
        // SAFETY: the extension is there.
        Extension::Sdot => unsafe { dot::with_sdot(tile, [0], array::from_mut(sums)) },
        // SAFETY: the extension is there.
        Extension::Neon => unsafe { dot::with_neon(tile, [0], array::from_mut(sums)) },
        Extension::None => portable::single(tile, sums),
    }
}

/// Four output channels of two pixels; see [`portable::pair`].
#[inline(always)]
pub(super) fn pair_with(
    extension: Extension,
    tile: &Tile<'_, i16>,
    sums: &mut [[i32; LANES]; 2],
) {
    let places = [0, tile.distance()];
    match extension {
        // SAFETY: the extension is there.
        Extension::Sdot => unsafe { dot::with_sdot(tile, places, sums) },
        // SAFETY: the extension is there.
        Extension::Neon => unsafe { dot::with_neon(tile, places, sums) },
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
        Extension::Sdot => unsafe { row::with_sdot(row, packed, target) },
        // SAFETY: likewise.
        Extension::Neon => unsafe { row::with_neon(row, packed, target) },
        Extension::None => return false,
    }
    true
}

/// Computes a row in floats, as [`super::float_row`] does: every processor alike.
#[cfg(float_rows)]
#[inline]
pub(super) fn float_row_with<const BYTES: usize>(
    _: Extension,
    row: &Row<'_, f32>,
    packed: &mut PackedFloats,
    read: Read<BYTES>,
    emit: impl FnMut(usize, &[f32]),
) -> bool {
    // Sixteen sums of four columns fill half of the registers.
    let taken = takes(row, BYTES);
    if taken {
        groups::<4, BYTES>(row, packed, read, emit);
    }
    taken
}

/// What this processor has; a value is used only where that is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extension {
    Sdot,
    Neon,
    None,
}

macro_rules! has {
    ($feature:tt) => {{
        #[cfg(feature = "std")]
        let has = std::arch::is_aarch64_feature_detected!($feature);
        #[cfg(not(feature = "std"))]
        let has = cfg!(target_feature = $feature);
        has
    }};
}

impl Extension {
    /// All, best first.
    pub(super) const ALL: [(&str, Self); 3] = [
        ("sdot", Self::Sdot),
        ("neon", Self::Neon),
        ("portable", Self::None),
    ];

    /// Whether this processor has it.
    #[inline]
    pub(super) fn is_here(self) -> bool {
        match self {
            Self::Sdot => has!("dotprod"),
            Self::Neon | Self::None => true,
        }
    }
}
