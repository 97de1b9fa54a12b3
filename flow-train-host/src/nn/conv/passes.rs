//! A layer's passes: its output, and its gradients.

use super::Conv;
use crate::nn::gradient::Turn;
use crate::nn::kernels::{Cpu, Finish, add_weight_gradient, convolve};
use crate::nn::{LANES, Map, Weights};

impl Conv {
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
        let bias = &weights.numbers.packed[self.places.bias.clone()];
        let packed = &weights.numbers.packed[self.places.weights.clone()];
        let bias = (!bias.is_empty()).then_some(bias);
        convolve(cpu, self.side, packed, bias, input, out, finish);
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
        let turned = &weights.turned[self.places.turned.clone()];
        convolve(cpu, self.side, turned, None, out, input, finish);
    }

    /// Adds the gradients of weights and bias, and computes that of the input.
    pub(crate) fn gradient(
        &self,
        cpu: Cpu,
        weights: &Weights,
        [input, out]: [&Map; 2],
        turn: &mut Turn<'_, '_>,
        below: &mut Map,
        finish: Finish<'_>,
    ) {
        self.in_turn(
            turn,
            |turn| self.weight_gradient(cpu, input, out, turn),
            || self.input_gradient(cpu, weights, out, below, finish),
        );
    }

    /// As [`gradient`](Self::gradient), of a layer below which no gradient may be wanted.
    pub(crate) fn first_gradient(
        &self,
        cpu: Cpu,
        weights: &Weights,
        both: [&Map; 2],
        turn: &mut Turn<'_, '_>,
        below: Option<&mut Map>,
    ) {
        match below {
            Some(below) => self.gradient(cpu, weights, both, turn, below, Finish::Store),
            None => self.weight_gradient(cpu, both[0], both[1], turn),
        }
    }

    /// The gradient of the weights first if its turn has come, else that of the input.
    pub(super) fn in_turn<'t, 'a>(
        &self,
        turn: &Turn<'t, 'a>,
        of_weights: impl Fn(&Turn<'t, 'a>),
        of_input: impl FnOnce(),
    ) {
        let first = turn.has_come(self.places.number);
        if first {
            of_weights(turn);
        }
        of_input();
        if !first {
            of_weights(turn);
        }
    }

    /// Adds the gradients of weights and bias.
    pub(crate) fn weight_gradient(&self, cpu: Cpu, input: &Map, out: &Map, turn: &Turn<'_, '_>) {
        turn.add(self.places.number, |both| {
            let (weights, bias) = both.split_at_mut(self.places.weights.len());
            add_weight_gradient(cpu, self.side, input, out, weights, bias);
        });
    }

    /// Adds the gradient of a shared bias, given that of the map it was added to.
    pub(crate) fn add_bias_gradient(&self, out: &Map, turn: &mut Turn<'_, '_>) {
        let Some(range) = self.shared_bias.clone() else {
            return;
        };
        let grid = out.grid();
        for (c, g) in turn.loose[range].iter_mut().enumerate() {
            for y in 0..grid.rows() {
                let row = &out.data()[out.at(c / LANES, y, 0)..][..grid.width];
                *g += row.iter().map(|lanes| lanes.0[c % LANES]).sum::<f32>();
            }
        }
    }
}
