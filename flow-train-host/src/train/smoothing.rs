//! What keeps a flow from learning few vectors by heart.

use super::input::{Dequantization, DequantizationNoise, standardization};
use super::noise::{Noise, Purpose};
use super::vector_input::standardized;
use super::whitening;
use crate::data::Vectors;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// A column of more distinct values than this share of its rows is taken for continuous.
const CONTINUOUS: f64 = 0.9;
/// Deviations of kernels that are tried.
const KERNELS: [f64; 10] = [0.05, 0.07, 0.1, 0.14, 0.2, 0.28, 0.4, 0.56, 0.8, 1.1];
/// Vectors that they are tried on, at most.
const MOST_VECTORS: usize = 2048;
/// Noise over the best kernel. A flow that learned its vectors by heart would be the estimate by kernels of the noise;
/// one that cannot needs less (records/tables.md).
const NOISE_OF_KERNEL: f64 = 0.5;

/// Few vectors as a flow learns them: whitened by a covariance that is shrunk as far as rows that were left out ask
/// for, the couplings at first the identity, and every vector seen with other noise in each epoch. The first weights,
/// a Gaussian, count as an epoch: where no later one is better on the validation vectors, they are the model.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Smoothing {
    /// Spreads the values of a column over the step that it is recorded in, as dequantization does the bytes of an
    /// image: without, the density of whole numbers is that of needles.
    pub steps: bool,
    /// Deviation of the noise on each coordinate of the first latent, whose own deviation is 1.
    pub noise: f32,
}

impl Smoothing {
    /// Steps alone, no noise.
    pub(super) const STEPS: Self = Self {
        steps: true,
        noise: 0.0,
    };

    /// That suits these vectors: with noise as large as kernels by which each of them is likely for the others.
    pub fn suited(vectors: &Vectors, seed: u64) -> Self {
        let items: Vec<usize> = (0..vectors.len().min(MOST_VECTORS)).collect();
        if items.len() < 2 {
            return Self::STEPS;
        }
        let latents = whitened(vectors, &items, seed);
        let kernel = best_kernel(&latents, vectors.dims());
        Self {
            noise: (NOISE_OF_KERNEL * kernel) as f32,
            ..Self::STEPS
        }
    }

    /// What is wrong with the numbers, if anything.
    pub(super) fn problem(&self) -> Option<&'static str> {
        let is_usable = self.noise.is_finite() && self.noise >= 0.0;
        (!is_usable).then_some("the noise of smoothing must not be negative")
    }
}

/// The vectors somewhere in their cells, whitened.
fn whitened(vectors: &Vectors, items: &[usize], seed: u64) -> Vec<f64> {
    let dims = vectors.dims();
    let smoother = Smoother::new(Smoothing::STEPS, vectors, items);
    let (mean, deviation) = standardization(items.iter().map(|&i| vectors.get(i)), dims);
    let table = |row: &[f32]| -> Vec<f64> {
        let row = standardized(row, &mean, &deviation);
        row.map(f64::from).collect()
    };
    let plain: Vec<f64> = items.iter().flat_map(|&i| table(vectors.get(i))).collect();
    let added = whitening::variances_of_steps(&smoother.steps, &deviation);
    let covariance = whitening::covariance_of(&plain, dims, Some(added));
    let rows = whitening::rows(&covariance, dims, seed);
    let drawn = DequantizationNoise::Evaluation(Dequantization::Drawn { seed, draw: 0 });
    let latent = |&item: &usize| {
        let x = vectors.get(item);
        let seen = smoother.seen(x, item, drawn);
        let x = table(seen.as_ref().map_or(x, |seen| &seen.x));
        let dot = |row: &[f32]| row.iter().zip(&x).map(|(&w, x)| f64::from(w) * x).sum();
        rows.chunks_exact(dims).map(dot).collect::<Vec<f64>>()
    };
    items.iter().flat_map(latent).collect()
}

/// The deviation of normal kernels by which each row is likeliest for all others.
fn best_kernel(table: &[f64], dims: usize) -> f64 {
    let rows: Vec<&[f64]> = table.chunks_exact(dims).collect();
    let of_row = |(own, row): (usize, &&[f64])| {
        let others = rows.iter().enumerate().filter(|(other, _)| *other != own);
        let squares = others.map(|(_, other)| {
            let differences = row.iter().zip(*other).map(|(a, b)| a - b);
            differences.map(|d| d * d).sum::<f64>()
        });
        let squares: Vec<f64> = squares.collect();
        KERNELS.map(|kernel| ln_density(&squares, kernel, dims))
    };
    let all: Vec<_> = rows.par_iter().enumerate().map(of_row).collect();
    let sum = |kernel: usize| all.iter().map(|row| row[kernel]).sum::<f64>();
    let best = (0..KERNELS.len()).max_by(|&a, &b| sum(a).total_cmp(&sum(b)));
    best.map_or(0.0, |best| KERNELS[best])
}

/// ln of a sum of normal densities by the squared distances of their centres, but for a constant.
fn ln_density(squares: &[f64], deviation: f64, dims: usize) -> f64 {
    let exponent = |square: f64| -0.5 * square / (deviation * deviation);
    let nearest = squares.iter().copied().fold(f64::INFINITY, f64::min);
    let sum: f64 = squares
        .iter()
        .map(|&square| (exponent(square) - exponent(nearest)).exp())
        .sum();
    exponent(nearest) + sum.ln() - dims as f64 * deviation.ln()
}

/// The same for the vectors of a run.
pub(crate) struct Smoother {
    /// Step of every column; 0 of a continuous one.
    pub(crate) steps: Vec<f32>,
    noise: f32,
}

impl Smoother {
    pub(super) fn new(smoothing: Smoothing, vectors: &Vectors, items: &[usize]) -> Self {
        let step = |column: usize| match smoothing.steps {
            true => step(
                items
                    .iter()
                    .map(|&item| vectors.get(item)[column])
                    .collect(),
            ),
            false => 0.0,
        };
        Self {
            steps: (0..vectors.dims()).map(step).collect(),
            noise: smoothing.noise,
        }
    }

    /// A vector somewhere in the cell of its values, if this noise is any; in training with what its latent gets.
    pub(super) fn seen(
        &self,
        x: &[f32],
        item: usize,
        noise: DequantizationNoise<'_>,
    ) -> Option<Seen> {
        let key = |purpose, seed, number| Noise::new(seed, purpose, [number, item as u64]);
        let (mut drawn, trains) = match noise {
            DequantizationNoise::Training { seed, epoch, .. } => {
                (key(Purpose::Dequantize, seed, epoch), true)
            }
            DequantizationNoise::Evaluation(Dequantization::Drawn { seed, draw }) => {
                (key(Purpose::Evaluate, seed, draw), false)
            }
            DequantizationNoise::Evaluation(_) => return None,
        };
        let spread = x.iter().zip(&self.steps);
        let spread = spread.map(|(x, step)| x + step * (drawn.uniform() - 0.5));
        Some(Seen {
            x: spread.collect(),
            blur: trains.then_some((drawn, self.noise)),
        })
    }
}

/// A vector as it is seen once.
pub(super) struct Seen {
    pub(super) x: Vec<f32>,
    blur: Option<(Noise, f32)>,
}

impl Seen {
    /// Adds noise to its first latent.
    pub(super) fn blur(self, z: &mut [f32]) {
        if let Some((mut noise, deviation)) = self.blur {
            z.iter_mut().for_each(|z| *z += deviation * noise.normal());
        }
    }
}

/// The least distance of two values, of a column that repeats itself; 0 of others.
fn step(mut values: Vec<f32>) -> f32 {
    let rows = values.len();
    values.sort_unstable_by(f32::total_cmp);
    values.dedup();
    if values.len() as f64 > CONTINUOUS * rows as f64 {
        return 0.0;
    }
    let distances = values.windows(2).map(|pair| pair[1] - pair[0]);
    distances.min_by(f32::total_cmp).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix64;

    #[test]
    fn steps_are_those_of_columns_that_repeat_themselves() {
        assert_eq!(step(vec![0.0, 0.5, 1.5, 0.5, 0.0, 1.5]), 0.5);
        assert_eq!(step(vec![3.0; 5]), 0.0);
        assert_eq!(step((0..20).map(|i| i as f32).collect()), 0.0);
    }

    #[test]
    fn kernels_are_as_wide_as_the_gaps() {
        // Points of a line in a plane, and those of a full normal distribution.
        let seed = 7;
        println!("seed {seed}");
        let mut random = SplitMix64(seed);
        let circle: Vec<f64> = (0..800)
            .flat_map(|_| {
                let angle = std::f64::consts::TAU * random.uniform();
                [1.4 * angle.cos(), 1.4 * angle.sin()]
            })
            .collect();
        let full: Vec<f64> = (0..200 * 8).map(|_| random.normal()).collect();
        assert_eq!(best_kernel(&circle, 2), KERNELS[0]);
        // Silverman's rule: (4 / (d + 2) / n) ^ (1 / (d + 4)) = 0.6.
        let found = best_kernel(&full, 8);
        assert!((0.4..=0.8).contains(&found), "{found}");
    }
}
