//! The elements of an input, in whichever type the caller has them.

use crate::artifact::Artifact;
use crate::bytes::float;
#[cfg(feature = "windows")]
use crate::front_end::windows::{Samples, Windows};

/// An input's elements.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Elements<'i> {
    /// An image, one byte a coordinate; or a vector's measurements as they lie in a file, `f32` in little endian.
    Bytes(&'i [u8]),
    /// A vector's measurements.
    Floats(&'i [f32]),
    /// A vector's measurements, as a converter gives them.
    Integers(&'i [i16]),
    /// A window, whose features are computed as they are read.
    #[cfg(feature = "windows")]
    Window(Windows<'i>, Samples<'i>),
}

impl<'i> Elements<'i> {
    /// The elements as a model reads them: one of windows takes bytes for those of a window, and no features.
    #[cfg(feature = "windows")]
    pub(crate) fn of_model(self, artifact: &Artifact<'i>) -> Self {
        match (artifact.windows(), self) {
            (None, elements) | (Some(_), elements @ Self::Window(..)) => elements,
            (Some(windows), Self::Bytes(bytes)) => match windows.window(bytes) {
                Some(samples) => Self::Window(windows, samples),
                None => Self::Bytes(&[]),
            },
            (Some(_), Self::Floats(_) | Self::Integers(_)) => Self::Bytes(&[]),
        }
    }

    /// The elements as a model reads them.
    #[cfg(not(feature = "windows"))]
    #[inline(always)]
    pub(crate) fn of_model(self, _: &Artifact<'i>) -> Self {
        self
    }

    /// About how many products the dearest measurement costs.
    #[inline(always)]
    pub(super) fn products(self) -> usize {
        match self {
            #[cfg(feature = "windows")]
            Self::Window(windows, _) => windows.products(),
            _ => 0,
        }
    }

    /// As many bytes as an input of these elements has in a file.
    pub(crate) fn byte_len(self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Floats(floats) => size_of_val(floats),
            Self::Integers(integers) => integers.len().saturating_mul(size_of::<f32>()),
            #[cfg(feature = "windows")]
            Self::Window(windows, _) => windows.dims().saturating_mul(size_of::<f32>()),
        }
    }

    /// An image's bytes; nothing of other elements.
    pub(crate) fn image(self) -> &'i [u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            _ => &[],
        }
    }

    /// Whether no measurement is a NaN or an infinity.
    pub(super) fn are_finite(self) -> bool {
        #[cfg(feature = "windows")]
        if matches!(self, Self::Window(..)) {
            return true;
        }
        let count = self.byte_len() / size_of::<f32>();
        (0..count).all(|index| self.measurement(index).is_finite())
    }

    /// The measurement with this index, or zero.
    pub(super) fn measurement(self, index: usize) -> f32 {
        match self {
            Self::Bytes(bytes) => float(bytes, index),
            Self::Floats(floats) => floats.get(index).copied().unwrap_or_default(),
            Self::Integers(integers) => integers.get(index).copied().unwrap_or_default().into(),
            // Below 2^24: exact.
            #[cfg(feature = "windows")]
            Self::Window(windows, samples) => windows.value(samples, index) as f32,
        }
    }
}

impl<'i> From<&'i [u8]> for Elements<'i> {
    fn from(bytes: &'i [u8]) -> Self {
        Self::Bytes(bytes)
    }
}
