//! Some values of a vector as a Gaussian of own vectors foresees them from the others.

use crate::data::Vectors;
use crate::linear::{Square, inverse_of_positive};

/// Parts of a variance that are added to it: the relation between values as sharp as it is, and one that few vectors tell.
const RIDGES: [f64; 2] = [1e-4, 0.1];
/// A value further off than so many deviations foresees no more.
const FAR: f64 = 3.0;
/// Vectors with more values are not looked at.
const MOST_VALUES: usize = 512;

/// Means, deviations, and the inverse of the correlations.
#[derive(Clone, Debug)]
pub(super) struct Foreseen {
    means: Vec<f64>,
    deviations: Vec<f64>,
    precisions: Vec<Square>,
}

impl Foreseen {
    pub(super) fn by(own: &Vectors) -> Self {
        let (dims, n) = (own.dims(), own.len().max(1) as f64);
        let mean = |k: usize| own.iter().map(|row| f64::from(row[k])).sum::<f64>() / n;
        let means: Vec<f64> = (0..dims).map(mean).collect();
        let deviation = |k: usize| {
            let squares = own.iter().map(|row| (f64::from(row[k]) - means[k]).powi(2));
            match (squares.sum::<f64>() / n).sqrt() {
                positive if positive > 0.0 => positive,
                _ => 1.0,
            }
        };
        let mut foreseen = Self {
            deviations: (0..dims).map(deviation).collect(),
            means,
            precisions: Vec::new(),
        };
        if dims <= MOST_VALUES {
            let correlations = foreseen.correlations(own);
            let precisions = RIDGES.iter().filter_map(|&ridge| {
                let mut sharp = correlations.clone();
                (0..dims).for_each(|k| sharp.values[k * dims + k] += ridge);
                inverse_of_positive(&sharp)
            });
            foreseen.precisions = precisions.collect();
        }
        foreseen
    }

    fn correlations(&self, own: &Vectors) -> Square {
        let dims = own.dims();
        let mut sums = Square::zero(dims);
        for row in own.iter() {
            let row = self.in_deviations(row);
            for (sums, a) in sums.values.chunks_exact_mut(dims).zip(&row) {
                sums.iter_mut().zip(&row).for_each(|(sum, b)| *sum += a * b);
            }
        }
        let n = own.len().max(1) as f64;
        sums.values.iter_mut().for_each(|sum| *sum /= n);
        sums
    }

    /// Deviations of every value.
    pub(super) fn deviations(&self) -> &[f64] {
        &self.deviations
    }

    fn in_deviations(&self, values: &[f32]) -> Vec<f64> {
        let both = values.iter().zip(self.means.iter().zip(&self.deviations));
        both.map(|(&v, (mean, deviation))| (f64::from(v) - mean) / deviation)
            .collect()
    }

    /// The vector with the values of a part as they are foreseen, once with each ridge.
    pub(super) fn changed(&self, values: &[f32], part: &[bool]) -> Vec<Vec<f32>> {
        let of = |precision| self.with(precision, values, part);
        self.precisions.iter().filter_map(of).collect()
    }

    /// The mean of the part given the rest: with precision P that of the part is -P_pp^-1 P_pr x_r.
    fn with(&self, precision: &Square, values: &[f32], part: &[bool]) -> Option<Vec<f32>> {
        let mut rest = self.in_deviations(values);
        for (value, &is) in rest.iter_mut().zip(part) {
            *value = if is { 0.0 } else { value.clamp(-FAR, FAR) };
        }
        let members: Vec<usize> = (0..part.len()).filter(|&k| part[k]).collect();
        let mut own = Square::zero(members.len());
        let pairs = members
            .iter()
            .flat_map(|&i| members.iter().map(move |&j| (i, j)));
        let cells = own.values.iter_mut().zip(pairs);
        cells.for_each(|(cell, (i, j))| *cell = precision.row(i)[j]);
        let own = inverse_of_positive(&own)?;
        let pulled = members.iter().map(|&i| dot(precision.row(i), &rest));
        let pulled: Vec<f64> = pulled.collect();
        let mut changed = values.to_vec();
        for (place, &k) in members.iter().enumerate() {
            let foreseen = -dot(own.row(place), &pulled);
            changed[k] = (self.means[k] + foreseen * self.deviations[k]) as f32;
        }
        Some(changed)
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix64;

    #[test]
    fn a_value_is_foreseen_from_the_one_that_it_follows() {
        let seed = 0x5EED_0062;
        println!("seed {seed:#x}");
        let mut random = SplitMix64(seed);
        let rows = (0..500).flat_map(|_| {
            let x = random.normal();
            [x, 3.0 * x + 10.0, random.normal()].map(|v| v as f32)
        });
        let own = Vectors::new(3, rows.collect()).unwrap();
        let foreseen = Foreseen::by(&own);
        let found = foreseen.changed(&[1.5, -700.0, 0.2], &[false, true, false]);
        assert_eq!(found.len(), RIDGES.len());
        assert!((found[0][1] - 14.5).abs() < 0.05, "{found:?}");
        assert_eq!((found[0][0], found[0][2]), (1.5, 0.2));
        // What is absurd foresees no more than what is far.
        let far = foreseen.changed(&[1e6, 0.0, 0.0], &[false, true, false]);
        assert!(far[0][1] < 10.0 + 3.0 * 3.5, "{far:?}");
    }
}
