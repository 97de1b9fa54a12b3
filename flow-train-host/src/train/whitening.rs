//! Whitening: the principal components of the training vectors, uncorrelated and of deviation 1.
//!
//! A network's features are many and move together. Coordinates that carry nothing cost a flow as
//! many weights as those that do: of 1,280 features kept as 64 components, a flow has a twentieth
//! of the weights.

use crate::linear::{Square, cholesky, covariance, leading_eigen, means, solved_square};
use crate::train::noise::{Noise, Purpose};

/// Vectors that the components are estimated from, at most.
pub(super) const MOST_VECTORS: usize = 8192;
/// Least variance of a component, of standardized measurements whose variances are 1: a component
/// of rounding errors must not be blown up to infinity.
const LEAST_VARIANCE: f64 = 1e-4;
/// Shares of correlations that are tried to be taken away.
const SHARES: [f64; 8] = [0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0];
const FOLDS: usize = 5;
/// Added to every variance, so that columns that are functions of each other have a density.
const SMALLEST_ADDED: f64 = 1e-6;

/// The covariance of a table. With variances that are added to its diagonal it is shrunk towards that, too, by the share
/// that makes rows likeliest which were left out: a share by formula, as of Ledoit and Wolf, would drown the directions
/// in which correlated columns hardly differ.
pub(super) fn covariance_of(table: &[f64], measured: usize, added: Option<Vec<f64>>) -> Square {
    let covariance = covariance(table, &means(table, measured));
    match added {
        None => covariance,
        Some(added) => {
            let share = best_share(table, &added);
            shrunk(covariance, &added, share)
        }
    }
}

/// What spreading standardized values over the steps of their columns adds to their variances.
pub(super) fn variances_of_steps(steps: &[f32], deviation: &[f32]) -> Vec<f64> {
    let steps = steps.iter().zip(deviation);
    let of_step = |(step, deviation): (&f32, &f32)| f64::from(step / deviation);
    steps.map(of_step).map(|step| step * step / 12.0).collect()
}

/// With variances added, and a share of what lies beside the diagonal taken away.
fn shrunk(mut covariance: Square, added: &[f64], share: f64) -> Square {
    let size = covariance.size;
    for (i, row) in covariance.values.chunks_exact_mut(size).enumerate() {
        for (j, value) in row.iter_mut().enumerate() {
            match i == j {
                true => *value += added[i] + SMALLEST_ADDED,
                false => *value *= 1.0 - share,
            }
        }
    }
    covariance
}

/// The share that makes the rows of each fold likeliest by the covariance of the others.
fn best_share(table: &[f64], added: &[f64]) -> f64 {
    let measured = added.len();
    let rows: Vec<&[f64]> = table.chunks_exact(measured).collect();
    let (mut best, mut chosen) = (f64::NEG_INFINITY, SHARES[0]);
    for share in SHARES {
        let folds = (0..FOLDS).map(|fold| of_fold(&rows, added, (fold, share)));
        let found: f64 = folds.sum();
        if found > best {
            (best, chosen) = (found, share);
        }
    }
    chosen
}

/// ln of the density of every FOLDS-th row by the others, but for a constant.
fn of_fold(rows: &[&[f64]], added: &[f64], (fold, share): (usize, f64)) -> f64 {
    let is_held = |row: usize| row % FOLDS == fold;
    let seen = (0..rows.len()).filter(|&row| !is_held(row));
    let seen: Vec<f64> = seen.flat_map(|row| rows[row].to_vec()).collect();
    let mean = means(&seen, added.len());
    let covariance = shrunk(covariance(&seen, &mean), added, share);
    let Some(lower) = cholesky(covariance) else {
        return f64::NEG_INFINITY;
    };
    let ln_volume: f64 = (0..added.len()).map(|i| lower.row(i)[i].ln()).sum();
    let of_row = |row: &&[f64]| {
        let centred: Vec<f64> = row.iter().zip(&mean).map(|(x, m)| x - m).collect();
        -0.5 * solved_square(&lower, &centred) - ln_volume
    };
    let held = rows.iter().enumerate().filter(|(row, _)| is_held(*row));
    held.map(|(_, row)| of_row(row)).sum()
}

/// `dims` rows u / sqrt(variance), u the leading eigenvectors of the covariance of standardized
/// vectors (a table of rows of `measured`).
pub(super) fn rows(covariance: &Square, dims: usize, seed: u64) -> Vec<f32> {
    let mut noise = Noise::new(seed, Purpose::Initialize, [2, 0]);
    let mut uniform = || f64::from(noise.uniform());
    let (variances, axes) = leading_eigen(covariance, dims, &mut uniform);
    let scaled = variances.iter().zip(&axes).flat_map(|(variance, axis)| {
        let deviation = variance.max(LEAST_VARIANCE).sqrt();
        axis.iter().map(move |u| (u / deviation) as f32)
    });
    scaled.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_uncorrelated_and_of_deviation_one() {
        let seed = 5;
        println!("seed {seed}");
        let mut noise = Noise::new(seed, Purpose::Initialize, [0, 0]);
        // Three measurements that two causes move, and little else.
        let table: Vec<f64> = (0..4000)
            .flat_map(|_| {
                let [a, b, c] = [1.0, 0.5, 0.01].map(|by| by * f64::from(noise.normal()));
                [a + b, a - b, a + c]
            })
            .collect();
        let rows = rows(&covariance_of(&table, 3, None), 2, seed);
        let whitened: Vec<f64> = table
            .chunks_exact(3)
            .flat_map(|x| {
                let dot = |row: &[f32]| row.iter().zip(x).map(|(&w, x)| f64::from(w) * x).sum();
                [dot(&rows[..3]), dot(&rows[3..])]
            })
            .collect();
        let found = covariance(&whitened, &means(&whitened, 2));
        for (found, wanted) in found.values.iter().zip([1.0, 0.0, 0.0, 1.0]) {
            assert!((found - wanted).abs() < 1e-5, "{found} instead of {wanted}");
        }
    }
}
