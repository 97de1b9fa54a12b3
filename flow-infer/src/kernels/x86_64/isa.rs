//! The instruction sets, and the proof that a processor has them.

use super::super::groups::{Checked, Target};
use super::super::isa::Isa;
#[cfg(float_rows)]
use super::super::row::Row;
use super::super::tile::Tile;
use super::{PackedWeights, dot, row};
#[cfg(float_rows)]
use super::{
    super::floats::{PackedFloats, Read},
    floats,
};
use crate::plan::LANES;

/// AVX2.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Avx2(());

/// AVX-512 with VNNI, in all widths, and AVX2.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Vnni(());

macro_rules! has {
    ($($feature:tt),*) => {{
        #[cfg(feature = "std")]
        let has = $(std::is_x86_feature_detected!($feature))&&*;
        #[cfg(not(feature = "std"))]
        let has = $(cfg!(target_feature = $feature))&&*;
        has
    }};
}

impl Vnni {
    /// What every such processor has as well.
    #[inline(always)]
    pub(super) fn avx2(self) -> Avx2 {
        Avx2(())
    }
}

impl Isa for Vnni {
    const NAME: &'static str = "vnni";

    #[inline]
    fn detect() -> Option<Self> {
        has!("avx2", "avx512f", "avx512bw", "avx512vl", "avx512vnni").then_some(Self(()))
    }

    #[inline(always)]
    fn dot<const PIXELS: usize>(self, tile: &Tile<'_, i16>, sums: &mut [[i32; LANES]; PIXELS]) {
        // SAFETY: `detect` found these features, or there would be no `self`.
        unsafe { dot::with_vnni(self, tile, sums) }
    }

    #[inline(always)]
    fn row(self, row: Checked<'_>, packed: &mut PackedWeights, target: Target<'_>) {
        // SAFETY: as of `dot`.
        unsafe { row::with_vnni(self, row, packed, target) }
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
        // SAFETY: as of `dot`.
        unsafe { floats::with_avx512(row, packed, read, emit) }
    }
}

impl Isa for Avx2 {
    const NAME: &'static str = "avx2";

    #[inline]
    fn detect() -> Option<Self> {
        has!("avx2").then_some(Self(()))
    }

    #[inline(always)]
    fn dot<const PIXELS: usize>(self, tile: &Tile<'_, i16>, sums: &mut [[i32; LANES]; PIXELS]) {
        // SAFETY: `detect` found this feature, or there would be no `self`.
        unsafe { dot::with_avx2(self, tile, sums) }
    }

    #[inline(always)]
    fn row(self, row: Checked<'_>, packed: &mut PackedWeights, target: Target<'_>) {
        // SAFETY: as of `dot`.
        unsafe { row::with_avx2(self, row, packed, target) }
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
        // SAFETY: as of `dot`.
        unsafe { floats::with_avx2(row, packed, read, emit) }
    }
}
