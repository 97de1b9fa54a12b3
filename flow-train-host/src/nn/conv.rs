//! A convolution (side 1 or 3) or dense layer with its places among the parameters.
//!
//! Convolutions of side 4, transposed ones and dense layers over images are dense layers too, over
//! patches or whole maps that their conditioner lays out (see `patches`): one pair of kernels
//! serves them all.

mod backward;
mod passes;
mod side_4;
#[cfg(test)]
mod tests;

use super::map::blocks;
use super::parameters::LayerPlaces;
use super::patches;
use super::{LANES, Lanes, Numbers, Registry, Weights};
pub(crate) use backward::BackwardWeights;
use std::ops::Range;

/// out = weights * input + bias. Weights in the model: out x in x side x side, or out x in for
/// dense layers, or in x out for transposed ones.
#[derive(Clone, Debug)]
pub(crate) struct Conv {
    inputs: usize,
    outputs: usize,
    side: usize,
    order: Order,
    /// Whether the longer axis, of patches, goes block by block (see
    /// [`Patches`](super::patches::Patches)).
    by_block: bool,
    /// Places in the flat vector.
    weights: Range<usize>,
    bias: Range<usize>,
    /// Place among the unblocked numbers of a bias that several outputs share.
    shared_bias: Option<Range<usize>>,
    places: LayerPlaces,
}

/// Which axis of the weights comes first in the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    OutputFirst,
    InputFirst,
}

impl Conv {
    /// A convolution named `name` in the model.
    pub(crate) fn new(
        registry: &mut Registry,
        name: &str,
        inputs: usize,
        outputs: usize,
        side: usize,
    ) -> Self {
        let shape = [outputs, inputs, side, side];
        let sizes = [inputs, outputs, side];
        Self::place(
            registry,
            name,
            (&shape, &[outputs]),
            sizes,
            Order::OutputFirst,
        )
    }

    /// A dense layer named `name` in the model: a convolution of side 1 over vectors.
    pub(crate) fn dense(
        registry: &mut Registry,
        name: &str,
        inputs: usize,
        outputs: usize,
    ) -> Self {
        Self::flattened(registry, name, &[outputs, inputs])
    }

    /// A dense layer whose weights are out x all other axes in the model.
    pub(crate) fn flattened(registry: &mut Registry, name: &str, shape: &[usize]) -> Self {
        let (outputs, inputs) = (shape[0], shape[1..].iter().product());
        let (bias, sizes) = ([outputs], [inputs, outputs, 1]);
        Self::place(registry, name, (shape, &bias), sizes, Order::OutputFirst)
    }

    /// A dense layer whose weights are in x all other axes in the model.
    ///
    /// If the bias has fewer numbers than there are outputs, neighbouring outputs share one, and it
    /// is left to the caller to add it and to collect its gradient
    /// ([`add_bias_gradient`](Self::add_bias_gradient)).
    pub(crate) fn transposed(
        registry: &mut Registry,
        name: &str,
        shape: &[usize],
        bias: &[usize],
    ) -> Self {
        let sizes = [shape[0], shape[1..].iter().product(), 1];
        Self::place(registry, name, (shape, bias), sizes, Order::InputFirst)
    }

    fn place(
        registry: &mut Registry,
        name: &str,
        (weights, bias): (&[usize], &[usize]),
        [inputs, outputs, side]: [usize; 3],
        order: Order,
    ) -> Self {
        let vectors =
            |outer: usize, inner: usize| blocks(outer) * blocks(inner) * side * side * LANES;
        let count = bias.iter().product::<usize>();
        let bias_name = format!("{name}.bias");
        let weights = registry.flat(format!("{name}.weights"), weights);
        let shared_bias = (count < outputs).then(|| registry.unblocked(bias_name.clone(), bias));
        let own_bias = match shared_bias {
            Some(_) => 0,
            None => blocks(outputs),
        };
        Self {
            inputs,
            outputs,
            side,
            order,
            by_block: false,
            bias: match shared_bias {
                Some(_) => weights.end..weights.end + count,
                None => registry.flat(bias_name, bias),
            },
            weights,
            shared_bias,
            places: registry.layer([vectors(outputs, inputs), own_bias, vectors(inputs, outputs)]),
        }
    }

    /// Place among the weights of the first tap from input `i` to output `o`.
    fn at(&self, o: usize, i: usize) -> usize {
        let pair = match self.order {
            Order::OutputFirst => o * self.inputs + self.of_patch(i),
            Order::InputFirst => i * self.outputs + self.of_patch(o),
        };
        pair * self.side * self.side
    }

    /// Place on the model's axis of patches: channel by channel, each with its 16 taps.
    fn of_patch(&self, index: usize) -> usize {
        let (block, tap, lane) = (index / (16 * LANES), index / LANES % 16, index % LANES);
        match self.by_block {
            true => (block * LANES + lane) * 16 + tap,
            false => index,
        }
    }

    /// This layer over patches of this many channels.
    pub(crate) fn over_patches(self, channels: usize) -> Self {
        Self {
            by_block: patches::by_block(channels),
            ..self
        }
    }

    /// Number of outputs of one pixel.
    pub(crate) fn outputs(&self) -> usize {
        self.outputs
    }

    /// Number of inputs that reach one output.
    pub(crate) fn fan_in(&self) -> usize {
        self.inputs * self.side * self.side
    }

    /// Number of weights.
    pub(crate) fn weights(&self) -> usize {
        self.weights.len()
    }

    /// Number of biases.
    pub(crate) fn biases(&self) -> usize {
        self.bias.len()
    }

    /// Place of the weights alone among the blocked numbers.
    pub(crate) fn blocked_weights(&self) -> Range<usize> {
        self.places.weights.clone()
    }

    /// The bias that several outputs share; empty if every output has its own.
    pub(crate) fn shared_bias_of<'a>(&self, weights: &'a Weights) -> &'a [f32] {
        let range = self.shared_bias.clone().unwrap_or_default();
        &weights.numbers.unblocked[range]
    }

    /// Replaces every output by (output - mean) factor, given the present bias is zero; one mean
    /// and factor a bias.
    pub(crate) fn normalize_outputs(&self, values: &mut [f32], mean: &[f32], factor: &[f32]) {
        let (taps, share) = (self.side * self.side, self.outputs / self.bias.len());
        let channel = |o: usize| match self.order {
            Order::OutputFirst => o / share,
            Order::InputFirst => self.of_patch(o) / share,
        };
        let (weights, bias) = values.split_at_mut(self.weights.len());
        for o in 0..self.outputs {
            for i in 0..self.inputs {
                let weights = &mut weights[self.at(o, i)..][..taps];
                weights.iter_mut().for_each(|w| *w *= factor[channel(o)]);
            }
        }
        for (b, (mean, factor)) in bias.iter_mut().zip(mean.iter().zip(factor)) {
            *b = -mean * factor;
        }
    }

    /// The layer's part of a flat vector, weights and then bias: what [`set`](Self::set) takes.
    pub(crate) fn part<'a>(&self, flat: &'a [f32]) -> &'a [f32] {
        &flat[self.weights.start..self.bias.end]
    }

    /// The layer's part of a flat vector, to be written to.
    pub(crate) fn part_mut<'a>(&self, flat: &'a mut [f32]) -> &'a mut [f32] {
        &mut flat[self.weights.start..self.bias.end]
    }

    /// Copies weights and bias, laid out as in the model, to where they lie while training.
    pub(crate) fn set(&self, values: &[f32], numbers: &mut Numbers) {
        let taps = self.side * self.side;
        let blocked = &mut numbers.blocked[self.places.weights.clone()];
        for o in 0..self.outputs {
            for i in 0..self.inputs {
                for (tap, &w) in values[self.at(o, i)..][..taps].iter().enumerate() {
                    blocked[self.place_of(i, o, tap)].0[o % LANES] = w;
                }
            }
        }
        let bias = &values[self.weights.len()..];
        if let Some(range) = self.shared_bias.clone() {
            numbers.unblocked[range].copy_from_slice(bias);
            return;
        }
        let blocked = &mut numbers.blocked[self.places.bias.clone()];
        for (o, &b) in bias.iter().enumerate() {
            blocked[o / LANES].0[o % LANES] = b;
        }
    }

    /// Copies weights and bias from where they lie while training to the layout of the model.
    pub(crate) fn get(&self, numbers: &Numbers, values: &mut [f32]) {
        let taps = self.side * self.side;
        let blocked = &numbers.blocked[self.places.weights.clone()];
        for o in 0..self.outputs {
            for i in 0..self.inputs {
                for (tap, w) in values[self.at(o, i)..][..taps].iter_mut().enumerate() {
                    *w = blocked[self.place_of(i, o, tap)].0[o % LANES];
                }
            }
        }
        let bias = &mut values[self.weights.len()..];
        if let Some(range) = self.shared_bias.clone() {
            bias.copy_from_slice(&numbers.unblocked[range]);
            return;
        }
        let blocked = &numbers.blocked[self.places.bias.clone()];
        for (o, b) in bias.iter_mut().enumerate() {
            *b = blocked[o / LANES].0[o % LANES];
        }
    }

    /// Place of the vector of weights that joins input `i` to the block of output `o`.
    fn place_of(&self, i: usize, o: usize, tap: usize) -> usize {
        let block = o / LANES * blocks(self.inputs) + i / LANES;
        (block * self.side * self.side + tap) * LANES + i % LANES
    }
}

// A vector of weights and a vector of channels are the same thing to a kernel.
const _: () = assert!(size_of::<Lanes>() == 4 * LANES);
