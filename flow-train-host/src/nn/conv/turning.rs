//! Weights turned around: the gradient of a convolution's input is a convolution with these.

use super::Conv;
use crate::nn::map::blocks;
use crate::nn::{LANES, Lanes};
use rayon::prelude::*;
use std::ops::Range;

impl Conv {
    /// Turns the weights around for the input's gradient: as tasks that can be done in any order, a block of input
    /// channels each. `turned` is the room of this layer and those behind, from vector `first` on; theirs is left there.
    pub(crate) fn turning<'a>(
        &self,
        packed: &'a [Lanes],
        (first, turned): &mut (usize, &'a mut [Lanes]),
    ) -> Turning<'a> {
        let Range { start, end } = self.places.turned;
        let room = &mut std::mem::take(turned)[start - *first..];
        let (own, behind) = room.split_at_mut(end - start);
        (*first, *turned) = (end, behind);
        Turning {
            packed: &packed[self.places.weights.clone()],
            turned: own,
            blocks: [blocks(self.inputs), blocks(self.outputs)],
            taps: self.side * self.side,
        }
    }
}

/// A layer whose weights are to be turned around.
pub(crate) struct Turning<'a> {
    packed: &'a [Lanes],
    turned: &'a mut [Lanes],
    /// Of inputs and of outputs.
    blocks: [usize; 2],
    taps: usize,
}

impl Turning<'_> {
    /// turned[i block, o block, mirrored tap, o lane, i lane] = packed[o block, i block, tap, i lane, o lane].
    pub(crate) fn run(self) {
        let [inputs, outputs] = self.blocks;
        let square = self.taps * LANES;
        let column = |(i, turned): (usize, &mut [Lanes])| {
            for (o, turned) in turned.chunks_exact_mut(square).enumerate() {
                let packed = &self.packed[(o * inputs + i) * square..][..square];
                let taps = packed.chunks_exact(LANES);
                for (from, to) in taps.zip(turned.chunks_exact_mut(LANES).rev()) {
                    transpose(from, to);
                }
            }
        };
        let columns = self.turned.par_chunks_exact_mut(outputs * square);
        columns.enumerate().for_each(column);
    }
}

/// to[o].0[i] = from[i].0[o].
fn transpose(from: &[Lanes], to: &mut [Lanes]) {
    for (o, to) in to.iter_mut().enumerate() {
        for (to, from) in to.0.iter_mut().zip(from) {
            *to = from.0[o];
        }
    }
}
