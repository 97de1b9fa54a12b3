//! Where pixels come from and, in a decoder, go to.

/// An image that the coder reads and that a decoder fills.
pub trait Canvas {
    /// The byte at an index; zero outside.
    fn get(&self, index: usize) -> u8;
    /// Puts the byte that was coded. An image that is only read already has it.
    fn put(&mut self, index: usize, value: u8);
}

impl Canvas for &[u8] {
    #[inline]
    fn get(&self, index: usize) -> u8 {
        <[u8]>::get(self, index).copied().unwrap_or(0)
    }

    #[inline]
    fn put(&mut self, _index: usize, _value: u8) {}
}

impl Canvas for &mut [u8] {
    #[inline]
    fn get(&self, index: usize) -> u8 {
        <[u8]>::get(self, index).copied().unwrap_or(0)
    }

    #[inline]
    fn put(&mut self, index: usize, value: u8) {
        if let Some(pixel) = <[u8]>::get_mut(self, index) {
            *pixel = value;
        }
    }
}

/// One channel within an image.
#[derive(Clone, Copy)]
pub(super) struct Plane {
    /// Index of its first pixel.
    pub(super) start: usize,
    /// Index of the first pixel of the channel before, if there is one.
    pub(super) before: Option<usize>,
    /// Number of columns.
    pub(super) width: usize,
}

impl Plane {
    /// The channel before, if there is one.
    pub(super) fn before(self) -> Option<Self> {
        self.before.map(|start| Self {
            start,
            before: None,
            width: self.width,
        })
    }

    /// Index of a pixel in the image.
    #[inline]
    pub(super) fn index(self, x: usize, y: usize) -> usize {
        self.start + y * self.width + x
    }
}
