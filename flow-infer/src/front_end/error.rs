//! What can be wrong with a frame or its description.

use super::format::MAX_SIDE;

/// Why a frame cannot become the model's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum FrameError {
    /// The model's file does not say how a frame becomes its input.
    NoFrontEnd,
    /// The model's input is no image of one or three channels.
    Output,
    /// A frame without pixels, or with more than [`MAX_SIDE`] in a row or column.
    Size,
    /// A stride smaller than a row.
    Stride {
        /// Bytes of a row.
        least: u32,
    },
    /// A region without pixels, or one that reaches beyond the frame.
    Region,
    /// A region with fewer rows or columns than the model's input: averaging does not enlarge.
    Enlarges,
    /// A region of a Bayer mosaic with an odd number of rows or columns, or with fewer 2 x 2 cells than the input.
    Mosaic,
    /// A frame of another format or size than the one that the model is for.
    OtherFrame,
    /// Fewer bytes than the frame has.
    Truncated {
        /// Bytes that are needed.
        needed: u64,
        /// Bytes that there are.
        found: u64,
    },
    /// Another number of planes than the pixel format has.
    Planes {
        /// Planes of the format.
        needed: u8,
    },
    /// A row with fewer bytes than its pixels have.
    Row {
        /// Bytes that are needed.
        needed: u32,
        /// Bytes that there are.
        found: u32,
    },
    /// A row after the frame's last one.
    Excess,
    /// The frame is not complete.
    Unfinished {
        /// Rows that are missing.
        missing: u32,
    },
    /// Memory for the sums or for the model's input that is too small.
    Memory,
}

impl core::fmt::Display for FrameError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::NoFrontEnd => f.write_str("the model's file says nothing of frames"),
            Self::Output => f.write_str("the model reads no image of one or three channels"),
            Self::Size => write!(
                f,
                "a frame has 1 to {} pixels in a row and in a column",
                MAX_SIDE
            ),
            Self::Stride { least } => {
                write!(
                    f,
                    "the stride is smaller than a row, which has {least} bytes"
                )
            }
            Self::Region => f.write_str("the region does not lie within the frame"),
            Self::Enlarges => f.write_str("the region is smaller than the model's input"),
            Self::Mosaic => f.write_str(
                "a region of a Bayer mosaic has an even number of rows and columns, \
                 and at least twice those of the model's input",
            ),
            Self::OtherFrame => f.write_str("the model is for frames of another format or size"),
            Self::Truncated { needed, found } => {
                write!(f, "the frame is truncated: {found} bytes of {needed}")
            }
            Self::Planes { needed } => write!(f, "the pixel format has {needed} planes"),
            Self::Row { needed, found } => {
                write!(f, "a row of {found} bytes, but its pixels have {needed}")
            }
            Self::Excess => f.write_str("a row after the frame's last one"),
            Self::Unfinished { missing } => {
                write!(f, "the frame is not complete: {missing} rows are missing")
            }
            Self::Memory => f.write_str("the memory for the sums or the input is too small"),
        }
    }
}

impl core::error::Error for FrameError {}
