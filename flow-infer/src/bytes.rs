//! Reads that cannot panic: a place outside gives zeros or nothing.
//!
//! Loading has checked every place, so the fallback is never taken; it is what lets the linker prove that no panic
//! path remains.

/// The element at an index, or the default.
#[inline(always)]
pub(crate) fn at<T: Copy + Default>(slice: &[T], index: usize) -> T {
    slice.get(index).copied().unwrap_or_default()
}

/// `len` elements from `start`, or nothing.
#[inline(always)]
pub(crate) fn run<T>(slice: &[T], start: usize, len: usize) -> &[T] {
    slice.get(start..).and_then(|s| s.get(..len)).unwrap_or(&[])
}

/// `len` elements from `start`, or nothing.
#[inline(always)]
pub(crate) fn run_mut<T>(slice: &mut [T], start: usize, len: usize) -> &mut [T] {
    slice
        .get_mut(start..)
        .and_then(|s| s.get_mut(..len))
        .unwrap_or(&mut [])
}

/// Everything from an offset, or nothing.
#[inline(always)]
pub(crate) fn tail(slice: &[u8], offset: u32) -> &[u8] {
    slice.get(offset as usize..).unwrap_or(&[])
}

/// The little-endian 32-bit word with this index, or zero.
#[inline(always)]
pub(crate) fn word(bytes: &[u8], index: usize) -> [u8; 4] {
    bytes
        .get(index * 4..)
        .and_then(|b| b.first_chunk::<4>())
        .copied()
        .unwrap_or_default()
}

/// The little-endian i32 with this index, or zero.
#[inline(always)]
pub(crate) fn int(bytes: &[u8], index: usize) -> i32 {
    i32::from_le_bytes(word(bytes, index))
}

/// The little-endian f32 with this index, or zero.
#[inline(always)]
pub(crate) fn float(bytes: &[u8], index: usize) -> f32 {
    f32::from_le_bytes(word(bytes, index))
}

/// What loading has found to be there: a debug build stops where it is not.
#[inline(always)]
pub(crate) fn checked<T>(found: Option<T>) -> Option<T> {
    debug_assert!(found.is_some(), "loading has checked that this is there");
    found
}
