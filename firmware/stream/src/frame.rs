//! The head of a frame.

use crate::take;
use flow_infer::front_end::{FrameSpec, PixelFormat, YuvRange};

/// What a frame's bytes mean; its rows follow without gaps, the row of each plane that belongs to a row of pixels one
/// behind the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader(pub FrameSpec);

impl FrameHeader {
    /// Bytes of the encoded header.
    pub const BYTES: usize = 6;

    /// `format, range, width, height`.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let Self(spec) = self;
        let format = PixelFormat::ALL.iter().position(|&f| f == spec.format);
        let [a, b] = spec.width.to_le_bytes();
        let [c, d] = spec.height.to_le_bytes();
        let limited = u8::from(spec.range == YuvRange::Limited);
        [format.map_or(u8::MAX, |f| f as u8), limited, a, b, c, d]
    }

    /// `None` where there is no such format.
    #[must_use]
    pub fn from_bytes(bytes: [u8; Self::BYTES]) -> Option<Self> {
        let mut bytes = bytes.as_slice();
        let [format, limited] = take(&mut bytes)?;
        let format = *PixelFormat::ALL.get(usize::from(format))?;
        let width = u16::from_le_bytes(take(&mut bytes)?);
        let height = u16::from_le_bytes(take(&mut bytes)?);
        let range = match limited {
            0 => YuvRange::Full,
            1 => YuvRange::Limited,
            _ => return None,
        };
        Some(Self(
            FrameSpec::new(format, width, height).with_range(range),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_bytes_are_literal() {
        let spec = FrameSpec::new(PixelFormat::Yuyv, 640, 480).with_range(YuvRange::Limited);
        let bytes = [5, 1, 0x80, 2, 0xe0, 1];
        assert_eq!(FrameHeader(spec).to_bytes(), bytes);
        assert_eq!(FrameHeader::from_bytes(bytes), Some(FrameHeader(spec)));
        assert_eq!(FrameHeader::from_bytes([15, 0, 1, 0, 1, 0]), None);
        assert_eq!(FrameHeader::from_bytes([0, 2, 1, 0, 1, 0]), None);
    }
}
