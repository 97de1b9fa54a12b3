//! Numbers as files hold them.

use half::f16;

/// A value of fixed size in a file.
pub(super) trait Element: Sized {
    /// Bytes of one value.
    const SIZE: usize;
    /// The value from exactly `SIZE` little-endian bytes.
    fn from_le(bytes: &[u8]) -> Self;
    /// The value from exactly `SIZE` big-endian bytes.
    fn from_be(bytes: &[u8]) -> Self;
}

macro_rules! element {
    ($($number:ty)*) => {$(
        impl Element for $number {
            const SIZE: usize = size_of::<$number>();
            fn from_le(bytes: &[u8]) -> Self {
                Self::from_le_bytes(bytes.try_into().expect("SIZE bytes"))
            }
            fn from_be(bytes: &[u8]) -> Self {
                Self::from_be_bytes(bytes.try_into().expect("SIZE bytes"))
            }
        }
    )*};
}

element!(i16 u16 i32 u32 i64 u64 f16 f32 f64);
