//! Kernels of 3 x 3 taps to points.

use super::matrices::{G, MAPPED, TAPS};
use crate::nn::kernels::isa::{Isa, Kernel};
use crate::nn::{LANES, Lanes};
use std::ops::Range;

/// Taps of a kernel.
pub(super) const ALL_TAPS: usize = TAPS * TAPS;

/// Some rows of G w Gt of every pair of channels.
pub(super) struct WeightPoints<'a> {
    pub(super) from: &'a [Lanes],
    pub(super) rows: Range<usize>,
    /// Distance between the mapped weights of neighbouring points.
    pub(super) of_point: usize,
    pub(super) to: &'a mut [Lanes],
}

impl Kernel for WeightPoints<'_> {
    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        for pair in 0..self.from.len() / ALL_TAPS {
            let (block, lane) = (pair / LANES, pair % LANES);
            let from = &self.from[block * ALL_TAPS * LANES..][..ALL_TAPS * LANES];
            let mut w = [[isa.splat(0.0); TAPS]; TAPS];
            for tap in 0..ALL_TAPS {
                w[tap / TAPS][tap % TAPS] = isa.load(&from[tap * LANES + lane]);
            }
            let mut to = self.to[pair..].iter_mut().step_by(self.of_point);
            for row in self.rows.clone() {
                for (point, to) in mapped_row(isa, &G[row], &w).into_iter().zip(&mut to) {
                    isa.store(point, to);
                }
            }
        }
    }
}

/// g w Gt, with g a row of G.
#[inline(always)]
fn mapped_row<I: Isa>(
    isa: I,
    g: &[f32; TAPS],
    w: &[[I::Vector; TAPS]; TAPS],
) -> [I::Vector; MAPPED] {
    let mut half = [isa.splat(0.0); TAPS];
    for (w, g) in w.iter().zip(g) {
        for (half, w) in half.iter_mut().zip(w) {
            *half = isa.multiply_add(isa.splat(*g), *w, *half);
        }
    }
    let mut out = [isa.splat(0.0); MAPPED];
    for m in 0..MAPPED {
        for n in 0..TAPS {
            if G[m][n] != 0.0 {
                out[m] = isa.multiply_add(isa.splat(G[m][n]), half[n], out[m]);
            }
        }
    }
    out
}
