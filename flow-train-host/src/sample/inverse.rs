//! The inverse of a lowered flow: its steps in the direction latent to data.
//!
//! | to_latent | to_data |
//! |---|---|
//! | y = (x + shift) exp(log_scale) | x = y exp(-log_scale) - shift |
//! | y = x exp(log_scale) + shift | x = (y - shift) exp(-log_scale) |
//! | y = W x | x = W⁻¹ y |
//!
//! The kept part of a coupling is the same on both sides, so its conditioner says the same; its
//! shift is negated in the last layer's rows, its log_scale in the bound, and the two affine forms
//! change places.

use crate::export::ExportError;
use crate::export::lower::{LoweredCoupling, LoweredStep};
use crate::linear::Lu;
use flow_infer::spec::AffineForm;

/// The steps in the direction latent to data.
pub(super) fn inverse_steps(steps: &[LoweredStep]) -> Result<Vec<LoweredStep>, ExportError> {
    // A ratio net changes nothing, and what it says of a latent has no meaning here.
    let flow = |(_, step): &(usize, &LoweredStep)| !matches!(step, LoweredStep::Ratio(_));
    let steps = steps.iter().enumerate().rev().filter(flow);
    steps
        .map(|(index, step)| match step {
            LoweredStep::Actnorm {
                view,
                shift,
                log_scale,
            } => {
                let both = shift.iter().zip(log_scale);
                Ok(LoweredStep::Actnorm {
                    view: *view,
                    shift: both.map(|(shift, l)| -shift * l.exp()).collect(),
                    log_scale: log_scale.iter().map(|l| -l).collect(),
                })
            }
            LoweredStep::InvertibleLinear { view, weights } => {
                let weights = weights.iter().map(|&w| f64::from(w)).collect();
                let inverse = Lu::of(weights, view.channels()).inverse();
                let inverse = inverse.ok_or(ExportError::Singular { step: index })?;
                Ok(LoweredStep::InvertibleLinear {
                    view: *view,
                    weights: inverse.iter().map(|&w| w as f32).collect(),
                })
            }
            LoweredStep::Coupling(coupling) => {
                Ok(LoweredStep::Coupling(inverse_coupling(coupling)))
            }
            LoweredStep::Ratio(network) => Ok(LoweredStep::Ratio(network.clone())),
        })
        .collect()
}

fn inverse_coupling(coupling: &LoweredCoupling) -> LoweredCoupling {
    let mut inverse = coupling.clone();
    inverse.affine = match coupling.affine {
        AffineForm::ShiftThenScale => AffineForm::ScaleThenShift,
        AffineForm::ScaleThenShift => AffineForm::ShiftThenScale,
    };
    inverse.bound.iter_mut().for_each(|bound| *bound = -*bound);
    if let Some(last) = inverse.layers.last_mut() {
        let fan_in = last.weights.len() / last.bias.len().max(1);
        // Rows alternate: raw_scale, shift, raw_scale, shift.
        for row in last.weights.chunks_exact_mut(fan_in).skip(1).step_by(2) {
            row.iter_mut().for_each(|w| *w = -*w);
        }
        let shifts = last.bias.iter_mut().skip(1).step_by(2);
        shifts.for_each(|bias| *bias = -*bias);
    }
    inverse
}
