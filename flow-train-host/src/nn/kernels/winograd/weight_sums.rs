//! The gradient of weights from points.
//!
//! The sums over tiles of some channels, all points, go to the weights' gradient while they are in
//! the first-level cache: 16 vectors a point are 36 KiB. As a map of all channels they were four
//! times the gradient, written and read in every call.

use super::POINTS;
use super::matrices::{Form, MAPPED, both_sides};
use super::weights::Order;
use crate::nn::kernels::dispatch::Driver;
use crate::nn::kernels::isa::{Isa, Kernel};
use crate::nn::kernels::weight_gradient::add_row;
use crate::nn::{LANES, Lanes, Map};

/// gradient += Gt [sum over tiles of points above] G.
pub(super) struct WeightSums<'a, F, const T: usize, const S: usize> {
    pub(super) _form: F,
    pub(super) order: Order,
    /// Tiles of both maps.
    pub(super) tiles: usize,
    pub(super) points: &'a Map,
    pub(super) above: &'a Map,
    pub(super) gradient: &'a mut [Lanes],
    /// [`ROOM`] vectors.
    pub(super) room: &'a mut [Lanes],
}

/// Most sums at once: all points of 16 pairs of an input channel and a block of outputs.
pub(super) const ROOM: usize = POINTS * LANES;

impl<F: Form<T, S>, const T: usize, const S: usize> Driver for WeightSums<'_, F, T, S> {
    fn drive<I: Isa>(mut self, isa: I) {
        let blocks = self.above.blocks();
        let mut out_block = 0;
        while out_block < blocks {
            let pair = I::ROWS == 16 && out_block + 1 < blocks;
            for in_block in 0..self.points.blocks() {
                let at = (out_block, in_block);
                match I::ROWS {
                    16 if pair => self.channels::<I, 8, 2>(isa, at),
                    16 => self.channels::<I, 16, 1>(isa, at),
                    4 => self.channels::<I, 4, 1>(isa, at),
                    _ => self.channels::<I, 2, 1>(isa, at),
                }
            }
            out_block += 1 + usize::from(pair);
        }
    }
}

impl<F: Form<T, S>, const T: usize, const S: usize> WeightSums<'_, F, T, S> {
    fn channels<I: Isa, const L: usize, const B: usize>(
        &mut self,
        isa: I,
        (out_block, in_block): (usize, usize),
    ) {
        let lanes = (self.points.channels() - in_block * LANES).min(LANES);
        for first_lane in (0..lanes).step_by(L) {
            isa.call(Channels::<F, T, S, L, B> {
                whole: self,
                out_block,
                in_block,
                first_lane,
            });
        }
    }
}

/// L input channels, B blocks of output channels.
struct Channels<'a, 'b, F, const T: usize, const S: usize, const L: usize, const B: usize> {
    whole: &'a mut WeightSums<'b, F, T, S>,
    out_block: usize,
    in_block: usize,
    first_lane: usize,
}

impl<F: Form<T, S>, const T: usize, const S: usize, const L: usize, const B: usize> Kernel
    for Channels<'_, '_, F, T, S, L, B>
{
    #[inline(always)]
    fn run<I: Isa>(mut self, isa: I) {
        // Tiles larger than the registers are never asked for; this keeps them from being compiled.
        if B > I::BLOCKS || L > I::ROWS {
            return;
        }
        for point in 0..POINTS {
            self.point(isa, point);
        }
        let in_blocks = self.whole.points.blocks();
        let of_block = in_blocks * T * T * LANES;
        let [first, next] = self.whole.order.taps(T * T, in_blocks, self.in_block);
        let WeightSums { gradient, room, .. } = self.whole;
        for b in 0..B {
            let of_block = &mut gradient[(self.out_block + b) * of_block..][..of_block];
            for k in 0..L {
                let mut s = [[isa.splat(0.0); MAPPED]; MAPPED];
                for (point, sums) in room.chunks_exact(L * B).take(POINTS).enumerate() {
                    s[point / MAPPED][point % MAPPED] = isa.load(&sums[b * L + k]);
                }
                let w = both_sides(isa, &F::G_TRANSPOSED, &s);
                for tap in 0..T * T {
                    let to = &mut of_block[first + tap * next + self.first_lane + k];
                    isa.store(isa.add(isa.load(to), w[tap / T][tap % T]), to);
                }
            }
        }
    }
}

impl<F, const T: usize, const S: usize, const L: usize, const B: usize>
    Channels<'_, '_, F, T, S, L, B>
{
    /// The sums over all tiles of one point.
    #[inline(always)]
    fn point<I: Isa>(&mut self, isa: I, point: usize) {
        let WeightSums {
            tiles,
            points,
            above,
            ..
        } = *self.whole;
        let mut g = [[].as_slice(); B];
        for b in 0..B {
            g[b] = &above.data()[above.at(self.out_block + b, point, 0)..][..tiles];
        }
        let x = &points.data()[points.at(self.in_block, point, 0)..][..tiles];
        let mut sums = [[[isa.splat(0.0); L]; 1]; B];
        add_row(isa, x, g, self.first_lane, &mut sums);
        let to = &mut self.whole.room[point * L * B..][..L * B];
        for b in 0..B {
            for k in 0..L {
                isa.store(sums[b][0][k], &mut to[b * L + k]);
            }
        }
    }
}
