//! Channels, height and width.

use serde::{Deserialize, Serialize};

/// Size of an image-shaped array, stored channel by channel, row by row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Shape {
    /// Number of channels C; for a vector the number of coordinates.
    pub channels: u16,
    /// Number of rows H.
    pub height: u16,
    /// Number of columns W.
    pub width: u16,
}

impl Shape {
    /// A shape of C x H x W.
    pub const fn new(channels: u16, height: u16, width: u16) -> Self {
        Self {
            channels,
            height,
            width,
        }
    }

    /// Number of coordinates C H W; meaningful for a validated spec, at most 65535 there.
    pub const fn len(&self) -> usize {
        self.channels as usize * self.pixels()
    }

    /// Number of coordinates, if it is at most 65535 (offsets within a latent are 16 bits in the format).
    pub const fn checked_len(&self) -> Option<usize> {
        // Three factors below 2^16 can pass 2^32: multiply in 64 bits, also on 32-bit targets.
        let len = self.channels as u64 * self.height as u64 * self.width as u64;
        if len <= u16::MAX as u64 {
            Some(len as usize)
        } else {
            None
        }
    }

    /// Number of pixels H W.
    pub const fn pixels(&self) -> usize {
        self.height as usize * self.width as usize
    }

    /// Whether there is no coordinate at all.
    pub const fn is_empty(&self) -> bool {
        self.channels == 0 || self.height == 0 || self.width == 0
    }
}

impl core::fmt::Display for Shape {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}x{}x{}", self.channels, self.height, self.width)
    }
}
