//! What each instruction set computes with.

#[cfg(float_rows)]
use super::super::floats::{PackedFloats, Read, groups};
use super::super::groups::{Checked, Target};
use super::super::isa::Isa;
#[cfg(float_rows)]
use super::super::row::Row;
use super::super::tile::Tile;
use super::isa::{Neon, Sdot};
use super::pack::PackedWeights;
use super::{dot, row};
use crate::plan::LANES;

impl Isa for Sdot {
    const NAME: &'static str = "sdot";
    type PackedWeights = PackedWeights;

    #[inline]
    fn detect() -> Option<Self> {
        Self::detect()
    }

    #[inline(always)]
    fn dot<const PIXELS: usize>(self, tile: &Tile<'_, i16>, sums: &mut [[i32; LANES]; PIXELS]) {
        // SAFETY: `detect` found this feature, or there would be no `self`.
        unsafe { dot::with_sdot(self, tile, sums) }
    }

    #[inline(always)]
    fn row(
        self,
        row: Checked<'_, PackedWeights>,
        packed: &mut PackedWeights,
        target: Target<'_>,
    ) {
        row::with_sdot(self, row, packed, target);
    }

    #[cfg(float_rows)]
    #[inline(always)]
    fn float_row<const BYTES: usize>(
        self,
        row: &Row<'_, f32>,
        packed: &mut PackedFloats,
        read: Read<BYTES>,
        emit: impl FnMut(usize, &[f32]),
    ) {
        self.neon().float_row(row, packed, read, emit);
    }
}

impl Isa for Neon {
    const NAME: &'static str = "neon";
    type PackedWeights = PackedWeights;

    #[inline]
    fn detect() -> Option<Self> {
        Self::detect()
    }

    #[inline(always)]
    fn dot<const PIXELS: usize>(self, tile: &Tile<'_, i16>, sums: &mut [[i32; LANES]; PIXELS]) {
        dot::with_neon(self, tile, sums);
    }

    #[inline(always)]
    fn row(
        self,
        row: Checked<'_, PackedWeights>,
        packed: &mut PackedWeights,
        target: Target<'_>,
    ) {
        row::with_neon(row, packed, target);
    }

    /// Sixteen sums of four columns fill half of the registers.
    #[cfg(float_rows)]
    #[inline(always)]
    fn float_row<const BYTES: usize>(
        self,
        row: &Row<'_, f32>,
        packed: &mut PackedFloats,
        read: Read<BYTES>,
        emit: impl FnMut(usize, &[f32]),
    ) {
        groups::<4, BYTES>(row, packed, read, emit);
    }
}
