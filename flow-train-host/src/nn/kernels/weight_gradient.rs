//! The gradient of a convolution's weights and bias.
//!
//! gradient[o, i, ky, kx] += sum over y, x of in[i, y + ky - p, x + kx - p] g[o, y, x];
//! gradient_bias[o] += sum over y, x of g[o, y, x].
//!
//! A tile of up to 8 input channels times two blocks of output channels, or 16 times one, stays in
//! registers while the pixels pass by: each pixel loads one vector of g a block and broadcasts one
//! input number a channel. Few input channels would leave most registers idle and wait for the
//! multiply-add's latency, so then the taps of a row share the tile.

use super::dispatch::{Cpu, Driver};
use super::isa::{Isa, Kernel};
use crate::nn::{LANES, Lanes, Map};
use std::ops::Range;

/// Pixels of a strip of rows: enough to hide loading and storing the tile, few enough for the
/// first-level cache.
const STRIP_PIXELS: usize = 128;

/// Adds the gradient of the weights directly, for any side.
pub(super) fn direct(
    cpu: Cpu,
    side: usize,
    input: &Map,
    grad_output: &Map,
    gradient: &mut [Lanes],
) {
    cpu.call(WeightGradient {
        side,
        input,
        grad_output,
        gradient,
    });
}

struct WeightGradient<'a> {
    side: usize,
    input: &'a Map,
    grad_output: &'a Map,
    gradient: &'a mut [Lanes],
}

impl Driver for WeightGradient<'_> {
    fn drive<I: Isa>(mut self, isa: I) {
        let (side, blocks) = (self.side, self.grad_output.blocks());
        let mut out_block = 0;
        while out_block < blocks {
            let pair = I::ROWS == 16 && out_block + 1 < blocks;
            for in_block in 0..self.input.blocks() {
                let lanes = (self.input.channels() - in_block * LANES).min(LANES);
                let at = (out_block, in_block);
                match (I::ROWS, lanes, side) {
                    (16, 1..=2, 3) if pair => self.tiles::<I, 2, 3, 2>(isa, at, lanes),
                    (16, 3..=4, 3) if pair => self.tiles::<I, 4, 3, 2>(isa, at, lanes),
                    (16, 1..=4, _) if pair => self.tiles::<I, 4, 1, 2>(isa, at, lanes),
                    (16, ..) if pair => self.tiles::<I, 8, 1, 2>(isa, at, lanes),
                    (16, 1..=2, 3) => self.tiles::<I, 2, 3, 1>(isa, at, lanes),
                    (16, 3..=4, 3) => self.tiles::<I, 4, 3, 1>(isa, at, lanes),
                    (16, 1..=4, _) => self.tiles::<I, 4, 1, 1>(isa, at, lanes),
                    (16, 5..=8, _) => self.tiles::<I, 8, 1, 1>(isa, at, lanes),
                    (16, ..) => self.tiles::<I, 16, 1, 1>(isa, at, lanes),
                    (4, ..) => self.tiles::<I, 4, 1, 1>(isa, at, lanes),
                    _ => self.tiles::<I, 2, 1, 1>(isa, at, lanes),
                }
            }
            out_block += 1 + usize::from(pair);
        }
    }
}

impl WeightGradient<'_> {
    fn tiles<I: Isa, const L: usize, const T: usize, const B: usize>(
        &mut self,
        isa: I,
        (out_block, in_block): (usize, usize),
        lanes: usize,
    ) {
        for first_lane in (0..lanes).step_by(L) {
            isa.call(Tile::<L, T, B> {
                whole: self,
                out_block,
                in_block,
                first_lane,
            });
        }
    }
}

/// L input channels, T neighbouring taps, B blocks of output channels at once, for all taps.
struct Tile<'a, 'b, const L: usize, const T: usize, const B: usize> {
    whole: &'a mut WeightGradient<'b>,
    out_block: usize,
    in_block: usize,
    first_lane: usize,
}

impl<const L: usize, const T: usize, const B: usize> Kernel for Tile<'_, '_, L, T, B> {
    #[inline(always)]
    fn run<I: Isa>(mut self, isa: I) {
        // Tiles larger than the registers are never asked for; this keeps them from being compiled.
        if B > I::BLOCKS {
            return;
        }
        let grid = self.whole.grad_output.grid();
        let side = self.whole.side;
        let rows = STRIP_PIXELS.div_ceil(grid.width);
        for top in (0..grid.rows()).step_by(rows) {
            let bottom = (top + rows).min(grid.rows());
            for ky in 0..side {
                for kx in (0..side).step_by(T) {
                    self.strip(isa, top..bottom, ky, kx);
                }
            }
        }
    }
}

impl<const L: usize, const T: usize, const B: usize> Tile<'_, '_, L, T, B> {
    /// Place in the gradient of the first lane of a tap.
    #[inline(always)]
    fn place(&self, b: usize, tap: usize) -> usize {
        let taps = self.whole.side * self.whole.side;
        let block = (self.out_block + b) * self.whole.input.blocks() + self.in_block;
        (block * taps + tap) * LANES + self.first_lane
    }

    /// One pass over some rows, the tile in registers.
    #[inline(always)]
    fn strip<I: Isa>(&mut self, isa: I, rows: Range<usize>, ky: usize, kx: usize) {
        let WeightGradient {
            side,
            input,
            grad_output,
            ..
        } = *self.whole;
        let width = grad_output.grid().width;
        let mut acc = [[[isa.splat(0.0); L]; T]; B];
        for b in 0..B {
            for t in 0..T {
                let at = self.place(b, ky * side + kx + t);
                let from = &self.whole.gradient[at..][..L];
                for k in 0..L {
                    acc[b][t][k] = isa.load(&from[k]);
                }
            }
        }
        for y in rows {
            let mut g = [[].as_slice(); B];
            for b in 0..B {
                let at = grad_output.at(self.out_block + b, y, 0);
                g[b] = &grad_output.data()[at..][..width];
            }
            let x = &input.tap(self.in_block, [y, ky], kx, side / 2)[..width + T - 1];
            add_row(isa, x, g, self.first_lane, &mut acc);
        }
        for b in 0..B {
            for t in 0..T {
                let at = self.place(b, ky * side + kx + t);
                let to = &mut self.whole.gradient[at..][..L];
                for k in 0..L {
                    isa.store(acc[b][t][k], &mut to[k]);
                }
            }
        }
    }
}

/// Adds the products of a row's pixels: of some channels of the input from a lane on, under T taps,
/// with the gradients g of B blocks of outputs.
#[inline(always)]
pub(super) fn add_row<I: Isa, const L: usize, const T: usize, const B: usize>(
    isa: I,
    input: &[Lanes],
    g: [&[Lanes]; B],
    first_lane: usize,
    sums: &mut [[[I::Vector; L]; T]; B],
) {
    for column in 0..g[0].len() {
        let mut above = [isa.splat(0.0); B];
        for b in 0..B {
            above[b] = isa.load(&g[b][column]);
        }
        for t in 0..T {
            let x = &input[column + t].0[first_lane..][..L];
            for k in 0..L {
                let x = isa.splat(x[k]);
                for b in 0..B {
                    sums[b][t][k] = isa.multiply_add(x, above[b], sums[b][t][k]);
                }
            }
        }
    }
}

/// Adds the gradient of the bias alone.
pub(super) fn add_bias_gradient(cpu: Cpu, grad_output: &Map, bias: &mut [Lanes]) {
    cpu.run(BiasGradient { grad_output, bias });
}

struct BiasGradient<'a> {
    grad_output: &'a Map,
    bias: &'a mut [Lanes],
}

impl Kernel for BiasGradient<'_> {
    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        let grid = self.grad_output.grid();
        for (block, bias) in self.bias.iter_mut().enumerate() {
            let mut sum = isa.load(bias);
            for y in 0..grid.rows() {
                let at = self.grad_output.at(block, y, 0);
                for g in &self.grad_output.data()[at..][..grid.width] {
                    sum = isa.add(sum, isa.load(g));
                }
            }
            isa.store(sum, bias);
        }
    }
}
