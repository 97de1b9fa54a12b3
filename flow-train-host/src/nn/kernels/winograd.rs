//! Convolutions of side 3 with a quarter of the multiplications: Winograd's F(4x4, 3x3).
//!
//! Tiles of 6 x 6 input pixels and kernels of 3 x 3 taps become 36 numbers each; their products, summed over channels,
//! become 4 x 4 output pixels (Lavin and Gray, 2015, with the points 0, 1, -1, 2, -2):
//!
//! out = At [(G w Gt) * (Bt d B)] A; transposed, dw = Gt [sum over tiles of (Bt d B) * (A dout At)] G.
//!
//! A map of such numbers has 36 rows, one a point, and a column a tile: the sums over channels are a convolution of
//! side 1 with other weights for every row, which the direct kernels compute. Weights are mapped anew in every call, a
//! tenth of its time; kept mapped from step to step they would take four times the memory of all weights.

use super::conv::{Convolution, Finish, finish};
use super::dispatch::Cpu;
use super::isa::{Isa, Kernel};
use super::weight_gradient::{WeightGradient, add_bias_gradient};
use crate::nn::{Grid, LANES, Lanes, Map, Scratch};
use std::cell::RefCell;

/// Numbers of a mapped tile or kernel.
const POINTS: usize = 36;
/// Output pixels of a tile's side.
const SIDE: usize = 4;
/// Taps of a kernel.
const TAPS: usize = 9;

const B: [[f32; 6]; 6] = [
    [4.0, 0.0, -5.0, 0.0, 1.0, 0.0],
    [0.0, -4.0, -4.0, 1.0, 1.0, 0.0],
    [0.0, 4.0, -4.0, -1.0, 1.0, 0.0],
    [0.0, -2.0, -1.0, 2.0, 1.0, 0.0],
    [0.0, 2.0, -1.0, -2.0, 1.0, 0.0],
    [0.0, 4.0, 0.0, -5.0, 0.0, 1.0],
];
const G: [[f32; 3]; 6] = [
    [1.0 / 4.0, 0.0, 0.0],
    [-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
    [-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
    [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
    [1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
    [0.0, 0.0, 1.0],
];
const A: [[f32; 6]; 4] = [
    [1.0, 1.0, 1.0, 1.0, 1.0, 0.0],
    [0.0, 1.0, -1.0, 2.0, -2.0, 0.0],
    [0.0, 1.0, 1.0, 4.0, 4.0, 0.0],
    [0.0, 1.0, -1.0, 8.0, -8.0, 1.0],
];
const A_TRANSPOSED: [[f32; 4]; 6] = transposed(A);
const G_TRANSPOSED: [[f32; 6]; 3] = transposed(G);

const fn transposed<const R: usize, const C: usize>(m: [[f32; C]; R]) -> [[f32; R]; C] {
    let mut out = [[0.0; R]; C];
    let mut at = 0;
    while at < R * C {
        out[at % C][at / C] = m[at / C][at % C];
        at += 1;
    }
    out
}

/// M x Mt. The compiler unrolls the loops and drops the zeros.
#[inline(always)]
fn both_sides<I: Isa, const N: usize, const M: usize>(
    isa: I,
    matrix: &[[f32; N]; M],
    x: &[[I::Vector; N]; N],
) -> [[I::Vector; M]; M] {
    let zero = isa.splat(0.0);
    let mut half = [[zero; N]; M];
    for j in 0..N {
        for m in 0..M {
            for n in 0..N {
                if matrix[m][n] != 0.0 {
                    half[m][j] = isa.multiply_add(isa.splat(matrix[m][n]), x[n][j], half[m][j]);
                }
            }
        }
    }
    let mut out = [[zero; M]; M];
    for i in 0..M {
        for m in 0..M {
            for n in 0..N {
                if matrix[m][n] != 0.0 {
                    out[i][m] = isa.multiply_add(isa.splat(matrix[m][n]), half[i][n], out[i][m]);
                }
            }
        }
    }
    out
}

/// The tiles of an image.
#[derive(Clone, Copy)]
struct Tiles {
    grid: Grid,
}

impl Tiles {
    fn columns(self) -> usize {
        self.grid.width.div_ceil(SIDE)
    }

    fn count(self) -> usize {
        self.grid.height.div_ceil(SIDE) * self.columns()
    }

    /// Row and column of a tile's first output pixel.
    fn origin(self, tile: usize) -> (usize, usize) {
        (tile / self.columns() * SIDE, tile % self.columns() * SIDE)
    }

    /// The pixels of a map of points.
    fn points(self) -> Grid {
        Grid::bare(POINTS, self.count())
    }
}

thread_local! {
    /// Maps of points: a thread computes one convolution after another.
    static ROOM: RefCell<Scratch> = RefCell::default();
}

/// A map of mapped weights: a block a point, in each out block, in block, in lane.
fn mapped_weights(room: &mut Scratch, out_blocks: usize, in_blocks: usize) -> Map {
    let vectors = Grid::vectors(out_blocks * in_blocks * LANES);
    room.lend(POINTS * LANES, vectors)
}

/// Least tiles, those of 21 x 21 pixels: with fewer, mapping the weights anew eats the gain (16 tiles of 200 channels
/// took 1.4 times the direct time, 49 tiles of 64 channels 0.6 times).
const LEAST_TILES: usize = 36;
/// Least channels on both sides: with fewer there is more to map than to multiply.
const LEAST_CHANNELS: usize = 32;

/// Whether it is worth while.
pub(super) fn pays(input: &Map, out: &Map) -> bool {
    let grid = out.grid();
    let count = Tiles { grid }.count();
    let (pixels, covered) = (grid.height * grid.width, count * SIDE * SIDE);
    let channels = input.channels().min(out.channels());
    let large = count >= LEAST_TILES && channels >= LEAST_CHANNELS;
    grid.border == 1 && large && 2 * covered <= 3 * pixels
}

/// [`convolve`](super::convolve()) of side 3.
pub(super) fn convolve(
    cpu: Cpu,
    weights: &[Lanes],
    bias: Option<&[Lanes]>,
    input: &Map,
    out: &mut Map,
    finish: Finish<'_>,
) {
    let tiles = Tiles { grid: out.grid() };
    ROOM.with_borrow_mut(|room| {
        let mut points = room.lend(input.channels(), tiles.points());
        let mut sums = room.lend(out.channels(), tiles.points());
        let mut mapped = mapped_weights(room, out.blocks(), input.blocks());
        let to = &mut points;
        cpu.run(InputPoints {
            tiles,
            from: input,
            to,
        });
        let to = mapped.data_mut();
        cpu.run(WeightPoints { from: weights, to });
        cpu.call(Convolution {
            side: 1,
            row_weights: mapped.data().len() / POINTS,
            weights: mapped.data(),
            bias: None,
            input: &points,
            out: &mut sums,
            finish: Finish::Store,
        });
        let conv = Convolution {
            side: 3,
            row_weights: 0,
            weights,
            bias,
            input,
            out,
            finish,
        };
        cpu.run(Outputs {
            tiles,
            sums: &sums,
            conv,
        });
        for map in [points, sums, mapped] {
            room.give_back(map);
        }
    });
}

/// [`add_weight_gradient`](super::add_weight_gradient()) of side 3.
pub(super) fn add_weight_gradient(
    cpu: Cpu,
    input: &Map,
    out_gradient: &Map,
    gradient: &mut [Lanes],
    bias: &mut [Lanes],
) {
    let grid = out_gradient.grid();
    let tiles = Tiles { grid };
    ROOM.with_borrow_mut(|room| {
        let mut points = room.lend(input.channels(), tiles.points());
        let mut above = room.lend(out_gradient.channels(), tiles.points());
        let mut sums = mapped_weights(room, out_gradient.blocks(), input.blocks());
        sums.clear();
        let to = &mut points;
        cpu.run(InputPoints {
            tiles,
            from: input,
            to,
        });
        let (from, to) = (out_gradient, &mut above);
        cpu.run(GradientPoints { tiles, from, to });
        cpu.call(WeightGradient {
            side: 1,
            row_weights: sums.data().len() / POINTS,
            input: &points,
            out_gradient: &above,
            gradient: sums.data_mut(),
        });
        let from = sums.data();
        cpu.run(WeightSums { from, to: gradient });
        add_bias_gradient(cpu, out_gradient, bias);
        for map in [points, above, sums] {
            room.give_back(map);
        }
    });
}

/// Where a point of a tile lies.
fn store<I: Isa, const N: usize>(
    isa: I,
    values: &[[I::Vector; N]; N],
    to: &mut [Lanes],
    [first, step]: [usize; 2],
) {
    for (point, value) in values.as_flattened().iter().enumerate() {
        isa.store(*value, &mut to[first + point * step]);
    }
}

/// Bt d B of every tile.
struct InputPoints<'a> {
    tiles: Tiles,
    from: &'a Map,
    to: &'a mut Map,
}

impl Kernel for InputPoints<'_> {
    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        let Grid { height, width, .. } = self.tiles.grid;
        for block in 0..self.from.blocks() {
            for tile in 0..self.tiles.count() {
                let (y, x) = self.tiles.origin(tile);
                let mut d = [[isa.splat(0.0); 6]; 6];
                // Beyond the border of zeros there is nothing to read, and nothing but zeros.
                let columns = (width + 2 - x).min(6);
                for (dy, d) in d.iter_mut().enumerate().take(height + 2 - y) {
                    let row = &self.from.tap(block, y + dy, x, 1)[..columns];
                    for (d, pixel) in d.iter_mut().zip(row) {
                        *d = isa.load(pixel);
                    }
                }
                let place = [self.to.at(block, 0, tile), self.tiles.count()];
                store(isa, &both_sides(isa, &B, &d), self.to.data_mut(), place);
            }
        }
    }
}

/// A dout At of every tile.
struct GradientPoints<'a> {
    tiles: Tiles,
    from: &'a Map,
    to: &'a mut Map,
}

impl Kernel for GradientPoints<'_> {
    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        let Grid { height, width, .. } = self.tiles.grid;
        for block in 0..self.from.blocks() {
            for tile in 0..self.tiles.count() {
                let (y, x) = self.tiles.origin(tile);
                let mut d = [[isa.splat(0.0); SIDE]; SIDE];
                for (dy, d) in d.iter_mut().enumerate().take(height - y) {
                    let row = &self.from.data()[self.from.at(block, y + dy, x)..];
                    for (d, pixel) in d.iter_mut().zip(&row[..(width - x).min(SIDE)]) {
                        *d = isa.load(pixel);
                    }
                }
                let place = [self.to.at(block, 0, tile), self.tiles.count()];
                let points = both_sides(isa, &A_TRANSPOSED, &d);
                store(isa, &points, self.to.data_mut(), place);
            }
        }
    }
}

/// G w Gt of every pair of channels.
struct WeightPoints<'a> {
    from: &'a [Lanes],
    to: &'a mut [Lanes],
}

impl Kernel for WeightPoints<'_> {
    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        let step = self.to.len() / POINTS;
        for pair in 0..step {
            let (block, lane) = (pair / LANES, pair % LANES);
            let from = &self.from[block * TAPS * LANES..][..TAPS * LANES];
            let mut w = [[isa.splat(0.0); 3]; 3];
            for tap in 0..TAPS {
                w[tap / 3][tap % 3] = isa.load(&from[tap * LANES + lane]);
            }
            store(isa, &both_sides(isa, &G, &w), self.to, [pair, step]);
        }
    }
}

/// Adds Gt s G of every pair of channels.
struct WeightSums<'a> {
    from: &'a [Lanes],
    to: &'a mut [Lanes],
}

impl Kernel for WeightSums<'_> {
    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        let step = self.from.len() / POINTS;
        for pair in 0..step {
            let (block, lane) = (pair / LANES, pair % LANES);
            let mut s = [[isa.splat(0.0); 6]; 6];
            for point in 0..POINTS {
                s[point / 6][point % 6] = isa.load(&self.from[pair + point * step]);
            }
            let w = both_sides(isa, &G_TRANSPOSED, &s);
            let to = &mut self.to[block * TAPS * LANES..][..TAPS * LANES];
            for tap in 0..TAPS {
                let to = &mut to[tap * LANES + lane];
                isa.store(isa.add(isa.load(to), w[tap / 3][tap % 3]), to);
            }
        }
    }
}

/// At s A of every tile, bias added, finished.
struct Outputs<'a, 'b> {
    tiles: Tiles,
    sums: &'a Map,
    conv: Convolution<'b>,
}

impl Kernel for Outputs<'_, '_> {
    #[inline(always)]
    fn run<I: Isa>(mut self, isa: I) {
        let Grid { height, width, .. } = self.tiles.grid;
        for block in 0..self.sums.blocks() {
            let bias = match self.conv.bias {
                Some(bias) => isa.load(&bias[block]),
                None => isa.splat(0.0),
            };
            for tile in 0..self.tiles.count() {
                let (y, x) = self.tiles.origin(tile);
                let from = &self.sums.data()[self.sums.at(block, 0, tile)..];
                let mut s = [[isa.splat(0.0); 6]; 6];
                for point in 0..POINTS {
                    s[point / 6][point % 6] = isa.load(&from[point * self.tiles.count()]);
                }
                let out = both_sides(isa, &A, &s);
                for (dy, out) in out.iter().enumerate().take(height - y) {
                    let row = out.map(|sum| isa.add(sum, bias));
                    let columns = (width - x).min(SIDE);
                    finish_row(isa, &mut self.conv, [block, y + dy, x, columns], &row);
                }
            }
        }
    }
}

#[inline(always)]
fn finish_row<I: Isa>(
    isa: I,
    conv: &mut Convolution<'_>,
    [block, y, x, columns]: [usize; 4],
    row: &[I::Vector; SIDE],
) {
    match (columns, row) {
        (SIDE, row) => finish(isa, conv, block, y, x, row),
        (3, &[a, b, c, _]) => finish(isa, conv, block, y, x, &[a, b, c]),
        (2, &[a, b, ..]) => finish(isa, conv, block, y, x, &[a, b]),
        (_, &[a, ..]) => finish(isa, conv, block, y, x, &[a]),
    }
}
