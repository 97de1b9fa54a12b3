//! Direct kernels or Winograd's, whichever is faster for a layer.

use super::conv::{self, Finish};
use super::dispatch::Cpu;
use super::weight_gradient::{self, add_bias_gradient};
use super::winograd;
use crate::nn::{Lanes, Map};

/// Convolves `input`. Weights: out block, in block, tap, in lane, out lane; `bias`: out block.
pub(crate) fn convolve(
    cpu: Cpu,
    side: usize,
    weights: &[Lanes],
    bias: Option<&[Lanes]>,
    input: &Map,
    out: &mut Map,
    finish: Finish<'_>,
) {
    debug_assert_eq!(
        (input.grid().rows(), input.grid().width),
        (out.grid().rows(), out.grid().width)
    );
    if side == 3 && winograd::pays(input, out) {
        return winograd::convolve(cpu, weights, bias, input, out, finish);
    }
    conv::direct(cpu, side, weights, bias, input, out, finish);
}

/// Adds the gradients; `gradient` is laid out as the weights of [`convolve`](super::convolve),
/// `bias` as its bias.
pub(crate) fn add_weight_gradient(
    cpu: Cpu,
    side: usize,
    input: &Map,
    grad_output: &Map,
    gradient: &mut [Lanes],
    bias: &mut [Lanes],
) {
    if side == 3 && winograd::pays(input, grad_output) {
        return winograd::add_weight_gradient(cpu, input, grad_output, gradient, bias);
    }
    weight_gradient::direct(cpu, side, input, grad_output, gradient);
    add_bias_gradient(cpu, grad_output, bias);
}
