//! Backward weights, transposed and mirrored: the gradient of a convolution's input is a
//! convolution with these.

use super::Conv;
use crate::nn::map::blocks;
use crate::nn::{LANES, Lanes, Weights};
use rayon::prelude::*;
use std::ops::Range;

impl Conv {
    /// The task of writing the weights that the input's gradient is computed with. `backward` holds
    /// those of this layer and of the ones behind it, from vector `first` on; theirs are left
    /// there.
    pub(crate) fn backward_weights<'a>(
        &self,
        blocked: &'a [Lanes],
        (first, backward): &mut (usize, &'a mut [Lanes]),
    ) -> BackwardWeights<'a> {
        let Range { start, end } = self.places.backward;
        let room = &mut std::mem::take(backward)[start - *first..];
        let (own, behind) = room.split_at_mut(end - start);
        (*first, *backward) = (end, behind);
        BackwardWeights {
            blocked: &blocked[self.places.weights.clone()],
            backward: own,
            blocks: [blocks(self.inputs), blocks(self.outputs)],
            taps: self.side * self.side,
        }
    }
}

/// A layer whose backward weights are to be written.
pub(crate) struct BackwardWeights<'a> {
    blocked: &'a [Lanes],
    backward: &'a mut [Lanes],
    /// Of inputs and of outputs.
    blocks: [usize; 2],
    taps: usize,
}

impl BackwardWeights<'_> {
    /// Writes all layers' backward weights anew, on the cores of the pool that this is called in; `layers` are in the order
    /// of their places.
    pub(crate) fn update<'c>(layers: impl Iterator<Item = &'c Conv>, weights: &mut Weights) {
        let mut rest = (0, weights.backward.as_mut_slice());
        let blocked = &weights.numbers.blocked;
        let layers = layers.map(|layer| layer.backward_weights(blocked, &mut rest));
        let layers: Vec<_> = layers.collect();
        layers.into_par_iter().for_each(BackwardWeights::run);
    }

    /// backward[i block, o block, mirrored tap, o lane, i lane] = blocked[o block, i block, tap, i
    /// lane, o lane].
    pub(crate) fn run(self) {
        let [inputs, outputs] = self.blocks;
        let square = self.taps * LANES;
        let column = |(i, backward): (usize, &mut [Lanes])| {
            for (o, backward) in backward.chunks_exact_mut(square).enumerate() {
                let blocked = &self.blocked[(o * inputs + i) * square..][..square];
                let taps = blocked.chunks_exact(LANES);
                for (from, to) in taps.zip(backward.chunks_exact_mut(LANES).rev()) {
                    transpose(from, to);
                }
            }
        };
        let columns = self.backward.par_chunks_exact_mut(outputs * square);
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
