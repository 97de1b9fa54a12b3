//! The section that says how a frame becomes the input.

use super::LoadError;
use super::header::{HEADER_LEN, Section};
use super::included::{section_at, varint_at, window_len};
use crate::front_end::FrontEnd;
use crate::front_end::windows::{self, Windows};
use crate::plan::{PlannedInput, parts};

/// Memory that reading frames or keeping a window takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrontEndNeed {
    /// 64-bit sums.
    pub sums: usize,
    /// Bytes of the model's input, or of a window.
    pub input: usize,
}

impl FrontEndNeed {
    /// What a front end takes.
    pub(super) fn of(front_end: Option<&FrontEnd>, windows: Option<Windows<'_>>) -> Self {
        if let Some(windows) = windows {
            return Self {
                sums: 0,
                input: windows.byte_len(),
            };
        }
        match front_end {
            Some(FrontEnd::Frames(reduction)) => Self {
                sums: reduction.accumulators(),
                input: reduction.output.len(),
            },
            None => Self { sums: 0, input: 0 },
        }
    }
}

/// Reads the section of windows; none if it is absent or one of frames.
pub(super) fn windows<'b>(
    bytes: Option<&'b [u8]>,
    input: &PlannedInput,
) -> Result<Option<Windows<'b>>, LoadError> {
    let bytes = match bytes {
        Some(bytes) if parts::WINDOWS && bytes.first() == Some(&windows::KIND) => bytes,
        _ => return Ok(None),
    };
    let measured = match *input {
        PlannedInput::Vector { dims: values, .. }
        | PlannedInput::Whitened {
            measured: values, ..
        } => usize::from(values),
        PlannedInput::Image { .. } => 0,
    };
    let windows = Windows::parse(bytes).filter(|windows| windows.dims() == measured);
    windows.map(Some).ok_or(LoadError::FrontEnd)
}

/// Decodes the section of frames; none if it is absent or empty, or one of windows.
pub(super) fn decode(
    bytes: Option<&[u8]>,
    input: &PlannedInput,
) -> Result<Option<FrontEnd>, LoadError> {
    let bytes = match bytes {
        Some([windows::KIND, ..]) if parts::WINDOWS => return Ok(None),
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

/// Memory that the frames or windows of an included `.flow` file take, for sizing statics at compile time; nothing for a file
/// without a front end, and in a build without the feature `frames` or `windows`.
///
/// # Panics
/// At compile time, where the bytes are no `.flow` file. Use it in `const` items only; at run time
/// [`Artifact::front_end`](super::Artifact::front_end) tells the same after all checks.
pub const fn front_end_need(bytes: &[u8]) -> FrontEndNeed {
    assert!(
        bytes.len() >= HEADER_LEN,
        "not a .flow file: shorter than its header"
    );
    if let Some(input) = window_len(bytes) {
        return FrontEndNeed { sums: 0, input };
    }
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
