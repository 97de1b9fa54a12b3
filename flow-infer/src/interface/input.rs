//! What can be given to a gate.

use super::InputError;
use crate::artifact::Artifact;
use crate::engine::Elements;
use crate::plan::PlannedInput;

/// What a gate decides about: an image's bytes, channel by channel and row by row, or a vector's measurements as
/// `f32` or `i16`.
///
/// A vector's bytes are taken as well: `f32` in little endian, as in a file; and those of a whole window: `i16` in little
/// endian, sample by sample. Slices, arrays and vectors of these types
/// are inputs; the trait is for no others.
pub trait Input: sealed::Sealed {
    /// The elements, for the engine.
    #[doc(hidden)]
    fn elements(&self) -> Elements<'_>;
}

mod sealed {
    pub trait Sealed {}
}

/// Makes a type's slices, arrays and vectors inputs.
macro_rules! inputs {
    ($($element:ty => $variant:ident),*) => {$(
        impl sealed::Sealed for [$element] {}
        impl Input for [$element] {
            #[inline]
            fn elements(&self) -> Elements<'_> {
                Elements::$variant(self)
            }
        }
        impl<const N: usize> sealed::Sealed for [$element; N] {}
        impl<const N: usize> Input for [$element; N] {
            #[inline]
            fn elements(&self) -> Elements<'_> {
                Elements::$variant(self)
            }
        }
        #[cfg(feature = "std")]
        impl sealed::Sealed for std::vec::Vec<$element> {}
        #[cfg(feature = "std")]
        impl Input for std::vec::Vec<$element> {
            fn elements(&self) -> Elements<'_> {
                Elements::$variant(self)
            }
        }
    )*};
}

inputs!(u8 => Bytes, f32 => Floats, i16 => Integers);

impl Elements<'_> {
    /// Whether the model reads so many elements of this type.
    pub(super) fn check(self, artifact: &Artifact<'_>) -> Result<(), InputError> {
        let input = artifact.input();
        let image = matches!(input, PlannedInput::Image { .. });
        if image && !matches!(self, Self::Bytes(_)) {
            return Err(InputError::NotAnImage);
        }
        let (expected, given) = (input.byte_len(), self.byte_len());
        if expected == given {
            return Ok(());
        }
        let size = if matches!(self, Self::Bytes(_)) {
            1
        } else {
            size_of::<f32>()
        };
        let elements = |bytes: usize| (bytes / size).try_into().unwrap_or(u32::MAX);
        Err(InputError::Length {
            expected: elements(expected),
            given: elements(given),
        })
    }
}
