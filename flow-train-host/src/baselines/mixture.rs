//! A mixture of Gaussians with diagonal covariances on the principal axes, and one variance for the
//! rest.
//!
//! On the raw pixels a mixture of this size would spend itself on noise; on at most 64 principal
//! axes, each scaled to variance 1, it describes clusters. What lies beside the axes counts as
//! isotropic noise (as in probabilistic PCA), because an image that the axes cannot express is
//! foreign too.

use crate::linear::{covariance, dot, leading_eigen, means};
use crate::random::SplitMix64;
use flow_infer::spec::units::HALF_LN_2PI;
use rayon::prelude::*;

/// Most principal axes.
const AXES: usize = 64;
/// Most components.
const COMPONENTS: usize = 10;
/// Fewest samples a component is fitted to.
const SAMPLES_PER_COMPONENT: usize = 20;
/// Iterations of expectation and maximization, unless it settles before.
const ITERATIONS: usize = 100;
/// Gain in mean log-density, nats, below which it has settled.
const SETTLED: f64 = 1e-5;
/// Smallest variance along an axis, where the whole set has variance 1.
const VARIANCE_FLOOR: f64 = 1e-3;

/// A mixture fitted to a table.
#[derive(Debug)]
pub(super) struct Mixture {
    mean: Vec<f64>,
    /// Principal axes, each divided by its deviation.
    axes: Vec<Vec<f64>>,
    /// Deviations along the axes.
    deviations: Vec<f64>,
    /// Variance of a coordinate beside the axes.
    noise: f64,
    components: Vec<Component>,
}

#[derive(Clone, Debug)]
struct Component {
    log_weight: f64,
    mean: Vec<f64>,
    variance: Vec<f64>,
}

impl Component {
    /// ln of weight times density.
    fn log_joint(&self, y: &[f64]) -> f64 {
        let along = |((y, m), v): ((&f64, &f64), &f64)| (y - m).powi(2) / v + v.ln();
        let sum: f64 = y
            .iter()
            .zip(&self.mean)
            .zip(&self.variance)
            .map(along)
            .sum();
        self.log_weight - sum / 2.0 - HALF_LN_2PI * y.len() as f64
    }
}

impl Mixture {
    /// Fits an N x D table; `None` if nothing in it varies.
    pub(super) fn fit(table: &[f64], dims: usize, seed: u64) -> Option<Self> {
        let mut random = SplitMix64(seed);
        let mean = means(table, dims);
        let matrix = covariance(table, &mean);
        let count = table.len() / dims;
        let axes = AXES.min(dims).min(count - 1);
        let (values, vectors) = leading_eigen(&matrix, axes, &mut || random.uniform());
        let used = values.iter().take_while(|&&v| v > 1e-9 * values[0]).count();
        if used == 0 || values[0] <= 0.0 {
            return None;
        }
        let explained: f64 = values[..used].iter().sum();
        let beside = (matrix.trace() - explained).max(0.0) / (dims - used).max(1) as f64;
        let deviations: Vec<f64> = values[..used].iter().map(|v| v.sqrt()).collect();
        let scaled = vectors.into_iter().zip(&deviations);
        let mut mixture = Self {
            mean,
            axes: scaled
                .map(|(v, d)| v.iter().map(|x| x / d).collect())
                .collect(),
            // Along directions in which nothing varied, a thousandth of the least variance that was
            // kept.
            noise: beside.max(1e-3 * values[used - 1]),
            deviations,
            components: Vec::new(),
        };
        let points: Vec<Vec<f64>> = table
            .par_chunks_exact(dims)
            .map(|x| mixture.project(x).0)
            .collect();
        mixture.components = maximize(&points, &mut random);
        Some(mixture)
    }

    /// Coordinates on the scaled axes, and the squared distance from their space.
    fn project(&self, x: &[f64]) -> (Vec<f64>, f64) {
        let centred: Vec<f64> = x.iter().zip(&self.mean).map(|(x, m)| x - m).collect();
        let y: Vec<f64> = self.axes.iter().map(|axis| dot(axis, &centred)).collect();
        let along = y.iter().zip(&self.deviations);
        let inside: f64 = along.map(|(y, d)| (y * d).powi(2)).sum();
        (y, (dot(&centred, &centred) - inside).max(0.0))
    }

    /// ln of the density.
    pub(super) fn log_density(&self, x: &[f64]) -> f64 {
        let (y, beside) = self.project(x);
        let rest = (x.len() - y.len()) as f64;
        let joints = self.components.iter().map(|c| c.log_joint(&y));
        let log_det: f64 = self.deviations.iter().map(|d| d.ln()).sum();
        let isotropic = -beside / (2.0 * self.noise) - rest * (self.noise.ln() / 2.0 + HALF_LN_2PI);
        match rest > 0.0 {
            true => log_sum_exp(joints) - log_det + isotropic,
            false => log_sum_exp(joints) - log_det,
        }
    }
}

fn log_sum_exp(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let top = values.clone().fold(f64::NEG_INFINITY, f64::max);
    match top.is_finite() {
        true => top + values.map(|v| (v - top).exp()).sum::<f64>().ln(),
        false => top,
    }
}

/// Expectation and maximization from scattered starting points.
fn maximize(points: &[Vec<f64>], random: &mut SplitMix64) -> Vec<Component> {
    let count = COMPONENTS.min(points.len() / SAMPLES_PER_COMPONENT).max(1);
    let centres = scatter(points, count, random);
    let mut shares: Vec<Vec<f64>> = points
        .iter()
        .map(|point| {
            let mut share = vec![0.0; count];
            share[nearest(point, &centres).0] = 1.0;
            share
        })
        .collect();
    let mut components = update(points, &shares, count);
    let mut before = f64::NEG_INFINITY;
    for _ in 0..ITERATIONS {
        let log_densities: Vec<f64> = points
            .par_iter()
            .zip(shares.par_iter_mut())
            .map(|(point, share)| expect(&components, point, share))
            .collect();
        let mean = log_densities.iter().sum::<f64>() / points.len() as f64;
        if mean - before < SETTLED {
            break;
        }
        before = mean;
        components = update(points, &shares, count);
    }
    components
}

/// Starting points far apart: each is drawn with a chance proportional to its squared distance from
/// those before (k-means++, Arthur and Vassilvitskii 2007).
fn scatter(points: &[Vec<f64>], count: usize, random: &mut SplitMix64) -> Vec<Vec<f64>> {
    let first = (random.uniform() * points.len() as f64) as usize;
    let mut centres = vec![points[first].clone()];
    while centres.len() < count {
        let distances: Vec<f64> = points.iter().map(|p| nearest(p, &centres).1).collect();
        let mut left = random.uniform() * distances.iter().sum::<f64>();
        let chosen = distances.iter().position(|d| {
            left -= d;
            left < 0.0
        });
        centres.push(points[chosen.unwrap_or(points.len() - 1)].clone());
    }
    centres
}

/// The nearest centre and its squared distance.
fn nearest(point: &[f64], centres: &[Vec<f64>]) -> (usize, f64) {
    let distance = |c: &Vec<f64>| point.iter().zip(c).map(|(p, c)| (p - c).powi(2)).sum();
    let distances = centres.iter().map(distance).enumerate();
    distances.fold((0, f64::INFINITY), |best, next: (usize, f64)| {
        if next.1 < best.1 { next } else { best }
    })
}

/// Shares of the components in a point; returns ln of its density.
fn expect(components: &[Component], point: &[f64], share: &mut [f64]) -> f64 {
    for (share, component) in share.iter_mut().zip(components) {
        *share = component.log_joint(point);
    }
    let log_density = log_sum_exp(share.iter().copied());
    share.iter_mut().for_each(|s| *s = (*s - log_density).exp());
    log_density
}

/// Components that fit the points best, given their shares.
fn update(points: &[Vec<f64>], shares: &[Vec<f64>], count: usize) -> Vec<Component> {
    let component = |k: usize| {
        let dims = points[0].len();
        let weight: f64 = shares.iter().map(|s| s[k]).sum();
        // An empty component keeps a share of nothing and stays out of the way.
        let total = weight.max(1e-300);
        let mut mean = vec![0.0; dims];
        for (point, share) in points.iter().zip(shares) {
            mean.iter_mut()
                .zip(point)
                .for_each(|(m, p)| *m += share[k] * p / total);
        }
        let mut variance = vec![0.0; dims];
        for (point, share) in points.iter().zip(shares) {
            let sums = variance.iter_mut().zip(point.iter().zip(&mean));
            sums.for_each(|(v, (p, m))| *v += share[k] * (p - m).powi(2) / total);
        }
        variance.iter_mut().for_each(|v| *v = v.max(VARIANCE_FLOOR));
        Component {
            log_weight: (weight / points.len() as f64).ln(),
            mean,
            variance,
        }
    };
    (0..count).into_par_iter().map(component).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_clusters(seed: u64) -> Vec<f64> {
        let mut random = SplitMix64(seed);
        let point = |i: usize| {
            let centre = if i.is_multiple_of(4) { 5.0 } else { -5.0 };
            [centre + random.normal(), 0.5 * random.normal()]
        };
        (0..4000).flat_map(point).collect()
    }

    #[test]
    fn two_clusters_are_found() {
        let mixture = Mixture::fit(&two_clusters(3), 2, 1).unwrap();
        let exact = |x: f64, y: f64| {
            let normal = |v: f64, d: f64| {
                (-(v / d).powi(2) / 2.0).exp() / (d * (2.0 * std::f64::consts::PI).sqrt())
            };
            let along = 0.25 * normal(x - 5.0, 1.0) + 0.75 * normal(x + 5.0, 1.0);
            (along * normal(y, 0.5)).ln()
        };
        for (x, y) in [(5.0, 0.0), (-5.0, 0.5), (-4.0, -0.5)] {
            let found = mixture.log_density(&[x, y]);
            assert!(
                (found - exact(x, y)).abs() < 0.4,
                "{x} {y}: {found} {}",
                exact(x, y)
            );
        }
        assert!(mixture.log_density(&[0.0, 0.0]) < mixture.log_density(&[5.0, 0.0]) - 4.0);
    }

    #[test]
    fn the_density_is_normalized() {
        let mixture = Mixture::fit(&two_clusters(8), 2, 2).unwrap();
        let step = 0.05;
        let at = |i: i32, j: i32| {
            mixture
                .log_density(&[f64::from(i) * step, f64::from(j) * step])
                .exp()
        };
        let sum: f64 = (-300..300)
            .map(|i| (-100..100).map(|j| at(i, j)).sum::<f64>())
            .sum();
        assert!(
            (sum * step * step - 1.0).abs() < 1e-4,
            "{}",
            sum * step * step
        );
    }

    #[test]
    fn what_the_axes_cannot_express_is_unlikely() {
        // 100 coordinates of which 3 vary: the others are noise of deviation 0.01.
        let mut random = SplitMix64(4);
        let table: Vec<f64> = (0..300 * 100)
            .map(|i| random.normal() * if i % 100 < 3 { 1.0 } else { 0.01 })
            .collect();
        let mixture = Mixture::fit(&table, 100, 1).unwrap();
        let (mut near, mut far) = (vec![0.0; 100], vec![0.0; 100]);
        (near[0], far[99]) = (1.0, 1.0);
        assert!(mixture.log_density(&near) > mixture.log_density(&far) + 100.0);
    }

    #[test]
    fn the_same_seed_gives_the_same_figures() {
        let table = two_clusters(11);
        let density = |seed| {
            Mixture::fit(&table, 2, seed)
                .unwrap()
                .log_density(&[1.0, 0.2])
        };
        assert_eq!(density(7).to_bits(), density(7).to_bits());
    }

    #[test]
    fn constant_tables_have_no_mixture() {
        assert!(Mixture::fit(&[2.0; 40], 2, 0).is_none());
    }
}
