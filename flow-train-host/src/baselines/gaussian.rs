//! One Gaussian with a full covariance: the squared Mahalanobis distance, as a log-density.
//!
//! The covariance is shrunk towards a multiple of the identity with the weight of Ledoit and Wolf
//! (2004): pixels that never change, and fewer samples than coordinates, would otherwise make it
//! singular.

use crate::linear::{Square, cholesky, covariance, dot, means, solved_square};

/// A Gaussian fitted to a table.
#[derive(Debug)]
pub(super) struct Gaussian {
    mean: Vec<f64>,
    lower: Square,
    constant: f64,
}

impl Gaussian {
    /// Fits an N x D table; `None` if nothing in it varies.
    pub(super) fn fit(table: &[f64], dims: usize) -> Option<Self> {
        let mean = means(table, dims);
        let mut matrix = covariance(table, &mean);
        let average = matrix.trace() / dims as f64;
        let weight = shrinkage(table, &mean, &matrix);
        matrix.values.iter_mut().for_each(|v| *v *= 1.0 - weight);
        for i in 0..dims {
            // Rounding can leave the weight of a perfectly sampled Gaussian at 0, and constant
            // pixels at 0 with it.
            matrix.values[i * dims + i] += weight.max(1e-9) * average;
        }
        let lower = cholesky(matrix)?;
        let log_det: f64 = (0..dims).map(|i| lower.row(i)[i].ln()).sum();
        let constant = -log_det - dims as f64 * flow_infer::spec::units::HALF_LN_2PI;
        Some(Self {
            mean,
            lower,
            constant,
        })
    }

    /// ln of the density.
    pub(super) fn log_density(&self, x: &[f64]) -> f64 {
        let centred: Vec<f64> = x.iter().zip(&self.mean).map(|(x, m)| x - m).collect();
        self.constant - solved_square(&self.lower, &centred) / 2.0
    }
}

/// Weight of the identity: the expected squared error of the covariance over its squared distance
/// from it.
fn shrinkage(table: &[f64], mean: &[f64], covariance: &Square) -> f64 {
    let dims = mean.len() as f64;
    let count = (table.len() / mean.len()) as f64;
    let square = dot(&covariance.values, &covariance.values);
    let distance = square - covariance.trace().powi(2) / dims;
    let fourth: f64 = table
        .chunks_exact(mean.len())
        .map(|row| {
            let length: f64 = row.iter().zip(mean).map(|(x, m)| (x - m).powi(2)).sum();
            length * length
        })
        .sum();
    let error = (fourth / count - square) / count;
    match distance > 0.0 {
        true => (error / distance).clamp(0.0, 1.0),
        false => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix64;

    #[test]
    fn a_well_sampled_gaussian_is_recovered() {
        // x = (2 a, a + b / 2 + 1) with standard normal a and b.
        let mut random = SplitMix64(5);
        let table: Vec<f64> = (0..40_000)
            .flat_map(|_| {
                let (a, b) = (random.normal(), random.normal());
                [2.0 * a, a + b / 2.0 + 1.0]
            })
            .collect();
        let gaussian = Gaussian::fit(&table, 2).unwrap();
        for (a, b) in [(0.0, 0.0), (1.0, -2.0), (-3.0, 0.5)] {
            // dx = |det| da db with det = 2 * 1/2 = 1.
            let exact = -(a * a + b * b) / 2.0 - (2.0 * std::f64::consts::PI).ln();
            let found = gaussian.log_density(&[2.0 * a, a + b / 2.0 + 1.0]);
            assert!(
                (found - exact).abs() < 0.05 * (1.0 + exact.abs()),
                "{found} {exact}"
            );
        }
    }

    #[test]
    fn the_shrinkage_is_ledoit_and_wolfs() {
        // Rows (±1, ±1) and (±3, ∓3)/... by hand: x = (2, 0), (-2, 0), (0, 1), (0, -1): S = diag(2,
        // 1/2).
        let table = [2.0, 0.0, -2.0, 0.0, 0.0, 1.0, 0.0, -1.0];
        let mean = means(&table, 2);
        let s = covariance(&table, &mean);
        assert_eq!(s.values, [2.0, 0.0, 0.0, 0.5]);
        // distance = 4.25 - 2.5²/2 = 1.125; error = ((16 + 16 + 1 + 1)/4 - 4.25)/4 = 1.0625.
        let expected = 1.0625 / 1.125;
        assert!((shrinkage(&table, &mean, &s) - expected).abs() < 1e-12);
    }

    #[test]
    fn constant_coordinates_and_few_samples_are_no_obstacle() {
        let table = [1.0, 7.0, 0.0, 2.0, 7.0, 1.0];
        let gaussian = Gaussian::fit(&table, 3).unwrap();
        let near = gaussian.log_density(&[1.5, 7.0, 0.5]);
        let far = gaussian.log_density(&[1.5, 9.0, 0.5]);
        assert!(near.is_finite() && near > far);
        assert!(Gaussian::fit(&[4.0; 6], 3).is_none(), "nothing varies");
    }
}
