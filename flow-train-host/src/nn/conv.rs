//! A convolution (side 1 or 3) or dense layer with its places among the parameters.
//!
//! Convolutions of side 4, transposed ones and dense layers over images are dense layers too, over patches or whole
//! maps that their conditioner lays out (see `patches`): one pair of kernels serves them all.

use super::kernels::{Cpu, Finish, add_weight_gradient, convolve};
use super::map::blocks;
use super::{Gradient, LANES, Lanes, Map, Registry, Weights};
use std::ops::Range;

/// out = weights * input + bias. Weights in the model: out x in x side x side, or out x in for dense layers, or in x
/// out for transposed ones.
#[derive(Clone, Debug)]
pub(crate) struct Conv {
    inputs: usize,
    outputs: usize,
    side: usize,
    order: Order,
    weights: Range<usize>,
    bias: Range<usize>,
    packed: Range<usize>,
    packed_bias: Range<usize>,
    turned: Range<usize>,
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
    /// If the bias has fewer numbers than there are outputs, neighbouring outputs share one, and it is left to the
    /// caller to add it and to collect its gradient ([`add_bias_gradient`](Self::add_bias_gradient)).
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
        let shares_bias = bias.iter().product::<usize>() < outputs;
        let bias_name = format!("{name}.bias");
        Self {
            inputs,
            outputs,
            side,
            order,
            weights: registry.unpacked(format!("{name}.weights"), weights),
            bias: match shares_bias {
                true => registry.flat(bias_name, bias),
                false => registry.unpacked(bias_name, bias),
            },
            packed: registry.packed(vectors(outputs, inputs)),
            packed_bias: registry.packed(blocks(outputs)),
            turned: registry.turned(vectors(inputs, outputs)),
        }
    }

    /// Place among the weights of the first tap from input `i` to output `o`.
    fn at(&self, o: usize, i: usize) -> usize {
        let pair = match self.order {
            Order::OutputFirst => o * self.inputs + i,
            Order::InputFirst => i * self.outputs + o,
        };
        pair * self.side * self.side
    }

    /// Whether several outputs have one bias.
    fn shares_bias(&self) -> bool {
        self.bias.len() < self.outputs
    }

    /// Number of outputs of one pixel.
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

    /// Replaces every output by (output - mean) factor, given the present bias is zero; one mean and factor a bias.
    pub(crate) fn normalize_outputs(&self, flat: &mut [f32], mean: &[f32], factor: &[f32]) {
        let (taps, share) = (self.side * self.side, self.outputs / self.bias.len());
        for o in 0..self.outputs {
            for i in 0..self.inputs {
                let weights = &mut flat[self.weights.start + self.at(o, i)..][..taps];
                weights.iter_mut().for_each(|w| *w *= factor[o / share]);
            }
        }
        for (b, (mean, factor)) in mean.iter().zip(factor).enumerate() {
            flat[self.bias.start + b] = -mean * factor;
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
                let at = self.at(o, i);
                for (tap, &w) in flat[at..at + taps].iter().enumerate() {
                    packed[lane_of(i, o, tap, self.inputs, taps)].0[o % LANES] = w;
                    let mirrored = taps - 1 - tap;
                    turned[lane_of(o, i, mirrored, self.outputs, taps)].0[i % LANES] = w;
                }
            }
        }
        if self.shares_bias() {
            return;
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
                let at = self.at(o, i);
                for (tap, g) in flat[at..at + taps].iter_mut().enumerate() {
                    *g = packed[lane_of(i, o, tap, self.inputs, taps)].0[o % LANES];
                }
            }
        }
        if self.shares_bias() {
            return;
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

    /// Adds the gradient of a shared bias, given that of the map it was added to.
    pub(crate) fn add_bias_gradient(&self, out: &Map, gradient: &mut Gradient) {
        let grid = out.grid();
        for (c, g) in gradient.flat[self.bias.clone()].iter_mut().enumerate() {
            for y in 0..grid.height {
                let row = &out.data()[out.at(c / LANES, y, 0)..][..grid.width];
                *g += row.iter().map(|lanes| lanes.0[c % LANES]).sum::<f32>();
            }
        }
    }
}

/// Place of the vector of weights that joins inner channel `i` to the block of outer channel `o`.
fn lane_of(i: usize, o: usize, tap: usize, inner: usize, taps: usize) -> usize {
    let block = o / LANES * blocks(inner) + i / LANES;
    (block * taps + tap) * LANES + i % LANES
}

// A vector of weights and a vector of channels are the same thing to a kernel.
const _: () = assert!(size_of::<Lanes>() == 4 * LANES);
