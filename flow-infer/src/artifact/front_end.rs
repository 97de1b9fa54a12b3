//! The section that says how a frame becomes the input.

use super::LoadError;
use super::header::{HEADER_LEN, Section};
use super::included::{section_at, varint_at};
use crate::front_end::FrontEnd;
use crate::plan::{PlannedInput, parts};

/// Memory that reading frames takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrontEndNeed {
    /// 64-bit sums.
    pub sums: usize,
    /// Bytes of the model's input.
    pub input: usize,
}

impl FrontEndNeed {
    /// What a front end takes.
    pub(super) fn of(front_end: Option<&FrontEnd>) -> Self {
        match front_end {
            Some(FrontEnd::Frames(reduction)) => Self {
                sums: reduction.accumulators(),
                input: reduction.output.len(),
            },
            None => Self { sums: 0, input: 0 },
        }
    }
}

/// Decodes the section; none if it is absent or empty.
pub(super) fn decode(
    bytes: Option<&[u8]>,
    input: &PlannedInput,
) -> Result<Option<FrontEnd>, LoadError> {
    let bytes = match bytes {
        Some(bytes) if parts::FRAMES && !bytes.is_empty() => bytes,
        _ => return Ok(None),
    };
    match (postcard::take_from_bytes(bytes), input) {
        (Ok((FrontEnd::Frames(reduction), [])), PlannedInput::Image { shape, .. })
            if reduction.output == *shape && reduction.check().is_ok() =>
        {
            Ok(Some(FrontEnd::Frames(reduction)))
        }
        _ => Err(LoadError::FrontEnd),
    }
}

/// Memory that the frames of an included `.flow` file take, for sizing statics at compile time; nothing for a file
/// without a front end, and in a build without the feature `frames`.
///
/// # Panics
/// At compile time, where the bytes are no `.flow` file. Use it in `const` items only; at run time
/// [`Artifact::front_end`](super::Artifact::front_end) tells the same after all checks.
pub const fn front_end_need(bytes: &[u8]) -> FrontEndNeed {
    assert!(
        bytes.len() >= HEADER_LEN,
        "not a .flow file: shorter than its header"
    );
    match section_at(bytes, Section::FrontEnd) {
        Some(mut place) if parts::FRAMES => {
            // Kind of front end, then channels, height and width: postcard's integers of varying length.
            let mut numbers = [0; 4];
            let mut which = 0;
            while which < numbers.len() {
                (numbers[which], place) = varint_at(bytes, place);
                which += 1;
            }
            let [_, channels, height, width] = numbers;
            FrontEndNeed {
                sums: 2 * channels * width,
                input: channels * height * width,
            }
        }
        _ => FrontEndNeed { sums: 0, input: 0 },
    }
}
