//! Eigenvectors of symmetric matrices, and orthonormal bases.

use super::{Square, dot};
use rayon::prelude::*;

/// Eigenvalues and eigenvectors of a symmetric matrix, largest first; vector i is row i of the
/// second part.
///
/// Jacobi's cyclic rotations: slow beyond a few hundred rows, accurate always.
pub(crate) fn eigen(matrix: &Square) -> (Vec<f64>, Square) {
    const SWEEPS: usize = 30;
    let size = matrix.size;
    let mut a = matrix.clone();
    let mut vectors = Square::zero(size);
    (0..size).for_each(|i| vectors.values[i * size + i] = 1.0);
    let scale: f64 = dot(&a.values, &a.values);
    for _ in 0..SWEEPS {
        let off: f64 = (0..size)
            .flat_map(|i| a.row(i)[..i].iter())
            .map(|v| v * v)
            .sum();
        if off <= scale * 1e-28 {
            break;
        }
        for p in 0..size {
            for q in p + 1..size {
                rotate(&mut a, &mut vectors, p, q);
            }
        }
    }
    let mut order: Vec<usize> = (0..size).collect();
    order.sort_by(|&i, &j| a.row(j)[j].total_cmp(&a.row(i)[i]));
    let values = order.iter().map(|&i| a.row(i)[i]).collect();
    let rows = order.iter().flat_map(|&i| vectors.row(i).to_vec());
    (
        values,
        Square {
            size,
            values: rows.collect(),
        },
    )
}

/// Makes a[p][q] zero by a rotation of rows and columns p and q.
fn rotate(a: &mut Square, vectors: &mut Square, p: usize, q: usize) {
    let n = a.size;
    let apq = a.values[p * n + q];
    if apq == 0.0 {
        return;
    }
    let theta = (a.values[q * n + q] - a.values[p * n + p]) / (2.0 * apq);
    let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
    let t = if theta == 0.0 { 1.0 } else { t };
    let cos = 1.0 / (t * t + 1.0).sqrt();
    let sin = t * cos;
    for k in 0..n {
        let (kp, kq) = (a.values[k * n + p], a.values[k * n + q]);
        a.values[k * n + p] = cos * kp - sin * kq;
        a.values[k * n + q] = sin * kp + cos * kq;
    }
    for m in [a, vectors] {
        for k in 0..n {
            let (pk, qk) = (m.values[p * n + k], m.values[q * n + k]);
            m.values[p * n + k] = cos * pk - sin * qk;
            m.values[q * n + k] = sin * pk + cos * qk;
        }
    }
}

/// The leading eigenvalues and eigenvectors (`count` rows of D) of a covariance.
///
/// Small matrices exactly; large ones by subspace iteration, whose directions are approximate where
/// eigenvalues lie close together (a few spare directions help). Any orthonormal basis gives a
/// proper density, so that costs little.
pub(crate) fn leading_eigen(
    covariance: &Square,
    count: usize,
    random: &mut impl FnMut() -> f64,
) -> (Vec<f64>, Vec<Vec<f64>>) {
    const EXACT: usize = 96;
    const ITERATIONS: usize = 40;
    const SPARE: usize = 16;
    let size = covariance.size;
    if size <= EXACT {
        let (values, vectors) = eigen(covariance);
        let vectors = (0..count).map(|i| vectors.row(i).to_vec()).collect();
        return (values[..count].to_vec(), vectors);
    }
    let mut basis: Vec<Vec<f64>> = (0..size.min(count + SPARE))
        .map(|_| (0..size).map(|_| random() - 0.5).collect())
        .collect();
    for _ in 0..ITERATIONS {
        orthonormalize(&mut basis);
        basis = times(covariance, &basis);
    }
    orthonormalize(&mut basis);
    let (mut values, mut vectors) = rotate_to_axes(covariance, &basis);
    values.truncate(count);
    vectors.truncate(count);
    (values, vectors)
}

/// The rows of `basis`, each multiplied by the matrix.
fn times(matrix: &Square, basis: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let product = |v: &Vec<f64>| (0..matrix.size).map(|i| dot(matrix.row(i), v)).collect();
    basis.par_iter().map(product).collect()
}

/// Gram and Schmidt's process, twice over each row: once is not orthogonal enough. Returns how long
/// each row was across those before it.
pub(crate) fn orthonormalize(basis: &mut [Vec<f64>]) -> Vec<f64> {
    let mut lengths = Vec::with_capacity(basis.len());
    for i in 0..basis.len() {
        let (done, rest) = basis.split_at_mut(i);
        let row = &mut rest[0];
        for other in done.iter().chain(done.iter()) {
            let along = dot(row, other);
            row.iter_mut().zip(other).for_each(|(r, o)| *r -= along * o);
        }
        let length = dot(row, row).sqrt();
        let divisor = length.max(f64::MIN_POSITIVE);
        row.iter_mut().for_each(|r| *r /= divisor);
        lengths.push(length);
    }
    lengths
}

/// Eigenvectors within the space of an orthonormal basis (Rayleigh and Ritz).
fn rotate_to_axes(matrix: &Square, basis: &[Vec<f64>]) -> (Vec<f64>, Vec<Vec<f64>>) {
    let count = basis.len();
    let images = times(matrix, basis);
    let mut small = Square::zero(count);
    for i in 0..count {
        for j in 0..count {
            small.values[i * count + j] = dot(&basis[i], &images[j]);
        }
    }
    let (values, vectors) = eigen(&small);
    let combine = |i: usize| {
        let mut combined = vec![0.0; matrix.size];
        for (weight, row) in vectors.row(i).iter().zip(basis) {
            let sums = combined.iter_mut().zip(row);
            sums.for_each(|(c, r)| *c += weight * r);
        }
        combined
    };
    (values, (0..count).map(combine).collect())
}

#[cfg(test)]
mod tests {
    use super::super::tests::random_covariance;
    use super::*;
    use crate::random::SplitMix64;

    #[test]
    fn the_eigenvectors_of_a_known_matrix() {
        let matrix = Square {
            size: 2,
            values: vec![2.0, 1.0, 1.0, 2.0],
        };
        let (values, vectors) = eigen(&matrix);
        assert!((values[0] - 3.0).abs() < 1e-12 && (values[1] - 1.0).abs() < 1e-12);
        assert!((vectors.row(0)[0] - vectors.row(0)[1]).abs() < 1e-12);
    }

    #[test]
    fn eigenvectors_are_eigenvectors() {
        for size in [5, 90, 130] {
            let matrix = random_covariance(size, size as u64);
            let mut random = SplitMix64(1);
            let (values, vectors) = leading_eigen(&matrix, 4, &mut || random.uniform());
            let images = times(&matrix, &vectors);
            for ((value, vector), image) in values.iter().zip(&vectors).zip(&images) {
                assert!((dot(vector, vector) - 1.0).abs() < 1e-9, "size {size}");
                let off = image.iter().zip(vector).map(|(i, v)| (i - value * v).abs());
                let worst = off.fold(0.0, f64::max);
                assert!(worst < 1e-3 * values[0], "size {size}: {worst}");
            }
        }
    }

    #[test]
    fn all_eigenvalues_sum_to_the_trace() {
        let matrix = random_covariance(12, 3);
        let (values, _) = eigen(&matrix);
        assert!((values.iter().sum::<f64>() - matrix.trace()).abs() < 1e-9);
        assert!(values.is_sorted_by(|a, b| a >= b));
    }
}
