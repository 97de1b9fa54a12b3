//! Convolutions of side 4, with any stride and without padding, as dense layers over patches.
//!
//! A patch is the 4 x 4 pixels that one position of the kernel sees: 16 numbers a channel, one block of lanes. So the
//! kernels of dense layers do the arithmetic, the weights' order in the model (channel, row, column) is the order of
//! the lanes, and a transposed convolution is the same picture backwards: its dense layer writes patches, which are
//! added up where they overlap. Laying out patches costs as much as the arithmetic of 8 channels, less of more.

use super::{Grid, LANES, Lanes, Map};

/// Side of the kernel.
const SIDE: usize = 4;
const _: () = assert!(SIDE * SIDE == LANES);

/// Which pixels of the outer map the patch of each pixel of the inner map covers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patches {
    inner: Grid,
    outer: Grid,
    stride: usize,
}

impl Patches {
    /// Patches at every `stride`-th row and column of `outer`; `inner` are their positions.
    pub(crate) fn new(inner: Grid, outer: Grid, stride: usize) -> Self {
        Self {
            inner,
            outer,
            stride,
        }
    }

    /// The pixels that patches are taken from or added to.
    pub(crate) fn outer(&self) -> Grid {
        self.outer
    }

    /// The positions of the patches.
    pub(crate) fn inner(&self) -> Grid {
        self.inner
    }

    /// Channels of a map of patches.
    pub(crate) const fn channels(outer: usize) -> usize {
        outer * SIDE * SIDE
    }

    /// patches[16 c + 4 dy + dx, y, x] = from[c, stride y + dy, stride x + dx].
    pub(crate) fn gather(&self, from: &Map, patches: &mut Map) {
        let Grid { height, width, .. } = self.inner;
        for c in 0..from.channels() {
            let (block, lane) = (c / LANES, c % LANES);
            for y in 0..height {
                let at = patches.at(c, y, 0);
                let patches = &mut patches.data_mut()[at..][..width];
                for dy in 0..SIDE {
                    let row = &from.data()[from.at(block, self.stride * y + dy, 0)..];
                    let row = &row[..self.outer.width];
                    for (patch, x) in patches.iter_mut().zip((0..).step_by(self.stride)) {
                        for dx in 0..SIDE {
                            patch.0[SIDE * dy + dx] = row[x + dx].0[lane];
                        }
                    }
                }
            }
        }
    }

    /// to[c, .., ..] = bias[c], or 0 without bias; to[c, stride y + dy, stride x + dx] += patches[16 c + 4 dy + dx, y, x].
    pub(crate) fn spread(&self, patches: &Map, bias: &[f32], to: &mut Map) {
        self.fill(bias, to);
        let Grid { height, width, .. } = self.inner;
        for c in 0..to.channels() {
            let (block, lane) = (c / LANES, c % LANES);
            for y in 0..height {
                let patches = &patches.data()[patches.at(c, y, 0)..][..width];
                for dy in 0..SIDE {
                    let at = to.at(block, self.stride * y + dy, 0);
                    let row = &mut to.data_mut()[at..][..self.outer.width];
                    for (patch, x) in patches.iter().zip((0..).step_by(self.stride)) {
                        for dx in 0..SIDE {
                            row[x + dx].0[lane] += patch.0[SIDE * dy + dx];
                        }
                    }
                }
            }
        }
    }

    fn fill(&self, bias: &[f32], to: &mut Map) {
        for block in 0..to.blocks() {
            let mut lanes = Lanes::default();
            for (lane, bias) in lanes.0.iter_mut().zip(bias.iter().skip(block * LANES)) {
                *lane = *bias;
            }
            for y in 0..self.outer.height {
                let at = to.at(block, y, 0);
                to.data_mut()[at..][..self.outer.width].fill(lanes);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_are_the_pixels_under_the_kernel_and_spread_back() {
        // Positions 0 and 2 of 7 rows, 0, 2 and 4 of 9 columns: row 6 and column 8 belong to no patch.
        let patches = Patches::new(Grid::bare(2, 3), Grid::image(7, 9), 2);
        let mut image = Map::new(18, patches.outer());
        let number = |c: usize, y: usize, x: usize| (100 * c + 10 * y + x) as f32;
        for (c, y, x) in [(0, 2, 4), (17, 5, 7), (17, 6, 8)] {
            image.set(image.index(c, y, x), number(c, y, x));
        }
        let mut gathered = Map::new(Patches::channels(18), patches.inner());
        patches.gather(&image, &mut gathered);
        let at = |c: usize, tap: usize, y, x| gathered.get(gathered.index(16 * c + tap, y, x));
        assert_eq!([at(0, 8, 0, 2), at(0, 0, 1, 2), at(0, 10, 0, 1)], [24.0; 3]);
        assert_eq!(at(17, 4 * 3 + 3, 1, 2), number(17, 5, 7));
        let total: f32 = gathered.data().iter().flat_map(|l| l.0).sum();
        // Pixel (2, 4) lies in two rows and two columns of patches.
        assert_eq!(total, 4.0 * 24.0 + number(17, 5, 7));
        let mut back = Map::new(18, patches.outer());
        patches.spread(&gathered, &[0.5; 18], &mut back);
        let at = |c, y, x| back.get(back.index(c, y, x));
        assert_eq!(at(0, 2, 4), 4.0 * 24.0 + 0.5);
        assert_eq!(at(17, 5, 7), number(17, 5, 7) + 0.5);
        assert_eq!([at(17, 6, 8), at(3, 6, 0)], [0.5; 2]);
        let border = back.data()[0].0;
        assert_eq!(border, [0.0; LANES]);
    }
}
