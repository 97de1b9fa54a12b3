//! P L U factors of a square matrix.
//!
//! W = P L U with P a permutation, L lower triangular with a diagonal of ones, U upper triangular; L and U are kept in
//! one square, L below the diagonal.

use super::noise::Noise;

/// A factored matrix of side n.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Factors {
    /// L below the diagonal, U from it on; n x n.
    pub(crate) square: Vec<f64>,
    /// Row of W that row i of L U becomes.
    pub(crate) rows: Vec<usize>,
}

impl Factors {
    /// Gauss elimination with the largest pivot of each column.
    pub(crate) fn of(weights: &[f32], n: usize) -> Self {
        let mut a: Vec<f64> = weights.iter().copied().map(f64::from).collect();
        let mut rows: Vec<usize> = (0..n).collect();
        for k in 0..n {
            let size = |i: usize| a[i * n + k].abs();
            let pivot = (k..n).fold(k, |best, i| if size(i) > size(best) { i } else { best });
            rows.swap(k, pivot);
            (0..n).for_each(|j| a.swap(k * n + j, pivot * n + j));
            for i in k + 1..n {
                let factor = a[i * n + k] / a[k * n + k];
                a[i * n + k] = factor;
                for j in k + 1..n {
                    a[i * n + j] -= factor * a[k * n + j];
                }
            }
        }
        Self { square: a, rows }
    }

    /// P L U.
    pub(crate) fn product(&self) -> Vec<f32> {
        let n = self.rows.len();
        let mut weights = vec![0.0; n * n];
        for (i, &row) in self.rows.iter().enumerate() {
            for j in 0..n {
                let inner = (0..=i.min(j)).map(|k| {
                    let l = if k == i { 1.0 } else { self.square[i * n + k] };
                    l * self.square[k * n + j]
                });
                weights[row * n + j] = inner.sum::<f64>() as f32;
            }
        }
        weights
    }
}

/// A random rotation or reflection: Gram and Schmidt on normal rows.
pub(crate) fn random_orthogonal(n: usize, noise: &mut Noise) -> Vec<f32> {
    let mut rows: Vec<Vec<f64>> = Vec::new();
    while rows.len() < n {
        let mut row: Vec<f64> = (0..n).map(|_| f64::from(noise.normal())).collect();
        for done in &rows {
            let along: f64 = row.iter().zip(done).map(|(a, b)| a * b).sum();
            row.iter_mut().zip(done).for_each(|(a, b)| *a -= along * b);
        }
        let length = row.iter().map(|a| a * a).sum::<f64>().sqrt();
        // A row almost in the span of the others would be mostly rounding.
        if length > 1e-3 {
            rows.push(row.iter().map(|a| a / length).collect());
        }
    }
    rows.concat().iter().map(|&w| w as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::super::noise::Purpose;
    use super::*;

    #[test]
    fn factors_multiply_back_and_hold_the_determinant() {
        // Needs a row exchange; determinant -2.
        let w = [0.0, 2.0, 1.0, 3.0];
        let factors = Factors::of(&w, 2);
        assert_eq!(factors.rows, [1, 0]);
        assert_eq!(factors.square, [1.0, 3.0, 0.0, 2.0]);
        assert_eq!(factors.product(), w);
    }

    #[test]
    fn random_matrices_are_orthogonal() {
        let n = 7;
        let w = random_orthogonal(n, &mut Noise::new(3, Purpose::Initialize, [0, 0]));
        for i in 0..n {
            for j in 0..n {
                let dot: f32 = (0..n).map(|k| w[i * n + k] * w[j * n + k]).sum();
                let wanted = if i == j { 1.0 } else { 0.0 };
                assert!((dot - wanted).abs() < 1e-5);
            }
        }
        let back = Factors::of(&w, n).product();
        assert!(w.iter().zip(back).all(|(a, b)| (a - b).abs() < 1e-6));
    }
}
