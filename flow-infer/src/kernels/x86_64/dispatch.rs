//! What each instruction set computes with.

use super::super::affine::{Affine, Coordinates, Rewritten};
#[cfg(float_rows)]
use super::super::floats::{PackedFloats, Read};
use super::super::groups::{Checked, Target};
use super::super::isa::Isa;
use super::super::read::{Kept, Reading};
#[cfg(float_rows)]
use super::super::row::Row;
use super::super::tile::Tile;
use super::affine;
use super::dot;
#[cfg(float_rows)]
use super::floats;
use super::isa::{Avx2, Vnni};
use super::kept::PackedWeights;
use super::read;
use super::row;
use crate::plan::LANES;

impl Isa for Vnni {
    const NAME: &'static str = "vnni";
    type PackedWeights = PackedWeights;

    #[inline]
    fn detect() -> Option<Self> {
        Self::detect()
    }

    #[inline(always)]
    fn dot<const PIXELS: usize>(self, tile: &Tile<'_, i16>, sums: &mut [[i32; LANES]; PIXELS]) {
        // SAFETY: `detect` found these features, or there would be no `self`.
        unsafe { dot::with_vnni(self, tile, sums) }
    }

    #[inline(always)]
    fn row(
        self,
        row: Checked<'_, PackedWeights>,
        packed: &mut PackedWeights,
        target: Target<'_>,
    ) {
        // SAFETY: as of `dot`.
        unsafe { row::with_vnni(self, row, packed, target) }
    }

    #[inline(always)]
    fn read(self, reading: &Reading, row: &mut Kept<'_, i32, i16>) -> bool {
        // SAFETY: as of `dot`.
        unsafe { read::read(reading, row) }
    }

    #[inline(always)]
    fn rewrite(self, affine: &Affine<'_>, row: &mut Coordinates<'_, i32, i32>) -> Rewritten {
        // SAFETY: as of `dot`.
        unsafe { affine::rewrite(affine, row) }
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
    type PackedWeights = PackedWeights;

    #[inline]
    fn detect() -> Option<Self> {
        Self::detect()
    }

    #[inline(always)]
    fn dot<const PIXELS: usize>(self, tile: &Tile<'_, i16>, sums: &mut [[i32; LANES]; PIXELS]) {
        // SAFETY: `detect` found this feature, or there would be no `self`.
        unsafe { dot::with_avx2(self, tile, sums) }
    }

    #[inline(always)]
    fn row(
        self,
        row: Checked<'_, PackedWeights>,
        packed: &mut PackedWeights,
        target: Target<'_>,
    ) {
        // SAFETY: as of `dot`.
        unsafe { row::with_avx2(self, row, packed, target) }
    }

    #[inline(always)]
    fn read(self, reading: &Reading, row: &mut Kept<'_, i32, i16>) -> bool {
        // SAFETY: as of `dot`.
        unsafe { read::read(reading, row) }
    }

    #[inline(always)]
    fn rewrite(self, affine: &Affine<'_>, row: &mut Coordinates<'_, i32, i32>) -> Rewritten {
        // SAFETY: as of `dot`.
        unsafe { affine::rewrite(affine, row) }
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
