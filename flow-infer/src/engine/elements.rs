//! The elements of an input, in whichever type the caller has them.

use crate::bytes::float;

/// An input's elements.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Elements<'i> {
    /// An image, one byte a coordinate; or a vector's measurements as they lie in a file, `f32` in little endian.
    Bytes(&'i [u8]),
    /// A vector's measurements.
    Floats(&'i [f32]),
    /// A vector's measurements, as a converter gives them.
    Integers(&'i [i16]),
}

impl<'i> Elements<'i> {
    /// As many bytes as an input of these elements has in a file.
    pub(crate) fn byte_len(self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Floats(floats) => size_of_val(floats),
            Self::Integers(integers) => integers.len().saturating_mul(size_of::<f32>()),
        }
    }

    /// An image's bytes; nothing of other elements.
    pub(crate) fn image(self) -> &'i [u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Floats(_) | Self::Integers(_) => &[],
        }
    }

    /// Whether no measurement is a NaN or an infinity.
    pub(super) fn are_finite(self) -> bool {
        let count = self.byte_len() / size_of::<f32>();
        (0..count).all(|index| self.measurement(index).is_finite())
    }

    /// The measurement with this index, or zero.
    pub(super) fn measurement(self, index: usize) -> f32 {
        match self {
            Self::Bytes(bytes) => float(bytes, index),
            Self::Floats(floats) => floats.get(index).copied().unwrap_or_default(),
            Self::Integers(integers) => integers.get(index).copied().unwrap_or_default().into(),
        }
    }
}

impl<'i> From<&'i [u8]> for Elements<'i> {
    fn from(bytes: &'i [u8]) -> Self {
        Self::Bytes(bytes)
    }
}
