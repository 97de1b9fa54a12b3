//! Matrices in the forms that libraries store them in.

use super::Chain;
use crate::convert::{ConvertError, StateDict};
use crate::model::Tensor;
use std::cmp::Ordering;

/// y = L (U x) + b, with ones on L's diagonal and softplus(d) + epsilon on U's.
pub(in crate::convert) fn lu(
    state: &mut StateDict<'_>,
    at: &str,
    chain: &mut Chain,
    epsilon: f64,
) -> Result<(), ConvertError> {
    let dims = chain.dims();
    let entries = dims * dims.saturating_sub(1) / 2;
    let lower = state.values(&format!("{at}lower_entries"), &[entries])?;
    let upper = state.values(&format!("{at}upper_entries"), &[entries])?;
    let diagonal = state.values(&format!("{at}unconstrained_upper_diag"), &[dims])?;
    let bias = state.values(&format!("{at}bias"), &[dims])?;
    let (Some(lower), Some(upper), Some(diagonal), Some(bias)) = (lower, upper, diagonal, bias)
    else {
        return Ok(());
    };
    let (mut l, mut u) = (vec![0.0; dims * dims], vec![0.0; dims * dims]);
    let (mut lower, mut upper) = (lower.into_iter(), upper.into_iter());
    // Entries are stored row by row.
    for i in 0..dims {
        for j in 0..dims {
            let at = i * dims + j;
            match i.cmp(&j) {
                Ordering::Greater => l[at] = lower.next().unwrap_or(0.0),
                Ordering::Less => u[at] = upper.next().unwrap_or(0.0),
                Ordering::Equal => {
                    (l[at], u[at]) = (1.0, softplus(diagonal[i]) + epsilon);
                }
            }
        }
    }
    chain.linear(&product(&l, &u, dims))?;
    chain.elementwise(&bias, &vec![0.0; dims])
}

/// P L (U + diag(sign exp(log_S))), of a key's prefix and a size; or the matrix W itself, if that is there.
pub(in crate::convert) fn plu(
    state: &mut StateDict<'_>,
    at: &str,
    c: usize,
) -> Result<Option<Vec<f64>>, ConvertError> {
    let whole = format!("{at}W");
    if state.has(&whole) {
        return state.values(&whole, &[c, c]);
    }
    let [p, l, u] = ["P", "L", "U"].map(|name| state.take(&format!("{at}{name}"), &[c, c]));
    let [sign, log] = ["sign_S", "log_S"].map(|name| state.take(&format!("{at}{name}"), &[c]));
    state.discard(&format!("{at}eye"));
    let (Some(p), Some(l), Some(u), Some(sign), Some(log)) = (p?, l?, u?, sign?, log?) else {
        return Ok(None);
    };
    let entry = |of: &Tensor, i: usize, j: usize| f64::from(of.values[i * c + j]);
    let diagonal = |i: usize| f64::from(sign.values[i]) * f64::from(log.values[i]).exp();
    let matrix = |f: &dyn Fn(usize, usize) -> f64| -> Vec<f64> {
        (0..c * c).map(|at| f(at / c, at % c)).collect()
    };
    let lower = matrix(&|i, j| match i.cmp(&j) {
        Ordering::Greater => entry(&l, i, j),
        Ordering::Equal => 1.0,
        Ordering::Less => 0.0,
    });
    let upper = matrix(&|i, j| match i.cmp(&j) {
        Ordering::Less => entry(&u, i, j),
        Ordering::Equal => diagonal(i),
        Ordering::Greater => 0.0,
    });
    let p = matrix(&|i, j| entry(&p, i, j));
    Ok(Some(product(&p, &product(&lower, &upper, c), c)))
}

/// A matrix product, row-major.
pub(in crate::convert) fn product(a: &[f64], b: &[f64], dims: usize) -> Vec<f64> {
    let entry = |i: usize, j: usize| (0..dims).map(|k| a[i * dims + k] * b[k * dims + j]).sum();
    (0..dims * dims)
        .map(|at| entry(at / dims, at % dims))
        .collect()
}

/// A transposed matrix.
pub(in crate::convert) fn transposed(a: &[f64], dims: usize) -> Vec<f64> {
    (0..dims * dims)
        .map(|at| a[at % dims * dims + at / dims])
        .collect()
}

/// ln(1 + exp x).
pub(in crate::convert) fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}
