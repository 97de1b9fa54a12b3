//! The tiles of a map, and the points that squares of its pixels become.

use super::matrices::{B, Form, MAPPED, both_sides};
use super::{POINTS, store};
use crate::nn::kernels::isa::{Isa, Kernel};
use crate::nn::{Grid, Map};

/// The tiles of some images of a map.
#[derive(Clone, Copy)]
pub(super) struct Tiles {
    grid: Grid,
    /// Output pixels of a tile's side.
    side: usize,
    first_image: usize,
    images: usize,
}

/// Where a tile lies.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) image: usize,
    /// Row and column of its first output pixel within the image.
    pub(super) row: usize,
    pub(super) column: usize,
}

impl Tiles {
    /// Those of all images; `grid` are the output pixels.
    pub(super) fn new(grid: Grid, side: usize) -> Self {
        Self {
            grid,
            side,
            first_image: 0,
            images: grid.images,
        }
    }

    /// The same in parts of whole images, of at least so many tiles each if there are as many.
    pub(super) fn parts(self, least: usize) -> impl Iterator<Item = Self> {
        let most = least.div_ceil(self.each());
        (0..self.images).step_by(most).map(move |first_image| Self {
            first_image,
            images: most.min(self.images - first_image),
            ..self
        })
    }

    fn across(self) -> usize {
        self.grid.width.div_ceil(self.side)
    }

    /// Tiles of an image.
    fn each(self) -> usize {
        self.grid.height.div_ceil(self.side) * self.across()
    }

    pub(super) fn count(self) -> usize {
        self.images * self.each()
    }

    /// Output pixels of all tiles, those beyond the images' ends included.
    pub(super) fn pixels(self) -> usize {
        self.count() * self.side * self.side
    }

    pub(super) fn place(self, tile: usize) -> Place {
        let (image, tile) = (tile / self.each(), tile % self.each());
        Place {
            image: self.first_image + image,
            row: tile / self.across() * self.side,
            column: tile % self.across() * self.side,
        }
    }

    /// The pixels of a map of points: an odd number of columns, so that a tile's points do not all
    /// fall into the same few sets of a cache. A column too many holds zeros for ever.
    pub(super) fn points(self) -> Grid {
        Grid::bare(POINTS, self.count() | 1)
    }
}

/// How a square of pixels is mapped. A type, so that the matrix is a constant to the compiler.
pub(super) trait Square<const N: usize> {
    /// Mapped is matrix x square x matrix transposed.
    const MATRIX: [[f32; N]; MAPPED];
}

/// Bt d B of the pixels that a tile's outputs read.
pub(super) struct Input;

impl Square<MAPPED> for Input {
    const MATRIX: [[f32; MAPPED]; MAPPED] = B;
}

/// A dout At of a tile's outputs' gradient.
pub(super) struct OutputGradient<F, const T: usize>(pub(super) F);

impl<F: Form<T, S>, const T: usize, const S: usize> Square<S> for OutputGradient<F, T> {
    const MATRIX: [[f32; S]; MAPPED] = F::A_TRANSPOSED;
}

/// Maps the squares of all tiles.
pub(super) struct Points<'a, Q, const N: usize> {
    pub(super) _square: Q,
    /// Pixels before the tile's first one, both ways.
    pub(super) padding: usize,
    pub(super) tiles: Tiles,
    pub(super) from: &'a Map,
    pub(super) to: &'a mut Map,
}

impl<Q: Square<N>, const N: usize> Kernel for Points<'_, Q, N> {
    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        let (tiles, to) = (self.tiles, self.to);
        for block in 0..self.from.blocks() {
            for tile in 0..tiles.count() {
                let place = tiles.place(tile);
                let places = [0, 1].map(|point| to.at(block, point, tile));
                let mapped = match whole(isa, self.from, self.padding, (block, place)) {
                    Some(d) => both_sides(isa, &Q::MATRIX, &d),
                    None => {
                        let d = part(isa, self.from, self.padding, (block, place));
                        both_sides(isa, &Q::MATRIX, &d)
                    }
                };
                store(isa, &mapped, to.data_mut(), places);
            }
        }
    }
}

/// Loads a square that lies within the image and its border of zeros.
#[inline(always)]
fn whole<I: Isa, const N: usize>(
    isa: I,
    from: &Map,
    padding: usize,
    (block, place): (usize, Place),
) -> Option<[[I::Vector; N]; N]> {
    let grid = from.grid();
    let within = |at: usize, size: usize| {
        at + grid.border >= padding && at + N <= size + padding + grid.border
    };
    if !within(place.row, grid.height) || !within(place.column, grid.width) {
        return None;
    }
    let mut d = [[isa.splat(0.0); N]; N];
    let row = place.image * grid.height + place.row;
    for dy in 0..N {
        let line = from.tap(block, [row, dy], place.column, padding);
        let line = line.first_chunk::<N>()?;
        for dx in 0..N {
            d[dy][dx] = isa.load(&line[dx]);
        }
    }
    Some(d)
}

/// Loads the pixels of a square that lie within the image; the others are zeros.
#[inline(always)]
fn part<I: Isa, const N: usize>(
    isa: I,
    from: &Map,
    padding: usize,
    (block, place): (usize, Place),
) -> [[I::Vector; N]; N] {
    let mut d = [[isa.splat(0.0); N]; N];
    let Grid { height, width, .. } = from.grid();
    let (top, left) = (
        padding.saturating_sub(place.row),
        padding.saturating_sub(place.column),
    );
    let bottom = N.min(height + padding - place.row);
    let right = N.min(width + padding - place.column);
    for (dy, d) in d.iter_mut().enumerate().take(bottom).skip(top) {
        let y = place.image * height + place.row + dy - padding;
        let line = &from.data()[from.at(block, y, place.column + left - padding)..];
        for (d, pixel) in d[left..right].iter_mut().zip(line) {
            *d = isa.load(pixel);
        }
    }
    d
}
