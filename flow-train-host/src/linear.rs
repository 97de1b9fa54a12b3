//! The little linear algebra that a Gaussian needs: covariance, Cholesky factor, leading eigenvectors.
//!
//! Sums run in a fixed order whatever the number of threads: a baseline must give the same figures twice.

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

/// The lower triangle L of a positive definite matrix = L Lᵀ; `None` if it is not positive definite.
pub(crate) fn cholesky(matrix: &Square) -> Option<Square> {
    let size = matrix.size;
    let mut lower = Square::zero(size);
    for i in 0..size {
        for j in 0..=i {
            let known = dot(&lower.row(i)[..j], &lower.row(j)[..j]);
            let rest = matrix.row(i)[j] - known;
            lower.values[i * size + j] = match i == j {
                true if rest > 0.0 => rest.sqrt(),
                true => return None,
                false => rest / lower.row(j)[j],
            };
        }
    }
    Some(lower)
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

/// Eigenvalues and eigenvectors of a symmetric matrix, largest first; vector i is row i of the second part.
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
/// Small matrices exactly; large ones by subspace iteration, whose directions are approximate where eigenvalues lie
/// close together (a few spare directions help). Any orthonormal basis gives a proper density, so that costs little.
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

/// Gram and Schmidt's process, twice over each row: once is not orthogonal enough. Returns how long each row was
/// across those before it.
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
    use super::*;
    use crate::baselines::SplitMix64;

    fn random_covariance(size: usize, seed: u64) -> Square {
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

    #[test]
    fn the_cholesky_factor_of_a_known_matrix() {
        let matrix = Square {
            size: 2,
            values: vec![4.0, 2.0, 2.0, 10.0],
        };
        let lower = cholesky(&matrix).unwrap();
        assert_eq!(lower.values, [2.0, 0.0, 1.0, 3.0]);
        // (2, 4): L⁻¹ v = (1, 1).
        assert_eq!(solved_square(&lower, &[2.0, 4.0]), 2.0);
        let singular = Square {
            size: 2,
            values: vec![1.0, 1.0, 1.0, 1.0],
        };
        assert_eq!(cholesky(&singular), None);
    }

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
