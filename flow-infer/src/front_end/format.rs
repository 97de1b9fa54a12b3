//! How a frame's pixels lie in its bytes.

use serde::{Deserialize, Serialize};

/// Most pixels in a row or a column of a frame: with more, the sums of a row could pass 32 bits.
pub const MAX_SIDE: u32 = 32_767;

/// Format of a frame's pixels, 8 bits a sample but for the two of 16 bits a pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum PixelFormat {
    /// One byte of luma a pixel.
    Grey8,
    /// Red, green, blue.
    Rgb888,
    /// Blue, green, red.
    Bgr888,
    /// 16 bits, little-endian: 5 of red, highest, 6 of green, 5 of blue.
    Rgb565,
    /// The same with the high byte first.
    Rgb565be,
    /// Two pixels in four bytes: Y, Cb, Y, Cr.
    Yuyv,
    /// Two pixels in four bytes: Cb, Y, Cr, Y.
    Uyvy,
    /// A plane of Y, then one of Cb and Cr alternating, a pair for 2 x 2 pixels.
    Nv12,
    /// Planes of Y, Cb and Cr, chroma for 2 x 2 pixels.
    I420,
    /// Planes of Y, Cb and Cr, chroma for two pixels of a row.
    I422,
    /// Planes of Y, Cb and Cr, of one size.
    I444,
    /// Bayer mosaic: rows of red and green, rows of green and blue.
    Rggb8,
    /// Bayer mosaic: rows of blue and green, rows of green and red.
    Bggr8,
    /// Bayer mosaic: rows of green and red, rows of blue and green.
    Grbg8,
    /// Bayer mosaic: rows of green and blue, rows of red and green.
    Gbrg8,
}

/// What the bytes of Y, Cb and Cr mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[serde(rename_all = "lowercase")]
pub enum YuvRange {
    /// 0 to 255, as JPEG has them.
    #[default]
    Full,
    /// Y from 16 to 235, Cb and Cr from 16 to 240, as video has them.
    Limited,
}

/// Colour of a mosaic's sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MosaicColour {
    Red,
    Green,
    Blue,
}

impl PixelFormat {
    /// Every format.
    pub const ALL: [Self; 15] = [
        Self::Grey8,
        Self::Rgb888,
        Self::Bgr888,
        Self::Rgb565,
        Self::Rgb565be,
        Self::Yuyv,
        Self::Uyvy,
        Self::Nv12,
        Self::I420,
        Self::I422,
        Self::I444,
        Self::Rggb8,
        Self::Bggr8,
        Self::Grbg8,
        Self::Gbrg8,
    ];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Grey8 => "grey8",
            Self::Rgb888 => "rgb888",
            Self::Bgr888 => "bgr888",
            Self::Rgb565 => "rgb565",
            Self::Rgb565be => "rgb565be",
            Self::Yuyv => "yuyv",
            Self::Uyvy => "uyvy",
            Self::Nv12 => "nv12",
            Self::I420 => "i420",
            Self::I422 => "i422",
            Self::I444 => "i444",
            Self::Rggb8 => "rggb8",
            Self::Bggr8 => "bggr8",
            Self::Grbg8 => "grbg8",
            Self::Gbrg8 => "gbrg8",
        }
    }

    /// The format of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// Number of planes, which lie one behind the other in a frame.
    pub const fn planes(self) -> usize {
        match self {
            Self::Nv12 => 2,
            Self::I420 | Self::I422 | Self::I444 => 3,
            _ => 1,
        }
    }

    /// Whether its samples are luma and chroma.
    pub const fn is_yuv(self) -> bool {
        matches!(
            self,
            Self::Yuyv | Self::Uyvy | Self::Nv12 | Self::I420 | Self::I422 | Self::I444
        )
    }

    /// Whether every pixel has a sample of one colour only.
    pub const fn is_mosaic(self) -> bool {
        matches!(self, Self::Rggb8 | Self::Bggr8 | Self::Grbg8 | Self::Gbrg8)
    }

    /// Bytes of a plane's row for `width` pixels.
    pub const fn row_bytes(self, plane: usize, width: u32) -> u32 {
        let pairs = width.div_ceil(2);
        match self {
            Self::Rgb888 | Self::Bgr888 => 3 * width,
            Self::Rgb565 | Self::Rgb565be => 2 * width,
            Self::Yuyv | Self::Uyvy => 4 * pairs,
            Self::Nv12 if plane > 0 => 2 * pairs,
            Self::I420 | Self::I422 if plane > 0 => pairs,
            _ => width,
        }
    }

    /// Rows of a plane for `height` rows of pixels.
    pub const fn plane_rows(self, plane: usize, height: u32) -> u32 {
        match self {
            Self::Nv12 | Self::I420 if plane > 0 => height.div_ceil(2),
            _ => height,
        }
    }

    /// Bytes from one row of a plane to the next, where those of the first plane lie `stride` apart.
    pub const fn plane_stride(self, plane: usize, stride: u32) -> u32 {
        match self {
            Self::Nv12 if plane > 0 => stride.saturating_add(stride % 2),
            Self::I420 | Self::I422 if plane > 0 => stride.div_ceil(2),
            _ => stride,
        }
    }

    /// Row of a plane that belongs to row `y` of the pixels.
    pub const fn plane_row(self, plane: usize, y: u32) -> u32 {
        match self {
            Self::Nv12 | Self::I420 if plane > 0 => y / 2,
            _ => y,
        }
    }

    /// Colour of a mosaic's sample in column `x` of row `y`.
    pub(super) const fn mosaic_colour(self, x: u32, y: u32) -> MosaicColour {
        // Where red lies within a cell of 2 x 2; blue lies opposite.
        let (red_x, red_y) = match self {
            Self::Bggr8 => (1, 1),
            Self::Grbg8 => (1, 0),
            Self::Gbrg8 => (0, 1),
            _ => (0, 0),
        };
        match ((x & 1) == red_x, (y & 1) == red_y) {
            (true, true) => MosaicColour::Red,
            (false, false) => MosaicColour::Blue,
            _ => MosaicColour::Green,
        }
    }
}

impl core::fmt::Display for PixelFormat {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}
