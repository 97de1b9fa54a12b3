//! Positive definite matrices: factor, inverse, squared distances.

use super::{Square, dot};
use rayon::prelude::*;

/// The lower triangle L of a matrix L Lᵀ; `None` if it is not positive definite.
pub(crate) fn cholesky(mut matrix: Square) -> Option<Square> {
    let n = matrix.size;
    for i in 0..n {
        let (above, rest) = matrix.values.split_at_mut(i * n);
        let row = &mut rest[..n];
        for j in 0..i {
            let other = &above[j * n..j * n + j + 1];
            let known: f64 = row[..j].iter().zip(other).map(|(x, y)| x * y).sum();
            row[j] = (row[j] - known) / other[j];
        }
        let square: f64 = row[..i].iter().map(|x| x * x).sum();
        let pivot = row[i] - square;
        if pivot <= 0.0 || pivot.is_nan() {
            return None;
        }
        row[i] = pivot.sqrt();
        row[i + 1..].fill(0.0);
    }
    Some(matrix)
}

/// A⁻¹ = L⁻ᵀ L⁻¹ of a positive definite matrix.
pub(crate) fn inverse_of_positive(a: &Square) -> Option<Square> {
    let n = a.size;
    let lower = cholesky(a.clone())?.values;
    // Row i of `solved` is column i of L⁻¹, by forward substitution.
    let mut solved = vec![0.0; n * n];
    let columns = solved.par_chunks_mut(n).enumerate();
    columns.for_each(|(column, x)| {
        x[column] = 1.0 / lower[column * n + column];
        for i in column + 1..n {
            let row = &lower[i * n + column..i * n + i];
            let dot: f64 = row.iter().zip(&x[column..i]).map(|(l, x)| l * x).sum();
            x[i] = -dot / lower[i * n + i];
        }
    });
    let mut inverse = Square::zero(n);
    let rows = inverse.values.par_chunks_mut(n).enumerate();
    rows.for_each(|(i, row)| {
        for (j, value) in row.iter_mut().enumerate() {
            let start = i.max(j);
            let [a, b] = [i, j].map(|k| &solved[k * n + start..(k + 1) * n]);
            *value = a.iter().zip(b).map(|(x, y)| x * y).sum();
        }
    });
    Some(inverse)
}

/// Squared length of L⁻¹ v.
pub(crate) fn solved_square(lower: &Square, v: &[f64]) -> f64 {
    let mut solved = Vec::with_capacity(v.len());
    for (i, value) in v.iter().enumerate() {
        let row = lower.row(i);
        solved.push((value - dot(&row[..i], &solved)) / row[i]);
    }
    dot(&solved, &solved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cholesky_factor_of_a_known_matrix() {
        let matrix = Square {
            size: 2,
            values: vec![4.0, 2.0, 2.0, 10.0],
        };
        let lower = cholesky(matrix).unwrap();
        assert_eq!(lower.values, [2.0, 0.0, 1.0, 3.0]);
        // (2, 4): L⁻¹ v = (1, 1).
        assert_eq!(solved_square(&lower, &[2.0, 4.0]), 2.0);
        let singular = Square {
            size: 2,
            values: vec![1.0, 1.0, 1.0, 1.0],
        };
        assert_eq!(cholesky(singular), None);
    }

    #[test]
    fn a_matrix_times_its_inverse_is_the_identity() {
        let n = 12;
        let correlation = |k: usize| 0.95f64.powi((k / n).abs_diff(k % n) as i32);
        let a = Square {
            size: n,
            values: (0..n * n).map(correlation).collect(),
        };
        let inverse = inverse_of_positive(&a).unwrap();
        for i in 0..n {
            for j in 0..n {
                let product: f64 = (0..n).map(|k| a.row(i)[k] * inverse.row(k)[j]).sum();
                assert!((product - f64::from(u8::from(i == j))).abs() < 1e-10);
            }
        }
    }
}
