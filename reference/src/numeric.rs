//! Determinants, solutions and derivatives by the textbook: what the reference is checked with.

/// Factors of a square matrix with rows exchanged: P A = L U (Doolittle, partial pivoting).
#[derive(Clone, Debug)]
pub struct Lu {
    n: usize,
    /// L below the diagonal (its own diagonal is 1), U on and above it.
    factors: Vec<f64>,
    /// Row i of P A is row `order[i]` of A.
    order: Vec<usize>,
}

impl Lu {
    /// Factors an n x n matrix, row-major. A singular one gives a zero on the diagonal of U.
    pub fn new(matrix: Vec<f64>, n: usize) -> Self {
        assert_eq!(matrix.len(), n * n);
        let mut a = matrix;
        let mut order: Vec<usize> = (0..n).collect();
        for k in 0..n {
            let pivot = (k..n)
                .max_by(|&i, &j| a[i * n + k].abs().total_cmp(&a[j * n + k].abs()))
                .unwrap_or(k);
            if a[pivot * n + k] == 0.0 {
                continue;
            }
            order.swap(k, pivot);
            for j in 0..n {
                a.swap(k * n + j, pivot * n + j);
            }
            for i in k + 1..n {
                let factor = a[i * n + k] / a[k * n + k];
                a[i * n + k] = factor;
                for j in k + 1..n {
                    a[i * n + j] -= factor * a[k * n + j];
                }
            }
        }
        let factors = a;
        Self { n, factors, order }
    }

    /// L below the diagonal, ln |U_ii| on it, U above it, row-major.
    pub fn with_logarithms(&self) -> Vec<f64> {
        let mut factors = self.factors.clone();
        for diagonal in factors.iter_mut().step_by(self.n + 1) {
            *diagonal = diagonal.abs().ln();
        }
        factors
    }

    /// ln |det A|; minus infinity for a singular matrix.
    pub fn ln_abs_det(&self) -> f64 {
        (0..self.n)
            .map(|k| self.factors[k * self.n + k].abs().ln())
            .sum()
    }

    /// x with A x = right; not finite for a singular matrix.
    pub fn solve(&self, right: &[f64]) -> Vec<f64> {
        let (n, lu) = (self.n, &self.factors);
        let mut x: Vec<f64> = self.order.iter().map(|&i| right[i]).collect();
        for i in 0..n {
            for j in 0..i {
                x[i] -= lu[i * n + j] * x[j];
            }
        }
        for i in (0..n).rev() {
            for j in i + 1..n {
                x[i] -= lu[i * n + j] * x[j];
            }
            x[i] /= lu[i * n + i];
        }
        x
    }
}

/// The matrix of ∂f_i/∂x_j by central differences of width 2 step, row-major; `None` where f has a kink within a step.
///
/// A kink (a relu that switches) makes the central difference an average of two slopes, which is no derivative. It
/// shows as a difference between the slopes to the left and to the right larger than `kink`, relative to 1 plus the
/// slope: the caller then takes another point.
pub fn jacobian(
    f: impl Fn(&[f64]) -> Vec<f64>,
    at: &[f64],
    step: f64,
    kink: f64,
) -> Option<Vec<f64>> {
    let n = at.len();
    let middle = f(at);
    let mut matrix = vec![0.0; middle.len() * n];
    for j in 0..n {
        let moved = |by: f64| {
            let mut point = at.to_vec();
            point[j] += by;
            f(&point)
        };
        let (left, right) = (moved(-step), moved(step));
        for i in 0..middle.len() {
            let (to_left, to_right) = (middle[i] - left[i], right[i] - middle[i]);
            if (to_right - to_left).abs() > kink * (step + to_right.abs()) {
                return None;
            }
            matrix[i * n + j] = (to_left + to_right) / (2.0 * step);
        }
    }
    Some(matrix)
}

/// ∫ f over [low, high] by the trapezoidal rule with this many intervals; for a smooth f that vanishes at both ends
/// its error falls faster than any power of the width.
pub fn trapezoid(low: f64, high: f64, intervals: usize, mut f: impl FnMut(f64) -> f64) -> f64 {
    let width = (high - low) / intervals as f64;
    let inner: f64 = (1..intervals).map(|k| f(low + k as f64 * width)).sum();
    width * (inner + (f(low) + f(high)) / 2.0)
}
