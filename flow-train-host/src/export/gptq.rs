//! GPTQ: rounding in which the weights not yet rounded make up for the error of each one that is.
//!
//! For a row w with quantized q, the expected squared error of the layer's output is (w - q)' C
//! (w - q) with C the covariance of its input (half the Hessian of that error), if the bias takes
//! up the mean. Rounding the weights one after another and moving the remaining ones to the
//! conditional minimum (Frantar et al. 2023, GPTQ; the same as successive interference
//! cancellation) needs the Cholesky factor U of the inverse, C^-1 = U' U: after rounding weight i
//! by an error e, each later weight j changes by -e U_ij / U_ii.

use super::numbers::{At, Padded};
use super::quantize::{QuantizedRow, Rounding, nearest};
use super::statistics::{Moments, Statistics};
use crate::linear::{Square, cholesky, inverse_of_positive};
use rayon::prelude::*;

/// Added to the diagonal of the covariance, relative to its mean: inputs that hardly vary must not
/// be trusted.
const DAMPING: f64 = 0.01;

/// Rounds by what each layer reads.
#[derive(Debug)]
pub struct Gptq {
    layers: Vec<Vec<Option<LayerHessian>>>,
}

#[derive(Debug)]
struct LayerHessian {
    mean: Vec<f64>,
    /// Upper factor of the inverse covariance, rows scaled to U_ij / U_ii; none for windows that
    /// are too large.
    factor: Option<Vec<f64>>,
}

impl Gptq {
    /// Prepares the factors of all layers.
    pub fn new(statistics: &Statistics, layers_of_steps: &[usize]) -> Self {
        let of_step = |(step, &layers): (usize, &usize)| {
            let hessian = |layer| statistics.of(step, layer).map(LayerHessian::new);
            (0..layers).into_par_iter().map(hessian).collect()
        };
        Self {
            layers: layers_of_steps.iter().enumerate().map(of_step).collect(),
        }
    }
}

impl LayerHessian {
    fn new(moments: &Moments) -> Self {
        let mean = moments.mean();
        let factor = moments
            .covariance()
            .and_then(|c| inverse_factor(c, mean.len()));
        Self { mean, factor }
    }
}

impl Rounding for Gptq {
    fn round(&self, at: At<'_>, padded: &Padded, row: usize, scale: f64) -> QuantizedRow {
        let weights = padded.row(row);
        let bias = f64::from(padded.bias[row]);
        let exact: Vec<f64> = weights.iter().map(|&w| f64::from(w) / scale).collect();
        let hessian = self
            .layers
            .get(at.step)
            .and_then(|s| s.get(at.index))
            .and_then(Option::as_ref);
        let rounded = match hessian.and_then(|k| k.factor.as_deref()) {
            Some(factor) => round_row(exact.clone(), factor),
            None => exact.iter().map(|&w| nearest(w)).collect(),
        };
        let errors = exact
            .iter()
            .zip(&rounded)
            .map(|(&e, &r)| (e - f64::from(r)) * scale);
        let correction = hessian.map_or(0.0, |k| errors.zip(&k.mean).map(|(e, m)| e * m).sum());
        QuantizedRow {
            weights: rounded,
            scale,
            bias: bias + correction,
        }
    }
}

fn round_row(mut row: Vec<f64>, factor: &[f64]) -> Vec<i8> {
    let n = row.len();
    let mut rounded = Vec::with_capacity(n);
    for i in 0..n {
        let weight = nearest(row[i]);
        let error = row[i] - f64::from(weight);
        let later = row[i + 1..]
            .iter_mut()
            .zip(&factor[i * n + i + 1..(i + 1) * n]);
        later.for_each(|(w, ratio)| *w -= error * ratio);
        rounded.push(weight);
    }
    rounded
}

/// U of C^-1 = U' U with every row divided by its diagonal element; `None` if C is not positive
/// definite even damped.
fn inverse_factor(covariance: Vec<f64>, n: usize) -> Option<Vec<f64>> {
    let mut covariance = Square {
        size: n,
        values: covariance,
    };
    let trace = covariance.trace();
    if trace <= 0.0 {
        return None;
    }
    for i in 0..n {
        covariance.values[i * n + i] += DAMPING * trace / n as f64;
    }
    let inverse = inverse_of_positive(&covariance)?;
    let mut upper = cholesky(inverse)?.transposed().values;
    for (i, row) in upper.chunks_exact_mut(n).enumerate() {
        let diagonal = row[i];
        row.iter_mut().for_each(|u| *u /= diagonal);
    }
    Some(upper)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A positive definite matrix with strong correlations.
    fn correlated(n: usize) -> Vec<f64> {
        (0..n * n)
            .map(|k| 0.95f64.powi((k / n).abs_diff(k % n) as i32))
            .collect()
    }

    #[test]
    fn compensation_lowers_the_output_error() {
        let (n, a) = (40, correlated(40));
        let factor = inverse_factor(a.clone(), n).unwrap();
        let error = |row: &[f64], rounded: &[i8]| {
            let e: Vec<f64> = row
                .iter()
                .zip(rounded)
                .map(|(w, &q)| w - f64::from(q))
                .collect();
            (0..n * n).map(|k| e[k / n] * a[k] * e[k % n]).sum::<f64>()
        };
        // Knuth's MMIX generator, seed 1: rows with nothing regular about them.
        let mut state = 1u64;
        let mut random = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f64 / f64::from(1 << 24) * 20.0 - 10.0
        };
        let (mut plain, mut better) = (0.0, 0.0);
        for _ in 0..50 {
            let row: Vec<f64> = (0..n).map(|_| random()).collect();
            let nearest: Vec<i8> = row.iter().map(|&w| nearest(w)).collect();
            plain += error(&row, &nearest);
            better += error(&row, &round_row(row.clone(), &factor));
        }
        assert!(better < 0.25 * plain, "seed 1: {better} against {plain}");
    }
}
