//! Convolutions of side 4, with any stride and without padding, as dense layers over patches.
//!
//! A patch is the 4 x 4 pixels that one position of the kernel sees. So the kernels of dense layers
//! do the arithmetic, and a transposed convolution is the same picture backwards: its dense layer
//! writes patches, which are added up where they overlap.
//!
//! Of whole blocks of 16 channels a patch is 16 blocks, one a tap: laying it out copies vectors. Of
//! other channels, the one or three of an image above all, it is a block a channel whose lanes are
//! the taps, in the order of the weights in the model: fifteen lanes of zeros a channel would cost
//! more than moving single numbers does. Four such channels are moved together: one by one it took
//! 45 % of the training of a bottleneck flow with 8 to 16 channels, since every sum waited for the
//! one before.

use super::{Grid, LANES, Lanes, Map};

/// Side of the kernel.
const SIDE: usize = 4;
const _: () = assert!(SIDE * SIDE == LANES);

/// Whether patches of this many channels go block by block: whole blocks alone can.
pub(crate) fn by_block(channels: usize) -> bool {
    channels.is_multiple_of(LANES)
}

/// A tap's part of a row of patches.
struct Line {
    /// Row of the outer map.
    row: usize,
    /// Block of the map of patches.
    block: usize,
}

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

    /// Whether every patch's neighbours are one pixel away.
    pub(crate) fn overlap_most(&self) -> bool {
        self.stride == 1
    }

    /// The positions of the patches.
    pub(crate) fn inner(&self) -> Grid {
        self.inner
    }

    /// First row of the outer map that the patches of a row of the inner one cover.
    fn top(&self, y: usize) -> usize {
        let height = self.inner.height;
        y / height * self.outer.height + y % height * self.stride
    }

    /// Channels of a map of patches.
    pub(crate) const fn channels(outer: usize) -> usize {
        outer * SIDE * SIDE
    }

    /// patches[tap dy, dx of channel c, y, x] = from[c, stride y + dy, stride x + dx].
    pub(crate) fn gather(&self, from: &Map, patches: &mut Map) {
        if by_block(from.channels()) {
            return self.lines(from.channels(), |[block, y, dx], line| {
                let from = &from.data()[from.at(block, line.row, dx)..];
                let at = patches.at(line.block, y, 0);
                let to = &mut patches.data_mut()[at..][..self.inner.width];
                for (to, from) in to.iter_mut().zip(from.iter().step_by(self.stride)) {
                    *to = *from;
                }
            });
        }
        let (width, stride) = (self.inner.width, self.stride);
        let fours = from.channels() / 4 * 4;
        for y in 0..self.inner.rows() {
            for first in (0..fours).step_by(4) {
                let (block, lane) = (first / LANES, first % LANES);
                let mut lines = four_mut(patches, first, y, width);
                for dy in 0..SIDE {
                    let row = &from.data()[from.at(block, self.top(y) + dy, 0)..];
                    gather_four(row, stride, &mut lines, [lane, dy]);
                }
            }
            for c in fours..from.channels() {
                let at = patches.at(c, y, 0);
                let line = &mut patches.data_mut()[at..][..width];
                for dy in 0..SIDE {
                    let row = &from.data()[from.at(c / LANES, self.top(y) + dy, 0)..];
                    gather_one(row, stride, line, [c % LANES, dy]);
                }
            }
        }
    }

    /// to[c, .., ..] = bias[c], or 0 without bias; to[c, stride y + dy, stride x + dx] +=
    /// patches[tap dy, dx of channel c, y, x].
    pub(crate) fn spread(&self, patches: &Map, bias: &[f32], to: &mut Map) {
        self.fill(bias, to);
        if by_block(to.channels()) {
            return self.lines(to.channels(), |[block, y, dx], line| {
                let from = &patches.data()[patches.at(line.block, y, 0)..][..self.inner.width];
                let at = to.at(block, line.row, dx);
                let to = to.data_mut()[at..].iter_mut().step_by(self.stride);
                for (to, from) in to.zip(from) {
                    to.0.iter_mut()
                        .zip(from.0)
                        .for_each(|(to, from)| *to += from);
                }
            });
        }
        let (width, stride) = (self.inner.width, self.stride);
        let fours = to.channels() / 4 * 4;
        let line = |c: usize, y: usize| &patches.data()[patches.at(c, y, 0)..][..width];
        for y in 0..self.inner.rows() {
            for first in (0..fours).step_by(4) {
                let lines = [
                    line(first, y),
                    line(first + 1, y),
                    line(first + 2, y),
                    line(first + 3, y),
                ];
                for dy in 0..SIDE {
                    let at = to.at(first / LANES, self.top(y) + dy, 0);
                    let row = &mut to.data_mut()[at..];
                    spread_four(row, stride, lines, [first % LANES, dy]);
                }
            }
            for c in fours..to.channels() {
                for dy in 0..SIDE {
                    let at = to.at(c / LANES, self.top(y) + dy, 0);
                    let row = &mut to.data_mut()[at..];
                    spread_one(row, stride, line(c, y), [c % LANES, dy]);
                }
            }
        }
    }

    /// Visits every block of the outer map, row of patches and column of taps with the line of
    /// pixels that these taps cover; tap by tap within a row, as images lie in the cache.
    fn lines(&self, channels: usize, mut visit: impl FnMut([usize; 3], Line)) {
        for block in 0..channels / LANES {
            for y in 0..self.inner.rows() {
                for tap in 0..SIDE * SIDE {
                    let line = Line {
                        row: self.top(y) + tap / SIDE,
                        block: block * SIDE * SIDE + tap,
                    };
                    visit([block, y, tap % SIDE], line);
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
            for y in 0..self.outer.rows() {
                let at = to.at(block, y, 0);
                to.data_mut()[at..][..self.outer.width].fill(lanes);
            }
        }
    }
}

/// A row of a patch's taps.
type Taps = [f32; SIDE];

fn taps(patch: &Lanes, dy: usize) -> Taps {
    patch.0.as_chunks().0[dy]
}

fn taps_mut(patch: &mut Lanes, dy: usize) -> &mut Taps {
    &mut patch.0.as_chunks_mut().0[dy]
}

/// A row of the patches of four channels.
fn four_mut(patches: &mut Map, first: usize, y: usize, width: usize) -> [&mut [Lanes]; 4] {
    let at = |c: usize| patches.at(c, y, 0);
    let starts = [at(first), at(first + 1), at(first + 2), at(first + 3)];
    let lines = patches
        .data_mut()
        .get_disjoint_mut(starts.map(|at| at..at + width));
    lines.expect("channels lie apart")
}

/// Lays out a row of the taps of four channels, from a lane on that is a multiple of four.
fn gather_four(
    row: &[Lanes],
    stride: usize,
    [a, b, c, d]: &mut [&mut [Lanes]; 4],
    [lane, dy]: [usize; 2],
) {
    let patches = a.iter_mut().zip(b.iter_mut());
    let patches = patches.zip(c.iter_mut()).zip(d.iter_mut());
    let covered = row.windows(SIDE).step_by(stride);
    for ((((a, b), c), d), pixels) in patches.zip(covered) {
        let [p, q, r, s] = pixels else { return };
        let [p, q, r, s] = [four(p, lane), four(q, lane), four(r, lane), four(s, lane)];
        *taps_mut(a, dy) = [p[0], q[0], r[0], s[0]];
        *taps_mut(b, dy) = [p[1], q[1], r[1], s[1]];
        *taps_mut(c, dy) = [p[2], q[2], r[2], s[2]];
        *taps_mut(d, dy) = [p[3], q[3], r[3], s[3]];
    }
}

/// Adds a row of the taps of four channels to the pixels that they cover.
fn spread_four(
    row: &mut [Lanes],
    stride: usize,
    [a, b, c, d]: [&[Lanes]; 4],
    [lane, dy]: [usize; 2],
) {
    let patches = a.iter().zip(b).zip(c).zip(d);
    for ((((a, b), c), d), start) in patches.zip((0..).step_by(stride)) {
        let [a, b, c, d] = [taps(a, dy), taps(b, dy), taps(c, dy), taps(d, dy)];
        let pixels = &mut row[start..][..SIDE];
        for (dx, pixel) in pixels.iter_mut().enumerate() {
            let to: &mut [f32; 4] = &mut pixel.0.as_chunks_mut().0[lane / 4];
            *to = [to[0] + a[dx], to[1] + b[dx], to[2] + c[dx], to[3] + d[dx]];
        }
    }
}

/// Channels of a pixel from a lane on that is a multiple of four.
fn four(pixel: &Lanes, lane: usize) -> [f32; 4] {
    pixel.0.as_chunks().0[lane / 4]
}

fn gather_one(row: &[Lanes], stride: usize, patches: &mut [Lanes], [lane, dy]: [usize; 2]) {
    let covered = row.windows(SIDE).step_by(stride);
    for (patch, pixels) in patches.iter_mut().zip(covered) {
        for (tap, pixel) in taps_mut(patch, dy).iter_mut().zip(pixels) {
            *tap = pixel.0[lane];
        }
    }
}

fn spread_one(row: &mut [Lanes], stride: usize, patches: &[Lanes], [lane, dy]: [usize; 2]) {
    for (patch, start) in patches.iter().zip((0..).step_by(stride)) {
        let pixels = &mut row[start..][..SIDE];
        for (tap, pixel) in taps(patch, dy).into_iter().zip(pixels) {
            pixel.0[lane] += tap;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Channel of a map of patches.
    fn channel(channels: usize, c: usize, tap: usize) -> usize {
        match by_block(channels) {
            true => c / LANES * LANES * LANES + tap * LANES + c % LANES,
            false => 16 * c + tap,
        }
    }

    #[test]
    fn patches_are_the_pixels_under_the_kernel_and_spread_back() {
        // Positions 0 and 2 of 7 rows, 0, 2 and 4 of 9 columns: row 6 and column 8 belong to no
        // patch.
        let patches = Patches::new(Grid::bare(2, 3), Grid::image(7, 9), 2);
        for channels in [18, 32] {
            let mut image = Map::new(channels, patches.outer());
            let number = |c: usize, y: usize, x: usize| (100 * c + 10 * y + x) as f32;
            for (c, y, x) in [(0, 2, 4), (17, 5, 7), (17, 6, 8)] {
                image.set(image.index(c, y, x), number(c, y, x));
            }
            let mut gathered = Map::new(Patches::channels(channels), patches.inner());
            patches.gather(&image, &mut gathered);
            let at = |c: usize, tap: usize, y, x| {
                gathered.get(gathered.index(channel(channels, c, tap), y, x))
            };
            assert_eq!([at(0, 8, 0, 2), at(0, 0, 1, 2), at(0, 10, 0, 1)], [24.0; 3]);
            assert_eq!(at(17, 4 * 3 + 3, 1, 2), number(17, 5, 7));
            let total: f32 = gathered.data().iter().flat_map(|l| l.0).sum();
            // Pixel (2, 4) lies in two rows and two columns of patches.
            assert_eq!(total, 4.0 * 24.0 + number(17, 5, 7));
            let mut back = Map::new(channels, patches.outer());
            patches.spread(&gathered, &vec![0.5; channels], &mut back);
            let at = |c, y, x| back.get(back.index(c, y, x));
            assert_eq!(at(0, 2, 4), 4.0 * 24.0 + 0.5);
            assert_eq!(at(17, 5, 7), number(17, 5, 7) + 0.5);
            assert_eq!([at(17, 6, 8), at(3, 6, 0)], [0.5; 2]);
            let border = back.data()[0].0;
            assert_eq!(border, [0.0; LANES]);
        }
    }

    #[test]
    fn channels_that_are_moved_together_stay_apart() {
        // Pixel (4, 6) lies in the patch at (2, 4) alone, at its tap (2, 2); (2, 2) in four, two rows and two columns away.
        let patches = Patches::new(Grid::bare(2, 3), Grid::image(7, 9), 2);
        for channels in [3, 4, 7, 24] {
            let number = |c: usize, y: usize| (100 * y + c + 1) as f32;
            let mut image = Map::new(channels, patches.outer());
            for c in 0..channels {
                image.set(image.index(c, 4, 6), number(c, 4));
                image.set(image.index(c, 2, 2), number(c, 2));
            }
            let mut gathered = Map::new(Patches::channels(channels), patches.inner());
            patches.gather(&image, &mut gathered);
            let mut back = Map::new(channels, patches.outer());
            patches.spread(&gathered, &[], &mut back);
            for c in 0..channels {
                let at = |tap, y, x| gathered.get(gathered.index(channel(channels, c, tap), y, x));
                assert_eq!(at(10, 1, 2), number(c, 4), "{c} of {channels}");
                let four = [at(10, 0, 0), at(8, 0, 1), at(2, 1, 0), at(0, 1, 1)];
                assert_eq!(four, [number(c, 2); 4], "{c} of {channels}");
                let at = |y, x| back.get(back.index(c, y, x));
                assert_eq!([at(4, 6), at(2, 2)], [number(c, 4), 4.0 * number(c, 2)]);
            }
        }
    }

    #[test]
    fn images_below_each_other_are_apart() {
        let one = Patches::new(Grid::bare(2, 3), Grid::image(7, 9), 2);
        let two = Patches::new(one.inner().times(2), one.outer().times(2), 2);
        for channels in [3, 16] {
            let mut images = [(); 2].map(|()| Map::new(channels, one.outer()));
            let mut both = Map::new(channels, two.outer());
            for (number, image) in images.iter_mut().enumerate() {
                for (c, y, x) in [(0, 0, 0), (1, 6, 8), (2, 3, 5)] {
                    let value = (1 + number + c) as f32;
                    image.set(image.index(c, y, x), value);
                    both.set(both.index(c, 7 * number + y, x), value);
                }
            }
            let mut gathered = Map::new(Patches::channels(channels), two.inner());
            two.gather(&both, &mut gathered);
            two.spread(&gathered, &[], &mut both);
            for (number, image) in images.iter_mut().enumerate() {
                let mut wanted = Map::new(Patches::channels(channels), one.inner());
                one.gather(image, &mut wanted);
                one.spread(&wanted, &[], image);
                for (c, y, x) in [(0, 0, 0), (1, 6, 8), (2, 3, 5), (0, 6, 0)] {
                    let found = both.get(both.index(c, 7 * number + y, x));
                    assert_eq!(
                        found,
                        image.get(image.index(c, y, x)),
                        "{number} {c} {y} {x}"
                    );
                }
            }
        }
    }
}
