//! Kernels of 3 x 3 taps to points and back.

use super::matrices::{G, G_TRANSPOSED, MAPPED, TAPS, both_sides};
use super::{POINTS, store};
use crate::nn::kernels::isa::{Isa, Kernel};
use crate::nn::{LANES, Lanes};

/// Taps of a kernel.
const ALL_TAPS: usize = TAPS * TAPS;

/// G w Gt of every pair of channels.
pub(super) struct WeightPoints<'a> {
    pub(super) from: &'a [Lanes],
    pub(super) to: &'a mut [Lanes],
}

impl Kernel for WeightPoints<'_> {
    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        let step = self.to.len() / POINTS;
        for pair in 0..self.from.len() / ALL_TAPS {
            let (block, lane) = (pair / LANES, pair % LANES);
            let from = &self.from[block * ALL_TAPS * LANES..][..ALL_TAPS * LANES];
            let mut w = [[isa.splat(0.0); TAPS]; TAPS];
            for tap in 0..ALL_TAPS {
                w[tap / TAPS][tap % TAPS] = isa.load(&from[tap * LANES + lane]);
            }
            store(isa, &both_sides(isa, &G, &w), self.to, [pair, pair + step]);
        }
    }
}

/// Adds Gt s G of every pair of channels.
pub(super) struct WeightSums<'a> {
    pub(super) from: &'a [Lanes],
    pub(super) to: &'a mut [Lanes],
}

impl Kernel for WeightSums<'_> {
    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        let step = self.from.len() / POINTS;
        for pair in 0..self.to.len() / ALL_TAPS {
            let (block, lane) = (pair / LANES, pair % LANES);
            let mut s = [[isa.splat(0.0); MAPPED]; MAPPED];
            for point in 0..POINTS {
                s[point / MAPPED][point % MAPPED] = isa.load(&self.from[pair + point * step]);
            }
            let w = both_sides(isa, &G_TRANSPOSED, &s);
            let to = &mut self.to[block * ALL_TAPS * LANES..][..ALL_TAPS * LANES];
            for tap in 0..ALL_TAPS {
                let to = &mut to[tap * LANES + lane];
                isa.store(isa.add(isa.load(to), w[tap / TAPS][tap % TAPS]), to);
            }
        }
    }
}
