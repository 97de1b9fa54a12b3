//! The instruction sets, and the proof that a processor has them.

#[cfg(float_rows)]
use super::super::floats::{PackedFloats, Read, groups};
use super::super::groups::{Checked, Target};
use super::super::isa::Isa;
#[cfg(float_rows)]
use super::super::row::Row;
use super::super::tile::Tile;
use super::{PackedWeights, dot, row};
use crate::plan::LANES;

/// NEON.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Neon(());

/// The dot product instructions.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Sdot(());

impl Sdot {
    /// What every such processor has as well.
    #[inline(always)]
    pub(super) fn neon(self) -> Neon {
        Neon(())
    }
}

impl Isa for Sdot {
    const NAME: &'static str = "sdot";

    #[inline]
    fn detect() -> Option<Self> {
        #[cfg(feature = "std")]
        let has = std::arch::is_aarch64_feature_detected!("dotprod");
        #[cfg(not(feature = "std"))]
        let has = cfg!(target_feature = "dotprod");
        has.then_some(Self(()))
    }

    #[inline(always)]
    fn dot<const PIXELS: usize>(self, tile: &Tile<'_, i16>, sums: &mut [[i32; LANES]; PIXELS]) {
        // SAFETY: `detect` found this feature, or there would be no `self`.
        unsafe { dot::with_sdot(self, tile, sums) }
    }

    #[inline(always)]
    fn row(self, row: Checked<'_>, packed: &mut PackedWeights, target: Target<'_>) {
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

    #[inline]
    fn detect() -> Option<Self> {
        Some(Self(())) // every such processor has it
    }

    #[inline(always)]
    fn dot<const PIXELS: usize>(self, tile: &Tile<'_, i16>, sums: &mut [[i32; LANES]; PIXELS]) {
        dot::with_neon(self, tile, sums);
    }

    #[inline(always)]
    fn row(self, row: Checked<'_>, packed: &mut PackedWeights, target: Target<'_>) {
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
