//! Kernels of taps to points.

use super::matrices::{Form, MAPPED};
use crate::nn::kernels::isa::{Isa, Kernel};
use crate::nn::{LANES, Lanes};
use std::ops::Range;

/// Order of a layer's weights between out block and in lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// In block, tap.
    BlocksOfTaps,
    /// Tap, in block: those of a dense layer that writes patches.
    TapsOfBlocks,
}

impl Order {
    /// Place of a tap's first vector among those of an out block, and the distance of its next tap.
    #[inline(always)]
    pub(super) fn taps(self, taps: usize, in_blocks: usize, in_block: usize) -> [usize; 2] {
        match self {
            Self::BlocksOfTaps => [in_block * taps * LANES, LANES],
            Self::TapsOfBlocks => [in_block * LANES, in_blocks * LANES],
        }
    }
}

/// A layer's packed weights.
#[derive(Clone, Copy)]
pub(super) struct Packed<'a> {
    pub(super) weights: &'a [Lanes],
    pub(super) order: Order,
    pub(super) in_blocks: usize,
    /// Whether the last tap comes first.
    pub(super) mirrored: bool,
}

/// Some rows of G w Gt of every pair of channels.
pub(super) struct WeightPoints<'a, F, const T: usize, const S: usize> {
    pub(super) _form: F,
    pub(super) from: Packed<'a>,
    pub(super) rows: Range<usize>,
    /// Distance between the mapped weights of neighbouring points.
    pub(super) of_point: usize,
    pub(super) to: &'a mut [Lanes],
}

impl<F: Form<T, S>, const T: usize, const S: usize> Kernel for WeightPoints<'_, F, T, S> {
    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        let Packed {
            weights,
            order,
            in_blocks,
            mirrored,
        } = self.from;
        let of_block = in_blocks * T * T * LANES;
        for (out_block, weights) in weights.chunks_exact(of_block).enumerate() {
            for pair in 0..in_blocks * LANES {
                let [first, next] = order.taps(T * T, in_blocks, pair / LANES);
                let mut w = [[isa.splat(0.0); T]; T];
                for tap in 0..T * T {
                    let from = match mirrored {
                        true => T * T - 1 - tap,
                        false => tap,
                    };
                    w[tap / T][tap % T] = isa.load(&weights[first + from * next + pair % LANES]);
                }
                let to = &mut self.to[out_block * in_blocks * LANES + pair..];
                let mut to = to.iter_mut().step_by(self.of_point);
                for row in self.rows.clone() {
                    let points = mapped_row::<I, F, T, S>(isa, &F::G[row], &w);
                    for (point, to) in points.into_iter().zip(&mut to) {
                        isa.store(point, to);
                    }
                }
            }
        }
    }
}

/// g w Gt, with g a row of G.
#[inline(always)]
fn mapped_row<I: Isa, F: Form<T, S>, const T: usize, const S: usize>(
    isa: I,
    g: &[f32; T],
    w: &[[I::Vector; T]; T],
) -> [I::Vector; MAPPED] {
    let mut half = [isa.splat(0.0); T];
    for (w, g) in w.iter().zip(g) {
        for (half, w) in half.iter_mut().zip(w) {
            *half = isa.multiply_add(isa.splat(*g), *w, *half);
        }
    }
    let mut out = [isa.splat(0.0); MAPPED];
    for m in 0..MAPPED {
        for n in 0..T {
            if F::G[m][n] != 0.0 {
                out[m] = isa.multiply_add(isa.splat(F::G[m][n]), half[n], out[m]);
            }
        }
    }
    out
}
