//! Dense layers over patches as what they are: convolutions of side 4.
//!
//! At stride 1 patches are sixteen times the image. Where Winograd pays it reads and writes the
//! image itself, with the same blocked weights.

use super::Conv;
use crate::nn::kernels::{Cpu, Finish, Reach, add_weight_gradient_of_side_4, convolve_side_4};
use crate::nn::reduction::Ticket;
use crate::nn::{LANES, Lanes, Map, Weights};

impl Conv {
    /// `out` from `input`.
    pub(crate) fn forward_side_4(
        &self,
        cpu: Cpu,
        weights: &Weights,
        reach: Reach,
        (input, out): (&Map, &mut Map),
    ) {
        let blocked = &weights.numbers.blocked;
        let own = &blocked[self.places.bias.clone()];
        let shared = in_lanes(self.shared_bias_of(weights));
        let bias = if own.is_empty() { &shared } else { own };
        let both = (&blocked[self.places.weights.clone()], Some(bias));
        convolve_side_4(cpu, reach, both, (input, out), Finish::Store);
    }

    /// Adds the gradients of the weights and of a bias that is not shared, and computes that of the
    /// input, if it is wanted.
    pub(crate) fn gradient_side_4(
        &self,
        cpu: Cpu,
        weights: &Weights,
        reach: Reach,
        [input, out]: [&Map; 2],
        ticket: &Ticket<'_, '_>,
        grad_input: Option<&mut Map>,
    ) {
        let of_weights = |ticket: &Ticket<'_, '_>| {
            ticket.add(self.places.number, |both| {
                let (weights, bias) = both.split_at_mut(self.places.weights.len());
                add_weight_gradient_of_side_4(cpu, reach, [input, out], weights, bias);
            });
        };
        let back = match reach {
            Reach::Within => Reach::Beyond,
            Reach::Beyond => Reach::Within,
        };
        let backward = &weights.backward[self.places.backward.clone()];
        self.ready_first(ticket, of_weights, || {
            if let Some(grad_input) = grad_input {
                convolve_side_4(
                    cpu,
                    back,
                    (backward, None),
                    (out, grad_input),
                    Finish::Store,
                );
            }
        });
    }
}

fn in_lanes(numbers: &[f32]) -> Vec<Lanes> {
    let block = |numbers: &[f32]| {
        let mut lanes = Lanes::default();
        lanes.0[..numbers.len()].copy_from_slice(numbers);
        lanes
    };
    numbers.chunks(LANES).map(block).collect()
}
