//! What a flow must beat: a Gaussian and a mixture of Gaussians, fitted to the same benign data.
//!
//! Both are log-densities in nats of the features below. They are no straw men: shrunk covariance,
//! whitened principal axes, several components; and no flow that loses to them is worth its flash.

mod gaussian;
mod mixture;

use crate::data::Dataset;
use crate::linear::means;
use gaussian::Gaussian;
use mixture::Mixture;
use rayon::prelude::*;

/// Names of the baselines, in the order of [`Baselines::log_densities`].
pub const NAMES: [&str; 2] = ["gaussian", "mixture"];

/// Most features of a covariance: beyond it images are averaged 2 x 2, as often as it takes.
const MOST_FEATURES: usize = 2048;
/// Most samples that are used.
const MOST_SAMPLES: usize = 10_000;
/// Fewest samples for a fit.
pub const FEWEST_SAMPLES: usize = 10;

/// Both baselines, fitted.
#[derive(Debug)]
pub struct Baselines {
    features: Features,
    gaussian: Gaussian,
    mixture: Mixture,
}

/// Why there are no baselines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BaselineError {
    /// Too few samples.
    #[error("{0} samples are too few to fit the baselines: it takes at least {FEWEST_SAMPLES}")]
    TooFew(usize),
    /// Vectors of more coordinates than a covariance is computed for.
    #[error("vectors of {0} coordinates are too long for the baselines: at most {MOST_FEATURES}")]
    TooWide(usize),
    /// All samples are the same.
    #[error("all samples are the same: nothing to fit baselines to")]
    Constant,
}

impl Baselines {
    /// Fits both to the data, or to the first 10,000 of it.
    ///
    /// # Errors
    /// [`BaselineError`].
    pub fn fit(data: &Dataset, seed: u64) -> Result<Self, BaselineError> {
        if data.len() < FEWEST_SAMPLES {
            return Err(BaselineError::TooFew(data.len()));
        }
        let data = data.take(0..MOST_SAMPLES);
        let features = Features::new(&data)?;
        let table: Vec<f64> = (0..data.len())
            .flat_map(|index| features.of(&data, index))
            .collect();
        let dims = table.len() / data.len();
        Ok(Self {
            gaussian: Gaussian::fit(&table, dims).ok_or(BaselineError::Constant)?,
            mixture: Mixture::fit(&table, dims, seed).ok_or(BaselineError::Constant)?,
            features,
        })
    }

    /// ln of the densities of every item, in nats of the features: Gaussian, mixture.
    pub fn log_densities(&self, data: &Dataset) -> Vec<[f64; 2]> {
        let of_item = |index: usize| {
            let x = self.features.of(data, index);
            if x.is_empty() {
                return [f64::NAN; 2];
            }
            [self.gaussian.log_density(&x), self.mixture.log_density(&x)]
        };
        (0..data.len()).into_par_iter().map(of_item).collect()
    }
}

/// What the baselines see of an item.
#[derive(Debug)]
enum Features {
    /// Pixels, averaged 2 x 2 so many times.
    Pixels { halvings: u32 },
    /// Coordinates, standardized: without it a principal axis is whatever has the largest unit.
    Standardized { mean: Vec<f64>, deviation: Vec<f64> },
}

impl Features {
    fn new(data: &Dataset) -> Result<Self, BaselineError> {
        match data {
            Dataset::Images(images) => {
                let mut halvings = 0;
                let dims = |halvings: u32| {
                    let side = |n: usize| n.div_ceil(1 << halvings);
                    images.channels() * side(images.height()) * side(images.width())
                };
                while dims(halvings) > MOST_FEATURES && halvings < 16 {
                    halvings += 1;
                }
                Ok(Self::Pixels { halvings })
            }
            Dataset::Vectors(vectors) if vectors.dims() > MOST_FEATURES => {
                Err(BaselineError::TooWide(vectors.dims()))
            }
            Dataset::Vectors(vectors) => {
                let table: Vec<f64> = vectors.values().iter().map(|&v| v.into()).collect();
                let mean = means(&table, vectors.dims());
                let squares: Vec<f64> = table
                    .iter()
                    .zip(mean.iter().cycle())
                    .map(|(v, m)| (v - m).powi(2))
                    .collect();
                let variance = means(&squares, vectors.dims());
                let deviation = variance
                    .iter()
                    .map(|v| if *v > 0.0 { v.sqrt() } else { 1.0 });
                Ok(Self::Standardized {
                    deviation: deviation.collect(),
                    mean,
                })
            }
        }
    }

    fn of(&self, data: &Dataset, index: usize) -> Vec<f64> {
        match (self, data) {
            (Self::Pixels { halvings }, Dataset::Images(images)) => {
                let shape = [images.channels(), images.height(), images.width()];
                pooled(images.get(index), shape, 1 << halvings)
            }
            (Self::Standardized { mean, deviation }, Dataset::Vectors(vectors)) => {
                let scaled = vectors.get(index).iter().zip(mean.iter().zip(deviation));
                scaled.map(|(&v, (m, d))| (f64::from(v) - m) / d).collect()
            }
            // Callers compare sets of one kind; another kind has no density at all.
            _ => Vec::new(),
        }
    }
}

/// Means of blocks of `block` x `block` pixels; smaller ones at the edges.
fn pooled(pixels: &[u8], [channels, height, width]: [usize; 3], block: usize) -> Vec<f64> {
    if block == 1 {
        return pixels.iter().map(|&p| p.into()).collect();
    }
    let mut features = Vec::new();
    for channel in pixels.chunks_exact(height * width).take(channels) {
        for top in (0..height).step_by(block) {
            for left in (0..width).step_by(block) {
                let (bottom, right) = ((top + block).min(height), (left + block).min(width));
                let rows = (top..bottom).map(|y| &channel[y * width + left..y * width + right]);
                let sum: f64 = rows.flatten().map(|&p| f64::from(p)).sum();
                features.push(sum / ((bottom - top) * (right - left)) as f64);
            }
        }
    }
    features
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Images, Vectors};
    use crate::metrics::auroc;
    use crate::random::SplitMix64;

    #[test]
    fn blocks_are_averaged_with_smaller_ones_at_the_edges() {
        let pixels = [0, 4, 10, 8, 8, 20, 1, 3, 9];
        assert_eq!(pooled(&pixels, [1, 3, 3], 2), [5.0, 15.0, 2.0, 9.0]);
        assert_eq!(pooled(&pixels, [1, 3, 3], 1)[5], 20.0);
    }

    fn images(count: usize, side: usize, seed: u64, stripes: bool) -> Dataset {
        let mut random = SplitMix64(seed);
        let pixel = |i: usize| {
            let lit = if stripes {
                i % side % 8 < 4
            } else {
                i / side % 8 < 4
            };
            (if lit { 180.0 } else { 40.0 } + 20.0 * random.uniform()) as u8
        };
        let pixels = (0..count * side * side).map(pixel).collect();
        Dataset::Images(Images::new(1, side, side, pixels).unwrap())
    }

    #[test]
    fn foreign_images_are_told_from_benign_ones() {
        for side in [6, 48] {
            let fitted = Baselines::fit(&images(60, side, 1, false), 3).unwrap();
            let benign = fitted.log_densities(&images(20, side, 2, false));
            let foreign = fitted.log_densities(&images(20, side, 3, true));
            for k in 0..2 {
                let pick = |all: &[[f64; 2]]| all.iter().map(|s| s[k]).collect::<Vec<_>>();
                assert_eq!(
                    auroc(&pick(&benign), &pick(&foreign)),
                    1.0,
                    "{} {side}",
                    NAMES[k]
                );
            }
        }
    }

    #[test]
    fn units_of_vectors_do_not_matter() {
        let table = |scale: f32| {
            let mut random = SplitMix64(9);
            let values = (0..200)
                .flat_map(|_| [random.normal() as f32, random.normal() as f32 * scale])
                .collect();
            Dataset::Vectors(Vectors::new(2, values).unwrap())
        };
        let (plain, scaled) = (table(1.0), table(1024.0));
        let a = Baselines::fit(&plain, 1).unwrap().log_densities(&plain);
        let b = Baselines::fit(&scaled, 1).unwrap().log_densities(&scaled);
        for (a, b) in a.iter().flatten().zip(b.iter().flatten()) {
            assert!((a - b).abs() < 1e-6, "{a} {b}");
        }
    }

    #[test]
    fn unusable_samples_are_named() {
        let few = images(9, 2, 1, false);
        assert_eq!(
            Baselines::fit(&few, 0).unwrap_err(),
            BaselineError::TooFew(9)
        );
        let flat = Dataset::Images(Images::new(1, 2, 2, vec![7; 4 * 12]).unwrap());
        assert_eq!(
            Baselines::fit(&flat, 0).unwrap_err(),
            BaselineError::Constant
        );
        let wide = Dataset::Vectors(Vectors::new(2049, vec![0.5; 2049 * 12]).unwrap());
        assert_eq!(
            Baselines::fit(&wide, 0).unwrap_err(),
            BaselineError::TooWide(2049)
        );
    }
}
