//! `actnorm`: y = (x + shift_c) exp(log_scale_c), per channel. log_det = H W Σ_c log_scale_c.

use super::{Array, Parameters};

/// Data to latent, with log_det.
pub(super) fn to_latent(parameters: &Parameters<'_>, x: &Array) -> (Array, f64) {
    let (shift, log_scale) = shift_and_log_scale(parameters);
    let y = Array::from_fn(x.size(), |c, row, column| {
        (x.at(c, row, column) + shift[c]) * log_scale[c].exp()
    });
    let pixels = (x.height * x.width) as f64;
    (y, pixels * log_scale.iter().sum::<f64>())
}

/// Latent to data.
pub(super) fn to_data(parameters: &Parameters<'_>, y: &Array) -> Array {
    let (shift, log_scale) = shift_and_log_scale(parameters);
    Array::from_fn(y.size(), |c, row, column| {
        y.at(c, row, column) * (-log_scale[c]).exp() - shift[c]
    })
}

fn shift_and_log_scale(parameters: &Parameters<'_>) -> (Vec<f64>, Vec<f64>) {
    (parameters.values("shift"), parameters.values("log_scale"))
}
