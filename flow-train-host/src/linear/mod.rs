//! The little linear algebra that baselines, whitening and quantization need, in f64.
//!
//! Sums run in a fixed order whatever the number of threads: the same data must give the same
//! figures twice.

mod cholesky;
mod eigen;
mod elimination;

pub(crate) use cholesky::{cholesky, inverse_of_positive, solved_square};
pub(crate) use eigen::{leading_eigen, orthonormalize};
pub(crate) use elimination::Lu;

use rayon::prelude::*;

/// A square matrix, row by row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Square {
    pub(crate) size: usize,
    pub(crate) values: Vec<f64>,
}

impl Square {
    pub(crate) fn zero(size: usize) -> Self {
        Self {
            size,
            values: vec![0.0; size * size],
        }
    }

    pub(crate) fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.size..][..self.size]
    }

    /// Aᵀ.
    pub(crate) fn transposed(&self) -> Self {
        let n = self.size;
        Self {
            size: n,
            values: (0..n * n)
                .map(|k| self.values[(k % n) * n + k / n])
                .collect(),
        }
    }

    /// Sum of the diagonal.
    pub(crate) fn trace(&self) -> f64 {
        (0..self.size).map(|i| self.row(i)[i]).sum()
    }
}

/// Dot product in four running sums, which the compiler can keep in one register.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a4, a_rest) = a.as_chunks::<4>();
    let (b4, b_rest) = b.as_chunks::<4>();
    let mut sums = [0.0; 4];
    for (a, b) in a4.iter().zip(b4) {
        for lane in 0..4 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}

/// Means of the columns of an N x D table.
pub(crate) fn means(table: &[f64], dims: usize) -> Vec<f64> {
    let mut sums = vec![0.0; dims];
    for row in table.chunks_exact(dims) {
        sums.iter_mut().zip(row).for_each(|(s, v)| *s += v);
    }
    let count = (table.len() / dims) as f64;
    sums.iter().map(|s| s / count).collect()
}

/// Maximum-likelihood covariance of an N x D table around `mean`.
pub(crate) fn covariance(table: &[f64], mean: &[f64]) -> Square {
    let size = mean.len();
    let count = table.len() / size;
    // Column by column, so that every entry is one dot product of contiguous values.
    let columns: Vec<Vec<f64>> = (0..size)
        .into_par_iter()
        .map(|d| {
            let column = table.iter().skip(d).step_by(size);
            column.map(|v| v - mean[d]).collect()
        })
        .collect();
    let lower: Vec<Vec<f64>> = (0..size)
        .into_par_iter()
        .map(|i| {
            let entry = |j: usize| dot(&columns[i], &columns[j]) / count as f64;
            (0..=i).map(entry).collect()
        })
        .collect();
    let mut covariance = Square::zero(size);
    for (i, row) in lower.iter().enumerate() {
        for (j, &value) in row.iter().enumerate() {
            covariance.values[i * size + j] = value;
            covariance.values[j * size + i] = value;
        }
    }
    covariance
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix64;

    pub(super) fn random_covariance(size: usize, seed: u64) -> Square {
        let mut random = SplitMix64(seed);
        let table: Vec<f64> = (0..size * size * 3)
            .map(|i| (random.uniform() - 0.5) * (1.0 + (i % size) as f64))
            .collect();
        covariance(&table, &means(&table, size))
    }

    #[test]
    fn the_covariance_of_three_points() {
        let table = [0.0, 0.0, 3.0, 0.0, 0.0, 6.0];
        let mean = means(&table, 2);
        assert_eq!(mean, [1.0, 2.0]);
        let covariance = covariance(&table, &mean);
        assert_eq!(covariance.values, [2.0, -2.0, -2.0, 8.0]);
    }
}
