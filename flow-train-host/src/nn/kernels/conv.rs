//! Convolution of side 1 or 3, stride 1, zero padded; with the elementwise pass that follows it.
//!
//! out[o, y, x] = bias[o] + sum over i, ky, kx of weights[o, i, ky, kx] in[i, y + ky - p, x + kx -
//! p], p = side / 2.
//!
//! A tile of pixels of one row times one or two blocks of output channels stays in registers while
//! all taps and input channels pass by: each step loads one vector of weights and broadcasts one
//! input number a pixel. Rectifying, masking and adding happen before the tile is stored; as passes
//! of their own they took a fifth of a 16-channel layer's time.

use super::dispatch::{Cpu, Driver};
use super::isa::{Isa, Kernel};
use crate::nn::{LANES, Lanes, Map};
use std::ops::Range;

/// What happens to a sum before it is stored.
pub(crate) enum Finish<'a> {
    /// out = sum.
    Store,
    /// out = max(sum, 0).
    Relu,
    /// out = out + sum.
    Add,
    /// out = sum, rectified = max(sum, 0).
    StoreAndRelu(&'a mut Map),
    /// out = out + sum, rectified = max(out, 0).
    AddAndRelu(&'a mut Map),
    /// out = sum where the activation > 0, else 0: the gradient through a relu.
    Mask(&'a Map),
    /// out = out + (sum where the activation > 0, else 0).
    AddMasked(&'a Map),
}

/// Convolves `input` directly, for any side.
pub(super) fn direct(
    cpu: Cpu,
    side: usize,
    weights: &[Lanes],
    bias: Option<&[Lanes]>,
    input: &Map,
    out: &mut Map,
    finish: Finish<'_>,
) {
    let (rows, blocks) = (0..out.grid().rows(), 0..out.blocks());
    cpu.call(Convolution {
        side,
        rows,
        blocks,
        row_weights: 0,
        weights,
        bias,
        input,
        out,
        finish,
    });
}

pub(super) struct Convolution<'a> {
    pub(super) side: usize,
    /// Rows that are computed.
    pub(super) rows: Range<usize>,
    /// Out blocks that are computed.
    pub(super) blocks: Range<usize>,
    /// Distance between the weights of neighbouring rows; 0: all rows have the same.
    pub(super) row_weights: usize,
    /// From those of the first row and block on.
    pub(super) weights: &'a [Lanes],
    /// From that of the first block on.
    pub(super) bias: Option<&'a [Lanes]>,
    pub(super) input: &'a Map,
    pub(super) out: &'a mut Map,
    pub(super) finish: Finish<'a>,
}

impl Driver for Convolution<'_> {
    fn drive<I: Isa>(mut self, isa: I) {
        let width = self.out.grid().width;
        let (rows, blocks) = (self.rows.clone(), self.blocks.clone());
        // What changes last keeps its weights in the cache: columns, and rows where they share
        // their weights.
        let strip = match self.row_weights {
            0 => rows.len(),
            _ => 1,
        };
        let mut block = blocks.start;
        while block < blocks.end {
            let pair = I::BLOCKS == 2 && block + 1 < blocks.end;
            for top in rows.clone().step_by(strip) {
                let tiles = width.div_ceil(I::PIXELS);
                let mut column = 0;
                for tile in 0..tiles {
                    // Tiles of nearly the same size: 16 pixels are 8 + 8, not 14 and a slow 2.
                    let pixels = width / tiles + usize::from(tile < width % tiles);
                    self.columns(isa, (top..top + strip, column), pixels, block, pair);
                    column += pixels;
                }
            }
            block += 1 + usize::from(pair);
        }
    }
}

macro_rules! by_pixels {
    ($pixels:expr, $call:ident, [$($n:literal)*]) => {
        match $pixels {
            $($n => $call!($n),)*
            _ => unreachable!("a tile has at most 14 pixels"),
        }
    };
}

impl Convolution<'_> {
    fn columns<I: Isa>(
        &mut self,
        isa: I,
        (rows, column): (Range<usize>, usize),
        pixels: usize,
        block: usize,
        pair: bool,
    ) {
        macro_rules! call {
            ($n:literal) => {{
                let conv = self;
                if pair {
                    isa.call(Columns::<$n, 2> {
                        conv,
                        rows,
                        column,
                        block,
                    });
                } else {
                    isa.call(Columns::<$n, 1> {
                        conv,
                        rows,
                        column,
                        block,
                    });
                }
            }};
        }
        by_pixels!(pixels, call, [1 2 3 4 5 6 7 8 9 10 11 12 13 14]);
    }
}

/// P columns of some rows, B blocks.
struct Columns<'a, 'b, const P: usize, const B: usize> {
    conv: &'a mut Convolution<'b>,
    rows: Range<usize>,
    column: usize,
    block: usize,
}

impl<const P: usize, const B: usize> Kernel for Columns<'_, '_, P, B> {
    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        // Tiles larger than the registers are never asked for; this keeps them from being compiled.
        if P > I::PIXELS || B > I::BLOCKS {
            return;
        }
        for y in self.rows.clone() {
            let sums = self.sums(isa, y);
            for b in 0..B {
                finish(isa, self.conv, self.block + b, y, self.column, &sums[b]);
            }
        }
    }
}

impl<const P: usize, const B: usize> Columns<'_, '_, P, B> {
    #[inline(always)]
    fn sums<I: Isa>(&self, isa: I, y: usize) -> [[I::Vector; P]; B] {
        let Convolution { side, input, .. } = *self.conv;
        let padding = side / 2;
        let block = self.block - self.conv.blocks.start;
        let all_weights = &self.conv.weights[(y - self.conv.rows.start) * self.conv.row_weights..];
        let mut sums = [[isa.splat(0.0); P]; B];
        if let Some(bias) = self.conv.bias {
            for b in 0..B {
                sums[b] = [isa.load(&bias[block + b]); P];
            }
        }
        let in_blocks = input.blocks();
        for i in 0..in_blocks {
            let lanes = (input.channels() - i * LANES).min(LANES);
            for ky in 0..side {
                for kx in 0..side {
                    let strip = input.tap(i, [y, ky], self.column + kx, padding);
                    let tap = ky * side + kx;
                    let mut weights = [[].as_slice(); B];
                    for b in 0..B {
                        let at = ((block + b) * in_blocks + i) * side * side + tap;
                        weights[b] = &all_weights[at * LANES..][..LANES];
                    }
                    tap_sums(isa, lanes, &strip[..P], weights, &mut sums);
                }
            }
        }
        sums
    }
}

#[inline(always)]
fn tap_sums<I: Isa, const P: usize, const B: usize>(
    isa: I,
    lanes: usize,
    strip: &[Lanes],
    weights: [&[Lanes]; B],
    sums: &mut [[I::Vector; P]; B],
) {
    let Some(strip) = strip.first_chunk::<P>() else {
        return;
    };
    let mut acc = *sums;
    for k in 0..lanes.min(LANES) {
        let mut w = [isa.splat(0.0); B];
        for b in 0..B {
            w[b] = isa.load(&weights[b][k]);
        }
        for p in 0..P {
            let x = isa.splat(strip[p].0[k]);
            for b in 0..B {
                acc[b][p] = isa.multiply_add(x, w[b], acc[b][p]);
            }
        }
    }
    *sums = acc;
}

#[inline(always)]
pub(super) fn finish<I: Isa, const P: usize>(
    isa: I,
    conv: &mut Convolution<'_>,
    block: usize,
    y: usize,
    x: usize,
    sums: &[I::Vector; P],
) {
    let at = conv.out.at(block, y, x);
    let out = &mut conv.out.data_mut()[at..][..P];
    match &mut conv.finish {
        Finish::Store => {
            for p in 0..P {
                isa.store(sums[p], &mut out[p]);
            }
        }
        Finish::Relu => {
            for p in 0..P {
                isa.store(isa.relu(sums[p]), &mut out[p]);
            }
        }
        Finish::Add => {
            for p in 0..P {
                isa.store(isa.add(isa.load(&out[p]), sums[p]), &mut out[p]);
            }
        }
        Finish::StoreAndRelu(rectified) => {
            let rectified = &mut rectified.data_mut()[at..][..P];
            for p in 0..P {
                isa.store(sums[p], &mut out[p]);
                isa.store(isa.relu(sums[p]), &mut rectified[p]);
            }
        }
        Finish::AddAndRelu(rectified) => {
            let rectified = &mut rectified.data_mut()[at..][..P];
            for p in 0..P {
                let sum = isa.add(isa.load(&out[p]), sums[p]);
                isa.store(sum, &mut out[p]);
                isa.store(isa.relu(sum), &mut rectified[p]);
            }
        }
        Finish::Mask(activation) => {
            let activation = &activation.data()[at..][..P];
            for p in 0..P {
                let kept = isa.where_positive(isa.load(&activation[p]), sums[p]);
                isa.store(kept, &mut out[p]);
            }
        }
        Finish::AddMasked(activation) => {
            let activation = &activation.data()[at..][..P];
            for p in 0..P {
                let kept = isa.where_positive(isa.load(&activation[p]), sums[p]);
                isa.store(isa.add(isa.load(&out[p]), kept), &mut out[p]);
            }
        }
    }
}
