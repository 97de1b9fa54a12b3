//! A convolution (side 1 or 3) or dense layer with its places among the parameters.

use super::kernels::{Cpu, Finish, add_weight_gradient, convolve};
use super::map::blocks;
use super::{Gradient, LANES, Lanes, Map, Registry, Weights};
use std::ops::Range;

/// out = weights * input + bias. Weights in the model: out x in x side x side, or out x in for dense layers.
#[derive(Clone, Debug)]
pub(crate) struct Conv {
    inputs: usize,
    outputs: usize,
    side: usize,
    weights: Range<usize>,
    bias: Range<usize>,
    packed: Range<usize>,
    packed_bias: Range<usize>,
    turned: Range<usize>,
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
        Self::place(registry, name, &shape, side)
    }

    /// A dense layer named `name` in the model: a convolution of side 1 over vectors.
    pub(crate) fn dense(
        registry: &mut Registry,
        name: &str,
        inputs: usize,
        outputs: usize,
    ) -> Self {
        Self::place(registry, name, &[outputs, inputs], 1)
    }

    fn place(registry: &mut Registry, name: &str, shape: &[usize], side: usize) -> Self {
        let (outputs, inputs) = (shape[0], shape[1]);
        let vectors =
            |outer: usize, inner: usize| blocks(outer) * blocks(inner) * side * side * LANES;
        Self {
            inputs,
            outputs,
            side,
            weights: registry.flat(format!("{name}.weights"), shape),
            bias: registry.flat(format!("{name}.bias"), &[outputs]),
            packed: registry.packed(vectors(outputs, inputs)),
            packed_bias: registry.packed(blocks(outputs)),
            turned: registry.turned(vectors(inputs, outputs)),
        }
    }

    /// Number of output channels.
    pub(crate) fn outputs(&self) -> usize {
        self.outputs
    }

    /// Number of inputs that reach one output.
    pub(crate) fn fan_in(&self) -> usize {
        self.inputs * self.side * self.side
    }

    /// Place of the weights in the flat vector.
    pub(crate) fn weights(&self) -> Range<usize> {
        self.weights.clone()
    }

    /// Place of the bias in the flat vector.
    pub(crate) fn bias(&self) -> Range<usize> {
        self.bias.clone()
    }

    /// Replaces every output by (output - mean) factor, given the present bias is zero.
    pub(crate) fn normalize_outputs(&self, flat: &mut [f32], mean: &[f32], factor: &[f32]) {
        let each = self.fan_in();
        for (o, (mean, factor)) in mean.iter().zip(factor).enumerate() {
            let weights = &mut flat[self.weights.start + o * each..][..each];
            weights.iter_mut().for_each(|w| *w *= factor);
            flat[self.bias.start + o] = -mean * factor;
        }
    }

    /// Copies the flat weights to where the kernels read them.
    pub(crate) fn pack(&self, weights: &mut Weights) {
        let taps = self.side * self.side;
        let flat = &weights.flat[self.weights.clone()];
        let packed = &mut weights.packed[self.packed.clone()];
        let turned = &mut weights.turned[self.turned.clone()];
        for o in 0..self.outputs {
            for i in 0..self.inputs {
                let at = (o * self.inputs + i) * taps;
                for (tap, &w) in flat[at..at + taps].iter().enumerate() {
                    packed[lane_of(i, o, tap, self.inputs, taps)].0[o % LANES] = w;
                    let mirrored = taps - 1 - tap;
                    turned[lane_of(o, i, mirrored, self.outputs, taps)].0[i % LANES] = w;
                }
            }
        }
        let bias = &weights.flat[self.bias.clone()];
        let packed = &mut weights.packed[self.packed_bias.clone()];
        for (o, &b) in bias.iter().enumerate() {
            packed[o / LANES].0[o % LANES] = b;
        }
    }

    /// Moves the gradient from the kernels' layout to the flat vector's.
    pub(crate) fn unpack(&self, gradient: &mut Gradient) {
        let taps = self.side * self.side;
        let flat = &mut gradient.flat[self.weights.clone()];
        let packed = &gradient.packed[self.packed.clone()];
        for o in 0..self.outputs {
            for i in 0..self.inputs {
                let at = (o * self.inputs + i) * taps;
                for (tap, g) in flat[at..at + taps].iter_mut().enumerate() {
                    *g = packed[lane_of(i, o, tap, self.inputs, taps)].0[o % LANES];
                }
            }
        }
        let flat = &mut gradient.flat[self.bias.clone()];
        let packed = &gradient.packed[self.packed_bias.clone()];
        for (o, g) in flat.iter_mut().enumerate() {
            *g = packed[o / LANES].0[o % LANES];
        }
    }

    /// `out` from `input`.
    pub(crate) fn forward(
        &self,
        cpu: Cpu,
        weights: &Weights,
        input: &Map,
        out: &mut Map,
        finish: Finish<'_>,
    ) {
        debug_assert_eq!(
            (input.channels(), out.channels()),
            (self.inputs, self.outputs)
        );
        let bias = &weights.packed[self.packed_bias.clone()];
        let packed = &weights.packed[self.packed.clone()];
        convolve(cpu, self.side, packed, Some(bias), input, out, finish);
    }

    /// Gradient of the input from that of the output.
    pub(crate) fn input_gradient(
        &self,
        cpu: Cpu,
        weights: &Weights,
        out: &Map,
        input: &mut Map,
        finish: Finish<'_>,
    ) {
        debug_assert_eq!(
            (input.channels(), out.channels()),
            (self.inputs, self.outputs)
        );
        let turned = &weights.turned[self.turned.clone()];
        convolve(cpu, self.side, turned, None, out, input, finish);
    }

    /// Adds the gradients of weights and bias.
    pub(crate) fn weight_gradient(
        &self,
        cpu: Cpu,
        input: &Map,
        out: &Map,
        gradient: &mut Gradient,
    ) {
        // The bias lies right behind the weights.
        let both = &mut gradient.packed[self.packed.start..self.packed_bias.end];
        let (weights, bias) = both.split_at_mut(self.packed.len());
        add_weight_gradient(cpu, self.side, input, out, weights, bias);
    }
}

/// Place of the vector of weights that joins inner channel `i` to the block of outer channel `o`.
fn lane_of(i: usize, o: usize, tap: usize, inner: usize, taps: usize) -> usize {
    let block = o / LANES * blocks(inner) + i / LANES;
    (block * taps + tap) * LANES + i % LANES
}

// A vector of weights and a vector of channels are the same thing to a kernel.
const _: () = assert!(size_of::<Lanes>() == 4 * LANES);
