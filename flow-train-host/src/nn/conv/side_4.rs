//! Dense layers over patches as what they are: convolutions of side 4.
//!
//! At stride 1 patches are sixteen times the image. Where Winograd pays it reads and writes the image itself, with the
//! same packed weights.

use super::Conv;
use crate::nn::gradient::Turn;
use crate::nn::kernels::{Cpu, Finish, Reach, add_weight_gradient_of_side_4, convolve_side_4};
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
        let packed = &weights.numbers.packed;
        let own = &packed[self.places.bias.clone()];
        let shared = in_lanes(self.shared_bias_of(weights));
        let bias = if own.is_empty() { &shared } else { own };
        let both = (&packed[self.places.weights.clone()], Some(bias));
        convolve_side_4(cpu, reach, both, (input, out), Finish::Store);
    }

    /// Adds the gradients of the weights and of a bias that is not shared, and computes that of the input, if it is
    /// wanted.
    pub(crate) fn gradient_side_4(
        &self,
        cpu: Cpu,
        weights: &Weights,
        reach: Reach,
        [input, out]: [&Map; 2],
        turn: &Turn<'_, '_>,
        below: Option<&mut Map>,
    ) {
        let of_weights = |turn: &Turn<'_, '_>| {
            turn.add(self.places.number, |both| {
                let (weights, bias) = both.split_at_mut(self.places.weights.len());
                add_weight_gradient_of_side_4(cpu, reach, [input, out], weights, bias);
            });
        };
        let back = match reach {
            Reach::Within => Reach::Beyond,
            Reach::Beyond => Reach::Within,
        };
        let turned = &weights.turned[self.places.turned.clone()];
        self.in_turn(turn, of_weights, || {
            if let Some(below) = below {
                convolve_side_4(cpu, back, (turned, None), (out, below), Finish::Store);
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
