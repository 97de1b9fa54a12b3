//! A frame: its description and its bytes.

use super::error::FrameError;
use super::format::{MAX_SIDE, PixelFormat, YuvRange};
use serde::{Deserialize, Serialize};

/// Most planes of a pixel format.
pub(super) const MAX_PLANES: usize = 3;

/// What a frame's bytes mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct FrameSpec {
    /// Format of the pixels.
    pub format: PixelFormat,
    /// What the bytes of Y, Cb and Cr mean; nothing in other formats.
    #[serde(default)]
    pub range: YuvRange,
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
    /// Bytes from one row to the next, in the first plane.
    pub stride: u32,
}

impl FrameSpec {
    /// A frame whose rows follow each other without a gap, full range.
    pub const fn new(format: PixelFormat, width: u16, height: u16) -> Self {
        Self {
            format,
            range: YuvRange::Full,
            width,
            height,
            stride: format.row_bytes(0, width as u32),
        }
    }

    /// The same frame with another stride.
    pub const fn with_stride(self, stride: u32) -> Self {
        Self { stride, ..self }
    }

    /// The same frame with another range of Y, Cb and Cr.
    pub const fn with_range(self, range: YuvRange) -> Self {
        Self { range, ..self }
    }

    /// Columns.
    pub const fn columns(&self) -> u32 {
        self.width as u32
    }

    /// Rows.
    pub const fn rows(&self) -> u32 {
        self.height as u32
    }

    /// Bytes of a plane's row.
    pub const fn row_bytes(&self, plane: usize) -> u32 {
        self.format.row_bytes(plane, self.columns())
    }

    /// Bytes of a frame; what a stride leaves behind the last row is not needed.
    pub fn byte_len(&self) -> u64 {
        let last = self.format.planes() - 1;
        self.row_start(
            last,
            self.format.plane_rows(last, self.rows()).saturating_sub(1),
        ) + u64::from(self.row_bytes(last))
    }

    /// Checks size and stride.
    ///
    /// # Errors
    /// [`FrameError::Size`], [`FrameError::Stride`].
    pub fn check(&self) -> Result<(), FrameError> {
        let side = 1..=MAX_SIDE;
        if !side.contains(&self.columns()) || !side.contains(&self.rows()) {
            return Err(FrameError::Size);
        }
        let least = self.row_bytes(0);
        match self.stride < least {
            true => Err(FrameError::Stride { least }),
            false => Ok(()),
        }
    }

    /// Where a plane's row begins.
    fn row_start(&self, plane: usize, row: u32) -> u64 {
        let stride = |plane| u64::from(self.format.plane_stride(plane, self.stride));
        let rows = |plane| u64::from(self.format.plane_rows(plane, self.rows()));
        let before: u64 = (0..plane).map(|plane| stride(plane) * rows(plane)).sum();
        before + stride(plane) * u64::from(row)
    }
}

/// A whole frame, its planes one behind the other.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'b> {
    spec: FrameSpec,
    bytes: &'b [u8],
}

impl<'b> Frame<'b> {
    /// Joins a description and the bytes, of which there may be more than needed.
    ///
    /// # Errors
    /// [`FrameError::Size`], [`FrameError::Stride`], [`FrameError::Truncated`].
    pub fn new(spec: FrameSpec, bytes: &'b [u8]) -> Result<Self, FrameError> {
        spec.check()?;
        let (needed, found) = (spec.byte_len(), bytes.len() as u64);
        match found < needed {
            true => Err(FrameError::Truncated { needed, found }),
            false => Ok(Self { spec, bytes }),
        }
    }

    /// What the bytes mean.
    pub const fn spec(&self) -> FrameSpec {
        self.spec
    }

    /// Row `y` of every plane; planes that there are not are empty, and so are rows behind the last.
    pub fn row(&self, y: u32) -> [&'b [u8]; MAX_PLANES] {
        let mut row = [&[][..]; MAX_PLANES];
        for (plane, bytes) in row.iter_mut().enumerate().take(self.spec.format.planes()) {
            let start = self
                .spec
                .row_start(plane, self.spec.format.plane_row(plane, y));
            let rest = usize::try_from(start)
                .ok()
                .and_then(|s| self.bytes.get(s..));
            let len = self.spec.row_bytes(plane) as usize;
            *bytes = rest.and_then(|rest| rest.get(..len)).unwrap_or(&[]);
        }
        row
    }
}
