//! Images as the bytes that the sensor gave.
//!
//! Pixels stay u8 until the trainer or the engine dequantizes them: both must do that themselves
//! (noise, midpoint), it is 4 times smaller than f32 (all of FashionMNIST: 47 MB), and it is what
//! the device sees.

use std::ops::Range;

use super::shape::{ShapeMismatch, item_len, value_range};

/// N images of one size, 8 bits a sample, laid out N x C x H x W.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Images {
    channels: usize,
    height: usize,
    width: usize,
    pixels: Vec<u8>,
}

impl Images {
    /// Images of `channels` x `height` x `width` from their `pixels`, N x C x H x W.
    ///
    /// # Errors
    /// [`ShapeMismatch`] when a dimension is zero or `pixels` is not a whole number of images.
    pub fn new(
        channels: usize,
        height: usize,
        width: usize,
        pixels: Vec<u8>,
    ) -> Result<Self, ShapeMismatch> {
        item_len(&[channels, height, width], pixels.len())?;
        Ok(Self {
            channels,
            height,
            width,
            pixels,
        })
    }

    /// Channels of an image: 1 for grey, 3 for RGB.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Rows of an image.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns of an image.
    pub fn width(&self) -> usize {
        self.width
    }

    /// D = C H W, the values of one image.
    pub fn dims(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Number of images N.
    pub fn len(&self) -> usize {
        self.pixels.len() / self.dims()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.pixels.is_empty()
    }

    /// Image `index`, C x H x W.
    ///
    /// # Panics
    /// When `index` is not less than [`len`](Self::len).
    pub fn get(&self, index: usize) -> &[u8] {
        &self.pixels[index * self.dims()..][..self.dims()]
    }

    /// The images in order, each C x H x W.
    pub fn iter(&self) -> std::slice::ChunksExact<'_, u8> {
        self.pixels.chunks_exact(self.dims())
    }

    /// All pixels, N x C x H x W.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The images at these indices.
    ///
    /// # Panics
    /// As [`get`](Self::get).
    pub fn pick(&self, indices: &[usize]) -> Self {
        let images = indices.iter().flat_map(|&index| self.get(index));
        Self {
            pixels: images.copied().collect(),
            ..*self
        }
    }

    /// The images of `range`, as far as there are any.
    pub fn take(&self, range: Range<usize>) -> Self {
        let range = value_range(range, self.len(), self.dims());
        Self {
            pixels: self.pixels[range].to_vec(),
            ..*self
        }
    }
}
