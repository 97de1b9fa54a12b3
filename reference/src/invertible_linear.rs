//! `invertible_linear`: y_i = Σ_j W_ij x_j over the channels of each pixel. log_det = H W ln |det W|.

use super::{Array, Parameters};
use crate::numeric::Lu;

/// Data to latent, with log_det.
pub(super) fn to_latent(parameters: &Parameters<'_>, x: &Array) -> (Array, f64) {
    let weights = parameters.values("weights");
    let n = x.channels;
    let y = Array::from_fn(x.size(), |i, row, column| {
        (0..n)
            .map(|j| weights[i * n + j] * x.at(j, row, column))
            .sum()
    });
    let pixels = (x.height * x.width) as f64;
    (y, pixels * Lu::new(weights, n).ln_abs_det())
}

/// Latent to data: W x = y, solved at every pixel.
pub(super) fn to_data(parameters: &Parameters<'_>, y: &Array) -> Array {
    let n = y.channels;
    let lu = Lu::new(parameters.values("weights"), n);
    let mut x = y.clone();
    for row in 0..y.height {
        for column in 0..y.width {
            let right: Vec<f64> = (0..n).map(|i| y.at(i, row, column)).collect();
            for (i, value) in lu.solve(&right).into_iter().enumerate() {
                x.values[(i * y.height + row) * y.width + column] = value;
            }
        }
    }
    x
}
