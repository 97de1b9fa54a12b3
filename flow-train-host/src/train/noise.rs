//! Random numbers that are a function of what they are for.
//!
//! Every use makes its own generator from a key such as (seed, purpose, epoch, index). So the noise
//! of an image does not depend on which thread drew it or how many were drawn before, a resumed run
//! continues with the same bits, and no generator state has to be saved. SplitMix64: its finalizer
//! also serves as the hash of the key.

use crate::random::SplitMix64;

/// What random numbers are for: the first part of a key.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub(crate) enum Purpose {
    /// First weights; then the step's number.
    Initialize = 1,
    /// Order of the items; then the epoch.
    Shuffle,
    /// Dequantization; then the epoch and the item.
    Dequantize,
    /// Dequantization of an evaluation; then the draw and the item.
    Evaluate,
    /// A latent of the base distribution; then the draw.
    Sample,
    /// What a sensor does to an image; then the epoch and the item.
    Sensor,
    /// A ratio net: first weights, then order of the items.
    Ratio,
}

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub(crate) struct Noise(SplitMix64);

impl Noise {
    /// The stream of a key.
    pub(crate) fn new(seed: u64, purpose: Purpose, key: [u64; 2]) -> Self {
        Self(SplitMix64::keyed([seed, purpose as u64, key[0], key[1]]))
    }

    fn bits(&mut self) -> u64 {
        self.0.bits()
    }

    /// Uniform in [0, 1), a multiple of 2^-24.
    pub(crate) fn uniform(&mut self) -> f32 {
        (self.bits() >> 40) as f32 * (1.0 / (1 << 24) as f32)
    }

    /// Standard normal (Box and Muller).
    pub(crate) fn normal(&mut self) -> f32 {
        let radius = (-2.0 * f64::from(1.0 - self.uniform()).ln()).sqrt();
        let angle = std::f64::consts::TAU * f64::from(self.uniform());
        (radius * angle.cos()) as f32
    }

    /// A permutation of 0..count (Fisher and Yates).
    pub(crate) fn permutation(&mut self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        for last in (1..count).rev() {
            // The product's upper half is uniform on 0..=last up to 2^-64 count.
            let wide = u128::from(self.bits()) * (last as u128 + 1);
            order.swap(last, (wide >> 64) as usize);
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_depends_on_every_part_of_its_key() {
        let first = |seed, purpose, key| Noise::new(seed, purpose, key).bits();
        let base = first(1, Purpose::Shuffle, [2, 3]);
        assert_eq!(base, first(1, Purpose::Shuffle, [2, 3]));
        for other in [
            first(0, Purpose::Shuffle, [2, 3]),
            first(1, Purpose::Dequantize, [2, 3]),
            first(1, Purpose::Shuffle, [3, 3]),
            first(1, Purpose::Shuffle, [3, 2]),
            first(1, Purpose::Shuffle, [2, 4]),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn moments_are_those_of_the_distributions() {
        let mut noise = Noise::new(7, Purpose::Initialize, [0, 0]);
        let count = 100_000;
        let uniform: Vec<f64> = (0..count).map(|_| f64::from(noise.uniform())).collect();
        let normal: Vec<f64> = (0..count).map(|_| f64::from(noise.normal())).collect();
        let mean = |v: &[f64], power| v.iter().map(|x| x.powi(power)).sum::<f64>() / v.len() as f64;
        // Five standard deviations of each mean.
        let bound = 5.0 / f64::from(count).sqrt();
        assert!((mean(&uniform, 1) - 0.5).abs() < bound * (1.0f64 / 12.0).sqrt());
        assert!((mean(&uniform, 2) - 1.0 / 3.0).abs() < bound * (4.0f64 / 45.0).sqrt());
        assert!(mean(&normal, 1).abs() < bound);
        assert!((mean(&normal, 2) - 1.0).abs() < bound * 2.0f64.sqrt());
        assert!((mean(&normal, 4) - 3.0).abs() < bound * 96.0f64.sqrt());
    }

    #[test]
    fn a_permutation_holds_every_index_once() {
        let mut order = Noise::new(1, Purpose::Shuffle, [0, 0]).permutation(1000);
        assert_ne!(order, (0..1000).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..1000).collect::<Vec<_>>());
    }
}
