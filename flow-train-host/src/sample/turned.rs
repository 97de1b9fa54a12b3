//! A lowered flow, turned around.
//!
//! | to_latent | to_data |
//! |---|---|
//! | y = (x + shift) exp(log_scale) | x = y exp(-log_scale) - shift |
//! | y = x exp(log_scale) + shift | x = (y - shift) exp(-log_scale) |
//! | y = W x | x = W⁻¹ y |
//!
//! The kept part of a coupling is the same on both sides, so its conditioner says the same; its shift is negated in
//! the last layer's rows, its log_scale in the bound, and the two affine forms change places.

use crate::export::ExportError;
use crate::export::lower::{LoweredCoupling, LoweredStep};
use flow_infer::spec::AffineForm;

/// The steps in the direction latent to data.
pub(super) fn turned(steps: &[LoweredStep]) -> Result<Vec<LoweredStep>, ExportError> {
    let steps = steps.iter().enumerate().rev();
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
                let weights = inverse(weights, view.channels());
                Ok(LoweredStep::InvertibleLinear {
                    view: *view,
                    weights: weights.ok_or(ExportError::Singular { step: index })?,
                })
            }
            LoweredStep::Coupling(coupling) => Ok(LoweredStep::Coupling(turned_coupling(coupling))),
        })
        .collect()
}

fn turned_coupling(coupling: &LoweredCoupling) -> LoweredCoupling {
    let mut turned = coupling.clone();
    turned.affine = match coupling.affine {
        AffineForm::ShiftThenScale => AffineForm::ScaleThenShift,
        AffineForm::ScaleThenShift => AffineForm::ShiftThenScale,
    };
    turned.bound.iter_mut().for_each(|bound| *bound = -*bound);
    if let Some(last) = turned.layers.last_mut() {
        let fan_in = last.weights.len() / last.bias.len().max(1);
        // Rows alternate: raw_scale, shift, raw_scale, shift.
        for row in last.weights.chunks_exact_mut(fan_in).skip(1).step_by(2) {
            row.iter_mut().for_each(|w| *w = -*w);
        }
        let shifts = last.bias.iter_mut().skip(1).step_by(2);
        shifts.for_each(|bias| *bias = -*bias);
    }
    turned
}

/// W⁻¹ by Gauss and Jordan with row pivoting, in f64; `None` if W is singular.
fn inverse(weights: &[f32], n: usize) -> Option<Vec<f32>> {
    let mut left: Vec<f64> = weights.iter().map(|&w| f64::from(w)).collect();
    let mut right = vec![0.0; n * n];
    (0..n).for_each(|i| right[i * n + i] = 1.0);
    for column in 0..n {
        let magnitude = |row: &usize| left[row * n + column].abs();
        let pivot = (column..n).max_by(|a, b| magnitude(a).total_cmp(&magnitude(b)))?;
        let value = left[pivot * n + column];
        if value == 0.0 || !value.is_finite() {
            return None;
        }
        for matrix in [&mut left, &mut right] {
            (0..n).for_each(|k| matrix.swap(pivot * n + k, column * n + k));
            (0..n).for_each(|k| matrix[column * n + k] /= value);
        }
        for row in (0..n).filter(|&row| row != column) {
            let factor = left[row * n + column];
            for matrix in [&mut left, &mut right] {
                (0..n).for_each(|k| matrix[row * n + k] -= factor * matrix[column * n + k]);
            }
        }
    }
    Some(right.iter().map(|&w| w as f32).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inverse_of_a_known_matrix() {
        let found = inverse(&[0.0, 2.0, 4.0, 6.0], 2).unwrap();
        assert_eq!(found, [-0.75, 0.25, 0.5, 0.0]);
        assert_eq!(inverse(&[1.0, 2.0, 2.0, 4.0], 2), None);
    }
}
