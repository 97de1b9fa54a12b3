//! A picture in memory.

use super::colour::Rgb;
use super::font;

/// Pixels, row by row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Raster {
    width: usize,
    height: usize,
    pixels: Vec<Rgb>,
}

impl Raster {
    /// A picture of one colour.
    pub(crate) fn new(width: usize, height: usize, colour: Rgb) -> Self {
        Self {
            width,
            height,
            pixels: vec![colour; width * height],
        }
    }

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

    /// Colours a pixel; nothing outside.
    fn set(&mut self, x: usize, y: usize, colour: Rgb) {
        if x < self.width && y < self.height {
            self.pixels[y * self.width + x] = colour;
        }
    }

    /// Fills a rectangle.
    pub(super) fn fill(&mut self, (x, y): (usize, usize), (w, h): (usize, usize), colour: Rgb) {
        (y..y + h).for_each(|y| (x..x + w).for_each(|x| self.set(x, y, colour)));
    }

    /// Puts another picture here, each of its pixels a square of `zoom`.
    pub(super) fn stamp(&mut self, (x, y): (usize, usize), other: &Self, zoom: usize) {
        for (i, &colour) in other.pixels.iter().enumerate() {
            let (column, row) = (i % other.width, i / other.width);
            let place = (x + column * zoom, y + row * zoom);
            self.fill(place, (zoom, zoom), colour);
        }
    }

    /// Writes a line of text from its top left corner, each dot a square of `size`.
    pub(super) fn write(&mut self, (x, y): (usize, usize), text: &str, size: usize, colour: Rgb) {
        for (i, c) in text.chars().enumerate() {
            for (column, row) in font::dots(c) {
                let place = (x + (i * font::ADVANCE + column) * size, y + row * size);
                self.fill(place, (size, size), colour);
            }
        }
    }
}

/// Width of a line of text.
pub(super) fn text_width(text: &str, size: usize) -> usize {
    text.chars().count() * font::ADVANCE * size
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::colour::{INK, PAPER};

    #[test]
    fn stamps_are_zoomed_and_cut_at_the_edge() {
        let small = Raster::from_fn(2, 1, |x, _| [x as u8; 3]);
        let mut large = Raster::new(5, 3, PAPER);
        large.stamp((1, 0), &small, 3);
        let row = |y: usize| large.pixels[y * 5..][..5].to_vec();
        let wanted = [PAPER, [0; 3], [0; 3], [0; 3], [1; 3]];
        assert_eq!([row(0), row(2)], [wanted.to_vec(), wanted.to_vec()]);
    }

    #[test]
    fn text_is_as_wide_as_it_says() {
        let mut line = Raster::new(text_width("MM", 2), 20, PAPER);
        line.write((0, 0), "MM", 2, INK);
        let column = |x: usize| (0..20).any(|y| line.pixels[y * 24 + x] == INK);
        assert!(column(0) && column(21), "both letters");
        assert!(!column(22) && !column(23), "the gap behind the last one");
    }
}
