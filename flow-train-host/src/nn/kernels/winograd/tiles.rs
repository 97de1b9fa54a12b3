//! The tiles of a map, and the points that squares of its pixels become.

use super::matrices::{A_TRANSPOSED, B, MAPPED, SIDE, both_sides};
use super::{POINTS, store};
use crate::nn::kernels::isa::{Isa, Kernel};
use crate::nn::{Grid, Map};

/// The tiles of all images of a map.
#[derive(Clone, Copy)]
pub(super) struct Tiles {
    grid: Grid,
}

/// Where a tile lies.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// Row and column of its first output pixel.
    pub(super) row: usize,
    pub(super) column: usize,
    /// Rows and columns from there to the image's end.
    pub(super) rows: usize,
    pub(super) columns: usize,
}

impl Tiles {
    pub(super) fn of(grid: Grid) -> Self {
        Self { grid }
    }

    fn across(self) -> usize {
        self.grid.width.div_ceil(SIDE)
    }

    /// Tiles of an image.
    fn each(self) -> usize {
        self.grid.height.div_ceil(SIDE) * self.across()
    }

    pub(super) fn count(self) -> usize {
        self.grid.images * self.each()
    }

    /// Output pixels of all tiles, those beyond the images' ends included.
    pub(super) fn pixels(self) -> usize {
        self.count() * SIDE * SIDE
    }

    pub(super) fn place(self, tile: usize) -> Place {
        let Grid { height, width, .. } = self.grid;
        let (image, tile) = (tile / self.each(), tile % self.each());
        let (y, x) = (tile / self.across() * SIDE, tile % self.across() * SIDE);
        Place {
            row: image * height + y,
            column: x,
            rows: height - y,
            columns: width - x,
        }
    }

    /// The pixels of a map of points: an odd number of columns, so that a tile's points do not all fall into the same
    /// few sets of a cache. A column too many holds zeros for ever.
    pub(super) fn points(self) -> Grid {
        Grid::bare(POINTS, self.count() | 1)
    }
}

/// Which square around a tile is mapped, and how. A type, so that the matrix is a constant to the compiler.
pub(super) trait Square<const N: usize> {
    /// Pixels before the tile's first one, both ways.
    const PADDING: usize;
    /// Mapped is matrix x square x matrix transposed.
    const MATRIX: [[f32; N]; MAPPED];
}

/// Bt d B of the pixels that a tile's outputs read.
pub(super) struct Input;

impl Square<MAPPED> for Input {
    const PADDING: usize = 1;
    const MATRIX: [[f32; MAPPED]; MAPPED] = B;
}

/// A dout At of a tile's outputs' gradient.
pub(super) struct OutputGradient;

impl Square<SIDE> for OutputGradient {
    const PADDING: usize = 0;
    const MATRIX: [[f32; SIDE]; MAPPED] = A_TRANSPOSED;
}

/// Maps the squares of all tiles.
pub(super) struct Points<'a, S, const N: usize> {
    _square: S,
    tiles: Tiles,
    from: &'a Map,
    to: &'a mut Map,
}

impl<'a, S: Square<N>, const N: usize> Points<'a, S, N> {
    pub(super) fn new(square: S, tiles: Tiles, from: &'a Map, to: &'a mut Map) -> Self {
        Self {
            _square: square,
            tiles,
            from,
            to,
        }
    }
}

impl<S: Square<N>, const N: usize> Kernel for Points<'_, S, N> {
    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        let Self {
            tiles, from, to, ..
        } = self;
        for block in 0..from.blocks() {
            for tile in 0..tiles.count() {
                let place = tiles.place(tile);
                // Beyond the border of zeros there is nothing to read, and nothing but zeros.
                let rows = (place.rows + 2 * S::PADDING).min(N);
                let columns = (place.columns + 2 * S::PADDING).min(N);
                let mut d = [[isa.splat(0.0); N]; N];
                for (dy, d) in d.iter_mut().enumerate().take(rows) {
                    let line = from.tap(block, [place.row, dy], place.column, S::PADDING);
                    for (d, pixel) in d.iter_mut().zip(&line[..columns]) {
                        *d = isa.load(pixel);
                    }
                }
                let places = [0, 1].map(|point| to.at(block, point, tile));
                let mapped = both_sides(isa, &S::MATRIX, &d);
                store(isa, &mapped, to.data_mut(), places);
            }
        }
    }
}
