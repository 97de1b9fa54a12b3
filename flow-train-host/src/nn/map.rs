//! Activations: blocks of 16 channels, one block a plane of pixels, with a border of zeros.
//!
//! Sixteen f32 are one AVX-512 register, two AVX2 ones or four NEON ones, and one cache line: the
//! channels of a pixel are loaded, multiplied and stored as a whole, and neighbouring pixels lie a
//! constant 64 bytes apart whatever the number of channels, so a kernel's addresses are one
//! register plus constants. The border is the convolution's zero padding: no kernel has an edge
//! case, and no kernel ever writes there.

use std::ops::Range;

/// Channels of a block.
pub(crate) const LANES: usize = 16;

/// Sixteen channels of one pixel.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C, align(64))]
pub(crate) struct Lanes(pub(crate) [f32; LANES]);

/// Number of blocks that hold this many channels.
pub(crate) const fn blocks(channels: usize) -> usize {
    channels.div_ceil(LANES)
}

/// The pixels of a map: those of one or more images below each other, border excluded and its
/// width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grid {
    /// Images; neighbours share the border between them.
    pub(crate) images: usize,
    /// Rows of an image.
    pub(crate) height: usize,
    /// Columns; for vectors, which are pixels of one row, the number of vectors.
    pub(crate) width: usize,
    /// Width of the border of zeros: 1 for images, 0 for vectors.
    pub(crate) border: usize,
}

impl Grid {
    /// The pixels of an image.
    pub(crate) const fn image(height: usize, width: usize) -> Self {
        Self {
            images: 1,
            height,
            width,
            border: 1,
        }
    }

    /// The pixels of an image that no convolution of side 3 reads.
    pub(crate) const fn bare(height: usize, width: usize) -> Self {
        Self {
            border: 0,
            ..Self::image(height, width)
        }
    }

    /// A row of vectors, without a border: dense layers look at no neighbour.
    pub(crate) const fn vectors(count: usize) -> Self {
        Self::bare(1, count)
    }

    /// The grid of `images` such images below each other.
    pub(crate) const fn times(self, images: usize) -> Self {
        Self { images, ..self }
    }

    /// Rows of all images; every row has a number among these.
    #[inline(always)]
    pub(crate) const fn rows(self) -> usize {
        self.images * self.height
    }

    #[inline(always)]
    const fn row(self) -> usize {
        self.width + 2 * self.border
    }

    #[inline(always)]
    const fn plane(self) -> usize {
        self.row() * (self.images * (self.height + self.border) + self.border)
    }

    /// Line of a plane, borders included, in which a row lies.
    #[inline(always)]
    const fn line(self, y: usize) -> usize {
        match self.images {
            1 => y + self.border,
            _ => y + (y / self.height + 1) * self.border,
        }
    }

    /// Place of a pixel within a plane.
    #[inline(always)]
    pub(crate) const fn pixel(self, y: usize, x: usize) -> usize {
        self.line(y) * self.row() + x + self.border
    }
}

/// Channels x images x height x width activations. Lanes beyond the channels hold zeros.
#[derive(Clone, Debug)]
pub(crate) struct Map {
    channels: usize,
    grid: Grid,
    data: Vec<Lanes>,
}

impl Map {
    /// All zeros.
    pub(crate) fn new(channels: usize, grid: Grid) -> Self {
        let data = vec![Lanes::default(); blocks(channels) * grid.plane()];
        Self {
            channels,
            grid,
            data,
        }
    }

    /// Number of channels.
    pub(crate) fn channels(&self) -> usize {
        self.channels
    }

    /// Number of blocks of 16 channels.
    pub(crate) fn blocks(&self) -> usize {
        blocks(self.channels)
    }

    /// The map's pixels.
    pub(crate) fn grid(&self) -> Grid {
        self.grid
    }

    /// Place in [`data`](Self::data) of a pixel's block.
    #[inline(always)]
    pub(crate) fn at(&self, block: usize, y: usize, x: usize) -> usize {
        block * self.grid.plane() + self.grid.pixel(y, x)
    }

    /// The pixels from column `x` - padding on of the line that lies `dy` - padding lines below row
    /// `y`: what a tap of a kernel with this padding reads. The border must be as wide as the
    /// padding.
    #[inline(always)]
    pub(crate) fn tap(
        &self,
        block: usize,
        [y, dy]: [usize; 2],
        x: usize,
        padding: usize,
    ) -> &[Lanes] {
        let grid = self.grid;
        let at = (grid.line(y) + dy - padding) * grid.row() + x + grid.border - padding;
        &self.data[block * grid.plane() + at..]
    }

    /// All blocks, border included.
    #[inline(always)]
    pub(crate) fn data(&self) -> &[Lanes] {
        &self.data
    }

    /// All blocks, border included; the border must stay zero.
    #[inline(always)]
    pub(crate) fn data_mut(&mut self) -> &mut [Lanes] {
        &mut self.data
    }

    /// Place of one number, for [`get`](Self::get) and [`set`](Self::set): lane of block, whatever
    /// they are.
    #[inline(always)]
    pub(crate) fn index(&self, channel: usize, y: usize, x: usize) -> usize {
        self.at(channel / LANES, y, x) * LANES + channel % LANES
    }

    /// The number at an index.
    #[inline(always)]
    pub(crate) fn get(&self, index: usize) -> f32 {
        self.data[index / LANES].0[index % LANES]
    }

    /// Overwrites the number at an index.
    #[inline(always)]
    pub(crate) fn set(&mut self, index: usize, value: f32) {
        self.data[index / LANES].0[index % LANES] = value;
    }

    /// Places in [`data`](Self::data) of every row of every block, border excluded.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let (grid, blocks) = (self.grid, self.blocks());
        let row = move |block: usize, y: usize| {
            let at = block * grid.plane() + grid.pixel(y, 0);
            at..at + grid.width
        };
        (0..blocks).flat_map(move |block| (0..grid.rows()).map(move |y| row(block, y)))
    }

    /// Overwrites everything with zeros.
    pub(crate) fn clear(&mut self) {
        self.data.fill(Lanes::default());
    }

    /// Overwrites everything with max(other, 0).
    pub(crate) fn rectify(&mut self, other: &Self) {
        for (to, from) in self.data.iter_mut().zip(&other.data) {
            to.0 = from.0.map(|v| v.max(0.0));
        }
    }

    /// Copies another map of the same size.
    pub(crate) fn copy_from(&mut self, other: &Self) {
        self.data.copy_from_slice(&other.data);
    }
}
