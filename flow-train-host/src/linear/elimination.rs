//! Gaussian elimination with row exchanges: P A = L U.

/// The factors of a square matrix of side n.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Lu {
    /// L below the diagonal (its own diagonal is 1), U from it on; n x n.
    pub(crate) square: Vec<f64>,
    /// Row of the matrix that row i of L U is.
    pub(crate) rows: Vec<usize>,
}

impl Lu {
    /// Factors a matrix, the largest pivot of each column first. Of a singular one, some diagonal
    /// element of U is zero or no number.
    pub(crate) fn of(mut a: Vec<f64>, n: usize) -> Self {
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

    /// The matrix again, Pᵀ L U.
    pub(crate) fn product(&self) -> Vec<f64> {
        let n = self.rows.len();
        let mut matrix = vec![0.0; n * n];
        for (i, &row) in self.rows.iter().enumerate() {
            for j in 0..n {
                let terms = (0..=i.min(j)).map(|k| {
                    let l = if k == i { 1.0 } else { self.square[i * n + k] };
                    l * self.square[k * n + j]
                });
                matrix[row * n + j] = terms.sum();
            }
        }
        matrix
    }

    /// Diagonal of U.
    fn pivots(&self) -> impl Iterator<Item = f64> + '_ {
        let n = self.rows.len();
        (0..n).map(move |k| self.square[k * n + k])
    }

    fn is_regular(&self) -> bool {
        self.pivots().all(|p| p != 0.0 && p.is_finite())
    }

    /// ln |det|; `None` if the matrix is singular.
    pub(crate) fn ln_abs_det(&self) -> Option<f64> {
        self.is_regular()
            .then(|| self.pivots().map(|p| p.abs().ln()).sum())
    }

    /// The inverse, row by row; `None` if the matrix is singular.
    pub(crate) fn inverse(&self) -> Option<Vec<f64>> {
        if !self.is_regular() {
            return None;
        }
        let n = self.rows.len();
        let mut inverse = vec![0.0; n * n];
        for column in 0..n {
            for (row, value) in self.solve_unit(column).into_iter().enumerate() {
                inverse[row * n + column] = value;
            }
        }
        Some(inverse)
    }

    /// x of A x = e, e having its 1 at `place`: forward through L, back through U.
    fn solve_unit(&self, place: usize) -> Vec<f64> {
        let n = self.rows.len();
        let mut x: Vec<f64> = (self.rows.iter())
            .map(|&row| f64::from(u8::from(row == place)))
            .collect();
        for i in 0..n {
            let known: f64 = (0..i).map(|j| self.square[i * n + j] * x[j]).sum();
            x[i] -= known;
        }
        for i in (0..n).rev() {
            let known: f64 = (i + 1..n).map(|j| self.square[i * n + j] * x[j]).sum();
            x[i] = (x[i] - known) / self.square[i * n + i];
        }
        x
    }
}

#[cfg(test)]
mod tests {
    use super::Lu;

    #[test]
    fn factors_multiply_back_and_hold_the_determinant() {
        // Needs a row exchange; determinant -2.
        let w = vec![0.0, 2.0, 1.0, 3.0];
        let factors = Lu::of(w.clone(), 2);
        assert_eq!(factors.rows, [1, 0]);
        assert_eq!(factors.square, [1.0, 3.0, 0.0, 2.0]);
        assert_eq!(factors.product(), w);
    }

    #[test]
    fn the_inverse_of_a_known_matrix() {
        // Needs a row exchange.
        let found = Lu::of(vec![0.0, 2.0, 4.0, 6.0], 2);
        assert_eq!(found.inverse().unwrap(), [-0.75, 0.25, 0.5, 0.0]);
        assert_eq!(found.ln_abs_det(), Some(8f64.ln()));
    }

    #[test]
    fn a_singular_matrix_has_neither() {
        for matrix in [vec![1.0, 2.0, 2.0, 4.0], vec![0.0; 4], vec![f64::NAN; 4]] {
            let found = Lu::of(matrix, 2);
            assert_eq!((found.inverse(), found.ln_abs_det()), (None, None));
        }
    }
}
