//! A small picture in memory.

use super::colour::Rgb;

/// Pixels, row by row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Raster {
    width: usize,
    height: usize,
    pixels: Vec<Rgb>,
}

impl Raster {
    /// A picture whose pixels are a function of column and row.
    pub(crate) fn from_fn(
        width: usize,
        height: usize,
        mut colour: impl FnMut(usize, usize) -> Rgb,
    ) -> Self {
        let places = (0..width * height).map(|i| (i % width, i / width));
        Self {
            width,
            height,
            pixels: places.map(|(x, y)| colour(x, y)).collect(),
        }
    }

    /// Number of columns.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Number of rows.
    pub(crate) fn height(&self) -> usize {
        self.height
    }

    /// Red, green and blue of every pixel.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.pixels.as_flattened().to_vec()
    }
}
