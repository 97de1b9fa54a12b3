//! A layer's passes: its output, and its gradients.

use super::Conv;
use crate::nn::kernels::{Cpu, Finish, add_weight_gradient, convolve};
use crate::nn::reduction::Ticket;
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
        let bias = &weights.numbers.blocked[self.places.bias.clone()];
        let blocked = &weights.numbers.blocked[self.places.weights.clone()];
        let bias = (!bias.is_empty()).then_some(bias);
        convolve(cpu, self.side, blocked, bias, input, out, finish);
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
        let backward = &weights.backward[self.places.backward.clone()];
        convolve(cpu, self.side, backward, None, out, input, finish);
    }

    /// Adds the gradients of weights and bias, and computes that of the input.
    pub(crate) fn gradient(
        &self,
        cpu: Cpu,
        weights: &Weights,
        [input, out]: [&Map; 2],
        ticket: &mut Ticket<'_, '_>,
        grad_input: &mut Map,
        finish: Finish<'_>,
    ) {
        self.ready_first(
            ticket,
            |ticket| self.weight_gradient(cpu, input, out, ticket),
            || self.input_gradient(cpu, weights, out, grad_input, finish),
        );
    }

    /// As [`gradient`](Self::gradient), of a layer below which no gradient may be wanted.
    pub(crate) fn first_gradient(
        &self,
        cpu: Cpu,
        weights: &Weights,
        both: [&Map; 2],
        ticket: &mut Ticket<'_, '_>,
        grad_input: Option<&mut Map>,
    ) {
        match grad_input {
            Some(grad_input) => {
                self.gradient(cpu, weights, both, ticket, grad_input, Finish::Store)
            }
            None => self.weight_gradient(cpu, both[0], both[1], ticket),
        }
    }

    /// The gradient of the weights first if adding it would not wait, else that of the input.
    pub(super) fn ready_first<'t, 'a>(
        &self,
        ticket: &Ticket<'t, 'a>,
        of_weights: impl Fn(&Ticket<'t, 'a>),
        of_input: impl FnOnce(),
    ) {
        let first = ticket.is_ready(self.places.number);
        if first {
            of_weights(ticket);
        }
        of_input();
        if !first {
            of_weights(ticket);
        }
    }

    /// Adds the gradients of weights and bias.
    pub(crate) fn weight_gradient(
        &self,
        cpu: Cpu,
        input: &Map,
        out: &Map,
        ticket: &Ticket<'_, '_>,
    ) {
        ticket.add(self.places.number, |both| {
            let (weights, bias) = both.split_at_mut(self.places.weights.len());
            add_weight_gradient(cpu, self.side, input, out, weights, bias);
        });
    }

    /// Adds the gradient of a shared bias, given that of the map it was added to.
    pub(crate) fn add_bias_gradient(&self, out: &Map, ticket: &mut Ticket<'_, '_>) {
        let Some(range) = self.shared_bias.clone() else {
            return;
        };
        let grid = out.grid();
        for (c, g) in ticket.unblocked[range].iter_mut().enumerate() {
            for y in 0..grid.rows() {
                let row = &out.data()[out.at(c / LANES, y, 0)..][..grid.width];
                *g += row.iter().map(|lanes| lanes.0[c % LANES]).sum::<f32>();
            }
        }
    }
}
