//! The float rows of [`super::super::floats`], compiled for each extension: its width decides how many columns there
//! are registers for. SSE2 computes 23 products a nanosecond, AVX2 51, AVX-512 58 of 59.

use super::super::floats::{PackedFloats, Read, groups, takes};
use super::super::row::Row;
use super::Extension;

/// Computes a row with this extension, as [`crate::kernels::float_row`] does with the best.
#[inline]
pub(in crate::kernels) fn float_row_with<const BYTES: usize>(
    extension: Extension,
    row: &Row<'_, f32>,
    packed: &mut PackedFloats,
    read: Read<BYTES>,
    emit: impl FnMut(usize, &[f32]),
) -> bool {
    if !takes(row, BYTES) {
        return false;
    }
    match extension {
        // SAFETY: the extension is there.
        Extension::Vnni => unsafe { with_avx512(row, packed, read, emit) },
        // SAFETY: the extension is there.
        Extension::Avx2 => unsafe { with_avx2(row, packed, read, emit) },
        Extension::None => groups::<2, BYTES>(row, packed, read, emit),
    }
    true
}

#[target_feature(enable = "avx512f,avx512vl")]
fn with_avx512<const BYTES: usize>(
    row: &Row<'_, f32>,
    packed: &mut PackedFloats,
    read: Read<BYTES>,
    emit: impl FnMut(usize, &[f32]),
) {
    groups::<7, BYTES>(row, packed, read, emit);
}

#[target_feature(enable = "avx2")]
fn with_avx2<const BYTES: usize>(
    row: &Row<'_, f32>,
    packed: &mut PackedFloats,
    read: Read<BYTES>,
    emit: impl FnMut(usize, &[f32]),
) {
    groups::<4, BYTES>(row, packed, read, emit);
}
