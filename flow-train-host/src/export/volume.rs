//! Determinants of the linear maps that a plan stores, for its constant.

use crate::linear::{Lu, orthonormalize};

/// ln |det| of a square matrix; `None` if it is singular.
pub fn ln_abs_det(matrix: Vec<f64>, size: usize) -> Option<f64> {
    Lu::of(matrix, size).ln_abs_det()
}

/// ln of the volume that rows span, ln det(A Aᵀ) / 2, by Gram and Schmidt's process; `None` if they
/// depend on each other.
pub fn ln_volume(mut rows: Vec<Vec<f64>>) -> Option<f64> {
    let lengths = orthonormalize(&mut rows);
    let span = lengths.iter().all(|&l| l > 0.0 && l.is_finite());
    span.then(|| lengths.iter().map(|l| l.ln()).sum())
}
