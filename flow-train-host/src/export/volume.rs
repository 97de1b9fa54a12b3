//! Determinants of the linear maps that a plan stores, for its constant.

use crate::linear::orthonormalize;

/// ln |det| of a square matrix by elimination with row pivoting; `None` if it is singular.
pub fn ln_abs_det(mut matrix: Vec<f64>, size: usize) -> Option<f64> {
    let mut sum = 0.0;
    for column in 0..size {
        let magnitude = |row: &usize| matrix[row * size + column].abs();
        let pivot = (column..size).max_by(|a, b| magnitude(a).total_cmp(&magnitude(b)))?;
        let value = matrix[pivot * size + column];
        if value == 0.0 || !value.is_finite() {
            return None;
        }
        sum += value.abs().ln();
        for k in 0..size {
            matrix.swap(pivot * size + k, column * size + k);
        }
        for row in column + 1..size {
            let factor = matrix[row * size + column] / value;
            for k in column..size {
                matrix[row * size + k] -= factor * matrix[column * size + k];
            }
        }
    }
    Some(sum)
}

/// ln of the volume that rows span, ln det(A Aᵀ) / 2, by Gram and Schmidt's process; `None` if they depend on each
/// other.
pub fn ln_volume(mut rows: Vec<Vec<f64>>) -> Option<f64> {
    let lengths = orthonormalize(&mut rows);
    let span = lengths.iter().all(|&l| l > 0.0 && l.is_finite());
    span.then(|| lengths.iter().map(|l| l.ln()).sum())
}
