//! Whitening: the principal components of the training vectors, uncorrelated and of deviation 1.
//!
//! A network's features are many and move together. Coordinates that carry nothing cost a flow as
//! many weights as those that do: of 1,280 features kept as 64 components, a flow has a twentieth
//! of the weights.

use crate::linear::{Square, covariance, leading_eigen, means};
use crate::train::noise::{Noise, Purpose};

/// Vectors that the components are estimated from, at most.
pub(super) const MOST_VECTORS: usize = 8192;
/// Least variance of a component, of standardized measurements whose variances are 1: a component
/// of rounding errors must not be blown up to infinity.
const LEAST_VARIANCE: f64 = 1e-4;

/// `dims` rows u / sqrt(variance), u the leading eigenvectors of the covariance of standardized
/// vectors (a table of rows of `measured`).
pub(super) fn rows(table: &[f64], measured: usize, dims: usize, seed: u64) -> Vec<f32> {
    let covariance: Square = covariance(table, &means(table, measured));
    let mut noise = Noise::new(seed, Purpose::Initialize, [2, 0]);
    let mut uniform = || f64::from(noise.uniform());
    let (variances, axes) = leading_eigen(&covariance, dims, &mut uniform);
    let scaled = variances.iter().zip(&axes).flat_map(|(variance, axis)| {
        let deviation = variance.max(LEAST_VARIANCE).sqrt();
        axis.iter().map(move |u| (u / deviation) as f32)
    });
    scaled.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_uncorrelated_and_of_deviation_one() {
        let seed = 5;
        println!("seed {seed}");
        let mut noise = Noise::new(seed, Purpose::Initialize, [0, 0]);
        // Three measurements that two causes move, and little else.
        let table: Vec<f64> = (0..4000)
            .flat_map(|_| {
                let [a, b, c] = [1.0, 0.5, 0.01].map(|by| by * f64::from(noise.normal()));
                [a + b, a - b, a + c]
            })
            .collect();
        let rows = rows(&table, 3, 2, seed);
        let whitened: Vec<f64> = table
            .chunks_exact(3)
            .flat_map(|x| {
                let dot = |row: &[f32]| row.iter().zip(x).map(|(&w, x)| f64::from(w) * x).sum();
                [dot(&rows[..3]), dot(&rows[3..])]
            })
            .collect();
        let found = covariance(&whitened, &means(&whitened, 2));
        for (found, wanted) in found.values.iter().zip([1.0, 0.0, 0.0, 1.0]) {
            assert!((found - wanted).abs() < 1e-5, "{found} instead of {wanted}");
        }
    }
}
